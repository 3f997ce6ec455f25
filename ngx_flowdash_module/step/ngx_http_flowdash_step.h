
#ifndef _NGX_HTTP_FLOWDASH_STEP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Starts the next step: evaluates its request.  Returns NGX_OK with
 * ctx->exchange set, or NGX_ERROR.  The exchange is already done if the step
 * is skipped; it also has an error if the step's request cannot be made.
 */
ngx_int_t ngx_http_flowdash_step_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Posts the subrequest of a step that was started, unless it is done.  If
 * there is no time left, it is done, with an error.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_step_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Evaluates flowdash_if.  Returns NGX_OK if the step is executed, NGX_DECLINED
 * if it is skipped, or with ex->error set if an ambiguous field leaves it
 * open, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_step_condition(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex);

/*
 * Makes the payload and the headers of a step's request.  Returns NGX_OK,
 * NGX_DECLINED with ex->error set if a value cannot be sent, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_step_request(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);

/*
 * Tells the subrequest of a step how long its payload is, for its content
 * handler.
 */
void ngx_http_flowdash_step_set_length(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex);

/*
 * Frees the payloads of the steps that have ended, unless something that a
 * step has started may still read one.  Nothing else may need them.
 */
void ngx_http_flowdash_step_free_payloads(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_STEP_H_INCLUDED_ */
