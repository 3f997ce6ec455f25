
/*
 * flowdash_guard: refuses requests that change something and are no action.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_overrides.h>
#include <ngx_http_flowdash_count.h>
#include <ngx_http_flowdash_error.h>
#include <ngx_http_flowdash_end.h>
#include <ngx_http_flowdash_guard.h>


static ngx_uint_t ngx_http_flowdash_guard_reads(ngx_http_request_t *r,
    ngx_str_t *method);


/*
 * A request that only reads, or that an action's location has judged, passes.
 * One that has failed is let through to its error page, which gets a GET.
 */

ngx_int_t
ngx_http_flowdash_guard(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    ngx_str_t                      method;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    if (!flcf->guard || (ctx && ctx->judged)
        || ngx_http_flowdash_guard_reads(r, &method))
    {
        return NGX_DECLINED;
    }

    if (ctx == NULL) {
        ctx = ngx_http_flowdash_create_ctx(r, ngx_http_flowdash_end);
        if (ctx == NULL) {
            return NGX_ERROR;
        }
    }

    ctx->conf = flcf;

    if (ngx_http_flowdash_ctx_id(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_body_leave(r);
    ngx_http_flowdash_count_guarded(r);

    return ngx_http_flowdash_error(r, ctx, NGX_HTTP_FLOWDASH_GUARDED, 0,
                                   &method);
}


/*
 * Whether the request only reads, and gets the method that the client sent.
 *
 * For an error page nginx has made a GET of the request.  A named location
 * gets it as it was: this is no way around the guard, unless an app has
 * answered already.
 */

static ngx_uint_t
ngx_http_flowdash_guard_reads(ngx_http_request_t *r, ngx_str_t *method)
{
    ngx_uint_t                  unchanged;
    ngx_http_flowdash_method_t  m;

    ngx_http_flowdash_overrides_client(r, method);

    unchanged = 1;

    if (r->error_page || r->err_status) {

        if (r->upstream) {
            return 1;
        }

        unchanged = ngx_http_flowdash_text_equal(method, &r->method_name);

        *method = r->method_name;
    }

    if (unchanged && ngx_http_flowdash_body_exists(r)) {

        /* handlers that do not look at the method act on it */

        return 0;
    }

    ngx_http_flowdash_overrides(r, method, NULL, &m);

    return !m.unsafe;
}
