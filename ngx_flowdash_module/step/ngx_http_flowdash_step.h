
#ifndef _NGX_HTTP_FLOWDASH_STEP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Starts the next step: evaluates its request and posts the subrequest.
 * Returns NGX_OK with ctx->exchange set, which is already done and has an
 * error if the step's request cannot be made, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_step_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Tells whether a step is to be run.  Returns NGX_OK, NGX_DECLINED if it is
 * not, with ex->error set if it cannot be told, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_step_condition(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex);

/*
 * Makes the payload and the headers of a step's request.  Returns NGX_OK,
 * NGX_DECLINED with ex->error set if a value cannot be sent, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_step_request(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);


#endif /* _NGX_HTTP_FLOWDASH_STEP_H_INCLUDED_ */
