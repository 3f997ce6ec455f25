
#ifndef _NGX_FLOWDASH_CURL_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <curl/curl.h>


typedef struct ngx_flowdash_curl_transfer_s  ngx_flowdash_curl_transfer_t;

typedef void (*ngx_flowdash_curl_handler_pt)(ngx_flowdash_curl_transfer_t *t);

/* Sets options.  Returns NGX_OK or NGX_ERROR. */
typedef ngx_int_t (*ngx_flowdash_curl_setup_pt)(CURL *easy, void *data);


/*
 * Easy handles for transfers that have most of their options in common: these
 * are set when a handle is made, and kept while it waits for the next
 * transfer.
 */

typedef struct ngx_flowdash_curl_handles_s {
    ngx_flowdash_curl_setup_pt     setup;
    void                          *data;
    ngx_queue_t                    idle;
    ngx_uint_t                     nidle;
    unsigned                       tls:1;      /* some may use TLS */
} ngx_flowdash_curl_handles_t;


typedef struct {
    CURL                          *easy;
    ngx_flowdash_curl_handles_t   *owner;
    ngx_flowdash_curl_transfer_t  *transfer;
    ngx_queue_t                    queue;      /* of the owner's idle ones */
    ngx_queue_t                    all;        /* of the worker's */
    char                           error[CURL_ERROR_SIZE];
} ngx_flowdash_curl_handle_t;


/* one transfer; its memory is the caller's, and outlives it */

struct ngx_flowdash_curl_transfer_s {
    CURL                          *easy;
    ngx_flowdash_curl_handler_pt   handler;    /* called once, at the end */
    void                          *data;

    CURLcode                       result;

    ngx_flowdash_curl_handle_t    *handle;
    ngx_queue_t                    queue;
    unsigned                       running:1;
    unsigned                       refused:1;  /* no connection was left */
};


/*
 * Makes the worker's multi handle, which keeps so many connections that are
 * idle, for so many seconds each.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_init(ngx_cycle_t *cycle, ngx_uint_t keepalive,
    time_t keepalive_timeout);

/* Ends all transfers, without their handlers, and closes what is open. */
void ngx_flowdash_curl_exit(void);

/*
 * Gets t->easy from "handles", or makes it, with the options set that keep
 * libcurl from blocking the worker and from acting on its own, and those of
 * handles->setup; the caller sets those of its request.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_create(ngx_flowdash_curl_transfer_t *t,
    ngx_flowdash_curl_handles_t *handles);

/*
 * Starts a transfer, or repeats one that has ended.  The handler is called
 * from the event loop, never from here.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_start(ngx_flowdash_curl_transfer_t *t);

/* What libcurl has to say about a transfer that has failed. */
const char *ngx_flowdash_curl_error(ngx_flowdash_curl_transfer_t *t);

/* Ends a transfer that may be running, and gives t->easy back. */
void ngx_flowdash_curl_free(ngx_flowdash_curl_transfer_t *t);

/* A configuration is gone, and its idle handles with it. */
void ngx_flowdash_curl_forget(void *handles);


#endif /* _NGX_FLOWDASH_CURL_H_INCLUDED_ */
