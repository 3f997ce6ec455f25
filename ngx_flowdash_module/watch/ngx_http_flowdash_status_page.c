
/*
 * "flowdash_status html": how all is, each action as a drawing and in numbers,
 * and the last failures.  The page is self-contained.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_page_parts.h>
#include <ngx_http_flowdash_status_page_text.h>
#include <ngx_http_flowdash_status_page_flow.h>
#include <ngx_http_flowdash_status_page_table.h>
#include <ngx_http_flowdash_status_page_failures.h>
#include <ngx_http_flowdash_status_outbox.h>
#include <ngx_http_flowdash_status_page.h>


static void ngx_http_flowdash_status_page_begin(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view);
static void ngx_http_flowdash_status_page_summary(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view);
static void ngx_http_flowdash_status_page_action(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_action_view_t *action, ngx_uint_t columns);


void
ngx_http_flowdash_status_page(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                        i, state, columns;
    ngx_http_flowdash_action_view_t  *action;

    ngx_http_flowdash_status_page_begin(out, view);

    if (view->zone->uncounted) {
        ngx_http_flowdash_output(out, "<p class=\"stop\">flowdash_zone "
                                 "is too small: %uA runs were not counted."
                                 "</p>\n",
                                 view->zone->uncounted);
    }

    if (view->actions.nelts == 0) {
        ngx_http_flowdash_output(out, "<p>There are no actions "
                                 "yet: no location has flowdash_action.</p>"
                                 "\n");
    }

    action = view->actions.elts;
    columns = ngx_http_flowdash_status_page_columns(view);

    for (state = 0; state < NGX_HTTP_FLOWDASH_VIEW_STATES; state++) {

        for (i = 0; i < view->actions.nelts; i++) {
            if (action[i].state == state) {
                ngx_http_flowdash_status_page_action(out, view, &action[i],
                                                     columns);
            }
        }
    }

    ngx_http_flowdash_status_outbox_page(out, view->zone);
    ngx_http_flowdash_status_page_failures(out, view);

    ngx_http_flowdash_status_page_bottom(out);
}


/* to the end of what is said about all actions */

static void
ngx_http_flowdash_status_page_begin(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_http_flowdash_status_page_top(out, view->zone, view->failing, NULL);

    ngx_http_flowdash_output(out, "<header><h1>Flows</h1><p id=\"sum\">");

    ngx_http_flowdash_status_page_summary(out, view);

    ngx_http_flowdash_output(out, "</p><p id=\"when\">");
    ngx_http_flowdash_status_page_date(out, ngx_time());
    ngx_http_flowdash_output(out, "<span class=\"utc\"> UTC</span>, the last "
                             "five minutes; totals since ");
    ngx_http_flowdash_status_page_date(out, view->zone->since);
    ngx_http_flowdash_output(out, "<span class=\"utc\"> UTC</span></p>"
                             "</header>\n");
}


static void
ngx_http_flowdash_status_page_summary(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_uint_t  state;

    for (state = 0; state < NGX_HTTP_FLOWDASH_VIEW_STATES; state++) {

        if (view->states[state]) {
            ngx_http_flowdash_output(out, "<span class=\"%s\">%ui %s</span> ",
                                 ngx_http_flowdash_status_view_state(state),
                                     view->states[state],
                                 ngx_http_flowdash_status_view_state(state));
        }
    }
}


static void
ngx_http_flowdash_status_page_action(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_action_view_t *action,
    ngx_uint_t columns)
{
    ngx_http_flowdash_output(out, "<section class=\"flow %s\">\n<h2>",
                         ngx_http_flowdash_status_view_state(action->state));

    if (action->name.len) {
        ngx_http_flowdash_status_page_name(out, &action->name);

    } else {
        ngx_http_flowdash_output(out, "(its name could not be determined)");
    }

    ngx_http_flowdash_output(out, "</h2>\n");

    ngx_http_flowdash_status_page_flow(out, view, action, columns);
    ngx_http_flowdash_status_page_table(out, view, action);

    ngx_http_flowdash_output(out, "</section>\n");
}
