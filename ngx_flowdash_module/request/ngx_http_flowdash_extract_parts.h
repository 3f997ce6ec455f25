
#ifndef _NGX_HTTP_FLOWDASH_EXTRACT_PARTS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EXTRACT_PARTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* Makes readers of multipart/form-data.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_extract_parts_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Gives them the next piece; a reader that refuses it remembers this.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_extract_parts(ngx_http_flowdash_ctx_t *ctx,
    ngx_str_t *piece);

/* Tells them that the last piece was read. */
void ngx_http_flowdash_extract_parts_end(ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_EXTRACT_PARTS_H_INCLUDED_ */
