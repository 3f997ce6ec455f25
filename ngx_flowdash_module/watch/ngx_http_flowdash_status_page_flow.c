
/*
 * An action, drawn as a line that leads from station to station: the action,
 * its steps, the app, and after-steps; an undo is below its step.  The line is
 * as wide as its traffic.  All that is drawn is in a table, too, see
 * status_page_table.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_delivery.h>
#include <ngx_http_flowdash_status_page_text.h>
#include <ngx_http_flowdash_status_page_station.h>
#include <ngx_http_flowdash_status_page_flow.h>


static void ngx_http_flowdash_status_page_flow_boxes(
    ngx_http_flowdash_flow_t *flow);
static void ngx_http_flowdash_status_page_flow_box(
    ngx_http_flowdash_flow_t *flow, const char *class, ngx_uint_t x,
    ngx_uint_t y, ngx_uint_t width);
static void ngx_http_flowdash_status_page_flow_links(
    ngx_http_flowdash_flow_t *flow);
static void ngx_http_flowdash_status_page_flow_link(
    ngx_http_flowdash_flow_t *flow, ngx_uint_t i, ngx_uint_t from,
    ngx_uint_t to, ngx_uint_t y);
static void ngx_http_flowdash_status_page_flow_action(
    ngx_http_flowdash_flow_t *flow);
static void ngx_http_flowdash_status_page_flow_step(
    ngx_http_flowdash_flow_t *flow, ngx_uint_t i);
static void ngx_http_flowdash_status_page_flow_afters(
    ngx_http_flowdash_flow_t *flow, ngx_uint_t y);
static void ngx_http_flowdash_status_page_flow_later(
    ngx_http_flowdash_flow_t *flow, ngx_uint_t from, ngx_uint_t to,
    ngx_uint_t y);
static void ngx_http_flowdash_status_page_flow_app(
    ngx_http_flowdash_flow_t *flow, ngx_uint_t y);
static ngx_uint_t ngx_http_flowdash_status_page_flow_x(
    ngx_http_flowdash_flow_t *flow, ngx_uint_t i);


void
ngx_http_flowdash_status_page_flow(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_action_view_t *action,
    ngx_uint_t columns)
{
    ngx_uint_t                      i, n, rows, more;
    ngx_http_flowdash_flow_t        flow;
    ngx_http_flowdash_step_view_t  *delivery;

    ngx_memzero(&flow, sizeof(ngx_http_flowdash_flow_t));

    flow.out = out;
    flow.view = view;
    flow.action = action;
    flow.columns = columns;
    flow.pitch = (NGX_HTTP_FLOWDASH_FLOW_APP - NGX_HTTP_FLOWDASH_FLOW_FIRST)
                 / columns;

    flow.row = (action->state == NGX_HTTP_FLOWDASH_VIEW_IDLE)
               ? NGX_HTTP_FLOWDASH_FLOW_IDLE
               : (action->state == NGX_HTTP_FLOWDASH_VIEW_FINE)
               ? NGX_HTTP_FLOWDASH_FLOW_ROW
               : NGX_HTTP_FLOWDASH_FLOW_MARKED;

    delivery = action->deliveries.elts;

    for (i = 0; i < action->deliveries.nelts; i++) {

        if (delivery[i].kind == NGX_HTTP_FLOWDASH_KIND_AFTER) {
            flow.afters++;

        } else if (flow.undo == 0) {
            flow.undo = flow.row + 4;
            flow.row += NGX_HTTP_FLOWDASH_FLOW_UNDO;
        }
    }

    n = action->steps.nelts;
    rows = n ? (n + columns - 1) / columns : 1;
    more = (flow.afters + columns - 1) / columns;

    ngx_http_flowdash_output(out, "<svg viewBox=\"0 -5 1200 %ui\" "
                             "aria-hidden=\"true\">\n",
                             (rows + more) * flow.row);

    /* what is drawn later lies above the rest */

    ngx_http_flowdash_status_page_flow_boxes(&flow);
    ngx_http_flowdash_status_page_flow_links(&flow);
    ngx_http_flowdash_status_page_flow_action(&flow);

    for (i = 0; i < n; i++) {
        ngx_http_flowdash_status_page_flow_step(&flow, i);
    }

    ngx_http_flowdash_status_page_flow_afters(&flow, (rows - 1) * flow.row);
    ngx_http_flowdash_status_page_flow_app(&flow, (rows - 1) * flow.row);

    ngx_http_flowdash_output(out, "</svg>\n");
}


ngx_uint_t
ngx_http_flowdash_status_page_columns(ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                        i, columns;
    ngx_http_flowdash_action_view_t  *action;

    columns = 1;
    action = view->actions.elts;

    for (i = 0; i < view->actions.nelts; i++) {
        columns = ngx_max(columns, action[i].steps.nelts);
    }

    return ngx_min(columns, NGX_HTTP_FLOWDASH_FLOW_COLUMNS);
}


static void
ngx_http_flowdash_status_page_flow_boxes(ngx_http_flowdash_flow_t *flow)
{
    const char                     *class;
    ngx_uint_t                      i, y;
    ngx_http_flowdash_step_view_t  *step;

    if (flow->action->refused) {
        ngx_http_flowdash_status_page_flow_box(flow, "bad", 12, 0,
                                        NGX_HTTP_FLOWDASH_FLOW_ACTION - 4);
    }

    y = 0;
    step = flow->action->steps.elts;

    for (i = 0; i < flow->action->steps.nelts; i++) {

        y = i / flow->columns * flow->row;
        class = ngx_http_flowdash_status_view_station(flow->action, i);

        if (step[i].failing || step[i].slow) {
            ngx_http_flowdash_status_page_flow_box(flow, class,
                              ngx_http_flowdash_status_page_flow_x(flow, i),
                              y, flow->pitch - 8);
        }
    }

    if (flow->action->recent.now_app_failed
        || flow->action->recent.now_app_refused)
    {
        class = ngx_http_flowdash_status_view_station(flow->action, i);

        ngx_http_flowdash_status_page_flow_box(flow, class,
                                    NGX_HTTP_FLOWDASH_FLOW_APP, y,
                                    1212 - NGX_HTTP_FLOWDASH_FLOW_APP);
    }
}


static void
ngx_http_flowdash_status_page_flow_box(ngx_http_flowdash_flow_t *flow,
    const char *class, ngx_uint_t x, ngx_uint_t y, ngx_uint_t width)
{
    ngx_http_flowdash_output(flow->out, "<rect class=\"%s\" x=\"%ui\" "
                             "y=\"%i\" width=\"%ui\" height=\"%ui\" "
                             "rx=\"8\"/>", class, x - 12, (ngx_int_t) y - 5,
                             width, flow->row - 3);
}


/*
 * Behind a step that stops the action, the line is gray, although some runs
 * may have passed.  It does not matter to the others whether a step fails and
 * is tolerated, or is skipped.
 */

static void
ngx_http_flowdash_status_page_flow_links(ngx_http_flowdash_flow_t *flow)
{
    ngx_uint_t                      i, x, y, from, failed;
    ngx_http_flowdash_step_view_t  *step;

    y = 0;
    failed = 0;
    step = flow->action->steps.elts;

    for (i = 0; i < flow->action->steps.nelts; i++) {
        failed += step[i].recent.failed - step[i].recent.tolerated;
    }

    /* all that have not failed on a step come to the first one, or behind */

    flow->left = flow->action->recent.ended - flow->action->recent.failed
                 + ngx_min(failed, flow->action->recent.failed);

    from = NGX_HTTP_FLOWDASH_FLOW_ACTION;

    for (i = 0; i < flow->action->steps.nelts; i++) {

        if (i && i % flow->columns == 0) {
            ngx_http_flowdash_status_page_flow_link(flow, i, from,
                                                    1188, y);
            from = NGX_HTTP_FLOWDASH_FLOW_ACTION;
        }

        x = ngx_http_flowdash_status_page_flow_x(flow, i);
        y = i / flow->columns * flow->row;

        ngx_http_flowdash_status_page_flow_link(flow, i, from, x, y);

        from = x;

        flow->left -= ngx_min(flow->left, step[i].recent.failed
                                          - step[i].recent.tolerated);
    }

    ngx_http_flowdash_status_page_flow_link(flow, i, from,
                                            NGX_HTTP_FLOWDASH_FLOW_APP, y);
}


/*
 * The link to a step gets wider with the traffic: by the same each time that
 * this doubles.  The last one has the color of what the app has said.
 */

static void
ngx_http_flowdash_status_page_flow_link(ngx_http_flowdash_flow_t *flow,
    ngx_uint_t i, ngx_uint_t from, ngx_uint_t to, ngx_uint_t y)
{
    ngx_uint_t   n, width;
    const char  *class;

    class = (flow->left == 0 || flow->action->stop < i) ? "none"
            : (to == NGX_HTTP_FLOWDASH_FLOW_APP)
            ? ngx_http_flowdash_status_view_station(flow->action, i) : "";

    /* in tenths */

    width = 25;

    for (n = flow->left; n && width < 160; n /= 2) {
        width += 12;
    }

    y += NGX_HTTP_FLOWDASH_FLOW_LINE;

    ngx_http_flowdash_output(flow->out, "<path class=\"%s\" "
                             "stroke-width=\"%ui.%ui\" d=\"M%ui %uiH%ui\"/>",
                             class, width / 10, width % 10, from, y, to);
}


static void
ngx_http_flowdash_status_page_flow_action(ngx_http_flowdash_flow_t *flow)
{
    ngx_http_flowdash_output_t       *out;
    ngx_http_flowdash_action_view_t  *action;

    out = flow->out;
    action = flow->action;

    ngx_http_flowdash_status_page_station(flow, action->refused ? "bad"
                                       : action->recent.ended ? "" : "none",
                                       NGX_HTTP_FLOWDASH_FLOW_ACTION, 0);

    ngx_http_flowdash_output(out, "<text class=\"a\" x=\"12\" y=\"25\">");

    if (action->name.len) {
        ngx_http_flowdash_status_page_clip(out, &action->name, 1150);

    } else {
        ngx_http_flowdash_output(out, "(no name)");
    }

    ngx_http_flowdash_output(out, "</text>");

    if (action->state == NGX_HTTP_FLOWDASH_VIEW_IDLE) {
        return;
    }

    ngx_http_flowdash_output(out, "<text x=\"12\" y=\"47\">");
    ngx_http_flowdash_status_page_rate(out, action->recent.ended,
                                       flow->view->seconds);
    ngx_http_flowdash_output(out, "/min</text><text x=\"92\" y=\"47\">");
    ngx_http_flowdash_status_page_share(out, action->recent.ended
                                             - action->recent.failed,
                                        action->recent.ended);
    ngx_http_flowdash_output(out, "</text>");

    if (action->counters->running) {
        ngx_http_flowdash_output(out, "<text x=\"162\" y=\"47\">%uA running"
                                 "</text>", action->counters->running);
    }

    if (action->refused) {
        ngx_http_flowdash_output(out, "<text class=\"bad\" x=\"12\" "
                                 "y=\"63\">");
        ngx_http_flowdash_status_page_reason(out, action->counters);
        ngx_http_flowdash_output(out, "</text><text class=\"s\" x=\"12\" "
                                 "y=\"77\">");
        ngx_http_flowdash_status_page_times(out, action->recent.now_failed);
        ngx_http_flowdash_output(out, "</text>");
    }
}


static void
ngx_http_flowdash_status_page_flow_step(ngx_http_flowdash_flow_t *flow,
    ngx_uint_t i)
{
    ngx_uint_t                      x, y, room;
    ngx_http_flowdash_step_view_t  *step, *undo;

    step = flow->action->steps.elts;
    step += i;

    x = ngx_http_flowdash_status_page_flow_x(flow, i);
    y = i / flow->columns * flow->row;
    room = flow->pitch - 8;

    if (i + 1 == flow->action->steps.nelts && !step->failing && !step->slow) {

        /* no box, and the app is the next station */

        room += NGX_HTTP_FLOWDASH_FLOW_APP - x - flow->pitch;
    }

    ngx_http_flowdash_status_page_station_call(flow, step,
                       ngx_http_flowdash_status_view_station(flow->action, i),
                                            x, y, room);

    undo = ngx_http_flowdash_status_delivery_undo(flow->action, i);

    if (undo) {
        ngx_http_flowdash_status_page_station_undo(flow, undo, x,
                                                   y + flow->undo);
    }
}


/* in rows of their own, to which a dashed line leads from the app */

static void
ngx_http_flowdash_status_page_flow_afters(ngx_http_flowdash_flow_t *flow,
    ngx_uint_t y)
{
    ngx_uint_t                      i, n, x, from;
    ngx_http_flowdash_step_view_t  *delivery;

    n = 0;
    from = NGX_HTTP_FLOWDASH_FLOW_APP;
    delivery = flow->action->deliveries.elts;

    for (i = 0; i < flow->action->deliveries.nelts; i++) {

        if (delivery[i].kind != NGX_HTTP_FLOWDASH_KIND_AFTER) {
            continue;
        }

        if (n % flow->columns == 0) {
            ngx_http_flowdash_status_page_flow_later(flow, from, 1188, y);
            from = NGX_HTTP_FLOWDASH_FLOW_ACTION;
            y += flow->row;
        }

        x = ngx_http_flowdash_status_page_flow_x(flow, n++);

        ngx_http_flowdash_status_page_flow_later(flow, from, x, y);
        ngx_http_flowdash_status_page_station_call(flow, &delivery[i],
                      ngx_http_flowdash_status_delivery_state(&delivery[i]),
                                                x, y, flow->pitch - 8);
        from = x;
    }
}


static void
ngx_http_flowdash_status_page_flow_later(ngx_http_flowdash_flow_t *flow,
    ngx_uint_t from, ngx_uint_t to, ngx_uint_t y)
{
    ngx_http_flowdash_output(flow->out, "<path class=\"none\" "
                             "stroke-width=\"2.5\" stroke-dasharray=\"3 6\" "
                             "d=\"M%ui %uiH%ui\"/>", from,
                             y + NGX_HTTP_FLOWDASH_FLOW_LINE, to);
}


static void
ngx_http_flowdash_status_page_flow_app(ngx_http_flowdash_flow_t *flow,
    ngx_uint_t y)
{
    ngx_uint_t                        x, called;
    const char                       *class;
    ngx_http_flowdash_output_t       *out;
    ngx_http_flowdash_action_view_t  *action;

    out = flow->out;
    action = flow->action;
    x = NGX_HTTP_FLOWDASH_FLOW_APP;
    class = ngx_http_flowdash_status_view_station(action, action->steps.nelts);
    called = action->recent.ended - action->recent.failed;

    ngx_http_flowdash_output(out, "<g class=\"%s\">", class);
    ngx_http_flowdash_status_page_station(flow, class, x, y);
    ngx_http_flowdash_output(out, "<text class=\"n\" x=\"%ui\" y=\"%ui\">app"
                             "</text>", x - 6, y + 14);

    if (action->recent.now_app_failed) {
        ngx_http_flowdash_output(out, "<text class=\"bad\" x=\"%ui\" "
                                 "y=\"%ui\">", x - 6, y + 53);
        ngx_http_flowdash_status_page_answer(out, action->counters);
        ngx_http_flowdash_output(out, "</text><text class=\"s\" x=\"%ui\" "
                                 "y=\"%ui\">", x - 6, y + 66);
        ngx_http_flowdash_status_page_times(out,
                                            action->recent.now_app_failed);
        ngx_http_flowdash_output(out, "</text>");

    } else if (action->recent.now_app_refused) {
        ngx_http_flowdash_output(out, "<text class=\"p\" x=\"%ui\" "
                                 "y=\"%ui\">", x - 6, y + 53);
        ngx_http_flowdash_status_page_refusal(out, action->counters);
        ngx_http_flowdash_output(out, "</text><text class=\"s\" x=\"%ui\" "
                                 "y=\"%ui\">", x - 6, y + 66);
        ngx_http_flowdash_status_page_times(out,
                                            action->recent.now_app_refused);
        ngx_http_flowdash_output(out, "</text>");

    } else if (called) {
        ngx_http_flowdash_output(out, "<text x=\"%ui\" y=\"%ui\">", x - 6,
                                 y + 53);
        ngx_http_flowdash_status_page_share(out, called
                                                 - action->recent.app_failed
                                                 - action->recent.app_refused,
                                            called);
        ngx_http_flowdash_output(out, "</text>");

        if (action->counters->last_status) {
            ngx_http_flowdash_output(out, "<text x=\"%ui\" y=\"%ui\">last "
                                     "%uA</text>", x + 60, y + 53,
                                     action->counters->last_status);
        }
    }

    ngx_http_flowdash_output(out, "</g>\n");
}


static ngx_uint_t
ngx_http_flowdash_status_page_flow_x(ngx_http_flowdash_flow_t *flow,
    ngx_uint_t i)
{
    return NGX_HTTP_FLOWDASH_FLOW_FIRST + i % flow->columns * flow->pitch;
}
