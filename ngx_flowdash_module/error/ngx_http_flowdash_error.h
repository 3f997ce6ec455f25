
#ifndef _NGX_HTTP_FLOWDASH_ERROR_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>


/*
 * Ends a failed execution: writes one line to the error log, and answers the
 * client by nginx's error_page or by the module's own page.  "status" is 0 for
 * the reason's usual status; "detail" is for the log, and may be empty.
 * Returns what the phase handler returns, which is never NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_error(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_reason_e error,
    ngx_uint_t status, ngx_str_t *detail);

/*
 * The app did not get the request of an execution that has passed, and nginx
 * sends the header of a page of its own for that: makes the module's in its
 * place, ctx->page, and changes the header.  On error, nginx's page stays.
 */
void ngx_http_flowdash_error_unreached(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);



#endif /* _NGX_HTTP_FLOWDASH_ERROR_H_INCLUDED_ */
