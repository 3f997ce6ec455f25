
#ifndef _NGX_HTTP_FLOWDASH_SOURCE_READ_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SOURCE_READ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Reads the task's fields from the request.  Returns NGX_OK, with ctx->task,
 * or with ctx->refusal_status if they cannot be read; NGX_AGAIN when it is
 * time to yield to other requests; or an error of
 * ngx_http_flowdash_body_piece().
 */
ngx_int_t ngx_http_flowdash_source_read(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Reads the task from one element of a batch as if it was the whole body.
 * Returns NGX_OK, as ngx_http_flowdash_source_read(), or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_read_element(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_SOURCE_READ_H_INCLUDED_ */
