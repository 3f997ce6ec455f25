
/*
 * What is counted of an execution, and when.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_recent.h>
#include <ngx_http_flowdash_follow.h>
#include <ngx_http_flowdash_count_calls.h>
#include <ngx_http_flowdash_count.h>


static ngx_http_flowdash_counters_t *ngx_http_flowdash_count_get(
    ngx_http_flowdash_zone_t *zone, ngx_str_t *action, ngx_str_t *step,
    ngx_log_t *log);
static ngx_uint_t ngx_http_flowdash_count_steps(ngx_http_flowdash_zone_t *zone,
    ngx_str_t *action, ngx_array_t *steps);
static void ngx_http_flowdash_count_exchange(
    ngx_http_flowdash_counters_t *counters, ngx_http_flowdash_exchange_t *ex);
static void ngx_http_flowdash_count_failed(ngx_http_flowdash_ctx_t *ctx);
static ngx_uint_t ngx_http_flowdash_count_is_due(ngx_atomic_t *last,
    ngx_log_t *log, ngx_uint_t level);
static ngx_str_t ngx_http_flowdash_count_name(ngx_http_flowdash_ctx_t *ctx);


/* does not compile if the counters have no room for all reasons */

typedef u_char  ngx_http_flowdash_count_check_t[
    NGX_HTTP_FLOWDASH_ERRORS <= NGX_HTTP_FLOWDASH_METRICS_REASONS ? 1 : -1];


void
ngx_http_flowdash_count_configured(ngx_http_flowdash_main_conf_t *fmcf,
    ngx_log_t *log)
{
    ngx_uint_t                      i, room;
    ngx_str_t                      *name;
    ngx_http_flowdash_loc_conf_t  **action;

    room = 1;
    action = fmcf->actions.elts;

    for (i = 0; i < fmcf->actions.nelts; i++) {

        if (action[i]->action->lengths) {

            /* the name has variables: known only when it is counted */

            continue;
        }

        name = &action[i]->action->value;

        if (!ngx_http_flowdash_metrics_get(fmcf->counters, name, NULL)) {
            room = 0;
        }

        room &= ngx_http_flowdash_count_steps(fmcf->counters, name,
                                              action[i]->steps)
                && ngx_http_flowdash_count_steps(fmcf->counters, name,
                                                 action[i]->afters);
    }

    if (!room) {
        ngx_http_flowdash_metrics_no_room(fmcf->counters, log);
    }
}


/* creates those of steps or after-steps; returns 0 if there is no room */

static ngx_uint_t
ngx_http_flowdash_count_steps(ngx_http_flowdash_zone_t *zone,
    ngx_str_t *action, ngx_array_t *steps)
{
    ngx_uint_t                  i, room;
    ngx_http_flowdash_step_t  **step;

    if (steps == NULL) {
        return 1;
    }

    room = 1;
    step = steps->elts;

    for (i = 0; i < steps->nelts; i++) {

        if (!ngx_http_flowdash_metrics_get(zone, action, &step[i]->counted)
            || (step[i]->undo
                && !ngx_http_flowdash_metrics_get(zone, action,
                                                  &step[i]->undo->counted)))
        {
            room = 0;
        }
    }

    return room;
}


void
ngx_http_flowdash_count_started(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_str_t                       name;
    ngx_http_flowdash_counters_t   *counters;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    if (fmcf->counters == NULL || ctx->counting) {
        return;
    }

    name = ngx_http_flowdash_count_name(ctx);
    counters = ngx_http_flowdash_count_get(fmcf->counters, &name, NULL,
                                           r->connection->log);

    ctx->zone = fmcf->counters;
    ctx->counters = counters;
    ctx->counting = 1;

    ngx_http_flowdash_follow_begin(ctx, &name);

    if (counters == NULL) {
        return;
    }

    (void) ngx_atomic_fetch_add(&counters->started, 1);
    ngx_http_flowdash_metrics_begin(fmcf->counters, counters);
    ctx->running = 1;

    ngx_http_flowdash_metrics_happen(&counters->rate);
}


static ngx_http_flowdash_counters_t *
ngx_http_flowdash_count_get(ngx_http_flowdash_zone_t *zone, ngx_str_t *action,
    ngx_str_t *step, ngx_log_t *log)
{
    ngx_http_flowdash_counters_t  *counters;

    counters = ngx_http_flowdash_metrics_get(zone, action, step);

    if (counters == NULL) {
        (void) ngx_atomic_fetch_add(&zone->uncounted, 1);
        ngx_http_flowdash_metrics_no_room(zone, log);
    }

    return counters;
}


/* a name that is not UTF-8 cannot be shown: it is counted as empty */

static ngx_str_t
ngx_http_flowdash_count_name(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_str_t  name;

    name = ctx->action;

    if (name.len && ngx_http_flowdash_text_check_utf8(&name)) {
        ngx_str_null(&name);
    }

    return name;
}


void
ngx_http_flowdash_count_passed(ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->state == NGX_HTTP_FLOWDASH_PASSED) {
        ngx_http_flowdash_follow_passed(ctx);
    }

    if (!ctx->running) {
        return;
    }

    ctx->running = 0;
    ctx->time = ngx_current_msec - ctx->start;

    ngx_http_flowdash_metrics_end(ctx->zone, ctx->counters);
}


void
ngx_http_flowdash_count_app(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_counters_t  *counters;

    counters = ctx->counters;

    if (!ctx->counting || counters == NULL) {
        return;
    }

    ngx_http_flowdash_count_calls_status(counters, ctx->app_status);
    counters->last_status = ctx->app_status;

    if (ctx->reached) {
        ngx_http_flowdash_metrics_time(&counters->app_time, ctx->app_time);
    }

    if (ctx->outcome == NGX_HTTP_FLOWDASH_OUTCOME_REFUSED && ctx->app_status) {
        ngx_http_flowdash_recent_refused(counters);

    } else if (ctx->outcome != NGX_HTTP_FLOWDASH_OUTCOME_OK) {
        ngx_http_flowdash_recent_other(counters);
    }
}


void
ngx_http_flowdash_count_ended(ngx_http_flowdash_ctx_t *ctx)
{
    if (!ctx->counting) {
        return;
    }

    ngx_http_flowdash_count_passed(ctx);

    ctx->counting = 0;

    ngx_http_flowdash_follow_ended(ctx);

    if (ctx->counters && ctx->started) {
        ngx_http_flowdash_metrics_time(&ctx->counters->time, ctx->time);
    }

    /*
     * That a session ends, a stranger tries, or somebody clicks twice does not
     * mean that it fails.
     */

    if (ctx->counters) {
        ngx_http_flowdash_recent_end(ctx->counters,
                                 ctx->started ? ctx->time : (ngx_msec_t) -1,
                                 ctx->state != NGX_HTTP_FLOWDASH_PASSED
                                 && ctx->error != NGX_HTTP_FLOWDASH_NO_USER
                                 && ctx->error != NGX_HTTP_FLOWDASH_CONFLICT
                                 && ctx->error != NGX_HTTP_FLOWDASH_MISMATCH);
    }

    if (ctx->state != NGX_HTTP_FLOWDASH_PASSED
        || ctx->outcome != NGX_HTTP_FLOWDASH_OUTCOME_OK)
    {
        ngx_http_flowdash_count_failed(ctx);

    } else if (ctx->counters) {
        (void) ngx_atomic_fetch_add(&ctx->counters->succeeded, 1);
    }
}


/* failed, or what has no reason: aborted, refused, unknown */

static void
ngx_http_flowdash_count_failed(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_str_t                      name, step;
    ngx_uint_t                     answered, reason;
    ngx_atomic_t                  *counter;
    ngx_http_flowdash_counters_t  *counters;

    static ngx_http_flowdash_counters_t  none;  /* its counters are not read */

    answered = 0;
    counters = ctx->counters ? ctx->counters : &none;

    name = ngx_http_flowdash_count_name(ctx);
    ngx_str_null(&step);

    if (ctx->state == NGX_HTTP_FLOWDASH_ABORTED) {
        reason = NGX_HTTP_FLOWDASH_METRICS_ABORTED;
        counter = &counters->aborted;

    } else if (ctx->state != NGX_HTTP_FLOWDASH_PASSED) {
        reason = ctx->error;
        counter = &counters->failed[reason];

        if (ctx->exchange) {
            step = ctx->exchange->step->name;
            answered = ngx_http_flowdash_exchange_answered(ctx->exchange);
        }

    } else {
        answered = ctx->app_status;

        if (ctx->outcome == NGX_HTTP_FLOWDASH_OUTCOME_REFUSED) {
            reason = NGX_HTTP_FLOWDASH_METRICS_REFUSED;
            counter = &counters->refused;

        } else {
            reason = NGX_HTTP_FLOWDASH_METRICS_UNKNOWN;
            counter = &counters->unknown;
        }
    }

    if (ctx->counters) {
        (void) ngx_atomic_fetch_add(counter, 1);

        if (ctx->state != NGX_HTTP_FLOWDASH_PASSED) {
            counters->last_failure = (ngx_atomic_uint_t) reason << 16
                                     | (answered & 0xffff);
        }
    }

    ngx_http_flowdash_metrics_failure(ctx->zone, &name, &step, &ctx->id,
                                      ctx->status, answered, reason);
}


void
ngx_http_flowdash_count_guarded(ngx_http_request_t *r)
{
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    if (fmcf->counters) {
        (void) ngx_atomic_fetch_add(&fmcf->counters->guarded, 1);
    }
}


ngx_uint_t
ngx_http_flowdash_count_ignored(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex, ngx_log_t *log, ngx_uint_t level)
{
    ngx_atomic_t                  *warned;
    ngx_http_flowdash_counters_t  *counters;

    warned = &ex->step->warned;

    if (ctx->counting) {
        counters = ngx_http_flowdash_metrics_get(ctx->zone, &ctx->action,
                                                 &ex->step->name);
        if (counters) {
            (void) ngx_atomic_fetch_add(&counters->ignored, 1);
            warned = &counters->warned;
        }
    }

    return ngx_http_flowdash_count_is_due(warned, log, level);
}


ngx_uint_t
ngx_http_flowdash_count_dropped(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex, ngx_log_t *log)
{
    ngx_http_flowdash_counters_t  *counters;

    counters = ctx->counting ? ngx_http_flowdash_metrics_get(ctx->zone,
                                                             &ctx->action,
                                                             &ex->step->name)
                             : NULL;

    return ngx_http_flowdash_count_is_due(counters ? &counters->dropped
                                                   : &ex->step->dropped,
                                          log, NGX_LOG_ERR);
}


/* is a line due that is written once a minute? "last": the last one's time */

static ngx_uint_t
ngx_http_flowdash_count_is_due(ngx_atomic_t *last, ngx_log_t *log,
    ngx_uint_t level)
{
    ngx_atomic_uint_t  now, then;

    if (log->log_level < level) {
        return 0;
    }

    now = ngx_time();
    then = *last;

    /* a clock that was set back must not silence it */

    return (then > now || now - then >= 60)
           && ngx_atomic_cmp_set(last, then, now);
}


void
ngx_http_flowdash_count_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_flowdash_counters_t  *counters;

    ngx_http_flowdash_follow_step_ended(ctx, ex);

    if (!ctx->counting || (ex->request == NULL && ex->error == 0)) {

        /* counting is off, or the step was skipped */

        return;
    }

    counters = ngx_http_flowdash_count_get(ctx->zone, &ctx->action,
                                           &ex->step->name,
                                           r->connection->log);
    if (counters == NULL) {
        return;
    }

    ngx_http_flowdash_count_exchange(counters, ex);

    if (ex->tolerated) {
        (void) ngx_atomic_fetch_add(&counters->tolerated, 1);
        ngx_http_flowdash_recent_other(counters);
    }
}


void
ngx_http_flowdash_count_delivery(ngx_str_t *action,
    ngx_http_flowdash_exchange_t *ex, ngx_log_t *log)
{
    ngx_http_flowdash_counters_t   *counters;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_flowdash_module);

    /* a record may be forged: its name must not spoil the pages */

    if (fmcf == NULL
        || fmcf->counters == NULL
        || ngx_http_flowdash_text_check_utf8(action))
    {
        return;
    }

    counters = ngx_http_flowdash_count_get(fmcf->counters, action,
                                           &ex->step->counted, log);
    if (counters == NULL) {
        return;
    }

    ex->time = ngx_current_msec - ex->start;

    ngx_http_flowdash_count_exchange(counters, ex);
}


static void
ngx_http_flowdash_count_exchange(ngx_http_flowdash_counters_t *counters,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t  calls, answered;

    (void) ngx_atomic_fetch_add(&counters->started, 1);

    answered = ngx_http_flowdash_exchange_answered(ex);
    counters->last_status = answered;

    if (ex->error) {
        (void) ngx_atomic_fetch_add(&counters->failed[ex->error], 1);
        counters->last_failure = (ngx_atomic_uint_t) ex->error << 16
                                 | (answered & 0xffff);

    } else {
        (void) ngx_atomic_fetch_add(&counters->succeeded, 1);
    }

    ngx_http_flowdash_metrics_happen(&counters->rate);
    ngx_http_flowdash_metrics_time(&counters->time, ex->time);
    ngx_http_flowdash_recent_end(counters, ex->time, ex->error != 0);

    calls = ngx_http_flowdash_count_calls(counters, ex);

    (void) ngx_atomic_fetch_add(&counters->calls, calls);

    if (calls > 1) {
        (void) ngx_atomic_fetch_add(&counters->retries, calls - 1);
    }

    if (ex->body.len) {
        (void) ngx_atomic_fetch_add(&counters->received, ex->body.len);
    }
}
