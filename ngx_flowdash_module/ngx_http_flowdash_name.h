
#ifndef _NGX_HTTP_FLOWDASH_NAME_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_NAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Evaluates the action's name, and gives the execution its id.  Returns NGX_OK
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_name(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_value_t *name);

/*
 * Returns why the name cannot be used, or NULL.  A name that cannot be shown
 * is removed from the execution.
 */
const char *ngx_http_flowdash_name_check(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_value_t *name);


#endif /* _NGX_HTTP_FLOWDASH_NAME_H_INCLUDED_ */
