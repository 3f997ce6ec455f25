
/*
 * The record of an execution: it is begun before the first step, knows of each
 * call before it is made, is marked before the app is called, and is given to
 * the sender when the outcome is known.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_task_told.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash_outbox.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_effect.h>
#include <ngx_http_flowdash_find.h>
#include <ngx_http_flowdash_render.h>
#include <ngx_http_flowdash_send.h>
#include <ngx_http_flowdash_hold.h>
#include <ngx_http_flowdash_whole_state.h>
#include <ngx_http_flowdash_whole.h>


/* octets of a line beside its payload */

#define NGX_HTTP_FLOWDASH_WHOLE_LINE      2048

/* of the lines from the outcome on, without the response */

#define NGX_HTTP_FLOWDASH_WHOLE_END       4096

/* of the response, which is a string there: quotes and line breaks escaped */

#define NGX_HTTP_FLOWDASH_WHOLE_RESPONSE  (2 * NGX_HTTP_FLOWDASH_HOLD_RESPONSE)


static ngx_http_flowdash_whole_t *ngx_http_flowdash_whole_create(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_whole_names(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_record_t *record);
static ngx_int_t ngx_http_flowdash_whole_copy(ngx_pool_t *pool,
    ngx_str_t *dst, ngx_str_t *src);
static size_t ngx_http_flowdash_whole_size(ngx_http_flowdash_ctx_t *ctx);
static size_t ngx_http_flowdash_whole_end_size(
    ngx_http_flowdash_whole_t *whole, ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_whole_call_line(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_whole_undo(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_delivery_t **undo);
static ngx_int_t ngx_http_flowdash_whole_mark_line(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_whole_afters(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_http_flowdash_outcome_e ngx_http_flowdash_whole_judge(
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_whole_outcome_line(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_whole_result(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_whole_write(
    ngx_http_flowdash_whole_t *whole, ngx_int_t rc, ngx_str_t *line,
    ngx_http_flowdash_record_mac_t *mac, ngx_log_t *log);
static ngx_int_t ngx_http_flowdash_whole_sync(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole);
static void ngx_http_flowdash_whole_sync_handler(
    ngx_http_flowdash_outbox_file_t *file, ngx_int_t rc);
static void ngx_http_flowdash_whole_settle(ngx_http_flowdash_whole_t *whole,
    ngx_log_t *log);


ngx_int_t
ngx_http_flowdash_whole_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_whole_t  *whole;

    if (!ctx->conf->whole) {
        return NGX_OK;
    }

    whole = ngx_http_flowdash_whole_create(r, ctx);
    if (whole == NULL) {
        return NGX_ERROR;
    }

    whole->file = ngx_http_flowdash_outbox_create(whole->record,
                                         ngx_http_flowdash_whole_size(ctx),
                                         r->connection->log);
    if (whole->file == NULL) {
        ngx_destroy_pool(whole->record->pool);
        return NGX_DECLINED;
    }

    ctx->whole = whole;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash record of %V, reserved:%O", &ctx->id,
                   whole->file->reserved);

    return NGX_OK;
}


static ngx_http_flowdash_whole_t *
ngx_http_flowdash_whole_create(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_pool_t                  *pool;
    ngx_http_flowdash_whole_t   *whole;
    ngx_http_flowdash_record_t  *record;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE / 4, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    whole = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_whole_t));
    record = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_record_t));

    if (whole == NULL || record == NULL) {
        goto failed;
    }

    record->pool = pool;
    record->start = ngx_time();

    if (ngx_array_init(&record->steps, pool, ctx->conf->steps->nelts,
                       sizeof(ngx_http_flowdash_record_step_t))
        != NGX_OK
        || ngx_array_init(&record->afters, pool, 1,
                          sizeof(ngx_http_flowdash_delivery_t))
           != NGX_OK
        || ngx_http_flowdash_whole_names(r, ctx, record) != NGX_OK)
    {
        goto failed;
    }

    whole->request = r;
    whole->record = record;

    return whole;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


static ngx_int_t
ngx_http_flowdash_whole_names(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_record_t *record)
{
    u_char     *p;
    ngx_str_t   server, location;

    ngx_http_flowdash_find_names(r, ctx->conf, record);

    server = record->server;
    location = record->location;

    record->trace.len = sizeof(ctx->trace.id) + sizeof(ctx->trace.flags);

    record->trace.data = ngx_pnalloc(record->pool, record->trace.len);
    if (record->trace.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(record->trace.data, ctx->trace.id, sizeof(ctx->trace.id));
    ngx_memcpy(p, ctx->trace.flags, sizeof(ctx->trace.flags));

    if (ngx_http_flowdash_whole_copy(record->pool, &record->id, &ctx->id)
        != NGX_OK
        || ngx_http_flowdash_whole_copy(record->pool, &record->action,
                                        &ctx->action)
           != NGX_OK
        || ngx_http_flowdash_whole_copy(record->pool, &record->server,
                                        &server)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_whole_copy(record->pool, &record->location,
                                        &location);
}


static ngx_int_t
ngx_http_flowdash_whole_copy(ngx_pool_t *pool, ngx_str_t *dst, ngx_str_t *src)
{
    dst->len = src->len;

    if (src->len == 0) {
        dst->data = NULL;
        return NGX_OK;
    }

    dst->data = ngx_pstrdup(pool, src);

    return dst->data ? NGX_OK : NGX_ERROR;
}


/*
 * What the record is expected to need: a full disk stops the action before its
 * first step.  A task that grows meanwhile gets more room when it has to.
 */

static size_t
ngx_http_flowdash_whole_size(ngx_http_flowdash_ctx_t *ctx)
{
    size_t                      line, size;
    ngx_uint_t                  i;
    ngx_http_flowdash_step_t  **step;

    line = ngx_http_flowdash_task_told_length(ctx->task)
           + NGX_HTTP_FLOWDASH_WHOLE_LINE;

    step = ctx->conf->steps->elts;
    size = NGX_HTTP_FLOWDASH_WHOLE_LINE + NGX_HTTP_FLOWDASH_WHOLE_END;

    for (i = 0; i < ctx->conf->steps->nelts; i++) {
        size += step[i]->undo ? 2 * line : NGX_HTTP_FLOWDASH_WHOLE_LINE / 4;
    }

    if (ctx->conf->afters) {
        size += 2 * ctx->conf->afters->nelts * line
                + NGX_HTTP_FLOWDASH_WHOLE_RESPONSE;
    }

    return size;
}


/* the room that must be left when the app is called */

static size_t
ngx_http_flowdash_whole_end_size(ngx_http_flowdash_whole_t *whole,
    ngx_http_flowdash_ctx_t *ctx)
{
    size_t  size;

    size = NGX_HTTP_FLOWDASH_WHOLE_END;

    if (ctx->conf->afters) {
        size += ctx->conf->afters->nelts
                * (ngx_http_flowdash_task_told_length(ctx->task)
                   + NGX_HTTP_FLOWDASH_WHOLE_LINE)
                + NGX_HTTP_FLOWDASH_WHOLE_RESPONSE;
    }

    return size;
}


ngx_int_t
ngx_http_flowdash_whole_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
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

    if (whole->called) {

        /* the sync has ended */

        rc = whole->synced;

    } else {
        rc = ngx_http_flowdash_whole_call_line(r, ctx, ex);

        whole->called = 1;

        if (rc == NGX_OK && ex->step->undo) {
            rc = ngx_http_flowdash_whole_sync(r, whole);
        }

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }
    }

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    return ngx_http_flowdash_exchange_fail(ex, NGX_HTTP_FLOWDASH_INTERNAL,
                                           "the call could not be recorded "
                                           "in flowdash_outbox");
}


static ngx_int_t
ngx_http_flowdash_whole_call_line(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_int_t                         rc;
    ngx_str_t                         line;
    ngx_http_flowdash_whole_t        *whole;
    ngx_http_flowdash_record_mac_t    mac;
    ngx_http_flowdash_record_step_t  *step;

    whole = ctx->whole;

    step = ngx_array_push(&whole->record->steps);
    if (step == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));

    whole->step = step;

    if (ngx_http_flowdash_whole_copy(whole->record->pool, &step->name,
                                     &ex->step->name)
        != NGX_OK
        || ngx_http_flowdash_whole_copy(whole->record->pool, &step->key,
                                        &ex->id)
           != NGX_OK
        || ngx_http_flowdash_whole_undo(r, ctx, ex, &step->undo) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (whole->file->fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    mac = whole->file->mac;

    rc = ngx_http_flowdash_record_call(whole->record, step, &whole->file->mac,
                                       &line);
    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_outbox_reserve(whole->file,
                             2 * line.len
                             + ngx_http_flowdash_whole_end_size(whole, ctx),
                             r->connection->log);
    }

    return ngx_http_flowdash_whole_write(whole, rc, &line, &mac,
                                         r->connection->log);
}


/* NULL if the step has no undo, or its flowdash_if says that there is none */

static ngx_int_t
ngx_http_flowdash_whole_undo(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_delivery_t **undo)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_delivery_t  *delivery;

    *undo = NULL;

    if (ex->step->undo == NULL) {
        return NGX_OK;
    }

    delivery = ngx_pcalloc(ctx->whole->record->pool,
                           sizeof(ngx_http_flowdash_delivery_t));
    if (delivery == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_render(r, ctx, ex->step->undo, &ex->step->name,
                                  &ex->id, ctx->whole->record->pool, delivery);

    if (rc == NGX_OK) {
        *undo = delivery;
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


void
ngx_http_flowdash_whole_answer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_int_t                         rc;
    ngx_str_t                         line;
    ngx_http_flowdash_whole_t        *whole;
    ngx_http_flowdash_delivery_t     *undo;
    ngx_http_flowdash_record_mac_t    mac;
    ngx_http_flowdash_record_step_t  *step;

    whole = ctx->whole;

    if (whole == NULL || whole->step == NULL) {
        return;
    }

    step = whole->step;

    whole->step = NULL;
    whole->called = 0;

    step->ended = 1;
    step->counts = ngx_http_flowdash_effect(ex);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash step \"%V\" may have taken effect: %d",
                   &ex->step->name, step->counts);

    undo = NULL;

    if (step->counts
        && ngx_http_flowdash_whole_undo(r, ctx, ex, &undo) != NGX_OK)
    {
        whole->broken = 1;
        return;
    }

    /* what was possible before the answer is better than nothing */

    if (undo && undo->error.len && step->undo && step->undo->error.len == 0) {
        undo = NULL;
    }

    if (undo) {
        step->undo = undo;
    }

    if (whole->file->fd == NGX_INVALID_FILE) {
        return;
    }

    mac = whole->file->mac;

    rc = ngx_http_flowdash_record_answer(whole->record, step, undo,
                                         &whole->file->mac, &line);

    (void) ngx_http_flowdash_whole_write(whole, rc, &line, &mac,
                                         r->connection->log);
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
    ngx_http_flowdash_record_mac_t  mac;

    whole = ctx->whole;

    if (whole->file->fd == NGX_INVALID_FILE) {
        whole->record->marked = 1;
        return NGX_OK;
    }

    if (ngx_http_flowdash_whole_afters(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    whole->record->marked = 1;

    mac = whole->file->mac;

    rc = ngx_http_flowdash_record_mark(whole->record, &whole->file->mac,
                                       &line);
    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_outbox_reserve(whole->file,
                             2 * line.len
                             + ngx_http_flowdash_whole_end_size(whole, ctx),
                             r->connection->log);
    }

    return ngx_http_flowdash_whole_write(whole, rc, &line, &mac,
                                         r->connection->log);
}


/*
 * Renders the after-steps: before the app is called, for the case that nobody
 * learns what it answered, and when it has answered.
 */

static ngx_int_t
ngx_http_flowdash_whole_afters(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_array_t                   *afters;
    ngx_http_flowdash_step_t     **step;
    ngx_http_flowdash_delivery_t  *delivery;

    if (ctx->conf->afters == NULL) {
        return NGX_OK;
    }

    afters = &ctx->whole->record->afters;
    afters->nelts = 0;

    step = ctx->conf->afters->elts;

    for (i = 0; i < ctx->conf->afters->nelts; i++) {

        delivery = ngx_array_push(afters);
        if (delivery == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(delivery, sizeof(ngx_http_flowdash_delivery_t));

        rc = ngx_http_flowdash_render(r, ctx, step[i], &step[i]->name, NULL,
                                      ctx->whole->record->pool, delivery);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            afters->nelts--;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_whole_outcome(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_whole_t    *whole;
    ngx_http_flowdash_outcome_e   outcome;

    whole = ctx->whole;

    if (whole == NULL) {
        return NGX_OK;
    }

    if (whole->ended) {
        return whole->holding ? NGX_AGAIN : NGX_OK;
    }

    outcome = ngx_http_flowdash_whole_judge(ctx);

    if (outcome == NGX_HTTP_FLOWDASH_OUTCOME_NONE) {
        return NGX_OK;
    }

    whole->ended = 1;
    whole->record->outcome = outcome;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash outcome: %d", outcome);

    rc = ngx_http_flowdash_whole_outcome_line(r, ctx);

    if (rc == NGX_OK && ctx->conf->afters
        && outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK)
    {
        ngx_http_flowdash_hold_collect(r, whole);
    }

    /* without its mark, the record is undone anyway */

    if (rc == NGX_OK && whole->record->marked
        && (outcome == NGX_HTTP_FLOWDASH_OUTCOME_REFUSED
            || (outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK && ctx->conf->afters)))
    {
        rc = ngx_http_flowdash_whole_sync(r, whole);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }
    }

    ngx_http_flowdash_whole_settle(whole, r->connection->log);

    return NGX_OK;
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
    ngx_http_flowdash_record_mac_t  mac;

    whole = ctx->whole;

    rc = ngx_http_flowdash_whole_result(r, ctx);

    if (rc == NGX_OK
        && (whole->record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK
            || whole->record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN))
    {
        rc = ngx_http_flowdash_whole_afters(r, ctx);
    }

    if (rc == NGX_OK && whole->file->fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    mac = whole->file->mac;

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_record_outcome(whole->record,
                                              &whole->file->mac, &line);
    }

    return ngx_http_flowdash_whole_write(whole, rc, &line, &mac,
                                         r->connection->log);
}


/* why it is undone, and what the app has answered */

static ngx_int_t
ngx_http_flowdash_whole_result(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
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

    if (r->headers_out.location == NULL) {
        return NGX_OK;
    }

    return ngx_http_flowdash_whole_copy(record->pool, &record->redirect,
                                        &r->headers_out.location->value);
}


void
ngx_http_flowdash_whole_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_whole_t  *whole;

    whole = ctx->whole;

    if (whole == NULL || whole->file == NULL) {
        return;
    }

    whole->request = whole->syncing ? r : NULL;

    (void) ngx_http_flowdash_whole_outcome(r, ctx);

    ngx_http_flowdash_whole_complete(whole, r->connection->log);
}


void
ngx_http_flowdash_whole_complete(ngx_http_flowdash_whole_t *whole,
    ngx_log_t *log)
{
    ngx_int_t                       rc;
    ngx_str_t                       line;
    ngx_http_flowdash_record_mac_t  mac;

    if (whole->collecting) {
        whole->collecting = 0;

        if (whole->file->fd != NGX_INVALID_FILE) {

            mac = whole->file->mac;

            rc = ngx_http_flowdash_record_response(whole->record,
                                                   &whole->file->mac, &line);

            (void) ngx_http_flowdash_whole_write(whole, rc, &line, &mac, log);
        }
    }

    ngx_http_flowdash_whole_settle(whole, log);
}


/*
 * Writes a line if it could be made ("rc").  A record that lacks one is not
 * continued: what comes later would not mean the same without it.
 */

static ngx_int_t
ngx_http_flowdash_whole_write(ngx_http_flowdash_whole_t *whole, ngx_int_t rc,
    ngx_str_t *line, ngx_http_flowdash_record_mac_t *mac, ngx_log_t *log)
{
    if (rc == NGX_OK && !whole->broken) {
        rc = ngx_http_flowdash_outbox_write(whole->file, line, log);

        if (rc == NGX_OK) {
            return NGX_OK;
        }
    }

    whole->broken = 1;
    whole->file->mac = *mac;

    return NGX_ERROR;
}


/* a thread syncs the file: the request must live until then */

static ngx_int_t
ngx_http_flowdash_whole_sync(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole)
{
    ngx_int_t  rc;

    if (whole->syncing) {

        /* the request ends meanwhile */

        return NGX_AGAIN;
    }

    rc = ngx_http_flowdash_outbox_sync(whole->file,
                                       ngx_http_flowdash_whole_sync_handler,
                                       whole, r->connection->log);

    if (rc == NGX_AGAIN) {
        whole->syncing = 1;

        if (whole->request) {
            r->main->blocked++;
        }
    }

    return rc;
}


static void
ngx_http_flowdash_whole_sync_handler(ngx_http_flowdash_outbox_file_t *file,
    ngx_int_t rc)
{
    ngx_http_flowdash_whole_t *whole = file->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    whole->syncing = 0;
    whole->synced = rc;

    r = whole->request;

    if (r == NULL) {
        ngx_http_flowdash_whole_settle(whole, ngx_cycle->log);
        return;
    }

    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "flowdash record synced: %i", rc);

    r->main->blocked--;

    if (whole->ended) {

        if (rc != NGX_OK) {
            whole->broken = 1;
        }

        ngx_http_flowdash_hold_release(r, whole);
        ngx_http_flowdash_whole_settle(whole, c->log);
    }

    r->write_event_handler(r);

    ngx_http_run_posted_requests(c);
}


/* gives the record away, unless something of it is still to come */

static void
ngx_http_flowdash_whole_settle(ngx_http_flowdash_whole_t *whole,
    ngx_log_t *log)
{
    ngx_http_flowdash_outbox_file_t  *file;

    file = whole->file;

    if (file == NULL || !whole->ended || whole->syncing || whole->collecting) {
        return;
    }

    whole->file = NULL;

    if (whole->broken && whole->record->marked) {

        /* what the file says last is that the app was called */

        ngx_http_flowdash_outbox_set_aside(file, 0, log);
        return;
    }

    switch (whole->record->outcome) {

    case NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN:
        ngx_http_flowdash_outbox_set_aside(file, 0, log);
        break;

    case NGX_HTTP_FLOWDASH_OUTCOME_OK:
    case NGX_HTTP_FLOWDASH_OUTCOME_FAILED:
    case NGX_HTTP_FLOWDASH_OUTCOME_REFUSED:
        ngx_http_flowdash_send(file);
        break;

    default: /* NGX_HTTP_FLOWDASH_OUTCOME_NONE */
        break;
    }
}
