
/*
 * The stations of the flow page's drawing: a call with its name and numbers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_page_text.h>
#include <ngx_http_flowdash_status_page_station.h>


static void ngx_http_flowdash_status_page_station_host(
    ngx_http_flowdash_flow_t *flow, ngx_http_flowdash_step_view_t *step,
    ngx_uint_t x, ngx_uint_t y, ngx_uint_t room);


/* a step or an after-step */

void
ngx_http_flowdash_status_page_station_call(ngx_http_flowdash_flow_t *flow,
    ngx_http_flowdash_step_view_t *step, const char *class, ngx_uint_t x,
    ngx_uint_t y, ngx_uint_t room)
{
    ngx_http_flowdash_output_t  *out;

    out = flow->out;

    ngx_http_flowdash_output(out, "<g class=\"%s\"><title>", class);
    ngx_http_flowdash_output_html(out, &step->name);
    ngx_http_flowdash_output(out, "</title>");
    ngx_http_flowdash_status_page_station(flow, class, x, y);
    ngx_http_flowdash_output(out, "<text class=\"n\" x=\"%ui\" y=\"%ui\">",
                             x - 6, y + 14);
    ngx_http_flowdash_status_page_clip(out, &step->name,
                                       room * 100 / 17);
    ngx_http_flowdash_output(out, "</text>");

    if (step->failing) {
        ngx_http_flowdash_output(out, "<text class=\"bad\" x=\"%ui\" "
                                 "y=\"%ui\">", x - 6, y + 52);
        ngx_http_flowdash_status_page_reason(out, step->counters);
        ngx_http_flowdash_output(out, "</text><text class=\"s\" x=\"%ui\" "
                                 "y=\"%ui\">", x - 6, y + 66);
        ngx_http_flowdash_status_page_times(out, step->recent.now_failed);
        ngx_http_flowdash_output(out, "</text>");
        ngx_http_flowdash_status_page_station_host(flow, step, x, y + 79,
                                                room);

    } else if (flow->action->state != NGX_HTTP_FLOWDASH_VIEW_IDLE) {

        if (step->recent.ended) {
            ngx_http_flowdash_output(out, "<text x=\"%ui\" y=\"%ui\">",
                                     x - 6, y + 53);
            ngx_http_flowdash_status_page_share(out, step->recent.ended
                                                     - step->recent.failed,
                                                step->recent.ended);
            ngx_http_flowdash_output(out, "</text><text class=\"p\" "
                                     "x=\"%ui\" y=\"%ui\">p95 ",
                                     x + 60, y + 53);
            ngx_http_flowdash_status_page_time(out, &step->recent.time, 950);
            ngx_http_flowdash_output(out, "</text>");
        }

        ngx_http_flowdash_status_page_station_host(flow, step, x,
                                        y + (step->recent.ended ? 68 : 53),
                                                room);
    }

    ngx_http_flowdash_output(out, "</g>\n");
}


/* an arrow that leads back, and what became of the undos */

void
ngx_http_flowdash_status_page_station_undo(ngx_http_flowdash_flow_t *flow,
    ngx_http_flowdash_step_view_t *undo, ngx_uint_t x, ngx_uint_t y)
{
    ngx_http_flowdash_output_t  *out;

    out = flow->out;

    ngx_http_flowdash_output(out, "<g><title>");
    ngx_http_flowdash_output_html(out, &undo->name);
    ngx_http_flowdash_output(out, "</title><text class=\"%s\" x=\"%ui\" "
                             "y=\"%ui\">&#8634; undo",
                             undo->failing ? "bad" : "s", x - 6, y);

    if (undo->failing) {
        ngx_http_flowdash_output(out, ": ");
        ngx_http_flowdash_status_page_reason(out, undo->counters);
        ngx_http_flowdash_output(out, ", ");
        ngx_http_flowdash_status_page_times(out, undo->recent.now_failed);

    } else if (undo->recent.ended) {
        ngx_http_flowdash_output(out, " ");
        ngx_http_flowdash_status_page_share(out, undo->recent.ended
                                                 - undo->recent.failed,
                                            undo->recent.ended);
    }

    ngx_http_flowdash_output(out, "</text></g>\n");
}


/* a failing one has a cross, for those who do not see red */

void
ngx_http_flowdash_status_page_station(ngx_http_flowdash_flow_t *flow,
    const char *class, ngx_uint_t x, ngx_uint_t y)
{
    y += NGX_HTTP_FLOWDASH_FLOW_LINE;

    ngx_http_flowdash_output(flow->out, "<circle class=\"dot %s\" cx=\"%ui\" "
                             "cy=\"%ui\" r=\"%s\"/>", class, x, y,
                             *class == 'b' ? "10" : "8");

    if (*class == 'b') {
        ngx_http_flowdash_output(flow->out, "<path "
                                 "d=\"M%ui %uil8 8m0-8l-8 8\"/>", x - 4,
                                 y - 4);
    }
}


/* without the scheme, which is in the table */

static void
ngx_http_flowdash_status_page_station_host(ngx_http_flowdash_flow_t *flow,
    ngx_http_flowdash_step_view_t *step, ngx_uint_t x, ngx_uint_t y,
    ngx_uint_t room)
{
    u_char     *p, *last;
    ngx_str_t   host;

    host = step->endpoint;

    if (host.len == 0) {
        return;
    }

    last = host.data + host.len;
    p = ngx_strlchr(host.data, last, ':');

    if (p && last - p > 3 && p[1] == '/' && p[2] == '/') {
        host.data = p + 3;
        host.len = last - host.data;
    }

    ngx_http_flowdash_output(flow->out, "<text class=\"s\" x=\"%ui\" "
                             "y=\"%ui\">", x - 6, y);
    ngx_http_flowdash_status_page_clip(flow->out, &host,
                                       room * 110 / 13);
    ngx_http_flowdash_output(flow->out, "</text>");
}
