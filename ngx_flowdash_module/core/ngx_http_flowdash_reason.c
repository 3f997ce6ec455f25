
/*
 * The reasons why an action fails: their names and statuses.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_reason.h>


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   status;
} ngx_http_flowdash_reason_t;


/* in the order of ngx_http_flowdash_reason_e */

static ngx_http_flowdash_reason_t  ngx_http_flowdash_reasons[] = {
    { ngx_null_string, NGX_HTTP_OK },
    { ngx_string("status"), NGX_HTTP_BAD_GATEWAY },
    { ngx_string("timeout"), NGX_HTTP_GATEWAY_TIME_OUT },
    { ngx_string("connect"), NGX_HTTP_BAD_GATEWAY },
    { ngx_string("resolve"), NGX_HTTP_BAD_GATEWAY },
    { ngx_string("tls"), NGX_HTTP_BAD_GATEWAY },
    { ngx_string("denied"), NGX_HTTP_BAD_GATEWAY },
    { ngx_string("response_too_large"), NGX_HTTP_BAD_GATEWAY },
    { ngx_string("response_invalid"), NGX_HTTP_BAD_GATEWAY },
    { ngx_string("request_invalid"), NGX_HTTP_BAD_REQUEST },
    { ngx_string("deadline"), NGX_HTTP_GATEWAY_TIME_OUT },
    { ngx_string("internal"), NGX_HTTP_INTERNAL_SERVER_ERROR },
    { ngx_string("guarded"), NGX_HTTP_FORBIDDEN },
    { ngx_string("no_user"), NGX_HTTP_UNAUTHORIZED },
    { ngx_string("conflict"), NGX_HTTP_CONFLICT },
    { ngx_string("mismatch"), 422 }
};


/* does not compile if a reason has no row */

typedef u_char  ngx_http_flowdash_reason_check_t[
    sizeof(ngx_http_flowdash_reasons) / sizeof(ngx_http_flowdash_reason_t)
    == NGX_HTTP_FLOWDASH_ERRORS ? 1 : -1];


ngx_str_t *
ngx_http_flowdash_reason_name(ngx_http_flowdash_reason_e reason)
{
    return &ngx_http_flowdash_reasons[reason].name;
}


ngx_uint_t
ngx_http_flowdash_reason_status(ngx_http_flowdash_reason_e reason)
{
    return ngx_http_flowdash_reasons[reason].status;
}
