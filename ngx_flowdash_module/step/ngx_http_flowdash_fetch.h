
#ifndef _NGX_HTTP_FLOWDASH_FETCH_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FETCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Starts to fetch the stored task.  Returns NGX_OK with ctx->exchange set,
 * which is already done if the URI cannot be used, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_fetch_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Parses the fetched task, and merges the request's changes into it.  Returns
 * NGX_OK, NGX_DECLINED with ex->error set if the answer is not a task, or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_fetch_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/* Lets a client that gets the app's 401 know how to log in. */
void ngx_http_flowdash_fetch_failed(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_FETCH_H_INCLUDED_ */
