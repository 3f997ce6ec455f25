
/*
 * What an execution enters in the ring of the last ones, and when.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions.h>
#include <ngx_http_flowdash_follow.h>


static void ngx_http_flowdash_follow_step(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_execution_step_t *step);
static ngx_uint_t ngx_http_flowdash_follow_calls(
    ngx_http_flowdash_exchange_t *ex);
static ngx_http_flowdash_execution_outcome_e ngx_http_flowdash_follow_outcome(
    ngx_http_flowdash_ctx_t *ctx);


void
ngx_http_flowdash_follow_begin(ngx_http_flowdash_ctx_t *ctx,
    ngx_str_t *action)
{
    if (ctx->zone->executions) {
        ctx->execution = ngx_http_flowdash_executions_begin(
                               ctx->zone->executions, &ctx->id, action);
    }
}


void
ngx_http_flowdash_follow_step_begins(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_flowdash_execution_step_t  step;

    if (!ctx->execution) {
        return;
    }

    ngx_memzero(&step, sizeof(ngx_http_flowdash_execution_step_t));

    step.result = NGX_HTTP_FLOWDASH_EXECUTION_STEP_RUNNING;

    ngx_http_flowdash_follow_step(ctx, ex, &step);
}


void
ngx_http_flowdash_follow_step_ended(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_flowdash_execution_step_t  step;

    if (!ctx->execution) {
        return;
    }

    ngx_memzero(&step, sizeof(ngx_http_flowdash_execution_step_t));

    step.reason = ex->error;

    if (ex->request == NULL && ex->error == NGX_HTTP_FLOWDASH_OK) {
        step.result = NGX_HTTP_FLOWDASH_EXECUTION_STEP_SKIPPED;

    } else {
        step.result = ex->error == NGX_HTTP_FLOWDASH_OK
                      ? NGX_HTTP_FLOWDASH_EXECUTION_STEP_OK
                      : ex->tolerated
                        ? NGX_HTTP_FLOWDASH_EXECUTION_STEP_TOLERATED
                        : NGX_HTTP_FLOWDASH_EXECUTION_STEP_FAILED;

        step.status = ngx_http_flowdash_exchange_answered(ex);
        step.calls = ngx_http_flowdash_follow_calls(ex);
        step.time = ex->time;
    }

    ngx_http_flowdash_follow_step(ctx, ex, &step);
}


static void
ngx_http_flowdash_follow_step(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_execution_step_t *step)
{
    step->counters = ngx_http_flowdash_metrics_get(ctx->zone, &ctx->action,
                                                   &ex->step->name);

    ngx_http_flowdash_executions_step(ctx->zone, ctx->execution,
                                      ctx->exchanges.nelts - 1, step);
}


static ngx_uint_t
ngx_http_flowdash_follow_calls(ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_flowdash_loc_conf_t  *flcf;

    if (ex->attempts.nelts) {
        return ex->attempts.nelts;
    }

    if (ex->request == NULL) {
        return 0;
    }

    if (ex->request->upstream && ex->request->upstream_states) {
        return ex->request->upstream_states->nelts;
    }

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    return flcf->url ? 0 : 1;
}


void
ngx_http_flowdash_follow_passed(ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->execution) {
        ngx_http_flowdash_executions_passed(ctx->zone->executions,
                                            ctx->execution);
    }
}


void
ngx_http_flowdash_follow_ended(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_execution_end_t  end;

    if (!ctx->execution) {
        return;
    }

    end.outcome = ngx_http_flowdash_follow_outcome(ctx);
    end.reason = ctx->error;
    end.status = ctx->status;
    end.app_status = ctx->app_status;
    end.time = ctx->started ? ngx_current_msec - ctx->start : 0;

    ngx_http_flowdash_executions_end(ctx->zone->executions, ctx->execution,
                                     &end);
}


static ngx_http_flowdash_execution_outcome_e
ngx_http_flowdash_follow_outcome(ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->state == NGX_HTTP_FLOWDASH_ABORTED) {
        return NGX_HTTP_FLOWDASH_EXECUTION_ABORTED;
    }

    if (ctx->state != NGX_HTTP_FLOWDASH_PASSED) {
        return NGX_HTTP_FLOWDASH_EXECUTION_FAILED;
    }

    switch (ctx->outcome) {

    case NGX_HTTP_FLOWDASH_OUTCOME_OK:
        return NGX_HTTP_FLOWDASH_EXECUTION_OK;

    case NGX_HTTP_FLOWDASH_OUTCOME_REFUSED:
        return NGX_HTTP_FLOWDASH_EXECUTION_REFUSED;

    default:
        return NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN;
    }
}
