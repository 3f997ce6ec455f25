
#ifndef _NGX_FLOWDASH_CURL_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <curl/curl.h>


typedef struct ngx_flowdash_curl_transfer_s  ngx_flowdash_curl_transfer_t;

typedef void (*ngx_flowdash_curl_handler_pt)(ngx_flowdash_curl_transfer_t *t);


/* one transfer; its memory is the caller's, and outlives it */

struct ngx_flowdash_curl_transfer_s {
    CURL                          *easy;
    ngx_flowdash_curl_handler_pt   handler;    /* called once, at the end */
    void                          *data;

    CURLcode                       result;
    char                           error[CURL_ERROR_SIZE];

    ngx_queue_t                    queue;
    unsigned                       running:1;
    unsigned                       refused:1;  /* no connection was left */
};


/* Makes the worker's multi handle.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_flowdash_curl_init(ngx_cycle_t *cycle);

/* Ends all transfers, without their handlers, and closes what is open. */
void ngx_flowdash_curl_exit(void);

/*
 * Makes t->easy, with the options set that keep libcurl from blocking the
 * worker and from acting on its own; the caller sets those of its request.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_create(ngx_flowdash_curl_transfer_t *t);

/*
 * Starts a transfer.  The handler is called from the event loop, never from
 * here.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_start(ngx_flowdash_curl_transfer_t *t);

/* Ends a transfer that may be running, and frees t->easy. */
void ngx_flowdash_curl_free(ngx_flowdash_curl_transfer_t *t);


#endif /* _NGX_FLOWDASH_CURL_H_INCLUDED_ */
