
/*
 * Why an exchange with an endpoint failed.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>


ngx_int_t
ngx_http_flowdash_exchange_fail(ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_reason_e reason, const char *detail)
{
    ex->error = reason;
    ex->detail.data = (u_char *) detail;
    ex->detail.len = ngx_strlen(detail);

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_flowdash_exchange_fail_text(ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_reason_e reason, ngx_pool_t *pool, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;
    u_char    buf[NGX_MAX_ERROR_STR];

    ex->error = reason;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args);
    va_end(args);

    ex->detail.len = p - buf;

    ex->detail.data = ngx_pnalloc(pool, ex->detail.len);
    if (ex->detail.data == NULL) {
        return ngx_http_flowdash_exchange_fail(ex, reason,
                                               "no memory to say why");
    }

    ngx_memcpy(ex->detail.data, buf, ex->detail.len);

    return NGX_DECLINED;
}


ngx_uint_t
ngx_http_flowdash_exchange_is_tolerated(ngx_http_flowdash_exchange_t *ex)
{
    if (!ex->step->optional) {
        return 0;
    }

    switch (ex->error) {

    case NGX_HTTP_FLOWDASH_REQUEST_INVALID:
        return 0;

    case NGX_HTTP_FLOWDASH_STATUS:
    case NGX_HTTP_FLOWDASH_TIMEOUT:
    case NGX_HTTP_FLOWDASH_CONNECT:
    case NGX_HTTP_FLOWDASH_RESOLVE:
        return ex->step->tolerates == 0
               || (ex->failures && !(ex->failures & ~ex->step->tolerates));

    default:
        return ex->step->tolerates == 0;
    }
}


ngx_http_flowdash_loc_conf_t *
ngx_http_flowdash_exchange_conf(ngx_http_flowdash_exchange_t *ex)
{
    return ex->fetch ? NULL
                     : ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];
}


ngx_uint_t
ngx_http_flowdash_exchange_answered(ngx_http_flowdash_exchange_t *ex)
{
    switch (ex->error) {

    case NGX_HTTP_FLOWDASH_OK:
    case NGX_HTTP_FLOWDASH_STATUS:
    case NGX_HTTP_FLOWDASH_NO_USER:
    case NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE:
    case NGX_HTTP_FLOWDASH_RESPONSE_INVALID:
        return ex->status;

    default:
        return 0;
    }
}
