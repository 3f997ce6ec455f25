
#ifndef _NGX_HTTP_FLOWDASH_IDENTITY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_IDENTITY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Derives ctx->id from the client's Idempotency-Key, if it is usable and the
 * action has neither undos nor after-steps, and continues the client's trace,
 * or starts one.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_identity(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Sets ex->id, and adds the headers that identify a step, as ngx_keyval_t; all
 * of its calls send them.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_identity_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_array_t *headers);

/*
 * Adds the headers that identify and sign one call; no client's request is
 * needed.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_identity_call(ngx_pool_t *pool,
    ngx_http_flowdash_id_trace_t *trace, ngx_http_flowdash_exchange_t *ex,
    ngx_array_t *headers);


#endif /* _NGX_HTTP_FLOWDASH_IDENTITY_H_INCLUDED_ */
