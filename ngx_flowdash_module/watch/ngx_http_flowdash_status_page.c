
/*
 * "flowdash_status html": each action as a chain from the request through its
 * steps to the app, and the last failures.  The page is self-contained.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_page_parts.h>
#include <ngx_http_flowdash_status_page.h>


static void ngx_http_flowdash_status_page_begin(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view);
static void ngx_http_flowdash_status_page_action(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_action_view_t *action);
static ngx_uint_t ngx_http_flowdash_status_page_width(ngx_uint_t ended);
static void ngx_http_flowdash_status_page_step(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_step_view_t *step);
static void ngx_http_flowdash_status_page_reasons(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_step_view_t *step);
static void ngx_http_flowdash_status_page_figure(
    ngx_http_flowdash_output_t *out, const char *name, const char *fmt,
    ngx_uint_t value);
static void ngx_http_flowdash_status_page_recent(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_recent_t *recent);
static void ngx_http_flowdash_status_page_all(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters);
static void ngx_http_flowdash_status_page_share(
    ngx_http_flowdash_output_t *out, ngx_uint_t succeeded, ngx_uint_t ended);
static void ngx_http_flowdash_status_page_time(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_histogram_t *time, ngx_uint_t quantile);
static ngx_uint_t ngx_http_flowdash_status_page_failed(
    ngx_http_flowdash_counters_t *counters);
static void ngx_http_flowdash_status_page_failures(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view);
static void ngx_http_flowdash_status_page_name(ngx_http_flowdash_output_t *out,
    ngx_str_t *name);
static void ngx_http_flowdash_status_page_date(ngx_http_flowdash_output_t *out,
    time_t time);


void
ngx_http_flowdash_status_page(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_action_view_t  *action;

    ngx_http_flowdash_status_page_begin(out, view);

    if (view->zone->uncounted) {
        ngx_http_flowdash_output(out, "<p class=\"stop wide\">flowdash_zone "
                                 "is too small: %uA runs were not counted."
                                 "</p>\n",
                                 view->zone->uncounted);
    }

    if (view->actions.nelts == 0) {
        ngx_http_flowdash_output(out, "<p class=\"wide\">There are no actions "
                                 "yet: no location has flowdash_action.</p>"
                                 "\n");
    }

    action = view->actions.elts;

    for (i = 0; i < view->actions.nelts; i++) {
        if (action[i].failing) {
            ngx_http_flowdash_status_page_action(out, view, &action[i]);
        }
    }

    for (i = 0; i < view->actions.nelts; i++) {
        if (!action[i].failing) {
            ngx_http_flowdash_status_page_action(out, view, &action[i]);
        }
    }

    ngx_http_flowdash_status_page_failures(out, view);

    ngx_http_flowdash_output(out, "</main>\n");
    ngx_http_flowdash_output(out, "%s", ngx_http_flowdash_status_page_script);
}


/* to the end of what is said about all actions */

static void
ngx_http_flowdash_status_page_begin(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_http_flowdash_output(out, "%s<title>",
                             ngx_http_flowdash_status_page_head);

    if (view->failing) {
        ngx_http_flowdash_output(out, "(%ui) ", view->failing);
    }

    ngx_http_flowdash_output(out, "Flows</title>\n<div role=\"search\">"
                             "<input id=\"filter\" type=\"search\" "
                             "placeholder=\"Find an action\" "
                             "aria-label=\"Find an action\" hidden></div>\n"
                             "<main>\n<header><h1>Flows</h1><p%s>",
                             view->failing ? " class=\"stop\"" : "");

    if (view->failing) {
        ngx_http_flowdash_output(out, "%ui of %ui actions failing",
                                 view->failing, view->actions.nelts);

    } else if (view->actions.nelts) {
        ngx_http_flowdash_output(out, "No action is failing");
    }

    ngx_http_flowdash_output(out, "</p><p id=\"when\">");
    ngx_http_flowdash_status_page_date(out, ngx_time());
    ngx_http_flowdash_output(out, "<span class=\"utc\"> UTC</span>. Figures "
                             "are of the last five minutes; \"in all\" is "
                             "since ");
    ngx_http_flowdash_status_page_date(out, view->zone->since);
    ngx_http_flowdash_output(out, "<span class=\"utc\"> UTC</span></p>"
                             "</header>\n");
}


static void
ngx_http_flowdash_status_page_action(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_action_view_t *action)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_step_view_t  *step;

    ngx_http_flowdash_output(out, "<section>\n<div class=\"top\"><h2>");

    if (action->name.len) {
        ngx_http_flowdash_status_page_name(out, &action->name);

    } else {
        ngx_http_flowdash_output(out, "(its name could not be told)");
    }

    ngx_http_flowdash_output(out, "</h2><dl>");
    ngx_http_flowdash_status_page_figure(out, "running", "%uA",
                                         action->counters->running);
    ngx_http_flowdash_status_page_recent(out, view, &action->recent);
    ngx_http_flowdash_output(out, "</dl>");
    ngx_http_flowdash_status_page_all(out, action->counters);
    ngx_http_flowdash_output(out, "</div>\n<ol style=\"--w:%uipx\">\n<li>"
                             "<div class=\"box end\">request</div></li>\n",
                   ngx_http_flowdash_status_page_width(action->recent.ended));

    step = action->steps.elts;

    for (i = 0; i < action->steps.nelts; i++) {
        ngx_http_flowdash_status_page_step(out, view, &step[i]);
    }

    ngx_http_flowdash_output(out, "<li><div class=\"box end\">app</div></li>"
                             "\n</ol>\n</section>\n");
}


/* links get wider with the traffic: one pixel each time that it doubles */

static ngx_uint_t
ngx_http_flowdash_status_page_width(ngx_uint_t ended)
{
    ngx_uint_t  width;

    for (width = 2; ended && width < 14; width++) {
        ended /= 2;
    }

    return width;
}


static void
ngx_http_flowdash_status_page_step(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_step_view_t *step)
{
    const char                    *class;
    ngx_http_flowdash_counters_t  *counters;

    counters = step->counters;

    class = !step->failing ? ""
            : step->optional ? " class=\"weak\"" : " class=\"bad\"";

    ngx_http_flowdash_output(out, "<li%s style=\"--w:%uipx\">"
                             "<div class=\"box%s\"><h3>", class,
                       ngx_http_flowdash_status_page_width(step->recent.ended),
                             step->optional ? " optional" : "");
    ngx_http_flowdash_status_page_name(out, &step->name);
    ngx_http_flowdash_output(out, "</h3>");

    if (step->endpoint.len) {
        ngx_http_flowdash_output(out, "<p>");
        ngx_http_flowdash_output_html(out, &step->endpoint);
        ngx_http_flowdash_output(out, "</p>");
    }

    if (step->optional) {
        ngx_http_flowdash_output(out, "<p>optional</p>");
    }

    ngx_http_flowdash_output(out, "<dl>");
    ngx_http_flowdash_status_page_recent(out, view, &step->recent);

    if (counters->retries) {
        ngx_http_flowdash_status_page_figure(out, "repeated", "%uA",
                                             counters->retries);
    }

    if (counters->ignored) {
        ngx_http_flowdash_status_page_figure(out, "ignored", "%uA",
                                             counters->ignored);
    }

    ngx_http_flowdash_output(out, "</dl>");
    ngx_http_flowdash_status_page_all(out, counters);

    if (step->failing) {
        ngx_http_flowdash_status_page_reasons(out, step);
    }

    ngx_http_flowdash_output(out, "</div></li>\n");
}


/* the last failure as the endpoint has told it, and how many there were */

static void
ngx_http_flowdash_status_page_reasons(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_step_view_t *step)
{
    ngx_uint_t                     i, more, reason, status;
    const char                    *separator;
    ngx_http_flowdash_counters_t  *counters;

    more = 0;
    counters = step->counters;
    reason = counters->last_failure >> 16;
    status = counters->last_failure & 0xffff;

    ngx_http_flowdash_output(out, "<p class=\"stop\">%s: ",
                             step->optional ? "fails" : "stops here");

    if (reason == NGX_HTTP_FLOWDASH_STATUS) {
        ngx_http_flowdash_output(out, "answered %ui", status);

    } else if (reason < NGX_HTTP_FLOWDASH_ERRORS) {
        ngx_http_flowdash_output(out, "%V",
                                 ngx_http_flowdash_reason_name(reason));
    }

    ngx_http_flowdash_output(out, ", failed %ui of %ui</p><p class=\"all\">"
                             "In all: ",
                             step->recent.failed, step->recent.ended);

    for (i = 1; i < NGX_HTTP_FLOWDASH_ERRORS; i++) {

        if (counters->failed[i]) {
            separator = more ? ", " : "";
            more = 1;

            ngx_http_flowdash_output(out, "%s%V %uA", separator,
                                     ngx_http_flowdash_reason_name(i),
                                     counters->failed[i]);
        }
    }

    ngx_http_flowdash_output(out, "</p>");
}


static void
ngx_http_flowdash_status_page_figure(ngx_http_flowdash_output_t *out,
    const char *name, const char *fmt, ngx_uint_t value)
{
    ngx_http_flowdash_output(out, "<div><dt>%s</dt><dd>", name);
    ngx_http_flowdash_output(out, fmt, value);
    ngx_http_flowdash_output(out, "</dd></div>");
}


static void
ngx_http_flowdash_status_page_recent(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_recent_t *recent)
{
    ngx_uint_t  rate;

    /* in tenths, which matter if it is low */

    rate = (recent->ended * 600 + view->seconds / 2) / view->seconds;

    if (rate < 100 && rate % 10) {
        ngx_http_flowdash_output(out, "<div><dt>per minute</dt>"
                                 "<dd>%ui.%ui</dd></div>",
                                 rate / 10, rate % 10);

    } else {
        ngx_http_flowdash_status_page_figure(out, "per minute", "%ui",
                                             (rate + 5) / 10);
    }

    ngx_http_flowdash_output(out, "<div><dt>succeeded</dt><dd>");
    ngx_http_flowdash_status_page_share(out, recent->ended - recent->failed,
                                        recent->ended);
    ngx_http_flowdash_output(out, "</dd></div><div><dt>median</dt><dd>");
    ngx_http_flowdash_status_page_time(out, &recent->time, 500);
    ngx_http_flowdash_output(out, "</dd></div><div><dt>p95</dt><dd>");
    ngx_http_flowdash_status_page_time(out, &recent->time, 950);
    ngx_http_flowdash_output(out, "</dd></div>");
}


static void
ngx_http_flowdash_status_page_all(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters)
{
    ngx_uint_t  succeeded, ended;

    if (counters->started == 0) {
        ngx_http_flowdash_output(out, "<p class=\"all\">never run</p>");
        return;
    }

    succeeded = counters->succeeded;
    ended = succeeded + counters->aborted
            + ngx_http_flowdash_status_page_failed(counters);

    ngx_http_flowdash_output(out, "<p class=\"all\">in all %uA, ",
                             counters->started);
    ngx_http_flowdash_status_page_share(out, succeeded, ended);
    ngx_http_flowdash_output(out, " succeeded, p95 ");
    ngx_http_flowdash_status_page_time(out, &counters->time, 950);

    if (counters->aborted) {
        ngx_http_flowdash_output(out, ", %uA aborted", counters->aborted);
    }

    ngx_http_flowdash_output(out, "</p>");
}


static void
ngx_http_flowdash_status_page_share(ngx_http_flowdash_output_t *out,
    ngx_uint_t succeeded, ngx_uint_t ended)
{
    ngx_uint_t  share;

    if (ended == 0) {
        ngx_http_flowdash_output(out, "\xe2\x80\x93");
        return;
    }

    /* rounded down: never 100 % if one failed */

    share = succeeded * 1000 / ended;

    ngx_http_flowdash_output(out, "%ui.%ui %%", share / 10, share % 10);
}


static void
ngx_http_flowdash_status_page_time(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_histogram_t *time, ngx_uint_t quantile)
{
    ngx_msec_t  ms;

    ms = ngx_http_flowdash_metrics_quantile(time, quantile);

    if (ngx_http_flowdash_metrics_count(time) == 0) {
        ngx_http_flowdash_output(out, "\xe2\x80\x93");

    } else if (ms < 1000) {
        ngx_http_flowdash_output(out, "%M ms", ms);

    } else {
        ngx_http_flowdash_output(out, "%M.%M s", ms / 1000, ms % 1000 / 100);
    }
}


static ngx_uint_t
ngx_http_flowdash_status_page_failed(ngx_http_flowdash_counters_t *counters)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 1; i < NGX_HTTP_FLOWDASH_ERRORS; i++) {
        n += counters->failed[i];
    }

    return n;
}


static void
ngx_http_flowdash_status_page_failures(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_str_t                     action, step, id;
    ngx_uint_t                    i;
    ngx_http_flowdash_failure_t  *failure;

    ngx_http_flowdash_output(out, "<section class=\"wide\">\n"
                             "<div class=\"top\"><h2>Last failures</h2></div>"
                             "\n");

    if (view->nfailures == 0) {
        ngx_http_flowdash_output(out, "<p>None.</p>\n</section>\n");
        return;
    }

    ngx_http_flowdash_output(out, "<div class=\"scroll\" tabindex=\"0\" "
                             "role=\"region\" aria-label=\"Last failures\">"
                             "<table>\n<thead><tr><th scope=\"col\">Time<span "
                             "class=\"utc\"> (UTC)</span></th>"
                             "<th scope=\"col\">Action</th>"
                             "<th scope=\"col\">Step</th>"
                             "<th scope=\"col\">Reason</th>"
                             "<th scope=\"col\">Status</th>"
                             "<th scope=\"col\">Id</th></tr></thead>\n"
                             "<tbody>\n");

    for (i = 0; i < view->nfailures; i++) {

        failure = &view->failures[i];

        action.data = failure->action;
        action.len = failure->action_len;

        step.data = failure->step;
        step.len = failure->step_len;

        id.data = failure->id;
        id.len = failure->id_len;

        ngx_http_flowdash_output(out, "<tr><td>");
        ngx_http_flowdash_status_page_date(out, failure->time);
        ngx_http_flowdash_output(out, "</td><td>");
        ngx_http_flowdash_status_page_name(out, &action);
        ngx_http_flowdash_output(out, "</td><td>");
        ngx_http_flowdash_status_page_name(out, &step);
        ngx_http_flowdash_output(out, "</td><td>%V</td><td>%ui</td>"
                                 "<td><code>%V</code></td></tr>\n",
                                ngx_http_flowdash_status_view_reason(failure),
                                failure->status, &id);
    }

    ngx_http_flowdash_output(out, "</tbody></table></div>\n</section>\n");
}


/* a name that is written from right to left must not turn what follows it */

static void
ngx_http_flowdash_status_page_name(ngx_http_flowdash_output_t *out,
    ngx_str_t *name)
{
    ngx_http_flowdash_output(out, "<bdi>");
    ngx_http_flowdash_output_html(out, name);
    ngx_http_flowdash_output(out, "</bdi>");
}


static void
ngx_http_flowdash_status_page_date(ngx_http_flowdash_output_t *out,
    time_t time)
{
    ngx_tm_t  tm;

    ngx_gmtime(time, &tm);

    ngx_http_flowdash_output(out, "<time datetime=\"%4d-%02d-%02dT%02d:%02d:"
                             "%02dZ\">%4d-%02d-%02d %02d:%02d:%02d</time>",
                             tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                             tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                             tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                             tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);
}
