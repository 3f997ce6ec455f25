
#ifndef _NGX_HTTP_FLOWDASH_IDENTITY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_IDENTITY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Says by what the execution is known: derives ctx->id from the client's
 * Idempotency-Key, and continues the client's trace, or begins one.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_identity(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Adds the headers, as ngx_keyval_t, by which a step is known, for all of its
 * calls.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_identity_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_array_t *headers);

/* The same for one call, with its signature. */
ngx_int_t ngx_http_flowdash_identity_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_array_t *headers);


#endif /* _NGX_HTTP_FLOWDASH_IDENTITY_H_INCLUDED_ */
