
#ifndef _NGX_HTTP_FLOWDASH_USER_HEADERS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_USER_HEADERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Takes what the client must get of the answer about the user: its cookies,
 * and how to log in after a 401.  It is in ctx->user_headers then, which stays
 * NULL if there is nothing.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_user_headers_take(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);

/*
 * Adds ctx->user_headers to the response, except those that are in it already.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_user_headers_add(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Returns NGX_OK with the target of a redirect, which the client can follow
 * from any URI; NGX_DECLINED if the answer has none; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_user_headers_location(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_str_t *location);


#endif /* _NGX_HTTP_FLOWDASH_USER_HEADERS_H_INCLUDED_ */
