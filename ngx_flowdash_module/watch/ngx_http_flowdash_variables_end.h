
#ifndef _NGX_HTTP_FLOWDASH_VARIABLES_END_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_VARIABLES_END_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * The values of variables; empty if there is nothing to say.  They return
 * NGX_OK, or NGX_ERROR if there is no memory.
 */

/* $flowdash_result */
ngx_int_t ngx_http_flowdash_variables_end_result(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);

/* $flowdash_app_status */
ngx_int_t ngx_http_flowdash_variables_end_app_status(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);

/* $flowdash_client_left */
ngx_int_t ngx_http_flowdash_variables_end_client_left(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);


#endif /* _NGX_HTTP_FLOWDASH_VARIABLES_END_H_INCLUDED_ */
