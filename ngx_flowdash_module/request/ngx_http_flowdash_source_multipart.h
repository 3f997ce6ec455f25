
#ifndef _NGX_HTTP_FLOWDASH_SOURCE_MULTIPART_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SOURCE_MULTIPART_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Begins to read a body of the type multipart/form-data.  Returns NGX_OK, with
 * ctx->refusal_status set if it cannot be read, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_multipart_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Reads it, also for flowdash_extract.  Returns as
 * ngx_http_flowdash_source_read().
 */
ngx_int_t ngx_http_flowdash_source_multipart(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_SOURCE_MULTIPART_H_INCLUDED_ */
