
/*
 * What the record knows of each step: before it is called, and when it has
 * ended.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_outbox_file.h>
#include <ngx_http_flowdash_task_write.h>
#include <ngx_http_flowdash_task_told.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_effect.h>
#include <ngx_http_flowdash_render.h>
#include <ngx_http_flowdash_whole_state.h>
#include <ngx_http_flowdash_whole_begin.h>
#include <ngx_http_flowdash_whole_file.h>
#include <ngx_http_flowdash_whole_step.h>


static ngx_int_t ngx_http_flowdash_whole_call_line(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_whole_undo(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_delivery_t **undo);
static ngx_int_t ngx_http_flowdash_whole_undo_again(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_record_step_t *step, ngx_http_flowdash_delivery_t
    **undo);


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

        if (rc != NGX_OK) {

            /* a line of its answer would have none before it */

            whole->broken = 1;

        } else if (ex->step->undo) {
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
    ngx_http_flowdash_record_step_t  *step;

    whole = ctx->whole;

    /* what cannot be recorded is not called, and has no answer */

    step = ngx_array_push(&whole->record->steps);
    if (step == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));

    if (ngx_http_flowdash_whole_copy(whole->record->pool, &step->name,
                                     &ex->step->name)
        != NGX_OK)
    {
        whole->record->steps.nelts--;
        return NGX_ERROR;
    }

    if (ex->step->undo == NULL) {

        /* nobody has to know of the call before it has ended */

        whole->step = step;

        return NGX_OK;
    }

    if (ngx_http_flowdash_whole_copy(whole->record->pool, &step->key, &ex->id)
        != NGX_OK
        || ngx_http_flowdash_whole_undo(r, ctx, ex, &step->undo) == NGX_ERROR)
    {
        whole->record->steps.nelts--;
        return NGX_ERROR;
    }

    whole->step = step;

    if (whole->file->fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    rc = ngx_http_flowdash_record_call(whole->record, step, &whole->file->mac,
                                       &line);
    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_outbox_reserve(whole->file,
                             2 * line.len
                             + ngx_http_flowdash_whole_end_size(ctx,
                                   ngx_http_flowdash_task_write_length(
                                            ngx_http_flowdash_task_write_told,
                                            ctx->task)),
                             r->connection->log);
    }

    return ngx_http_flowdash_whole_write(whole, rc, &line,
                                         r->connection->log);
}


/*
 * Sets "undo" to NULL if the step has none.  Returns NGX_OK; NGX_DECLINED if
 * its flowdash_if says that there is none, with an undo that is never sent; or
 * NGX_ERROR.
 */

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

    if (rc == NGX_DECLINED) {
        ngx_str_set(&delivery->error, "its flowdash_if was not met before the "
                                      "step had answered");
    }

    if (rc != NGX_ERROR) {
        *undo = delivery;
    }

    return rc;
}


void
ngx_http_flowdash_whole_answer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_int_t                         rc;
    ngx_str_t                         line;
    ngx_http_flowdash_whole_t        *whole;
    ngx_http_flowdash_delivery_t     *undo;
    ngx_http_flowdash_record_step_t  *step;

    whole = ctx->whole;

    if (whole == NULL) {
        return;
    }

    /* without a line of this step, the next one needs its own all the same */

    whole->called = 0;

    step = whole->step;

    if (step == NULL) {
        return;
    }

    whole->step = NULL;

    step->ended = 1;
    step->counts = ngx_http_flowdash_effect(ex);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash step \"%V\" may have taken effect: %d",
                   &ex->step->name, step->counts);

    undo = NULL;

    if (step->counts
        && ngx_http_flowdash_whole_undo_again(r, ctx, ex, step, &undo)
           != NGX_OK)
    {
        whole->broken = 1;
        return;
    }

    if (whole->file->fd == NGX_INVALID_FILE) {
        return;
    }

    if (ex->step->undo == NULL) {

        /* what needs no undo is written together with what comes next */

        if (ngx_http_flowdash_record_answer(whole->record, step, NULL, NULL,
                                            NULL)
            != NGX_OK)
        {
            whole->broken = 1;
        }

        return;
    }

    rc = ngx_http_flowdash_record_answer(whole->record, step, undo,
                                         &whole->file->mac, &line);

    (void) ngx_http_flowdash_whole_write(whole, rc, &line,
                                         r->connection->log);
}


/* with what the answer has changed; "undo" is NULL if it stays as it was */

static ngx_int_t
ngx_http_flowdash_whole_undo_again(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_record_step_t *step, ngx_http_flowdash_delivery_t **undo)
{
    ngx_int_t  rc;

    rc = ngx_http_flowdash_whole_undo(r, ctx, ex, undo);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED && ex->error == 0) {
        step->undo->state = NGX_HTTP_FLOWDASH_DELIVERY_DONE;
        *undo = step->undo;
        return NGX_OK;
    }

    /*
     * What was possible before the answer is better than nothing; and what
     * the condition asks for may be in the answer that has not come.
     */

    if (rc == NGX_DECLINED
        || (*undo && (*undo)->error.len && step->undo->error.len == 0))
    {
        *undo = NULL;
    }

    if (*undo) {
        step->undo = *undo;
    }

    return NGX_OK;
}
