
#ifndef _NGX_HTTP_FLOWDASH_ERROR_USER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_USER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Returns the status for a client of whom the app has not told who the user
 * is, or 0 for the reason's usual status.
 */
ngx_uint_t ngx_http_flowdash_error_user_status(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_ERROR_USER_H_INCLUDED_ */
