
/*
 * The numbers of an action, for those who do not see the drawing, for narrow
 * screens, and for all who want to know more.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_page_text.h>
#include <ngx_http_flowdash_status_delivery.h>
#include <ngx_http_flowdash_status_page_table.h>


static void ngx_http_flowdash_status_page_table_action(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_action_view_t *action);
static void ngx_http_flowdash_status_page_table_step(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_step_view_t *step, const char *class);
static void ngx_http_flowdash_status_page_table_app(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_action_view_t *action);
static void ngx_http_flowdash_status_page_table_recent(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_recent_t *recent);
static void ngx_http_flowdash_status_page_table_all(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_counters_t *counters);
static ngx_uint_t ngx_http_flowdash_status_page_table_reasons(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_counters_t *counters);


void
ngx_http_flowdash_status_page_table(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_action_view_t *action)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_step_view_t  *step;

    ngx_http_flowdash_output(out, "<div class=\"numbers\"><table>\n"
                             "<thead><tr><th scope=\"col\">Station</th>"
                             "<th scope=\"col\">Per minute</th>"
                             "<th scope=\"col\">Succeeded</th>"
                             "<th scope=\"col\">Median</th>"
                             "<th scope=\"col\">p95</th>"
                             "<th scope=\"col\">Last status</th>"
                             "<th scope=\"col\">Total</th></tr></thead>\n"
                             "<tbody>\n");

    ngx_http_flowdash_status_page_table_action(out, view, action);

    step = action->steps.elts;

    for (i = 0; i < action->steps.nelts; i++) {
        ngx_http_flowdash_status_page_table_step(out, view, &step[i],
                           ngx_http_flowdash_status_view_station(action, i));
    }

    ngx_http_flowdash_status_page_table_app(out, view, action);

    step = action->deliveries.elts;

    for (i = 0; i < action->deliveries.nelts; i++) {
        ngx_http_flowdash_status_page_table_step(out, view, &step[i],
                         ngx_http_flowdash_status_delivery_state(&step[i]));
    }

    ngx_http_flowdash_output(out, "</tbody></table></div>\n");
}


static void
ngx_http_flowdash_status_page_table_action(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_action_view_t *action)
{
    ngx_http_flowdash_counters_t  *counters;

    counters = action->counters;

    ngx_http_flowdash_output(out, "<tr%s><th scope=\"row\">all steps",
                             action->refused ? " class=\"bad\"" : "");

    if (counters->running) {
        ngx_http_flowdash_output(out, "<p>%uA running</p>",
                                 counters->running);
    }

    if (action->refused) {
        ngx_http_flowdash_output(out, "<p class=\"stop\">");
        ngx_http_flowdash_status_page_reason(out, counters);
        ngx_http_flowdash_output(out, ", ");
        ngx_http_flowdash_status_page_times(out, action->recent.now_failed);
        ngx_http_flowdash_output(out, "</p>");
    }

    ngx_http_flowdash_output(out, "</th>");
    ngx_http_flowdash_status_page_table_recent(out, view, &action->recent);
    ngx_http_flowdash_output(out, "<td></td>");
    ngx_http_flowdash_status_page_table_all(out, counters);
}


static void
ngx_http_flowdash_status_page_table_step(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_step_view_t *step,
    const char *class)
{
    ngx_http_flowdash_counters_t  *counters;

    counters = step->counters;

    ngx_http_flowdash_output(out, "<tr class=\"%s\"><th scope=\"row\">",
                             class);
    ngx_http_flowdash_status_page_name(out, &step->name);

    if (step->endpoint.len) {
        ngx_http_flowdash_output(out, "<p>");
        ngx_http_flowdash_output_html(out, &step->endpoint);
        ngx_http_flowdash_output(out, "</p>");
    }

    if (step->optional) {
        ngx_http_flowdash_output(out, "<p>optional</p>");
    }

    if (step->failing) {
        ngx_http_flowdash_output(out, "<p class=\"stop\">");
        ngx_http_flowdash_status_page_reason(out, counters);
        ngx_http_flowdash_output(out, ", ");
        ngx_http_flowdash_status_page_times(out, step->recent.now_failed);

        if (step->recent.now_tolerated) {
            ngx_http_flowdash_output(out, ", %ui tolerated",
                                     step->recent.now_tolerated);
        }

        ngx_http_flowdash_output(out, "</p>");

    } else if (step->slow) {
        ngx_http_flowdash_output(out, "<p class=\"stop\">slow</p>");
    }

    ngx_http_flowdash_output(out, "</th>");
    ngx_http_flowdash_status_page_table_recent(out, view, &step->recent);

    if (counters->last_status) {
        ngx_http_flowdash_output(out, "<td>%uA</td>", counters->last_status);

    } else {
        ngx_http_flowdash_output(out, "<td>%s</td>",
                                 counters->started ? "none" : "");
    }

    ngx_http_flowdash_status_page_table_all(out, counters);
}


static void
ngx_http_flowdash_status_page_table_app(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_action_view_t *action)
{
    ngx_uint_t                     i, n, called;
    ngx_http_flowdash_counters_t  *counters;

    n = 0;
    counters = action->counters;
    called = action->recent.ended - action->recent.failed;

    ngx_http_flowdash_output(out, "<tr class=\"%s\"><th scope=\"row\">app",
                             ngx_http_flowdash_status_view_station(action,
                                                       action->steps.nelts));

    if (action->recent.now_app_failed) {
        ngx_http_flowdash_output(out, "<p class=\"stop\">");
        ngx_http_flowdash_status_page_answer(out, counters);
        ngx_http_flowdash_output(out, ", ");
        ngx_http_flowdash_status_page_times(out,
                                            action->recent.now_app_failed);
        ngx_http_flowdash_output(out, "</p>");

    } else if (action->recent.now_app_refused) {
        ngx_http_flowdash_output(out, "<p class=\"stop\">");
        ngx_http_flowdash_status_page_refusal(out, counters);
        ngx_http_flowdash_output(out, ", ");
        ngx_http_flowdash_status_page_times(out,
                                            action->recent.now_app_refused);
        ngx_http_flowdash_output(out, "</p>");
    }

    ngx_http_flowdash_output(out, "</th><td>");
    ngx_http_flowdash_status_page_rate(out, called, view->seconds);
    ngx_http_flowdash_output(out, "</td><td>");
    ngx_http_flowdash_status_page_share(out,
                                        called - action->recent.app_failed
                                        - action->recent.app_refused,
                                        called);
    ngx_http_flowdash_output(out, "</td><td></td><td></td><td>");

    if (counters->last_status) {
        ngx_http_flowdash_output(out, "%uA", counters->last_status);
    }

    ngx_http_flowdash_output(out, "</td><td>");

    for (i = 1; i < 6; i++) {

        if (counters->statuses[i]) {
            ngx_http_flowdash_output(out, "%s%uA answered %uixx",
                                     n++ ? ", " : "", counters->statuses[i],
                                     i);
        }
    }

    if (counters->statuses[0]) {
        ngx_http_flowdash_output(out, "%s%uA without answer", n++ ? ", " : "",
                                 counters->statuses[0]);
    }

    if (ngx_http_flowdash_metrics_count(&counters->app_time)) {
        ngx_http_flowdash_output(out, ", p95 ");
        ngx_http_flowdash_status_page_time(out, &counters->app_time, 950);
    }

    if (n == 0) {
        ngx_http_flowdash_output(out, "never called");
    }

    ngx_http_flowdash_output(out, "</td></tr>\n");
}


static void
ngx_http_flowdash_status_page_table_recent(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_recent_t *recent)
{
    ngx_http_flowdash_output(out, "<td>");
    ngx_http_flowdash_status_page_rate(out, recent->ended, view->seconds);
    ngx_http_flowdash_output(out, "</td><td>");
    ngx_http_flowdash_status_page_share(out, recent->ended - recent->failed,
                                        recent->ended);
    ngx_http_flowdash_output(out, "</td><td>");
    ngx_http_flowdash_status_page_time(out, &recent->time, 500);
    ngx_http_flowdash_output(out, "</td><td>");
    ngx_http_flowdash_status_page_time(out, &recent->time, 950);
    ngx_http_flowdash_output(out, "</td>");
}


static void
ngx_http_flowdash_status_page_table_all(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters)
{
    if (counters->started == 0) {
        ngx_http_flowdash_output(out, "<td>never run</td></tr>\n");
        return;
    }

    ngx_http_flowdash_output(out, "<td>%uA, %uA succeeded, p95 ",
                             counters->started, counters->succeeded);
    ngx_http_flowdash_status_page_time(out, &counters->time, 950);

    if (ngx_http_flowdash_status_page_table_reasons(out, counters)) {
        ngx_http_flowdash_output(out, "</p>");
    }

    ngx_http_flowdash_output(out, "</td></tr>\n");
}


/* what else has happened; returns how many there were */

static ngx_uint_t
ngx_http_flowdash_status_page_table_reasons(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 1; i < NGX_HTTP_FLOWDASH_ERRORS; i++) {

        if (counters->failed[i]) {
            ngx_http_flowdash_output(out, "%s%V %uA", n++ ? ", " : "<p>",
                                     ngx_http_flowdash_reason_name(i),
                                     counters->failed[i]);
        }
    }

    if (counters->refused) {
        ngx_http_flowdash_output(out, "%srefused %uA", n++ ? ", " : "<p>",
                                 counters->refused);
    }

    if (counters->unknown) {
        ngx_http_flowdash_output(out, "%sunknown %uA", n++ ? ", " : "<p>",
                                 counters->unknown);
    }

    if (counters->aborted) {
        ngx_http_flowdash_output(out, "%saborted %uA", n++ ? ", " : "<p>",
                                 counters->aborted);
    }

    if (counters->retries) {
        ngx_http_flowdash_output(out, "%srepeated %uA", n++ ? ", " : "<p>",
                                 counters->retries);
    }

    if (counters->ignored) {
        ngx_http_flowdash_output(out, "%signored %uA", n++ ? ", " : "<p>",
                                 counters->ignored);
    }

    return n;
}
