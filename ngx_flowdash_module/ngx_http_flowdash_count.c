
/*
 * What is counted of an execution, and when.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


static ngx_uint_t ngx_http_flowdash_count_calls(
    ngx_http_flowdash_counters_t *counters, ngx_http_flowdash_run_t *run);
static void ngx_http_flowdash_count_status(
    ngx_http_flowdash_counters_t *counters, ngx_uint_t status);


void
ngx_http_flowdash_count_configured(ngx_http_flowdash_main_conf_t *fmcf,
    ngx_log_t *log)
{
    ngx_uint_t                      i, n;
    ngx_str_t                      *name;
    ngx_http_flowdash_step_t      **step;
    ngx_http_flowdash_loc_conf_t  **action;

    action = fmcf->actions.elts;

    for (i = 0; i < fmcf->actions.nelts; i++) {

        if (action[i]->action->lengths) {

            /* its names are known when they come */

            continue;
        }

        name = &action[i]->action->value;
        step = action[i]->steps->elts;

        (void) ngx_http_flowdash_metrics_get(fmcf->counters, name, NULL, log);

        for (n = 0; n < action[i]->steps->nelts; n++) {
            (void) ngx_http_flowdash_metrics_get(fmcf->counters, name,
                                                 &step[n]->name, log);
        }
    }
}


void
ngx_http_flowdash_count_started(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_counters_t   *counters;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    if (fmcf->counters == NULL || ctx->counters) {
        return;
    }

    counters = ngx_http_flowdash_metrics_get(fmcf->counters, &ctx->action,
                                             NULL, r->connection->log);
    if (counters == NULL) {
        return;
    }

    ctx->zone = fmcf->counters;
    ctx->counters = counters;
    ctx->start = ngx_current_msec;

    (void) ngx_atomic_fetch_add(&counters->started, 1);
    (void) ngx_atomic_fetch_add(&counters->running, 1);

    ngx_http_flowdash_metrics_happen(&counters->rate);
}


void
ngx_http_flowdash_count_ended(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_str_t                      none;
    ngx_http_flowdash_counters_t  *counters;

    counters = ctx->counters;

    if (counters == NULL) {
        return;
    }

    ctx->counters = NULL;

    (void) ngx_atomic_fetch_add(&counters->running, -1);

    ngx_http_flowdash_metrics_time(&counters->time,
                                   ngx_current_msec - ctx->start);

    if (ctx->state == NGX_HTTP_FLOWDASH_PASSED) {
        (void) ngx_atomic_fetch_add(&counters->succeeded, 1);
        return;
    }

    /* what has ended in no other way was given up by nginx */

    if (ctx->error == NGX_HTTP_FLOWDASH_OK) {
        ctx->error = NGX_HTTP_FLOWDASH_INTERNAL;
        ctx->status = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_atomic_fetch_add(&counters->failed[ctx->error], 1);

    ngx_http_flowdash_metrics_happen(&counters->failures);

    ngx_str_null(&none);

    ngx_http_flowdash_metrics_failure(ctx->zone, &ctx->action,
                                      ctx->run ? &ctx->run->step->name : &none,
                                      &ctx->id, ctx->status, ctx->error);
}


void
ngx_http_flowdash_count_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_run_t *run)
{
    ngx_uint_t                      calls;
    ngx_http_flowdash_counters_t   *counters;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    if (fmcf->counters == NULL || run->request == NULL) {
        return;
    }

    counters = ngx_http_flowdash_metrics_get(fmcf->counters, &ctx->action,
                                             &run->step->name,
                                             r->connection->log);
    if (counters == NULL) {
        return;
    }

    (void) ngx_atomic_fetch_add(&counters->started, 1);

    if (run->error) {
        (void) ngx_atomic_fetch_add(&counters->failed[run->error], 1);
        ngx_http_flowdash_metrics_happen(&counters->failures);

    } else {
        (void) ngx_atomic_fetch_add(&counters->succeeded, 1);
    }

    ngx_http_flowdash_metrics_happen(&counters->rate);
    ngx_http_flowdash_metrics_time(&counters->time, run->time);

    calls = ngx_http_flowdash_count_calls(counters, run);

    (void) ngx_atomic_fetch_add(&counters->calls, calls);
    (void) ngx_atomic_fetch_add(&counters->sent, calls * run->payload.len);
    (void) ngx_atomic_fetch_add(&counters->received, run->body.len);
}


/* one by one, or nginx's upstream's, or the one of another handler */

static ngx_uint_t
ngx_http_flowdash_count_calls(ngx_http_flowdash_counters_t *counters,
    ngx_http_flowdash_run_t *run)
{
    ngx_uint_t                    i, n;
    ngx_http_upstream_state_t    *state;
    ngx_http_flowdash_attempt_t  *attempt;

    if (run->attempts.nelts) {

        attempt = run->attempts.elts;

        for (i = 0; i < run->attempts.nelts; i++) {

            ngx_http_flowdash_count_status(counters,
                             attempt[i].answered ? attempt[i].status : 0);

            if (attempt[i].opened) {
                (void) ngx_atomic_fetch_add(&counters->opened, 1);

            } else if (attempt[i].answered) {
                (void) ngx_atomic_fetch_add(&counters->reused, 1);
            }
        }

        return run->attempts.nelts;
    }

    if (run->request->upstream == NULL
        || run->request->upstream_states == NULL)
    {
        ngx_http_flowdash_count_status(counters, run->status);
        return 1;
    }

    state = run->request->upstream_states->elts;
    n = run->request->upstream_states->nelts;

    for (i = 0; i < n; i++) {
        ngx_http_flowdash_count_status(counters, state[i].status);
    }

    if (run->request->upstream->peer.cached) {
        (void) ngx_atomic_fetch_add(&counters->reused, 1);
        (void) ngx_atomic_fetch_add(&counters->opened, n - 1);

    } else {
        (void) ngx_atomic_fetch_add(&counters->opened, n);
    }

    return n;
}


static void
ngx_http_flowdash_count_status(ngx_http_flowdash_counters_t *counters,
    ngx_uint_t status)
{
    ngx_uint_t  class;

    class = status / 100;

    (void) ngx_atomic_fetch_add(&counters->statuses[class < 6 ? class : 0], 1);
}
