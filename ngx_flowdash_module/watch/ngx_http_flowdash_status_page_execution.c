
/*
 * The page of one execution: what has become of it, and of its steps.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_execution.h>
#include <ngx_http_flowdash_status_page_parts.h>
#include <ngx_http_flowdash_status_page_text.h>
#include <ngx_http_flowdash_status_page_execution.h>


static void ngx_http_flowdash_status_page_execution_missing(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_zone_t *zone);
static void ngx_http_flowdash_status_page_execution_outcome(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_execution_t *execution);
static const char *ngx_http_flowdash_status_page_execution_meaning(
    ngx_http_flowdash_execution_t *execution);
static void ngx_http_flowdash_status_page_execution_stations(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_execution_t *execution);
static void ngx_http_flowdash_status_page_execution_step(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_execution_step_t *step);
static void ngx_http_flowdash_status_page_execution_app(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_execution_t *execution);
static void ngx_http_flowdash_status_page_execution_time(
    ngx_http_flowdash_output_t *out, ngx_msec_t ms);


void
ngx_http_flowdash_status_page_execution(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone, ngx_str_t *id,
    ngx_http_flowdash_execution_t *execution)
{
    ngx_http_flowdash_status_page_top(out, zone, 0, id);

    ngx_http_flowdash_output(out, "<header><h1>Execution</h1>"
                             "<p id=\"when\">");
    ngx_http_flowdash_status_page_date(out, ngx_time());
    ngx_http_flowdash_output(out, "<span class=\"utc\"> UTC</span></p>"
                             "<p><a href=\"?\">all flows</a></p></header>\n"
                             "<section class=\"execution\">\n");

    if (execution == NULL) {
        ngx_http_flowdash_status_page_execution_missing(out, zone);

    } else {
        ngx_http_flowdash_status_page_execution_outcome(out, execution);
        ngx_http_flowdash_status_page_execution_stations(out, execution);
    }

    ngx_http_flowdash_output(out, "</section>\n");
    ngx_http_flowdash_status_page_bottom(out);
}


static void
ngx_http_flowdash_status_page_execution_missing(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_zone_t *zone)
{
    if (zone->executions == NULL) {
        ngx_http_flowdash_output(out, "<h2>No executions are kept</h2>\n"
                                 "<p>Add \"executions=1000\" to flowdash_zone "
                                 "to keep the last 1000.</p>\n");
        return;
    }

    ngx_http_flowdash_output(out, "<h2>Not found</h2>\n"
                             "<p>No execution of this id is kept: newer ones "
                             "have its place, nginx was restarted, or it ran "
                             "on another node. Look for the id in the logs."
                             "</p>\n");
}


static void
ngx_http_flowdash_status_page_execution_outcome(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_execution_t *execution)
{
    const char  *outcome;

    outcome = ngx_http_flowdash_status_execution_outcome(execution);

    ngx_http_flowdash_output(out, "<h2>");

    if (execution->action.len) {
        ngx_http_flowdash_status_page_name(out, &execution->action);

    } else {
        ngx_http_flowdash_output(out, "(no name)");
    }

    ngx_http_flowdash_output(out, ": <span class=\"%s\">%s</span></h2>\n"
                             "<p>%s</p>\n"
                             "<p>It began at ",
                             outcome, *outcome ? outcome : "running",
                  ngx_http_flowdash_status_page_execution_meaning(execution));
    ngx_http_flowdash_status_page_date(out, execution->sec);
    ngx_http_flowdash_output(out, "<span class=\"utc\"> UTC</span>");

    if (execution->phase == NGX_HTTP_FLOWDASH_EXECUTION_ENDED) {
        ngx_http_flowdash_output(out, " and took ");
        ngx_http_flowdash_status_page_execution_time(out, execution->end.time);

    } else {
        ngx_http_flowdash_output(out, " in worker process %P",
                                 execution->pid);
    }

    ngx_http_flowdash_output(out, ".");

    if (execution->end.status) {
        ngx_http_flowdash_output(out, " The user got %ui.",
                                 execution->end.status);
    }

    if (execution->deliveries.outcome != NGX_HTTP_FLOWDASH_EXECUTION_NONE) {
        ngx_http_flowdash_output(out, " Its undos or after-steps: %ui sent, "
                                 "%ui waiting, %ui dead.",
                                 execution->deliveries.done,
                                 execution->deliveries.waiting,
                                 execution->deliveries.dead);
    }

    ngx_http_flowdash_output(out, "</p>\n<p>Id <code>%V</code></p>\n",
                             &execution->id);
}


/* what an operator must know about it */

static const char *
ngx_http_flowdash_status_page_execution_meaning(
    ngx_http_flowdash_execution_t *execution)
{
    switch (execution->phase) {

    case NGX_HTTP_FLOWDASH_EXECUTION_STEPS:
        return "Its steps are running.";

    case NGX_HTTP_FLOWDASH_EXECUTION_APP:
        return "Its steps have passed, and the app has not answered yet.";

    case NGX_HTTP_FLOWDASH_EXECUTION_LOST:
        return "Its worker process died before it ended. Whatever was "
               "unanswered then may have happened, or not.";

    default:
        break;
    }

    switch (execution->end.outcome) {

    case NGX_HTTP_FLOWDASH_EXECUTION_OK:
        return "Its steps have passed, and the app has done it.";

    case NGX_HTTP_FLOWDASH_EXECUTION_REFUSED:
        return execution->end.app_status
               ? "Its steps have passed, but the app has refused it."
               : "Its steps have passed, but the app could not be reached.";

    case NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN:
        return "Its steps have passed, and the app was called. Whether it has "
               "done it cannot be told.";

    case NGX_HTTP_FLOWDASH_EXECUTION_ABORTED:
        return "Its steps have passed, but the app was not called.";

    default:
        return "The app was not called.";
    }
}


static void
ngx_http_flowdash_status_page_execution_stations(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_execution_t *execution)
{
    ngx_uint_t  i;

    ngx_http_flowdash_output(out, "<table>\n"
                             "<thead><tr><th scope=\"col\">Station</th>"
                             "<th scope=\"col\">Result</th>"
                             "<th scope=\"col\">Answered</th>"
                             "<th scope=\"col\">Time</th>"
                             "<th scope=\"col\">Calls</th></tr></thead>\n"
                             "<tbody>\n");

    for (i = 0; i < execution->nkept; i++) {
        ngx_http_flowdash_status_page_execution_step(out,
                                                     &execution->steps[i]);
    }

    if (execution->nsteps > execution->nkept) {
        ngx_http_flowdash_output(out, "<tr><th scope=\"row\">%ui more steps"
                                 "</th><td>not kept</td><td></td><td></td>"
                                 "<td></td></tr>\n",
                                 execution->nsteps - execution->nkept);
    }

    ngx_http_flowdash_status_page_execution_app(out, execution);

    ngx_http_flowdash_output(out, "</tbody></table>\n");
}


static void
ngx_http_flowdash_status_page_execution_step(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_execution_step_t *step)
{
    ngx_str_t    name;
    const char  *result;

    name = ngx_http_flowdash_status_execution_step_name(step);
    result = ngx_http_flowdash_status_execution_result(step);

    ngx_http_flowdash_output(out, "<tr><th scope=\"row\">");

    if (name.len) {
        ngx_http_flowdash_status_page_name(out, &name);

    } else {
        ngx_http_flowdash_output(out, "(no name: the zone is full)");
    }

    ngx_http_flowdash_output(out, "</th><td class=\"%s\">%s", result, result);

    if (step->reason && step->reason < NGX_HTTP_FLOWDASH_ERRORS) {
        ngx_http_flowdash_output(out, ": %V",
                                 ngx_http_flowdash_reason_name(step->reason));
    }

    ngx_http_flowdash_output(out, "</td><td>");

    if (step->status) {
        ngx_http_flowdash_output(out, "%ui", step->status);
    }

    ngx_http_flowdash_output(out, "</td><td>");

    if (step->calls) {
        ngx_http_flowdash_status_page_execution_time(out, step->time);
    }

    ngx_http_flowdash_output(out, "</td><td>");

    if (step->calls) {
        ngx_http_flowdash_output(out, "%ui", step->calls);
    }

    ngx_http_flowdash_output(out, "</td></tr>\n");
}


static void
ngx_http_flowdash_status_page_execution_app(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_execution_t *execution)
{
    const char  *result;

    switch (execution->end.outcome) {

    case NGX_HTTP_FLOWDASH_EXECUTION_OK:
        result = "ok";
        break;

    case NGX_HTTP_FLOWDASH_EXECUTION_REFUSED:
        result = execution->end.app_status ? "refused" : "not reached";
        break;

    case NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN:
        result = "unknown";
        break;

    case NGX_HTTP_FLOWDASH_EXECUTION_NONE:
        result = execution->phase == NGX_HTTP_FLOWDASH_EXECUTION_APP
                 ? "running" : "";
        break;

    default:
        result = "not called";
    }

    ngx_http_flowdash_output(out, "<tr><th scope=\"row\">app</th>"
                             "<td class=\"%s\">%s</td><td>", result, result);

    if (execution->end.app_status) {
        ngx_http_flowdash_output(out, "%ui", execution->end.app_status);
    }

    ngx_http_flowdash_output(out, "</td><td></td><td></td></tr>\n");
}


static void
ngx_http_flowdash_status_page_execution_time(ngx_http_flowdash_output_t *out,
    ngx_msec_t ms)
{
    if (ms < 1000) {
        ngx_http_flowdash_output(out, "%M\xc2\xa0ms", ms);

    } else {
        ngx_http_flowdash_output(out, "%M.%M\xc2\xa0s", ms / 1000,
                                 ms % 1000 / 100);
    }
}
