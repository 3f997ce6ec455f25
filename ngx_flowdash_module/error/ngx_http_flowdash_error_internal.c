
/*
 * Actions that the gateway itself cannot continue: memory runs out, a disk is
 * full, or nginx ends the request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_count.h>
#include <ngx_http_flowdash_error.h>
#include <ngx_http_flowdash_error_internal.h>


static void ngx_http_flowdash_error_internal_record(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_reason_e error,
    ngx_str_t *detail);


ngx_int_t
ngx_http_flowdash_error_internal(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char *detail)
{
    ngx_str_t  text;

    /*
     * For the variables of all requests that got none.  These share it, so it
     * tells only what is the same for all of them.
     */

    static ngx_http_flowdash_ctx_t  none;

    text.data = (u_char *) detail;
    text.len = ngx_strlen(detail);

    if (ctx == NULL) {
        ngx_http_set_ctx(r, &none, ngx_http_flowdash_module);
        ngx_http_flowdash_error_internal_record(r, &none,
                                                NGX_HTTP_FLOWDASH_INTERNAL,
                                                &text);

        /* an error page could lead to the app */

        r->error_page = 1;

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!ctx->dry_run) {
        ngx_http_flowdash_count_started(r, ctx);
    }

    return ngx_http_flowdash_error(r, ctx, NGX_HTTP_FLOWDASH_INTERNAL, 0,
                                   &text);
}


void
ngx_http_flowdash_error_internal_ended(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, char *detail)
{
    ngx_str_t  text;

    text.data = (u_char *) detail;
    text.len = ngx_strlen(detail);

    ngx_http_flowdash_error_internal_record(r, ctx, NGX_HTTP_FLOWDASH_INTERNAL,
                                            &text);
}


/*
 * A step that has ended before nginx ended the request keeps its outcome, and
 * if it is optional, it does not fail the action.  But if its connection broke
 * off, nginx may have closed it, too.
 */

void
ngx_http_flowdash_error_internal_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_uint_t                     blamed;
    ngx_http_flowdash_exchange_t  *ex;

    static ngx_str_t  detail = ngx_string("nginx ended the request");

    if (ctx->state != NGX_HTTP_FLOWDASH_IDENTIFYING
        && ctx->state != NGX_HTTP_FLOWDASH_FETCHING
        && ctx->state != NGX_HTTP_FLOWDASH_RECORDING
        && ctx->state != NGX_HTTP_FLOWDASH_RUNNING
        && ctx->state != NGX_HTTP_FLOWDASH_WRITING
        && ctx->state != NGX_HTTP_FLOWDASH_MARKING)
    {
        return;
    }

    ex = ctx->exchange;

    if (ex == NULL) {
        ngx_http_flowdash_error_internal_record(r, ctx,
                                                NGX_HTTP_FLOWDASH_INTERNAL,
                                                &detail);
        return;
    }

    blamed = ex->error && !ngx_http_flowdash_exchange_is_tolerated(ex);

    if (ex->done ? ex->error == NGX_HTTP_FLOWDASH_CONNECT : ex->error == 0) {
        blamed = 1;

        (void) ngx_http_flowdash_exchange_fail(ex, NGX_HTTP_FLOWDASH_INTERNAL,
                                               (char *) detail.data);
    }

    ex->tolerated = (ex->error && !blamed);

    if (!ex->done) {
        ex->time = ngx_current_msec - ex->start;
        ex->done = 1;
    }

    if (!ex->fetch) {
        ngx_http_flowdash_count_step(r, ctx, ex);
    }

    if (blamed) {
        ngx_http_flowdash_error_internal_record(r, ctx, ex->error,
                                                &ex->detail);
        return;
    }

    if (ex->error) {
        ngx_http_flowdash_log_tolerated(r, ctx, ex);
    }

    /* the step is not to blame */

    ctx->exchange = NULL;

    ngx_http_flowdash_error_internal_record(r, ctx, NGX_HTTP_FLOWDASH_INTERNAL,
                                            &detail);
}


/* a dry run is not counted, it has called nothing */

static void
ngx_http_flowdash_error_internal_record(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_reason_e error,
    ngx_str_t *detail)
{
    ctx->state = NGX_HTTP_FLOWDASH_FAILED;
    ctx->error = error;
    ctx->status = ngx_http_flowdash_reason_status(error);

    if (!ctx->dry_run) {
        ngx_http_flowdash_count_started(r, ctx);
    }

    ngx_http_flowdash_log_failed(r, ctx, error, detail);
    ngx_http_flowdash_count_ended(ctx);
}
