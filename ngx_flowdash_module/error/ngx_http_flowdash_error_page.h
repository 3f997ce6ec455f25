
#ifndef _NGX_HTTP_FLOWDASH_ERROR_PAGE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_error_text.h>


/* Makes the page about a failure.  Returns NULL on error. */
ngx_buf_t *ngx_http_flowdash_error_page(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);


#endif /* _NGX_HTTP_FLOWDASH_ERROR_PAGE_H_INCLUDED_ */
