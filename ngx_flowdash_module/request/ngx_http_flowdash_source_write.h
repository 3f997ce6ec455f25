
#ifndef _NGX_HTTP_FLOWDASH_SOURCE_WRITE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SOURCE_WRITE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Writes changed fields into the request.  Returns as
 * ngx_http_flowdash_replace_copy().
 */
ngx_int_t ngx_http_flowdash_source_write(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Continues to write a changed body to a file, after NGX_AGAIN.  Returns as
 * ngx_http_flowdash_replace_copy().
 */
ngx_int_t ngx_http_flowdash_source_write_copy(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_SOURCE_WRITE_H_INCLUDED_ */
