
/*
 * The last failures: what the endpoint has said, and what the user has seen.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_page_text.h>
#include <ngx_http_flowdash_status_page_failures.h>


static void ngx_http_flowdash_status_page_failure(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_failure_t *failure,
    ngx_uint_t link);


void
ngx_http_flowdash_status_page_failures(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_uint_t  i;

    ngx_http_flowdash_output(out, "<section class=\"failures\">\n"
                             "<h2>Last failures</h2>\n");

    if (view->nfailures == 0) {
        ngx_http_flowdash_output(out, "<p>None.</p>\n</section>\n");
        return;
    }

    ngx_http_flowdash_output(out, "<table>\n"
                             "<thead><tr><th scope=\"col\">Time<span "
                             "class=\"utc\"> (UTC)</span></th>"
                             "<th scope=\"col\">Action</th>"
                             "<th scope=\"col\">Step</th>"
                             "<th scope=\"col\">Reason</th>"
                             "<th scope=\"col\">Answered</th>"
                             "<th scope=\"col\">User got</th>"
                             "<th scope=\"col\">Id</th></tr></thead>\n"
                             "<tbody>\n");

    for (i = 0; i < view->nfailures; i++) {
        ngx_http_flowdash_status_page_failure(out, &view->failures[i],
                                              view->zone->executions != NULL);
    }

    ngx_http_flowdash_output(out, "</tbody></table>\n</section>\n");
}


static void
ngx_http_flowdash_status_page_failure(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_failure_t *failure, ngx_uint_t link)
{
    ngx_str_t  action, step, id;

    ngx_http_flowdash_status_view_texts(failure, &action, &step, &id);

    ngx_http_flowdash_output(out, "<tr><td>");
    ngx_http_flowdash_status_page_date(out, failure->time);
    ngx_http_flowdash_output(out, "</td><td>");
    ngx_http_flowdash_status_page_name(out, &action);
    ngx_http_flowdash_output(out, "</td><td>");
    ngx_http_flowdash_status_page_name(out, &step);
    ngx_http_flowdash_output(out, "</td><td>%V</td><td>",
                             ngx_http_flowdash_status_view_reason(failure));

    if (failure->answered) {
        ngx_http_flowdash_output(out, "%ui", failure->answered);
    }

    ngx_http_flowdash_output(out, "</td><td>%ui</td><td>", failure->status);

    if (link && id.len) {
        ngx_http_flowdash_output(out, "<a href=\"?id=%V\"><code>%V</code>"
                                 "</a></td></tr>\n", &id, &id);

    } else {
        ngx_http_flowdash_output(out, "<code>%V</code></td></tr>\n", &id);
    }
}
