
/*
 * Requests to an action whose body nginx cannot read or store: it answers 500
 * by itself, before anything is known of the task.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_replace_headers.h>
#include <ngx_http_flowdash_dry_run.h>
#include <ngx_http_flowdash_error_internal.h>
#include <ngx_http_flowdash_unread.h>


static void ngx_http_flowdash_unread_name(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


static char  ngx_http_flowdash_unread_detail[] =
    "nginx could not read or store the request's body";


ngx_int_t
ngx_http_flowdash_unread(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_unread_name(r, ctx);

    /* the rest of the body is not a request */

    if (r->connection->read->timer_set) {
        ngx_del_timer(r->connection->read);
    }

    r->keepalive = 0;
    r->lingering_close = 1;
    r->read_event_handler = ngx_http_block_reading;

    return ngx_http_flowdash_error_internal(r, ctx,
                                            ngx_http_flowdash_unread_detail);
}


ngx_int_t
ngx_http_flowdash_unread_page(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_loc_conf_t  *flcf;

    if (ctx->state != NGX_HTTP_FLOWDASH_READING) {
        return NGX_OK;
    }

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    if (flcf->action
        && ngx_http_flowdash_method_is_listed(flcf->methods, &r->method_name))
    {
        /* a named location */

        return NGX_OK;
    }

    ngx_http_flowdash_unread_end(r, ctx);

    ctx->state = NGX_HTTP_FLOWDASH_FAILED;

    return ngx_http_flowdash_replace_headers_discard_body(r);
}


void
ngx_http_flowdash_unread_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->state != NGX_HTTP_FLOWDASH_READING
        || r->err_status != NGX_HTTP_INTERNAL_SERVER_ERROR)
    {
        return;
    }

    ngx_http_flowdash_unread_name(r, ctx);

    ngx_http_flowdash_error_internal_ended(r, ctx,
                                           ngx_http_flowdash_unread_detail);
}


/* a name with variables may depend on the task, which nobody knows */

static void
ngx_http_flowdash_unread_name(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    /* without memory, the line has no id */

    (void) ngx_http_flowdash_ctx_id(r, ctx);
    (void) ngx_http_flowdash_dry_run_was_asked(r, ctx);

    if (ctx->conf->action->lengths == NULL) {
        ctx->action = ctx->conf->action->value;
    }
}
