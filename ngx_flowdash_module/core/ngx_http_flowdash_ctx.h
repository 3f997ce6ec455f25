
#ifndef _NGX_HTTP_FLOWDASH_CTX_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CTX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Returns the execution of a main request, also after an internal redirect, or
 * NULL.
 */
ngx_http_flowdash_ctx_t *ngx_http_flowdash_get_ctx(ngx_http_request_t *r);

/*
 * Creates the execution of a main request.  However the request ends, "end" is
 * called once, before nginx writes its access log.  Returns NULL on error.
 */
ngx_http_flowdash_ctx_t *ngx_http_flowdash_create_ctx(ngx_http_request_t *r,
    ngx_http_flowdash_end_pt end);

/*
 * Gives the execution its id, that of $request_id.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_ctx_id(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/* How the execution ended, as in $flowdash_result; empty if it has not. */
void ngx_http_flowdash_ctx_result(ngx_http_flowdash_ctx_t *ctx,
    ngx_str_t *result);

/* Tells whether the client has left, as far as nginx has noticed it. */
ngx_uint_t ngx_http_flowdash_ctx_client_has_left(ngx_http_request_t *r);

/* The wait for the next turn is over, see ctx->yield. */
void ngx_http_flowdash_ctx_end_yield(ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_CTX_H_INCLUDED_ */
