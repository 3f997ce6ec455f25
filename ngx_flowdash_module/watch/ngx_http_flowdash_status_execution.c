
/*
 * "flowdash_status json" of one execution.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_execution.h>


static void ngx_http_flowdash_status_execution_name(
    ngx_http_flowdash_output_t *out, ngx_str_t *name);
static void ngx_http_flowdash_status_execution_reason(
    ngx_http_flowdash_output_t *out, ngx_uint_t reason);
static void ngx_http_flowdash_status_execution_number(
    ngx_http_flowdash_output_t *out, const char *name, ngx_uint_t number);
static void ngx_http_flowdash_status_execution_end(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_execution_t *execution);
static ngx_http_flowdash_execution_step_t *
    ngx_http_flowdash_status_execution_failed(
    ngx_http_flowdash_execution_t *execution);
static void ngx_http_flowdash_status_execution_steps(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_execution_t *execution);


void
ngx_http_flowdash_status_execution(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone, ngx_str_t *id,
    ngx_http_flowdash_execution_t *execution)
{
    static const char *const  phases[] = { "steps", "app", "ended", "lost" };

    if (execution == NULL) {
        ngx_http_flowdash_output(out, "{\"error\":\"%s\"}\n",
                                 zone->executions
                                 ? "no such execution is kept"
                                 : "flowdash_zone keeps no executions");
        return;
    }

    ngx_http_flowdash_output(out, "{\"id\":\"%V\",\"action\":\"",
                             &execution->id);
    ngx_http_flowdash_output_json(out, &execution->action);
    ngx_http_flowdash_output(out, "\",\"time\":%T.%03ui,\"state\":\"%s\",",
                             execution->sec, execution->msec,
                             phases[execution->phase]);

    if (execution->phase == NGX_HTTP_FLOWDASH_EXECUTION_ENDED) {
        ngx_http_flowdash_output(out, "\"worker\":null,");

    } else {
        ngx_http_flowdash_output(out, "\"worker\":%P,", execution->pid);
    }

    ngx_http_flowdash_status_execution_end(out, execution);
    ngx_http_flowdash_status_execution_steps(out, execution);

    if (execution->deliveries.outcome != NGX_HTTP_FLOWDASH_EXECUTION_NONE) {
        ngx_http_flowdash_output(out, ",\n\"deliveries\":{\"waiting\":%ui,"
                                 "\"done\":%ui,\"dead\":%ui}",
                                 execution->deliveries.waiting,
                                 execution->deliveries.done,
                                 execution->deliveries.dead);

    } else {
        ngx_http_flowdash_output(out, ",\n\"deliveries\":null");
    }

    ngx_http_flowdash_output(out, "}\n");
}


static void
ngx_http_flowdash_status_execution_end(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_execution_t *execution)
{
    ngx_str_t                            name;
    ngx_http_flowdash_execution_step_t  *failed;

    if (execution->end.outcome == NGX_HTTP_FLOWDASH_EXECUTION_NONE) {
        ngx_http_flowdash_output(out, "\"outcome\":null");

    } else {
        ngx_http_flowdash_output(out, "\"outcome\":\"%s\"",
                       ngx_http_flowdash_status_execution_outcome(execution));
    }

    ngx_http_flowdash_status_execution_reason(out, execution->end.reason);

    ngx_http_flowdash_output(out, ",\"failed_step\":");

    failed = ngx_http_flowdash_status_execution_failed(execution);
    ngx_str_null(&name);

    if (failed) {
        name = ngx_http_flowdash_status_execution_step_name(failed);
    }

    ngx_http_flowdash_status_execution_name(out, failed ? &name : NULL);

    ngx_http_flowdash_status_execution_number(out, "status",
                                              execution->end.status);
    ngx_http_flowdash_status_execution_number(out, "app_status",
                                              execution->end.app_status);

    if (execution->phase == NGX_HTTP_FLOWDASH_EXECUTION_ENDED) {
        ngx_http_flowdash_output(out, ",\"time_ms\":%M", execution->end.time);

    } else {
        ngx_http_flowdash_output(out, ",\"time_ms\":null");
    }
}


/* the step that has failed, or NULL */

static ngx_http_flowdash_execution_step_t *
ngx_http_flowdash_status_execution_failed(
    ngx_http_flowdash_execution_t *execution)
{
    ngx_uint_t  i;

    for (i = 0; i < execution->nkept; i++) {
        if (execution->steps[i].result
            == NGX_HTTP_FLOWDASH_EXECUTION_STEP_FAILED)
        {
            return &execution->steps[i];
        }
    }

    return NULL;
}


static void
ngx_http_flowdash_status_execution_steps(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_execution_t *execution)
{
    ngx_str_t                            name;
    ngx_uint_t                           i;
    ngx_http_flowdash_execution_step_t  *step;

    ngx_http_flowdash_output(out, ",\n\"steps\":[");

    for (i = 0; i < execution->nkept; i++) {

        step = &execution->steps[i];
        name = ngx_http_flowdash_status_execution_step_name(step);

        ngx_http_flowdash_output(out, "%s\n{\"name\":", i ? "," : "");
        ngx_http_flowdash_status_execution_name(out, &name);
        ngx_http_flowdash_output(out, ",\"result\":\"%s\"",
                             ngx_http_flowdash_status_execution_result(step));
        ngx_http_flowdash_status_execution_reason(out, step->reason);
        ngx_http_flowdash_status_execution_number(out, "status", step->status);
        ngx_http_flowdash_output(out, ",\"calls\":%ui,\"time_ms\":%M}",
                                 step->calls, step->time);
    }

    ngx_http_flowdash_output(out, "],\"more_steps\":%ui",
                             execution->nsteps - execution->nkept);
}


/* null if there is none, or none is known */

static void
ngx_http_flowdash_status_execution_name(ngx_http_flowdash_output_t *out,
    ngx_str_t *name)
{
    if (name == NULL || name->len == 0) {
        ngx_http_flowdash_output(out, "null");
        return;
    }

    ngx_http_flowdash_output(out, "\"");
    ngx_http_flowdash_output_json(out, name);
    ngx_http_flowdash_output(out, "\"");
}


static void
ngx_http_flowdash_status_execution_reason(ngx_http_flowdash_output_t *out,
    ngx_uint_t reason)
{
    if (reason == NGX_HTTP_FLOWDASH_OK || reason >= NGX_HTTP_FLOWDASH_ERRORS) {
        ngx_http_flowdash_output(out, ",\"reason\":null");
        return;
    }

    ngx_http_flowdash_output(out, ",\"reason\":\"%V\"",
                             ngx_http_flowdash_reason_name(reason));
}


static void
ngx_http_flowdash_status_execution_number(ngx_http_flowdash_output_t *out,
    const char *name, ngx_uint_t number)
{
    if (number) {
        ngx_http_flowdash_output(out, ",\"%s\":%ui", name, number);

    } else {
        ngx_http_flowdash_output(out, ",\"%s\":null", name);
    }
}


const char *
ngx_http_flowdash_status_execution_outcome(
    ngx_http_flowdash_execution_t *execution)
{
    static const char *const  words[] = {
        "", "ok", "failed", "aborted", "refused", "unknown"
    };

    return words[execution->end.outcome];
}


const char *
ngx_http_flowdash_status_execution_result(
    ngx_http_flowdash_execution_step_t *step)
{
    static const char *const  words[] = {
        "", "running", "ok", "failed", "tolerated", "skipped", "unknown"
    };

    return words[step->result];
}


ngx_str_t
ngx_http_flowdash_status_execution_step_name(
    ngx_http_flowdash_execution_step_t *step)
{
    ngx_str_t  name;

    ngx_str_null(&name);

    if (step->counters
        && step->counters->state == NGX_HTTP_FLOWDASH_METRICS_READY)
    {
        name.data = step->counters->step;
        name.len = step->counters->step_len;
    }

    return name;
}
