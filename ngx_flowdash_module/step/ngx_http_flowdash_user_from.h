
#ifndef _NGX_HTTP_FLOWDASH_USER_FROM_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_USER_FROM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Starts to ask the app who the user is.  Returns NGX_OK with ctx->exchange
 * set, which is already done if the URI cannot be used or the user was kept,
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_user_from_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Reads what the app has told, and hands its cookies on.  Returns NGX_OK with
 * ctx->told set, NGX_DECLINED with ex->error set, or NGX_ERROR.  If nobody is
 * logged in, ctx->location may tell where to do so.
 */
ngx_int_t ngx_http_flowdash_user_from_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_USER_FROM_H_INCLUDED_ */
