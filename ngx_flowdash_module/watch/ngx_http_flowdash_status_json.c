
/*
 * "flowdash_status json".
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_outbox.h>
#include <ngx_http_flowdash_status_json.h>


static void ngx_http_flowdash_status_json_counters(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_counters_t *counters,
    ngx_http_flowdash_recent_t *recent);
static void ngx_http_flowdash_status_json_recent(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_recent_t *recent);
static void ngx_http_flowdash_status_json_time(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_histogram_t *time);
static void ngx_http_flowdash_status_json_app(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_action_view_t *action);
static void ngx_http_flowdash_status_json_last(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters);
static void ngx_http_flowdash_status_json_step(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_step_view_t *step);
static void ngx_http_flowdash_status_json_failure(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_failure_t *failure);


void
ngx_http_flowdash_status_json(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                        i, n;
    ngx_http_flowdash_step_view_t    *step;
    ngx_http_flowdash_action_view_t  *action;

    ngx_http_flowdash_output(out, "{\"now\":%T,\"since\":%T,"
                             "\"entries\":%uA,\"max_entries\":%ui,"
                             "\"uncounted\":%uA,\"guarded\":%uA,"
                             "\"user_cache_hits\":%uA,"
                             "\"user_cache_misses\":%uA,"
                             "\"recent_seconds\":%T,\"failing\":%ui",
                             ngx_time(), view->zone->since, view->zone->used,
                             view->zone->size, view->zone->uncounted,
                             view->zone->guarded, view->zone->user_hits,
                             view->zone->user_misses, view->seconds,
                             view->failing);

    for (i = 0; i < NGX_HTTP_FLOWDASH_ONCE_RESULTS; i++) {
        ngx_http_flowdash_output(out, "%s\"%s\":%uA",
                                 i ? "," : ",\"once\":{",
                                 ngx_http_flowdash_once_table_name(i),
                                 view->zone->once_results[i]);
    }

    ngx_http_flowdash_output(out, "},\n");

    ngx_http_flowdash_status_outbox_json(out, view->zone);

    ngx_http_flowdash_output(out, "\"actions\":[");

    action = view->actions.elts;

    for (i = 0; i < view->actions.nelts; i++) {

        ngx_http_flowdash_output(out, "%s\n{\"name\":\"", i ? "," : "");
        ngx_http_flowdash_output_json(out, &action[i].name);
        ngx_http_flowdash_output(out, "\",");

        ngx_http_flowdash_output(out, "\"state\":\"%s\",\"failing\":%s",
                        ngx_http_flowdash_status_view_state(action[i].state),
                                 action[i].failing ? "true" : "false");

        ngx_http_flowdash_status_json_counters(out, action[i].counters,
                                               &action[i].recent);

        ngx_http_flowdash_status_json_app(out, &action[i]);
        ngx_http_flowdash_output(out, ",\n \"steps\":[");

        step = action[i].steps.elts;

        for (n = 0; n < action[i].steps.nelts; n++) {
            ngx_http_flowdash_output(out, "%s\n ", n ? "," : "");
            ngx_http_flowdash_status_json_step(out, &step[n]);
        }

        step = action[i].deliveries.elts;

        for (n = 0; n < action[i].deliveries.nelts; n++) {
            ngx_http_flowdash_output(out, "%s\n ", n ? ","
                                                  : "],\n \"deliveries\":[");
            ngx_http_flowdash_status_json_step(out, &step[n]);
        }

        ngx_http_flowdash_output(out, "]}");
    }

    ngx_http_flowdash_output(out, "],\n\"failures\":[");

    for (i = 0; i < view->nfailures; i++) {
        ngx_http_flowdash_output(out, "%s\n", i ? "," : "");
        ngx_http_flowdash_status_json_failure(out, &view->failures[i]);
    }

    ngx_http_flowdash_output(out, "]}\n");
}


/* the members that actions and steps have in common */

static void
ngx_http_flowdash_status_json_counters(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters, ngx_http_flowdash_recent_t *recent)
{
    ngx_str_t   *name;
    ngx_uint_t   i, more;

    ngx_http_flowdash_output(out, ",\"started\":%uA,\"succeeded\":%uA,"
                             "\"refused\":%uA,\"unknown\":%uA,"
                             "\"aborted\":%uA,\"running\":%uA,\"failed\":{",
                             counters->started, counters->succeeded,
                             counters->refused, counters->unknown,
                             counters->aborted, counters->running);
    more = 0;

    for (i = 1; i < NGX_HTTP_FLOWDASH_ERRORS; i++) {

        if (counters->failed[i] == 0) {
            continue;
        }

        name = ngx_http_flowdash_reason_name(i);

        ngx_http_flowdash_output(out, "%s\"%V\":%uA", more ? "," : "", name,
                                 counters->failed[i]);
        more = 1;
    }

    i = ngx_http_flowdash_metrics_per_minute(&counters->rate);

    ngx_http_flowdash_output(out, "},\"per_minute\":%ui.%03ui", i / 1000,
                             i % 1000);

    ngx_http_flowdash_status_json_time(out, &counters->time);
    ngx_http_flowdash_status_json_recent(out, recent);
}


static void
ngx_http_flowdash_status_json_recent(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_recent_t *recent)
{
    ngx_http_flowdash_output(out, ",\"recent\":{\"ended\":%ui,"
                             "\"failed\":%ui,\"now_ended\":%ui,"
                             "\"now_failed\":%ui,"
                             "\"median\":%M,\"p95\":%M}",
                     recent->ended, recent->failed,
                     recent->now_ended, recent->now_failed,
                     ngx_http_flowdash_metrics_quantile(&recent->time, 500),
                     ngx_http_flowdash_metrics_quantile(&recent->time, 950));
}


static void
ngx_http_flowdash_status_json_time(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_histogram_t *time)
{
    ngx_uint_t  i;

    ngx_http_flowdash_output(out, ",\"time_ms\":{\"count\":%ui,\"sum\":%uA,"
                             "\"median\":%M,\"p95\":%M,\"buckets\":{",
                             ngx_http_flowdash_metrics_count(time), time->sum,
                             ngx_http_flowdash_metrics_quantile(time, 500),
                             ngx_http_flowdash_metrics_quantile(time, 950));

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_BUCKETS; i++) {
        ngx_http_flowdash_output(out, "\"%ui\":%uA,",
                                 ngx_http_flowdash_metrics_bounds[i],
                                 time->buckets[i]);
    }

    ngx_http_flowdash_output(out, "\"more\":%uA}}", time->buckets[i]);
}


static void
ngx_http_flowdash_status_json_app(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_action_view_t *action)
{
    ngx_http_flowdash_output(out, ",\n \"app\":{");
    ngx_http_flowdash_status_json_last(out, action->counters);
    ngx_http_flowdash_status_json_time(out, &action->counters->app_time);
    ngx_http_flowdash_output(out, ",\"recent\":{\"called\":%ui,"
                             "\"failed\":%ui,\"refused\":%ui,"
                             "\"now_failed\":%ui,\"now_refused\":%ui}}",
                             action->recent.ended - action->recent.failed,
                             action->recent.app_failed,
                             action->recent.app_refused,
                             action->recent.now_app_failed,
                             action->recent.now_app_refused);
}


/* the last status, and how often each class came */

static void
ngx_http_flowdash_status_json_last(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters)
{
    ngx_uint_t  i;

    ngx_http_flowdash_output(out, "\"last_status\":%uA,\"statuses\":{",
                             counters->last_status);

    for (i = 1; i < 6; i++) {
        ngx_http_flowdash_output(out, "\"%uixx\":%uA,", i,
                                 counters->statuses[i]);
    }

    ngx_http_flowdash_output(out, "\"none\":%uA}", counters->statuses[0]);
}


static void
ngx_http_flowdash_status_json_step(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_step_view_t *step)
{
    ngx_http_flowdash_counters_t  *counters;

    counters = step->counters;

    ngx_http_flowdash_output(out, "{\"name\":\"");
    ngx_http_flowdash_output_json(out, &step->name);
    ngx_http_flowdash_output(out, "\",\"endpoint\":\"");
    ngx_http_flowdash_output_json(out, &step->endpoint);
    ngx_http_flowdash_output(out, "\",\"optional\":%s,\"failing\":%s",
                             step->optional ? "true" : "false",
                             step->failing ? "true" : "false");

    ngx_http_flowdash_status_json_counters(out, counters, &step->recent);

    ngx_http_flowdash_output(out, ",\"tolerated\":%uA,\"calls\":%uA,"
                             "\"retries\":%uA,",
                             counters->tolerated, counters->calls,
                             counters->retries);
    ngx_http_flowdash_status_json_last(out, counters);
    ngx_http_flowdash_output(out, ",\"sent\":%uA,"
                             "\"received\":%uA,\"opened\":%uA,"
                             "\"reused\":%uA,\"ignored\":%uA}",
                             counters->sent,
                             counters->received, counters->opened,
                             counters->reused, counters->ignored);
}


static void
ngx_http_flowdash_status_json_failure(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_failure_t *failure)
{
    ngx_str_t  action, step, id;

    ngx_http_flowdash_status_view_texts(failure, &action, &step, &id);

    ngx_http_flowdash_output(out, "{\"time\":%T,\"action\":\"", failure->time);
    ngx_http_flowdash_output_json(out, &action);
    ngx_http_flowdash_output(out, "\",\"step\":\"");
    ngx_http_flowdash_output_json(out, &step);
    ngx_http_flowdash_output(out, "\",\"reason\":\"%V\",\"answered\":%ui,"
                             "\"status\":%ui,\"id\":\"%V\"}",
                             ngx_http_flowdash_status_view_reason(failure),
                             failure->answered, failure->status, &id);
}
