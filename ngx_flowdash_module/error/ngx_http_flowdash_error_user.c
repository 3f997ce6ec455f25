
/*
 * What the client gets if the app does not tell who the user is.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_error_accept.h>
#include <ngx_http_flowdash_error_user.h>


/*
 * A browser that sends a form follows a redirect, by a GET of the page to log
 * in; a script would take that page for the answer to its request.
 */

ngx_uint_t
ngx_http_flowdash_error_user_status(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_exchange_t  *ex;

    ex = ctx->exchange;

    if (ex->error != NGX_HTTP_FLOWDASH_NO_USER) {
        return 0;
    }

    if (ctx->location.len && ngx_http_flowdash_error_accept_navigates(r)) {
        return NGX_HTTP_SEE_OTHER;
    }

    return (ex->status == NGX_HTTP_FORBIDDEN) ? NGX_HTTP_FORBIDDEN : 0;
}
