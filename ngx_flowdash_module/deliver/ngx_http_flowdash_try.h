
#ifndef _NGX_HTTP_FLOWDASH_TRY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_record.h>


/* one try of a delivery: a call without a client's request */

typedef struct ngx_http_flowdash_try_s  ngx_http_flowdash_try_t;

typedef void (*ngx_http_flowdash_try_handler_pt)(ngx_http_flowdash_try_t *try);

struct ngx_http_flowdash_try_s {

    /* the result: the answer's status, if there was one, or ex.error */

    ngx_uint_t                         status;
    int64_t                            after;     /* Retry-After, s; 0: none */
    ngx_http_flowdash_exchange_t       ex;

    void                              *data;      /* of the caller */

    /* its own */

    ngx_pool_t                        *pool;
    ngx_log_t                          log;
    ngx_event_t                        timer;     /* of flowdash_timeout */
    ngx_http_flowdash_call_t           call;
    ngx_http_flowdash_id_trace_t       trace;
    ngx_http_flowdash_record_t        *record;
    ngx_http_flowdash_delivery_t      *delivery;
    ngx_http_flowdash_try_handler_pt   handler;
};


/*
 * Prepares to call a delivery, as "step" is configured now.  The record must
 * live until the try is destroyed.  Returns NULL if memory ran out.
 */
ngx_http_flowdash_try_t *ngx_http_flowdash_try_create(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery,
    ngx_http_flowdash_step_t *step);

/*
 * Makes the call.  Returns NGX_AGAIN if the handler will be called, from the
 * event loop; or NGX_OK if it has ended already.  Either way, what became of
 * it is in the try.
 */
ngx_int_t ngx_http_flowdash_try(ngx_http_flowdash_try_t *try,
    ngx_http_flowdash_try_handler_pt handler);

/* Frees a try; a call in flight is ended, and its handler not called. */
void ngx_http_flowdash_try_destroy(ngx_http_flowdash_try_t *try);

/* Tells whether the delivery has succeeded. */
ngx_uint_t ngx_http_flowdash_try_succeeded(ngx_http_flowdash_try_t *try);

/* Tells whether the endpoint has answered, whatever it said. */
ngx_uint_t ngx_http_flowdash_try_reached(ngx_http_flowdash_try_t *try);


#endif /* _NGX_HTTP_FLOWDASH_TRY_H_INCLUDED_ */
