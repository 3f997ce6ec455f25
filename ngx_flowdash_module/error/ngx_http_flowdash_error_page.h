
#ifndef _NGX_HTTP_FLOWDASH_ERROR_PAGE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* what the user is told about a failure */

typedef struct {
    ngx_str_t                       action;    /* these are not escaped */
    ngx_str_t                       step;
    ngx_str_t                       text;      /* behind "The step NAME", or */
    ngx_str_t                       advice;    /* a sentence of its own */
} ngx_http_flowdash_error_text_t;


/* Makes the page about a failure.  Returns NULL on error. */
ngx_buf_t *ngx_http_flowdash_error_page(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *words);


#endif /* _NGX_HTTP_FLOWDASH_ERROR_PAGE_H_INCLUDED_ */
