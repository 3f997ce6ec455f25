
#ifndef _NGX_HTTP_FLOWDASH_ONCE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ONCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_once_table.h>
#include <ngx_http_flowdash_once_response.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>


/* a request to an action with flowdash_once that has a key */

struct ngx_http_flowdash_once_s {
    ngx_http_flowdash_once_lookup_t    lookup;
    ngx_http_flowdash_once_result_e    result;
    ngx_http_flowdash_reason_e         error;     /* if it is refused */

    ngx_msec_t                         since;     /* it waits */
    ngx_msec_t                         delay;     /* until it looks again */

    ngx_str_t                          kept;      /* that is replayed */
    ngx_http_flowdash_once_response_t  response;  /* that will be kept */
    size_t                             size;      /* of its body's memory */

    unsigned                           waited:1;
    unsigned                           holds:1;   /* the key */
    unsigned                           taken:1;   /* the response's header */
    unsigned                           held:1;    /* it is not sent yet */
    unsigned                           complete:1;
    unsigned                           lost:1;    /* it cannot be kept */
};


/*
 * Before the first step: decides whether the request runs.  Returns NGX_OK if
 * it does, and counts that; NGX_AGAIN if it waits, and the phase handler is
 * called again; NGX_DONE if it gets a response that is kept; NGX_DECLINED if
 * it is refused, with ctx->once->error, ctx->detail and, unless it is the
 * reason's usual one, ctx->refusal_status; NGX_HTTP_CLIENT_CLOSED_REQUEST; or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_once(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/* Ends an execution, if it has a key and has not been ended before. */
void ngx_http_flowdash_once_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * The same as soon as the outcome is known, and the response is complete or
 * cannot be kept.
 */
void ngx_http_flowdash_once_settle(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_ONCE_H_INCLUDED_ */
