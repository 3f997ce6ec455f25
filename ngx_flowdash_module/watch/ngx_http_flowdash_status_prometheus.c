
/*
 * "flowdash_status prometheus": the text format 0.0.4 of Prometheus.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_flowdash_curl.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_outbox.h>
#include <ngx_http_flowdash_status_prometheus.h>


/* action="...",step="..." */

#define NGX_HTTP_FLOWDASH_LABELS                                             \
    (4 * NGX_HTTP_FLOWDASH_METRICS_NAME + 32)


/* a counter or gauge of Prometheus that shows one member of the counters */

typedef struct {
    const char                  *name;
    const char                  *type;
    const char                  *help;
    size_t                       offset;
    unsigned                     step:1;   /* not of actions */
} ngx_http_flowdash_metric_t;


static void ngx_http_flowdash_status_prometheus_once(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_zone_t *zone);
static void ngx_http_flowdash_status_prometheus_metric(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_metric_t *metric);
static void ngx_http_flowdash_status_prometheus_reasons(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_uint_t steps);
static void ngx_http_flowdash_status_prometheus_classes(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_uint_t steps);
static void ngx_http_flowdash_status_prometheus_times(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    const char *name, const char *help, size_t offset, ngx_uint_t steps);
static void ngx_http_flowdash_status_prometheus_histogram(
    ngx_http_flowdash_output_t *out, const char *name, ngx_str_t *labels,
    ngx_http_flowdash_histogram_t *time);
static ngx_http_flowdash_counters_t *ngx_http_flowdash_status_prometheus_next(
    ngx_http_flowdash_view_t *view, ngx_uint_t steps, ngx_uint_t *i,
    ngx_uint_t *n, ngx_str_t *labels);
static u_char *ngx_http_flowdash_status_prometheus_label(u_char *p,
    ngx_str_t *text);


static ngx_http_flowdash_metric_t  ngx_http_flowdash_metrics[] = {

    { "flowdash_actions_started_total", "counter",
      "Executions of an action that have begun.",
      offsetof(ngx_http_flowdash_counters_t, started), 0 },

    { "flowdash_actions_succeeded_total", "counter",
      "Executions that the app has carried out, too.",
      offsetof(ngx_http_flowdash_counters_t, succeeded), 0 },

    { "flowdash_actions_aborted_total", "counter",
      "Executions whose steps have passed, but whose app was not called.",
      offsetof(ngx_http_flowdash_counters_t, aborted), 0 },

    { "flowdash_actions_refused_total", "counter",
      "Executions whose steps have passed, but that the app has refused, or "
      "did not get.",
      offsetof(ngx_http_flowdash_counters_t, refused), 0 },

    { "flowdash_actions_unknown_total", "counter",
      "Executions of which nobody knows whether the app has carried them out.",
      offsetof(ngx_http_flowdash_counters_t, unknown), 0 },

    { "flowdash_actions_running", "gauge",
      "Executions whose steps are running.",
      offsetof(ngx_http_flowdash_counters_t, running), 0 },

    { "flowdash_steps_succeeded_total", "counter",
      "Runs of a step that have succeeded.",
      offsetof(ngx_http_flowdash_counters_t, succeeded), 1 },

    { "flowdash_steps_tolerated_total", "counter",
      "Runs of a step that have failed, and whose action continued.",
      offsetof(ngx_http_flowdash_counters_t, tolerated), 1 },

    { "flowdash_step_runs_total", "counter",
      "Runs of a step.",
      offsetof(ngx_http_flowdash_counters_t, started), 1 },

    { "flowdash_step_calls_total", "counter",
      "Calls of a step, repeated ones included.",
      offsetof(ngx_http_flowdash_counters_t, calls), 1 },

    { "flowdash_step_retries_total", "counter",
      "Repeated calls of a step.",
      offsetof(ngx_http_flowdash_counters_t, retries), 1 },

    { "flowdash_step_answers_ignored_total", "counter",
      "2xx answers that were ignored because they had no task.",
      offsetof(ngx_http_flowdash_counters_t, ignored), 1 },

    { "flowdash_step_sent_bytes_total", "counter",
      "Bytes of the payloads sent.",
      offsetof(ngx_http_flowdash_counters_t, sent), 1 },

    { "flowdash_step_received_bytes_total", "counter",
      "Bytes of the answers' bodies.",
      offsetof(ngx_http_flowdash_counters_t, received), 1 },

    { "flowdash_step_connections_opened_total", "counter",
      "Calls that opened a connection.",
      offsetof(ngx_http_flowdash_counters_t, opened), 1 },

    { "flowdash_step_connections_reused_total", "counter",
      "Calls that used a connection that was already open.",
      offsetof(ngx_http_flowdash_counters_t, reused), 1 },

    { NULL, NULL, NULL, 0, 0 }
};


void
ngx_http_flowdash_status_prometheus(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_http_flowdash_metric_t  *metric;

    for (metric = ngx_http_flowdash_metrics; metric->name; metric++) {
        ngx_http_flowdash_status_prometheus_metric(out, view, metric);
    }

    ngx_http_flowdash_status_prometheus_reasons(out, view, 0);
    ngx_http_flowdash_status_prometheus_reasons(out, view, 1);
    ngx_http_flowdash_status_prometheus_classes(out, view, 0);
    ngx_http_flowdash_status_prometheus_classes(out, view, 1);

    ngx_http_flowdash_status_prometheus_times(out, view,
        "flowdash_action_duration_seconds",
        "How long all steps of an action take.",
        offsetof(ngx_http_flowdash_counters_t, time), 0);
    ngx_http_flowdash_status_prometheus_times(out, view,
        "flowdash_app_duration_seconds",
        "How long the app takes to answer, after the steps.",
        offsetof(ngx_http_flowdash_counters_t, app_time), 0);
    ngx_http_flowdash_status_prometheus_times(out, view,
        "flowdash_step_duration_seconds",
        "How long a step takes, with its repeats.",
        offsetof(ngx_http_flowdash_counters_t, time), 1);

    ngx_http_flowdash_output(out,
        "# HELP flowdash_build_info Versions of the module, nginx and "
        "libcurl.\n"
        "# TYPE flowdash_build_info gauge\n"
        "flowdash_build_info{version=\"" NGX_HTTP_FLOWDASH_VERSION "\","
        "nginx=\"" NGINX_VERSION "\",libcurl=\"%s\"} 1\n",
        ngx_flowdash_curl_version());

    ngx_http_flowdash_output(out,
        "# HELP flowdash_zone_entries Actions and steps that are counted.\n"
        "# TYPE flowdash_zone_entries gauge\n"
        "flowdash_zone_entries %uA\n"
        "# HELP flowdash_zone_entries_max Room for entries in flowdash_zone.\n"
        "# TYPE flowdash_zone_entries_max gauge\n"
        "flowdash_zone_entries_max %ui\n"
        "# HELP flowdash_uncounted_total Runs without room in flowdash_zone.\n"
        "# TYPE flowdash_uncounted_total counter\n"
        "flowdash_uncounted_total %uA\n"
        "# HELP flowdash_guarded_total Requests that flowdash_guard refused.\n"
        "# TYPE flowdash_guarded_total counter\n"
        "flowdash_guarded_total %uA\n"
        "# HELP flowdash_user_cache_hits_total Users found in the cache.\n"
        "# TYPE flowdash_user_cache_hits_total counter\n"
        "flowdash_user_cache_hits_total %uA\n"
        "# HELP flowdash_user_cache_misses_total Users looked up in the app.\n"
        "# TYPE flowdash_user_cache_misses_total counter\n"
        "flowdash_user_cache_misses_total %uA\n",
        view->zone->used, view->zone->size, view->zone->uncounted,
        view->zone->guarded, view->zone->user_hits, view->zone->user_misses);

    ngx_http_flowdash_status_outbox_prometheus(out, view->zone);
    ngx_http_flowdash_status_prometheus_once(out, view->zone);
}


static void
ngx_http_flowdash_status_prometheus_once(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone)
{
    ngx_uint_t  i;

    ngx_http_flowdash_output(out,
        "# HELP flowdash_once_total Requests with a key of flowdash_once.\n"
        "# TYPE flowdash_once_total counter\n");

    for (i = 0; i < NGX_HTTP_FLOWDASH_ONCE_RESULTS; i++) {
        ngx_http_flowdash_output(out,
                                 "flowdash_once_total{result=\"%s\"} %uA\n",
                                 ngx_http_flowdash_once_table_name(i),
                                 zone->once_results[i]);
    }
}


static void
ngx_http_flowdash_status_prometheus_metric(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_metric_t *metric)
{
    u_char                         buf[NGX_HTTP_FLOWDASH_LABELS];
    ngx_str_t                      labels;
    ngx_uint_t                     i, n;
    ngx_atomic_t                  *value;
    ngx_http_flowdash_counters_t  *counters;

    ngx_http_flowdash_output(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name,
                             metric->help, metric->name, metric->type);

    i = 0;
    n = 0;
    labels.data = buf;

    while ((counters = ngx_http_flowdash_status_prometheus_next(view,
                                                                metric->step,
                                                                &i, &n,
                                                                &labels)))
    {
        value = (ngx_atomic_t *) ((u_char *) counters + metric->offset);

        ngx_http_flowdash_output(out, "%s{%V} %uA\n", metric->name, &labels,
                                 *value);
    }
}


static void
ngx_http_flowdash_status_prometheus_reasons(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_uint_t steps)
{
    u_char                         buf[NGX_HTTP_FLOWDASH_LABELS];
    ngx_str_t                      labels;
    ngx_uint_t                     i, n, reason;
    const char                    *name;
    ngx_http_flowdash_counters_t  *counters;

    name = steps ? "flowdash_steps_failed_total"
                 : "flowdash_actions_failed_total";

    ngx_http_flowdash_output(out, "# HELP %s Failures, by reason.\n"
                             "# TYPE %s counter\n", name, name);

    i = 0;
    n = 0;
    labels.data = buf;

    while ((counters = ngx_http_flowdash_status_prometheus_next(view, steps,
                                                                &i, &n,
                                                                &labels)))
    {
        for (reason = 1; reason < NGX_HTTP_FLOWDASH_ERRORS; reason++) {

            if (counters->failed[reason]) {
                ngx_http_flowdash_output(out, "%s{%V,reason=\"%V\"} %uA\n",
                                  name, &labels,
                                  ngx_http_flowdash_reason_name(reason),
                                  counters->failed[reason]);
            }
        }
    }
}


static void
ngx_http_flowdash_status_prometheus_classes(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_uint_t steps)
{
    u_char                         buf[NGX_HTTP_FLOWDASH_LABELS];
    ngx_str_t                      labels;
    ngx_uint_t                     i, n, class;
    const char                    *name;
    ngx_http_flowdash_counters_t  *counters;

    name = steps ? "flowdash_step_answers_total"
                 : "flowdash_app_answers_total";

    ngx_http_flowdash_output(out, "# HELP %s %s, by the class of the "
                             "answer's status.\n# TYPE %s counter\n", name,
                             steps ? "Calls of a step"
                                   : "Requests for the app", name);

    i = 0;
    n = 0;
    labels.data = buf;

    while ((counters = ngx_http_flowdash_status_prometheus_next(view, steps,
                                                                &i, &n,
                                                                &labels)))
    {
        for (class = 0; class < 6; class++) {

            if (counters->statuses[class] == 0) {
                continue;
            }

            if (class == 0) {
                ngx_http_flowdash_output(out, "%s{%V,code=\"none\"} %uA\n",
                                         name, &labels,
                                         counters->statuses[0]);
                continue;
            }

            ngx_http_flowdash_output(out, "%s{%V,code=\"%uixx\"} %uA\n",
                                     name, &labels, class,
                                     counters->statuses[class]);
        }
    }
}


static void
ngx_http_flowdash_status_prometheus_times(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, const char *name, const char *help,
    size_t offset, ngx_uint_t steps)
{
    u_char                          buf[NGX_HTTP_FLOWDASH_LABELS];
    ngx_str_t                       labels;
    ngx_uint_t                      i, n;
    ngx_http_flowdash_counters_t   *counters;
    ngx_http_flowdash_histogram_t  *time;

    ngx_http_flowdash_output(out, "# HELP %s %s\n# TYPE %s histogram\n", name,
                             help, name);

    i = 0;
    n = 0;
    labels.data = buf;

    while ((counters = ngx_http_flowdash_status_prometheus_next(view, steps,
                                                                &i, &n,
                                                                &labels)))
    {
        time = (ngx_http_flowdash_histogram_t *) ((u_char *) counters
                                                  + offset);

        ngx_http_flowdash_status_prometheus_histogram(out, name, &labels,
                                                      time);
    }
}


static void
ngx_http_flowdash_status_prometheus_histogram(ngx_http_flowdash_output_t *out,
    const char *name, ngx_str_t *labels, ngx_http_flowdash_histogram_t *time)
{
    ngx_uint_t         i, bound;
    ngx_atomic_uint_t  n, sum;

    n = 0;

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_BUCKETS; i++) {

        n += time->buckets[i];
        bound = ngx_http_flowdash_metrics_bounds[i];

        ngx_http_flowdash_output(out, "%s_bucket{%V,le=\"%ui.%03ui\"} %uA\n",
                                 name, labels, bound / 1000, bound % 1000, n);
    }

    n += time->buckets[i];
    sum = time->sum;

    ngx_http_flowdash_output(out, "%s_bucket{%V,le=\"+Inf\"} %uA\n"
                             "%s_sum{%V} %uA.%03uA\n%s_count{%V} %uA\n",
                             name, labels, n, name, labels, sum / 1000,
                             sum % 1000, name, labels, n);
}


/*
 * Returns the counters of the next action, or of the next step of any action,
 * and NULL after the last one.  Writes the labels into the caller's memory.
 */

static ngx_http_flowdash_counters_t *
ngx_http_flowdash_status_prometheus_next(ngx_http_flowdash_view_t *view,
    ngx_uint_t steps, ngx_uint_t *i, ngx_uint_t *n, ngx_str_t *labels)
{
    u_char                           *p;
    ngx_http_flowdash_counters_t     *counters;
    ngx_http_flowdash_step_view_t    *step;
    ngx_http_flowdash_action_view_t  *action;

    action = view->actions.elts;
    step = NULL;

    if (steps) {
        while (*i < view->actions.nelts
               && *n == action[*i].steps.nelts + action[*i].deliveries.nelts)
        {
            (*i)++;
            *n = 0;
        }
    }

    if (*i == view->actions.nelts) {
        return NULL;
    }

    action = &action[*i];
    counters = action->counters;

    p = ngx_cpymem(labels->data, "action=\"", sizeof("action=\"") - 1);
    p = ngx_http_flowdash_status_prometheus_label(p, &action->name);
    *p++ = '"';

    if (steps) {
        if (*n < action->steps.nelts) {
            step = action->steps.elts;
            step += *n;

        } else {
            step = action->deliveries.elts;
            step += *n - action->steps.nelts;
        }

        (*n)++;
        counters = step->counters;

        p = ngx_cpymem(p, ",step=\"", sizeof(",step=\"") - 1);
        p = ngx_http_flowdash_status_prometheus_label(p, &step->name);
        *p++ = '"';

    } else {
        (*i)++;
    }

    labels->len = p - labels->data;

    return counters;
}


static u_char *
ngx_http_flowdash_status_prometheus_label(u_char *p, ngx_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {

        switch (text->data[i]) {

        case '\\':
        case '"':
            *p++ = '\\';
            *p++ = text->data[i];
            break;

        case '\n':
            *p++ = '\\';
            *p++ = 'n';
            break;

        default:
            *p++ = text->data[i];
        }
    }

    return p;
}
