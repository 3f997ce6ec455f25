
/*
 * The action's name, which may depend on the task, on the user, or on what was
 * extracted from the request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_name.h>


ngx_int_t
ngx_http_flowdash_name(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_value_t *name)
{
    if (ngx_http_flowdash_ctx_id(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_value_raw(r, ctx->conf->action, name) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->action = name->text;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash action \"%V\"", &ctx->action);

    return NGX_OK;
}


const char *
ngx_http_flowdash_name_check(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_value_t *name)
{
    if (ngx_http_flowdash_text_check_utf8(&name->text)) {

        /* nor can it be logged or shown as JSON */

        ctx->action.len = 0;

        return ctx->refusal_status ? NULL : "the action's name is not UTF-8";
    }

    if (name->text.len == 0 && name->ambiguous && !ctx->refusal_status) {
        return "the action's name depends on a field that the task has twice, "
               "or on an extracted value that is not a scalar";
    }

    return NULL;
}
