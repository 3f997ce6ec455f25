
/*
 * An exchange with an endpoint that fails before it begins.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>


ngx_int_t
ngx_http_flowdash_exchange_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, const char *what, ngx_str_t *name,
    const char *why)
{
    u_char  *p;

    ex->error = NGX_HTTP_FLOWDASH_REQUEST_INVALID;

    ex->detail.data = ngx_pnalloc(r->pool, NGX_MAX_ERROR_STR);
    if (ex->detail.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_snprintf(ex->detail.data, NGX_MAX_ERROR_STR,
                     "the value of %s %V %s", what, name, why);
    ex->detail.len = p - ex->detail.data;

    return NGX_DECLINED;
}
