
/*
 * Whether a request or a subrequest is in an action's location.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_client.h>
#include <ngx_http_flowdash_overrides.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_subrequest.h>
#include <ngx_http_flowdash_step.h>
#include <ngx_http_flowdash_here.h>


ngx_uint_t
ngx_http_flowdash_here(ngx_http_request_t *r,
    ngx_http_flowdash_method_t *method)
{
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    if (flcf->action == NULL) {
        return 0;
    }

    ngx_http_flowdash_overrides(r, &r->method_name, flcf->methods, method);

    return method->listed || ngx_http_flowdash_overrides_in_body(r);
}


ngx_int_t
ngx_http_flowdash_here_subrequest(ngx_http_request_t *r)
{
    ngx_http_flowdash_ctx_t       *ctx;
    ngx_http_flowdash_method_t     method;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_loc_conf_t  *flcf;

    if (r->post_subrequest == NULL
        || r->post_subrequest->handler != ngx_http_flowdash_subrequest_done)
    {
        ctx = ngx_http_flowdash_get_ctx(r);

        if (ctx && ctx->state == NGX_HTTP_FLOWDASH_PASSED) {

            if (!r->background && !r->main->header_sent) {

                /* without memory, it ends when the client leaves */

                (void) ngx_http_flowdash_client_wrap(r, ctx);
            }

            return NGX_DECLINED;
        }

        if (!ngx_http_flowdash_here(r, &method)) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "flowdash: a subrequest of another module to an action "
                      "is refused");

        /* without an error page, which could lead to the app */

        r->error_page = 1;

        return NGX_HTTP_FORBIDDEN;
    }

    ex = r->post_subrequest->data;

    if (ex->fetch && !ngx_http_flowdash_here(r, &method)) {
        return NGX_DECLINED;
    }

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    if (ngx_http_get_module_ctx(r, ngx_http_flowdash_module)
        && !ex->fetch
        && r->content_handler
        && (flcf->step || flcf->action == NULL))
    {
        ngx_http_flowdash_step_set_length(r, ex);
        return NGX_DECLINED;
    }

    ngx_http_flowdash_log_led_away(r);

    return NGX_ERROR;
}
