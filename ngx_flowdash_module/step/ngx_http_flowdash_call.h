
#ifndef _NGX_HTTP_FLOWDASH_CALL_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CALL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_resolve.h>
#include <ngx_flowdash_curl.h>


/*
 * A call: the attempts to send one request.  It needs no request of a client,
 * only what its user sets.
 */

typedef void (*ngx_http_flowdash_call_pt)(ngx_http_flowdash_call_t *call);
typedef ngx_int_t (*ngx_http_flowdash_call_headers_pt)(
    ngx_http_flowdash_call_t *call, ngx_array_t *headers);
typedef void (*ngx_http_flowdash_call_repeat_pt)(
    ngx_http_flowdash_call_t *call, ngx_msec_t wait);
typedef void (*ngx_http_flowdash_call_handler_pt)(
    ngx_http_flowdash_call_t *call, ngx_int_t rc);


struct ngx_http_flowdash_call_s {
    ngx_flowdash_curl_transfer_t   transfer;
    ngx_http_flowdash_resolve_t   *resolve;    /* NULL: no name is looked up */
    struct curl_slist              addresses;  /* that the host has */

    /* set by its user, who zeroes the rest */

    ngx_http_flowdash_exchange_t  *ex;         /* with step, payload, headers
                                                  and start; no request */
    ngx_http_flowdash_loc_conf_t  *conf;
    ngx_http_flowdash_main_conf_t *main_conf;
    ngx_http_flowdash_retry_t     *retry;      /* NULL: it is not repeated */
    ngx_resolver_t                *resolver;
    ngx_msec_t                     resolver_timeout;
    ngx_msec_t                     deadline;   /* no attempt begins later; as
                                                  ngx_current_msec */
    ngx_pool_t                    *pool;
    ngx_log_t                     *log;
    ngx_str_t                      url;        /* see url_make.h */
    ngx_str_t                      host;

    ngx_http_flowdash_call_pt      wake;       /* an event comes: sets the
                                                  log's context */
    ngx_http_flowdash_call_headers_pt  add_headers;  /* of each attempt */
    ngx_http_flowdash_call_repeat_pt   repeat;  /* an attempt has failed, the
                                                   next begins in "wait" ms */
    ngx_http_flowdash_call_handler_pt  handler;  /* it has ended: "rc" is
                                                    NGX_OK, or NGX_ERROR; it
                                                    calls ..._call_end() */
    void                          *data;       /* of its user */

    ngx_msec_t                     start;      /* of the attempt */
    ngx_event_t                    timer;      /* the end of its time, or of
                                                  the wait for the next one */
    size_t                         header_size;
    ngx_http_flowdash_slices_place_t  place;   /* of the payload, from which
                                                  libcurl reads it */

    unsigned                       attempting:1;
    unsigned                       transferred:1;
    unsigned                       sent:1;     /* libcurl has begun to send */
    unsigned                       kept:1;     /* on a kept connection */
    unsigned                       lost:1;     /* libcurl got no answer, and
                                                  would send again */
    unsigned                       resent:1;   /* the call was sent again */
    unsigned                       http1:1;    /* the endpoint requires it */
    unsigned                       header_ended:1;
    unsigned                       denied:1;   /* an address is denied */
    unsigned                       opened:1;   /* a new socket is allowed */
    unsigned                       made:1;     /* it exists */
    unsigned                       unfit:1;    /* the kept one is denied, or
                                                  frozen */
    unsigned                       fresh:1;    /* use no kept connection */
};


/*
 * Prepares a call: allocates ex->attempts, takes a handle of libcurl, and sets
 * ex->call.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_call_init(ngx_http_flowdash_call_t *call);

/*
 * Makes the first attempt, and those that follow.  Returns NGX_AGAIN if the
 * handler will be called, or what the handler would have got: NGX_OK if there
 * is an answer, NGX_ERROR with ex->error set or if memory ran out.
 */
ngx_int_t ngx_http_flowdash_call_start(ngx_http_flowdash_call_t *call);

/*
 * Frees all that a call has but its memory, and clears ex->call.  An attempt
 * in flight is recorded, and ended.  If "rc" is NGX_ERROR, and ex->error does
 * not say why, it is set: memory ran out.
 */
void ngx_http_flowdash_call_end(ngx_http_flowdash_call_t *call, ngx_int_t rc);

/* The same for a call whose time is over. */
void ngx_http_flowdash_call_time_out(ngx_http_flowdash_call_t *call);


#endif /* _NGX_HTTP_FLOWDASH_CALL_H_INCLUDED_ */
