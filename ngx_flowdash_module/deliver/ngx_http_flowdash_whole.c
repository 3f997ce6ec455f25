
/*
 * The record is marked before the app is called, and learns what the app has
 * made of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_outbox_file.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_render.h>
#include <ngx_http_flowdash_hold.h>
#include <ngx_http_flowdash_collect.h>
#include <ngx_http_flowdash_whole_state.h>
#include <ngx_http_flowdash_whole_begin.h>
#include <ngx_http_flowdash_whole_file.h>
#include <ngx_http_flowdash_whole.h>


static ngx_int_t ngx_http_flowdash_whole_mark_line(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_whole_keep_place(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole);
static void ngx_http_flowdash_whole_swap_place(ngx_http_request_t *r,
    ngx_http_flowdash_whole_place_t *place);
static ngx_int_t ngx_http_flowdash_whole_afters(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_whole_render(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_http_flowdash_outcome_e
    ngx_http_flowdash_whole_judge(ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_whole_outcome_line(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t
    ngx_http_flowdash_whole_result(ngx_http_flowdash_ctx_t *ctx);


void
ngx_http_flowdash_whole_init(void)
{
    /* what is collected has not been held back yet */

    ngx_http_flowdash_hold_init();
    ngx_http_flowdash_collect_init();
}


ngx_int_t
ngx_http_flowdash_whole_mark(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_flowdash_whole_t  *whole;

    whole = ctx->whole;

    if (whole == NULL) {
        return NGX_OK;
    }

    if (whole->syncing) {
        return NGX_AGAIN;
    }

    if (whole->marked) {
        rc = whole->synced;

    } else {
        rc = whole->broken ? NGX_ERROR
                           : ngx_http_flowdash_whole_mark_line(r, ctx);

        whole->marked = 1;

        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_whole_sync(r, whole);

        } else {

            /* the app is not called, so that the steps can be undone */

            whole->record->marked = 0;
        }

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }
    }

    return (rc == NGX_OK) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_flowdash_whole_mark_line(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                       rc;
    ngx_str_t                       line;
    ngx_http_flowdash_whole_t      *whole;

    whole = ctx->whole;

    if (ctx->conf->afters
        && ngx_http_flowdash_whole_keep_place(r, whole) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (whole->file->fd == NGX_INVALID_FILE) {
        whole->record->marked = 1;
        return NGX_OK;
    }

    if (ngx_http_flowdash_whole_afters(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    whole->record->marked = 1;

    rc = ngx_http_flowdash_record_mark(whole->record, &whole->file->mac,
                                       &line);
    if (rc == NGX_OK) {

        /* the after-steps may be written once more, and other than now */

        rc = ngx_http_flowdash_outbox_reserve(whole->file,
                             3 * line.len
                             + ngx_http_flowdash_whole_end_size(ctx, 0),
                             r->connection->log);
    }

    return ngx_http_flowdash_whole_write(whole, rc, &line,
                                         r->connection->log);
}


static ngx_int_t
ngx_http_flowdash_whole_keep_place(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole)
{
    ngx_http_flowdash_whole_place_t  *place;

    place = &whole->place;

    place->variables = ngx_http_flowdash_value_copy_variables(r);
    if (place->variables == NULL) {
        return NGX_ERROR;
    }

    place->uri = r->uri;
    place->args = r->args;

#if (NGX_PCRE)
    place->ncaptures = r->ncaptures;
    place->captures_data = r->captures_data;

    return ngx_http_flowdash_value_copy_captures(r, &place->captures);

#else

    return NGX_OK;

#endif
}


static void
ngx_http_flowdash_whole_swap_place(ngx_http_request_t *r,
    ngx_http_flowdash_whole_place_t *place)
{
    ngx_http_flowdash_whole_place_t  now;

    now.variables = r->variables;
    now.uri = r->uri;
    now.args = r->args;

    r->variables = place->variables;
    r->uri = place->uri;
    r->args = place->args;

#if (NGX_PCRE)
    now.ncaptures = r->ncaptures;
    now.captures = r->captures;
    now.captures_data = r->captures_data;

    r->ncaptures = place->ncaptures;
    r->captures = place->captures;
    r->captures_data = place->captures_data;
#endif

    *place = now;
}


/*
 * Renders the after-steps: before the app is called, for the case that nobody
 * learns what it answered, and when it has answered.  Mostly, they are the
 * same then; but X-Accel-Redirect may have led to a location whose captures
 * are of something else.
 */

static ngx_int_t
ngx_http_flowdash_whole_afters(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->conf->afters == NULL
        || (ctx->whole->constant && ctx->whole->record->kept))
    {
        return NGX_OK;
    }

    ngx_http_flowdash_whole_swap_place(r, &ctx->whole->place);

    rc = ngx_http_flowdash_whole_render(r, ctx);

    ngx_http_flowdash_whole_swap_place(r, &ctx->whole->place);

    return rc;
}


static ngx_int_t
ngx_http_flowdash_whole_render(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_array_t                    afters;
    ngx_http_flowdash_step_t     **step;
    ngx_http_flowdash_record_t    *record;
    ngx_http_flowdash_delivery_t  *delivery;

    record = ctx->whole->record;
    ctx->whole->constant = 1;

    if (ngx_array_init(&afters, record->pool, ctx->conf->afters->nelts,
                       sizeof(ngx_http_flowdash_delivery_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    step = ctx->conf->afters->elts;

    for (i = 0; i < ctx->conf->afters->nelts; i++) {

        delivery = ngx_array_push(&afters);
        if (delivery == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(delivery, sizeof(ngx_http_flowdash_delivery_t));

        rc = ngx_http_flowdash_render(r, ctx, step[i], &step[i]->name, NULL,
                                      record->pool, delivery);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (!delivery->constant) {
            ctx->whole->constant = 0;
        }

        if (rc == NGX_DECLINED) {
            afters.nelts--;
        }
    }

    if (!record->kept
        || !ngx_http_flowdash_record_same(&afters, &record->afters))
    {
        record->afters = afters;
        record->kept = 0;
    }

    return NGX_OK;
}


void
ngx_http_flowdash_whole_outcome(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_whole_t    *whole;
    ngx_http_flowdash_outcome_e   outcome;

    whole = ctx->whole;

    if (whole == NULL || whole->ended) {
        return;
    }

    outcome = ngx_http_flowdash_whole_judge(ctx);

    if (outcome == NGX_HTTP_FLOWDASH_OUTCOME_NONE) {
        return;
    }

    whole->ended = 1;
    whole->record->outcome = outcome;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash outcome: %d", outcome);

    if (ctx->conf->afters && outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK) {
        ngx_http_flowdash_collect_begin(r, whole);
    }

    rc = ngx_http_flowdash_whole_outcome_line(r, ctx);

    /* without its mark, the record is undone anyway */

    if (rc == NGX_OK && whole->record->marked
        && (outcome == NGX_HTTP_FLOWDASH_OUTCOME_REFUSED
            || (outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK && ctx->conf->afters)))
    {
        rc = ngx_http_flowdash_whole_sync(r, whole);

        if (rc == NGX_AGAIN) {
            whole->holding = (whole->request != NULL && !r->header_sent);
            return;
        }
    }

    ngx_http_flowdash_whole_settle(whole, r->connection->log);
}


static ngx_http_flowdash_outcome_e
ngx_http_flowdash_whole_judge(ngx_http_flowdash_ctx_t *ctx)
{
    switch (ctx->state) {

    case NGX_HTTP_FLOWDASH_PASSED:
        return ctx->outcome;

    case NGX_HTTP_FLOWDASH_ABORTED:
        return NGX_HTTP_FLOWDASH_OUTCOME_REFUSED;

    default:
        return NGX_HTTP_FLOWDASH_OUTCOME_FAILED;
    }
}


static ngx_int_t
ngx_http_flowdash_whole_outcome_line(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                       rc;
    ngx_str_t                       line;
    ngx_http_flowdash_whole_t      *whole;

    whole = ctx->whole;

    rc = ngx_http_flowdash_whole_result(ctx);

    if (rc == NGX_OK
        && (whole->record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK
            || whole->record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN))
    {
        rc = ngx_http_flowdash_whole_afters(r, ctx);
    }

    if (rc == NGX_OK && whole->file->fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_record_outcome(whole->record,
                                              &whole->file->mac, &line);
    }

    return ngx_http_flowdash_whole_write(whole, rc, &line,
                                         r->connection->log);
}


/* why it is undone, and what the app has answered */

static ngx_int_t
ngx_http_flowdash_whole_result(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_record_t  *record;

    static ngx_str_t  refused = ngx_string("refused");
    static ngx_str_t  aborted = ngx_string("aborted");

    record = ctx->whole->record;
    record->status = ctx->app_status;

    if (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_REFUSED) {
        record->reason = (ctx->state == NGX_HTTP_FLOWDASH_ABORTED) ? aborted
                                                                   : refused;
        return NGX_OK;
    }

    if (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_FAILED) {
        record->reason = *ngx_http_flowdash_reason_name(ctx->error);

        if (ctx->exchange && !ctx->exchange->fetch) {
            return ngx_http_flowdash_whole_copy(record->pool,
                                                &record->failed_step,
                                                &ctx->exchange->step->name);
        }

        return NGX_OK;
    }

    return ngx_http_flowdash_whole_copy(record->pool, &record->redirect,
                                        &ctx->app_location);
}


void
ngx_http_flowdash_whole_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->whole == NULL) {
        return;
    }

    if (!ctx->whole->syncing) {
        ctx->whole->request = NULL;
    }

    ngx_http_flowdash_whole_outcome(r, ctx);

    if (ctx->whole) {
        ngx_http_flowdash_whole_complete(ctx->whole, r->connection->log);
    }

    if (ctx->whole && ctx->whole->request == NULL) {

        /* a thread is still at work */

        ctx->whole->ctx = NULL;
    }
}
