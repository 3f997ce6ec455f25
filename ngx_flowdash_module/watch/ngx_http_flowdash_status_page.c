
/*
 * flowdash_status html: each action as a chain from the request through its
 * steps to the app, and the last failures.  The page is self-contained, and
 * its only script updates it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_page.h>


static void ngx_http_flowdash_status_page_action(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_action_view_t *action);
static void ngx_http_flowdash_status_page_step(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_step_view_t *step);
static void ngx_http_flowdash_status_page_reasons(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_step_view_t *step);
static void ngx_http_flowdash_status_page_figure(
    ngx_http_flowdash_output_t *out, const char *name, const char *fmt,
    ngx_uint_t value);
static void ngx_http_flowdash_status_page_rate(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters);
static void ngx_http_flowdash_status_page_share(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_counters_t *counters);
static void ngx_http_flowdash_status_page_time(ngx_http_flowdash_output_t *out,
    const char *name, ngx_http_flowdash_histogram_t *time,
    ngx_uint_t quantile);
static ngx_uint_t ngx_http_flowdash_status_page_failed(
    ngx_http_flowdash_counters_t *counters);
static void ngx_http_flowdash_status_page_failures(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view);
static void ngx_http_flowdash_status_page_name(ngx_http_flowdash_output_t *out,
    ngx_str_t *name);
static void ngx_http_flowdash_status_page_date(ngx_http_flowdash_output_t *out,
    time_t time);


static const char  ngx_http_flowdash_status_page_head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>\n"
    "<title>Flows</title>\n"
    "<style>\n"
    ":root{--bg:#f6f7f9;--card:#fff;--text:#1b2430;--dim:#55606e;"
    "--line:#c9d0d9;--ok:#0a7a4b;--bad:#b3261e;--badbg:#fdecea}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#11161c;--card:#1a212a;"
    "--text:#e8edf3;--dim:#a3afbd;--line:#3a4552;--ok:#4cc38a;--bad:#ff8f85;"
    "--badbg:#3a1c1b}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.5rem;max-width:200rem;background:var(--bg);"
    "color:var(--text);font:1rem/1.4 system-ui,sans-serif}\n"
    "main{display:grid;gap:2rem 3rem;align-items:start;"
    "grid-template-columns:repeat(auto-fit,minmax(min(100%,60rem),1fr))}\n"
    "header,.wide{grid-column:1/-1}\n"
    "header{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem 1rem}"
    "\n"
    "h1{margin:0;font-size:1.6rem}\n"
    "h2{margin:0;font-size:1.3rem;overflow-wrap:anywhere}\n"
    "h3{margin:0;font-size:1rem;overflow-wrap:anywhere}\n"
    "p{margin:0;color:var(--dim)}\n"
    "section{min-width:0}\n"
    ".top{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem 1.5rem;"
    "margin-bottom:.75rem}\n"
    "dl{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0}\n"
    "dl div{display:flex;gap:.4rem;align-items:baseline}\n"
    "dt{color:var(--dim);font-size:.85rem}\n"
    "dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}\n"
    "ol{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;"
    "row-gap:1rem}\n"
    "li{display:flex;align-items:center;flex:0 1 auto;min-width:0}\n"
    "li+li::before{content:\"\";flex:none;width:2.5rem;height:3px;"
    "background:linear-gradient(to left,var(--ok) 60%,var(--line))}\n"
    ".box{background:var(--card);border:2px solid var(--line);"
    "border-radius:.6rem;padding:.7rem .9rem;min-width:0;max-width:20rem}\n"
    ".end{border-radius:2rem;color:var(--dim)}\n"
    ".optional{border-style:dashed}\n"
    ".box dl{display:grid;grid-template-columns:auto auto;gap:.1rem .8rem;"
    "justify-content:start;align-items:baseline;margin-top:.4rem}\n"
    ".box dl div{display:contents}\n"
    ".box p{font-size:.85rem;overflow-wrap:anywhere}\n"
    ".bad .box,.weak .box{border-color:var(--bad);background:var(--badbg)}\n"
    "li.bad+li::before{background:repeating-linear-gradient(90deg,"
    "var(--bad) 0 .35rem,transparent .35rem .8rem)}\n"
    ".stop{margin-top:.5rem;color:var(--bad);font-weight:600}\n"
    ".scroll{overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
    "th,td{text-align:left;padding:.35rem .8rem .35rem 0;"
    "border-bottom:1px solid var(--line);vertical-align:top}\n"
    "td{overflow-wrap:anywhere}\n"
    "td:first-child{white-space:nowrap}\n"
    "code{font-size:.85rem}\n"
    "@media(max-width:40rem){body{padding:1rem}ol{display:block}"
    "li{display:block}.box{max-width:none}.end{display:inline-block}"
    "li+li::before{display:block;width:3px;height:1.2rem;"
    "margin-left:2rem;background:var(--ok)}"
    "li.bad+li::before{background:repeating-linear-gradient("
    "var(--bad) 0 .3rem,transparent .3rem .55rem)}}\n"
    "</style>\n";


/*
 * Replaces what is shown by what a new request for the page brings, unless the
 * user has selected text, perhaps to copy it.
 */

static const char  ngx_http_flowdash_status_page_script[] =
    "<script>\n"
    "setInterval(function () {\n"
    "    if (document.hidden || String(getSelection())) { return; }\n"
    "    fetch(location.href, { cache: 'no-store' }).then(function (r) {\n"
    "        if (!r.ok) { throw r.status; }\n"
    "        return r.text();\n"
    "    }).then(function (text) {\n"
    "        var now = new DOMParser().parseFromString(text, 'text/html');\n"
    "        var table = document.querySelector('.scroll');\n"
    "        var left = table && table.scrollLeft;\n"
    "        var focused = table && table === document.activeElement;\n"
    "        document.querySelector('main').replaceWith(\n"
    "            document.adoptNode(now.querySelector('main')));\n"
    "        table = document.querySelector('.scroll');\n"
    "        if (table) { table.scrollLeft = left; }\n"
    "        if (table && focused) { table.focus({ preventScroll: true }); }\n"
    "    }).catch(function () {\n"
    "        document.querySelector('#when').textContent =\n"
    "            'The gateway does not answer, this is how it was.';\n"
    "    });\n"
    "}, 5000);\n"
    "</script>\n";


void
ngx_http_flowdash_status_page(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_action_view_t  *action;

    ngx_http_flowdash_output(out, "%s", ngx_http_flowdash_status_page_head);
    ngx_http_flowdash_output(out, "<main>\n<header><h1>Flows</h1>"
                             "<p id=\"when\">");
    ngx_http_flowdash_status_page_date(out, ngx_time());
    ngx_http_flowdash_output(out, " UTC, counted since ");
    ngx_http_flowdash_status_page_date(out, view->zone->since);
    ngx_http_flowdash_output(out, "</p></header>\n");

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
        ngx_http_flowdash_status_page_action(out, &action[i]);
    }

    ngx_http_flowdash_status_page_failures(out, view);

    ngx_http_flowdash_output(out, "</main>\n");
    ngx_http_flowdash_output(out, "%s", ngx_http_flowdash_status_page_script);
}


static void
ngx_http_flowdash_status_page_action(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_action_view_t *action)
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
    ngx_http_flowdash_status_page_rate(out, action->counters);
    ngx_http_flowdash_status_page_share(out, action->counters);
    ngx_http_flowdash_status_page_figure(out, "running", "%uA",
                                         action->counters->running);

    if (action->counters->aborted) {
        ngx_http_flowdash_status_page_figure(out, "aborted", "%uA",
                                             action->counters->aborted);
    }

    ngx_http_flowdash_status_page_time(out, "median", &action->counters->time,
                                       500);
    ngx_http_flowdash_status_page_time(out, "p95", &action->counters->time,
                                       950);
    ngx_http_flowdash_output(out, "</dl></div>\n<ol>\n<li>"
                             "<div class=\"box end\">request</div></li>\n");

    step = action->steps.elts;

    for (i = 0; i < action->steps.nelts; i++) {
        ngx_http_flowdash_status_page_step(out, &step[i]);
    }

    ngx_http_flowdash_output(out, "<li><div class=\"box end\">app</div></li>"
                             "\n</ol>\n</section>\n");
}


static void
ngx_http_flowdash_status_page_step(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_step_view_t *step)
{
    ngx_uint_t                     bad;
    ngx_http_flowdash_counters_t  *counters;

    counters = step->counters;
    bad = ngx_http_flowdash_metrics_per_minute(&counters->failures);

    ngx_http_flowdash_output(out, "<li%s><div class=\"box%s\"><h3>",
                             !bad ? "" : step->optional ? " class=\"weak\""
                                                        : " class=\"bad\"",
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
    ngx_http_flowdash_status_page_rate(out, counters);
    ngx_http_flowdash_status_page_share(out, counters);
    ngx_http_flowdash_status_page_time(out, "median", &counters->time, 500);
    ngx_http_flowdash_status_page_time(out, "p95", &counters->time, 950);

    if (counters->retries) {
        ngx_http_flowdash_status_page_figure(out, "repeated", "%uA",
                                             counters->retries);
    }

    if (counters->ignored) {
        ngx_http_flowdash_status_page_figure(out, "ignored", "%uA",
                                             counters->ignored);
    }

    ngx_http_flowdash_output(out, "</dl>");

    if (bad) {
        ngx_http_flowdash_status_page_reasons(out, step);
    }

    ngx_http_flowdash_output(out, "</div></li>\n");
}


static void
ngx_http_flowdash_status_page_reasons(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_step_view_t *step)
{
    ngx_uint_t                     i, more;
    const char                    *separator;
    ngx_http_flowdash_counters_t  *counters;

    more = 0;
    counters = step->counters;

    ngx_http_flowdash_output(out, "<p class=\"stop\">%s: ",
                             step->optional ? "fails" : "stops here");

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
ngx_http_flowdash_status_page_rate(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters)
{
    ngx_uint_t  rate;

    rate = ngx_http_flowdash_metrics_per_minute(&counters->rate);

    ngx_http_flowdash_status_page_figure(out, "per minute", "%ui",
                                         (rate + 500) / 1000);
    ngx_http_flowdash_status_page_figure(out, "in all", "%uA",
                                         counters->started);
}


static void
ngx_http_flowdash_status_page_share(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters)
{
    ngx_uint_t  ended, share;

    ended = counters->succeeded + counters->aborted
            + ngx_http_flowdash_status_page_failed(counters);

    if (ended == 0) {
        ngx_http_flowdash_status_page_figure(out, "succeeded", "\xe2\x80\x93",
                                             0);
        return;
    }

    /* rounded down: never 100 % if one failed */

    share = counters->succeeded * 1000 / ended;

    ngx_http_flowdash_output(out, "<div><dt>succeeded</dt>"
                             "<dd>%ui.%ui %%</dd></div>",
                             share / 10, share % 10);
}


static void
ngx_http_flowdash_status_page_time(ngx_http_flowdash_output_t *out,
    const char *name, ngx_http_flowdash_histogram_t *time,
    ngx_uint_t quantile)
{
    ngx_msec_t  ms;

    ms = ngx_http_flowdash_metrics_quantile(time, quantile);

    if (ngx_http_flowdash_metrics_count(time) == 0) {
        ngx_http_flowdash_status_page_figure(out, name, "\xe2\x80\x93", 0);

    } else if (ms < 1000) {
        ngx_http_flowdash_status_page_figure(out, name, "%ui ms", ms);

    } else {
        ngx_http_flowdash_output(out, "<div><dt>%s</dt><dd>%M.%M s</dd></div>",
                                 name, ms / 1000, ms % 1000 / 100);
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
                             "<table>\n<thead><tr><th scope=\"col\">Time (UTC)"
                             "</th><th scope=\"col\">Action</th>"
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
