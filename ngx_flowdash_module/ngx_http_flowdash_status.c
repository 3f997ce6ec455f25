
/*
 * flowdash_status, a content handler that shows the counters: as JSON, in
 * Prometheus' text format 0.0.4, or as a page.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>
#include <ngx_http_flowdash_status.h>


#define NGX_HTTP_FLOWDASH_OUTPUT_SIZE  32768
#define NGX_HTTP_FLOWDASH_OUTPUT_MAX   4096

/* action="...",step="..." */

#define NGX_HTTP_FLOWDASH_LABELS                                             \
    (4 * NGX_HTTP_FLOWDASH_METRICS_NAME + 32)


typedef void (*ngx_http_flowdash_status_pt)(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view);


typedef struct {
    ngx_str_t                    name;
    ngx_str_t                    type;
    ngx_http_flowdash_status_pt  handler;
} ngx_http_flowdash_format_t;


/* a counter or gauge of Prometheus' that is one member of the counters */

typedef struct {
    const char                  *name;
    const char                  *type;
    const char                  *help;
    size_t                       offset;
    unsigned                     step:1;   /* of steps, else of actions */
} ngx_http_flowdash_metric_t;


static ngx_int_t ngx_http_flowdash_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_status_view(ngx_http_request_t *r,
    ngx_http_flowdash_main_conf_t *fmcf, ngx_http_flowdash_view_t *view);
static ngx_int_t ngx_http_flowdash_status_view_table(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view);
static int ngx_libc_cdecl ngx_http_flowdash_status_view_compare(
    const void *one, const void *two);
static void ngx_http_flowdash_status_view_fill(ngx_http_flowdash_view_t *view);
static ngx_int_t ngx_http_flowdash_status_view_configured(
    ngx_http_request_t *r, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_loc_conf_t *flcf);
static ngx_int_t ngx_http_flowdash_status_view_counted(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_counters_t *counters);
static ngx_http_flowdash_action_view_t *ngx_http_flowdash_status_view_action(
    ngx_http_request_t *r, ngx_http_flowdash_view_t *view, ngx_str_t *name);
static ngx_http_flowdash_step_view_t *ngx_http_flowdash_status_view_step(
    ngx_http_flowdash_action_view_t *action, ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_text_equal(ngx_str_t *a, ngx_str_t *b);
static ngx_int_t ngx_http_flowdash_status_view_failures(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view);
static ngx_int_t ngx_http_flowdash_status_send(ngx_http_request_t *r,
    ngx_http_flowdash_format_t *format, ngx_http_flowdash_output_t *out);

static void ngx_http_flowdash_status_json(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view);
static void ngx_http_flowdash_status_json_counters(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_counters_t *counters);
static void ngx_http_flowdash_status_json_time(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_histogram_t *time);
static void ngx_http_flowdash_status_json_step(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_step_view_t *step);
static void ngx_http_flowdash_status_json_failure(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_failure_t *failure);

static void ngx_http_flowdash_status_prometheus(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view);
static void ngx_http_flowdash_status_prometheus_metric(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_metric_t *metric);
static void ngx_http_flowdash_status_prometheus_reasons(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_uint_t steps);
static void ngx_http_flowdash_status_prometheus_classes(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view);
static void ngx_http_flowdash_status_prometheus_times(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_view_t *view,
    ngx_uint_t steps);
static void ngx_http_flowdash_status_prometheus_histogram(
    ngx_http_flowdash_output_t *out, const char *name, ngx_str_t *labels,
    ngx_http_flowdash_histogram_t *time);
static ngx_http_flowdash_counters_t *ngx_http_flowdash_status_prometheus_next(
    ngx_http_flowdash_view_t *view, ngx_uint_t steps, ngx_uint_t *i,
    ngx_uint_t *n, ngx_str_t *labels);
static u_char *ngx_http_flowdash_status_prometheus_label(u_char *p,
    ngx_str_t *text);


static ngx_http_flowdash_format_t  ngx_http_flowdash_formats[] = {

    { ngx_string("html"), ngx_string("text/html; charset=utf-8"),
      ngx_http_flowdash_status_page },

    { ngx_string("json"), ngx_string("application/json"),
      ngx_http_flowdash_status_json },

    { ngx_string("prometheus"),
      ngx_string("text/plain; version=0.0.4; charset=utf-8"),
      ngx_http_flowdash_status_prometheus },

    { ngx_null_string, ngx_null_string, NULL }
};


static ngx_http_flowdash_metric_t  ngx_http_flowdash_metrics[] = {

    { "flowdash_actions_started_total", "counter",
      "Executions of an action that have begun.",
      offsetof(ngx_http_flowdash_counters_t, started), 0 },

    { "flowdash_actions_succeeded_total", "counter",
      "Executions whose steps have all succeeded.",
      offsetof(ngx_http_flowdash_counters_t, succeeded), 0 },

    { "flowdash_actions_running", "gauge",
      "Executions whose steps are running.",
      offsetof(ngx_http_flowdash_counters_t, running), 0 },

    { "flowdash_steps_succeeded_total", "counter",
      "Runs of a step that have succeeded.",
      offsetof(ngx_http_flowdash_counters_t, succeeded), 1 },

    { "flowdash_step_runs_total", "counter",
      "Runs of a step.",
      offsetof(ngx_http_flowdash_counters_t, started), 1 },

    { "flowdash_step_calls_total", "counter",
      "Calls of a step, repeated ones included.",
      offsetof(ngx_http_flowdash_counters_t, calls), 1 },

    { "flowdash_step_retries_total", "counter",
      "Repeated calls of a step.",
      offsetof(ngx_http_flowdash_counters_t, retries), 1 },

    { "flowdash_step_sent_bytes_total", "counter",
      "Bytes of the payloads sent.",
      offsetof(ngx_http_flowdash_counters_t, sent), 1 },

    { "flowdash_step_received_bytes_total", "counter",
      "Bytes of the answers' bodies.",
      offsetof(ngx_http_flowdash_counters_t, received), 1 },

    { "flowdash_step_connections_opened_total", "counter",
      "Calls that have opened a connection.",
      offsetof(ngx_http_flowdash_counters_t, opened), 1 },

    { "flowdash_step_connections_reused_total", "counter",
      "Calls that were answered on a connection that was open.",
      offsetof(ngx_http_flowdash_counters_t, reused), 1 },

    { NULL, NULL, NULL, 0, 0 }
};


char *
ngx_http_flowdash_status_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                      *value;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_flowdash_format_t     *format;
    ngx_http_flowdash_main_conf_t  *fmcf;

    if (flcf->format) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (format = ngx_http_flowdash_formats; format->name.len; format++) {
        if (ngx_http_flowdash_text_equal(&format->name, &value[1])) {
            break;
        }
    }

    if (format->name.len == 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                             "\"html\", \"json\" or \"prometheus\" is "
                             "expected");
    }

    flcf->format = format;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);
    fmcf->status = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_flowdash_status_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_flowdash_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_http_flowdash_view_t        view;
    ngx_http_flowdash_output_t      out;
    ngx_http_flowdash_loc_conf_t   *flcf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);
    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    if (ngx_http_flowdash_status_view(r, fmcf, &view) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&out, sizeof(ngx_http_flowdash_output_t));
    out.pool = r->pool;

    ((ngx_http_flowdash_format_t *) flcf->format)->handler(&out, &view);

    if (out.failed || out.first == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_flowdash_status_send(r, flcf->format, &out);
}


static ngx_int_t
ngx_http_flowdash_status_send(ngx_http_request_t *r,
    ngx_http_flowdash_format_t *format, ngx_http_flowdash_output_t *out)
{
    ngx_int_t  rc;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = out->length;
    r->headers_out.content_type = format->type;
    r->headers_out.content_type_len = format->type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out->last->buf->last_buf = (r == r->main) ? 1 : 0;
    out->last->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, out->first);
}


void
ngx_http_flowdash_output(ngx_http_flowdash_output_t *out, const char *fmt, ...)
{
    u_char       *p;
    va_list       args;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (out->failed) {
        return;
    }

    b = out->last ? out->last->buf : NULL;

    if (b == NULL || b->end - b->last < NGX_HTTP_FLOWDASH_OUTPUT_MAX) {

        b = ngx_create_temp_buf(out->pool, NGX_HTTP_FLOWDASH_OUTPUT_SIZE);
        cl = ngx_alloc_chain_link(out->pool);

        if (b == NULL || cl == NULL) {
            out->failed = 1;
            return;
        }

        cl->buf = b;
        cl->next = NULL;

        if (out->last) {
            out->last->next = cl;

        } else {
            out->first = cl;
        }

        out->last = cl;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(b->last, b->end, fmt, args);
    va_end(args);

    out->length += p - b->last;
    b->last = p;
}


void
ngx_http_flowdash_output_json(ngx_http_flowdash_output_t *out, ngx_str_t *text)
{
    u_char     *p;
    u_char      buf[NGX_HTTP_FLOWDASH_METRICS_NAME * 6];
    ngx_str_t   cut;

    cut = ngx_http_flowdash_metrics_name(text);

    p = (u_char *) ngx_escape_json(buf, cut.data, cut.len);

    ngx_http_flowdash_output(out, "%*s", p - buf, buf);
}


void
ngx_http_flowdash_output_html(ngx_http_flowdash_output_t *out, ngx_str_t *text)
{
    u_char     *p;
    u_char      buf[NGX_HTTP_FLOWDASH_METRICS_NAME * 6];
    ngx_str_t   cut;

    cut = ngx_http_flowdash_metrics_name(text);

    p = (u_char *) ngx_escape_html(buf, cut.data, cut.len);

    ngx_http_flowdash_output(out, "%*s", p - buf, buf);
}


ngx_uint_t
ngx_http_flowdash_status_view_count(ngx_http_flowdash_histogram_t *time)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i <= NGX_HTTP_FLOWDASH_METRICS_BUCKETS; i++) {
        n += time->buckets[i];
    }

    return n;
}


/*
 * The actions that are configured, in the order of the configuration, and
 * those whose names have come from variables.
 */

static ngx_int_t
ngx_http_flowdash_status_view(ngx_http_request_t *r,
    ngx_http_flowdash_main_conf_t *fmcf, ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_loc_conf_t  **action;

    view->zone = fmcf->counters;
    view->configured = 0;
    view->sorted = 0;

    if (ngx_array_init(&view->actions, r->pool, 8,
                       sizeof(ngx_http_flowdash_action_view_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    action = fmcf->actions.elts;

    for (i = 0; i < fmcf->actions.nelts; i++) {

        if (action[i]->action->lengths == NULL
            && ngx_http_flowdash_status_view_configured(r, view, action[i])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    view->configured = view->actions.nelts;
    view->sorted = 1;

    if (ngx_http_flowdash_status_view_table(r, view) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_status_view_fill(view);

    return ngx_http_flowdash_status_view_failures(r, view);
}


/* sorted, so that an action's entries are found together */

static ngx_int_t
ngx_http_flowdash_status_view_table(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                      i, n;
    ngx_http_flowdash_counters_t   *counters, **sorted;

    sorted = ngx_palloc(r->pool, view->zone->size
                                 * sizeof(ngx_http_flowdash_counters_t *));
    if (sorted == NULL) {
        return NGX_ERROR;
    }

    n = 0;

    for (i = 0; i < view->zone->size; i++) {
        counters = &view->zone->table[i];

        if (counters->state == NGX_HTTP_FLOWDASH_METRICS_READY) {
            sorted[n++] = counters;
        }
    }

    ngx_qsort(sorted, n, sizeof(ngx_http_flowdash_counters_t *),
              ngx_http_flowdash_status_view_compare);

    for (i = 0; i < n; i++) {
        if (ngx_http_flowdash_status_view_counted(r, view,
                                                  sorted[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_http_flowdash_status_view_compare(const void *one, const void *two)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_counters_t  *a, *b;

    a = *(ngx_http_flowdash_counters_t **) one;
    b = *(ngx_http_flowdash_counters_t **) two;

    rc = ngx_memn2cmp(a->action, b->action, a->action_len, b->action_len);

    if (rc == 0) {
        rc = ngx_memn2cmp(a->step, b->step, a->step_len, b->step_len);
    }

    return (int) rc;
}


/* what found no room in the zone has counted nothing */

static void
ngx_http_flowdash_status_view_fill(ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                        i, n;
    ngx_http_flowdash_step_view_t    *step;
    ngx_http_flowdash_action_view_t  *action;

    static ngx_http_flowdash_counters_t  none;

    action = view->actions.elts;

    for (i = 0; i < view->actions.nelts; i++) {

        if (action[i].counters == NULL) {
            action[i].counters = &none;
        }

        step = action[i].steps.elts;

        for (n = 0; n < action[i].steps.nelts; n++) {
            if (step[n].counters == NULL) {
                step[n].counters = &none;
            }
        }
    }
}


static ngx_int_t
ngx_http_flowdash_status_view_configured(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_str_t                         name;
    ngx_uint_t                        i;
    ngx_http_flowdash_step_t        **step;
    ngx_http_flowdash_loc_conf_t     *slcf;
    ngx_http_flowdash_step_view_t    *shown;
    ngx_http_flowdash_action_view_t  *action;

    name = ngx_http_flowdash_metrics_name(&flcf->action->value);

    action = ngx_http_flowdash_status_view_action(r, view, &name);
    if (action == NULL) {
        return NGX_ERROR;
    }

    step = flcf->steps->elts;

    for (i = 0; i < flcf->steps->nelts; i++) {

        name = ngx_http_flowdash_metrics_name(&step[i]->name);

        shown = ngx_http_flowdash_status_view_step(action, &name);
        if (shown == NULL) {
            return NGX_ERROR;
        }

        shown->optional = step[i]->optional;

        slcf = step[i]->loc_conf[ngx_http_flowdash_module.ctx_index];

        if (slcf->url) {
            shown->endpoint = slcf->url->shown;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_status_view_counted(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_counters_t *counters)
{
    ngx_str_t                         name;
    ngx_http_flowdash_step_view_t    *step;
    ngx_http_flowdash_action_view_t  *action;

    name.data = counters->action;
    name.len = counters->action_len;

    action = ngx_http_flowdash_status_view_action(r, view, &name);
    if (action == NULL) {
        return NGX_ERROR;
    }

    if (counters->step_len == 0) {
        action->counters = counters;
        return NGX_OK;
    }

    name.data = counters->step;
    name.len = counters->step_len;

    step = ngx_http_flowdash_status_view_step(action, &name);
    if (step == NULL) {
        return NGX_ERROR;
    }

    step->counters = counters;

    return NGX_OK;
}


/*
 * The one of that name, which is made if there is none, or NULL on error.
 * Behind those of the configuration the table's follow, sorted by name.
 */

static ngx_http_flowdash_action_view_t *
ngx_http_flowdash_status_view_action(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view, ngx_str_t *name)
{
    ngx_uint_t                        i, n;
    ngx_http_flowdash_action_view_t  *action;

    n = view->actions.nelts;
    action = view->actions.elts;

    if (view->sorted && n > view->configured) {

        if (ngx_http_flowdash_text_equal(&action[n - 1].name, name)) {
            return &action[n - 1];
        }

        n = view->configured;
    }

    for (i = 0; i < n; i++) {
        if (ngx_http_flowdash_text_equal(&action[i].name, name)) {
            return &action[i];
        }
    }

    action = ngx_array_push(&view->actions);
    if (action == NULL) {
        return NULL;
    }

    action->name = *name;
    action->counters = NULL;

    if (ngx_array_init(&action->steps, r->pool, 4,
                       sizeof(ngx_http_flowdash_step_view_t))
        != NGX_OK)
    {
        return NULL;
    }

    return action;
}


static ngx_http_flowdash_step_view_t *
ngx_http_flowdash_status_view_step(ngx_http_flowdash_action_view_t *action,
    ngx_str_t *name)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_step_view_t  *step;

    step = action->steps.elts;

    for (i = 0; i < action->steps.nelts; i++) {
        if (ngx_http_flowdash_text_equal(&step[i].name, name)) {
            return &step[i];
        }
    }

    step = ngx_array_push(&action->steps);
    if (step == NULL) {
        return NULL;
    }

    ngx_memzero(step, sizeof(ngx_http_flowdash_step_view_t));

    step->name = *name;

    return step;
}


static ngx_uint_t
ngx_http_flowdash_text_equal(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || ngx_memcmp(a->data, b->data, a->len) == 0);
}


/* a copy: they may be replaced while the page is written */

static ngx_int_t
ngx_http_flowdash_status_view_failures(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view)
{
    ngx_uint_t  i;

    view->nfailures = 0;

    view->failures = ngx_palloc(r->pool, NGX_HTTP_FLOWDASH_METRICS_FAILURES
                                     * sizeof(ngx_http_flowdash_failure_t));
    if (view->failures == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_FAILURES; i++) {
        if (ngx_http_flowdash_metrics_last_failure(view->zone, i,
                                          &view->failures[view->nfailures])
            == NGX_OK)
        {
            view->nfailures++;
        }
    }

    return NGX_OK;
}


static void
ngx_http_flowdash_status_json(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                        i, n;
    ngx_http_flowdash_step_view_t    *step;
    ngx_http_flowdash_action_view_t  *action;

    ngx_http_flowdash_output(out, "{\"now\":%T,\"since\":%T,"
                             "\"entries\":%uA,\"max_entries\":%ui,"
                             "\"uncounted\":%uA,\n\"actions\":[",
                             ngx_time(), view->zone->since, view->zone->used,
                             view->zone->size, view->zone->uncounted);

    action = view->actions.elts;

    for (i = 0; i < view->actions.nelts; i++) {

        ngx_http_flowdash_output(out, "%s\n{\"name\":\"", i ? "," : "");
        ngx_http_flowdash_output_json(out, &action[i].name);
        ngx_http_flowdash_output(out, "\"");

        ngx_http_flowdash_status_json_counters(out, action[i].counters);

        ngx_http_flowdash_output(out, ",\n \"steps\":[");

        step = action[i].steps.elts;

        for (n = 0; n < action[i].steps.nelts; n++) {
            ngx_http_flowdash_output(out, "%s\n ", n ? "," : "");
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
    ngx_http_flowdash_counters_t *counters)
{
    ngx_str_t   *name;
    ngx_uint_t   i, more;

    ngx_http_flowdash_output(out, ",\"started\":%uA,\"succeeded\":%uA,"
                             "\"running\":%uA,\"failed\":{",
                             counters->started, counters->succeeded,
                             counters->running);
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
}


static void
ngx_http_flowdash_status_json_time(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_histogram_t *time)
{
    ngx_uint_t  i;

    ngx_http_flowdash_output(out, ",\"time_ms\":{\"count\":%ui,\"sum\":%uA,"
                             "\"median\":%M,\"p95\":%M,\"buckets\":{",
                             ngx_http_flowdash_status_view_count(time),
                             time->sum,
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
ngx_http_flowdash_status_json_step(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_step_view_t *step)
{
    ngx_uint_t                     i;
    ngx_http_flowdash_counters_t  *counters;

    counters = step->counters;

    ngx_http_flowdash_output(out, "{\"name\":\"");
    ngx_http_flowdash_output_json(out, &step->name);
    ngx_http_flowdash_output(out, "\",\"endpoint\":\"");
    ngx_http_flowdash_output_json(out, &step->endpoint);
    ngx_http_flowdash_output(out, "\",\"optional\":%s",
                             step->optional ? "true" : "false");

    ngx_http_flowdash_status_json_counters(out, counters);

    ngx_http_flowdash_output(out, ",\"calls\":%uA,\"retries\":%uA,"
                             "\"statuses\":{",
                             counters->calls, counters->retries);

    for (i = 1; i < 6; i++) {
        ngx_http_flowdash_output(out, "\"%uixx\":%uA,", i,
                                 counters->statuses[i]);
    }

    ngx_http_flowdash_output(out, "\"none\":%uA},\"sent\":%uA,"
                             "\"received\":%uA,\"opened\":%uA,"
                             "\"reused\":%uA}",
                             counters->statuses[0], counters->sent,
                             counters->received, counters->opened,
                             counters->reused);
}


static void
ngx_http_flowdash_status_json_failure(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_failure_t *failure)
{
    ngx_str_t  action, step, id;

    action.data = failure->action;
    action.len = failure->action_len;

    step.data = failure->step;
    step.len = failure->step_len;

    id.data = failure->id;
    id.len = failure->id_len;

    ngx_http_flowdash_output(out, "{\"time\":%T,\"action\":\"", failure->time);
    ngx_http_flowdash_output_json(out, &action);
    ngx_http_flowdash_output(out, "\",\"step\":\"");
    ngx_http_flowdash_output_json(out, &step);
    ngx_http_flowdash_output(out, "\",\"reason\":\"%V\",\"status\":%ui,"
                             "\"id\":\"%V\"}",
                             ngx_http_flowdash_reason_name(failure->reason),
                             failure->status, &id);
}


static void
ngx_http_flowdash_status_prometheus(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_http_flowdash_metric_t  *metric;

    for (metric = ngx_http_flowdash_metrics; metric->name; metric++) {
        ngx_http_flowdash_status_prometheus_metric(out, view, metric);
    }

    ngx_http_flowdash_status_prometheus_reasons(out, view, 0);
    ngx_http_flowdash_status_prometheus_reasons(out, view, 1);
    ngx_http_flowdash_status_prometheus_classes(out, view);
    ngx_http_flowdash_status_prometheus_times(out, view, 0);
    ngx_http_flowdash_status_prometheus_times(out, view, 1);

    ngx_http_flowdash_output(out,
        "# HELP flowdash_zone_entries Actions and steps that are counted.\n"
        "# TYPE flowdash_zone_entries gauge\n"
        "flowdash_zone_entries %uA\n"
        "# HELP flowdash_zone_entries_max Room for them in flowdash_zone.\n"
        "# TYPE flowdash_zone_entries_max gauge\n"
        "flowdash_zone_entries_max %ui\n"
        "# HELP flowdash_uncounted_total What found no room there.\n"
        "# TYPE flowdash_uncounted_total counter\n"
        "flowdash_uncounted_total %uA\n",
        view->zone->used, view->zone->size, view->zone->uncounted);
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

    ngx_http_flowdash_output(out, "# HELP %s Failures, by their reason.\n"
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
    ngx_http_flowdash_view_t *view)
{
    u_char                         buf[NGX_HTTP_FLOWDASH_LABELS];
    ngx_str_t                      labels;
    ngx_uint_t                     i, n, class;
    ngx_http_flowdash_counters_t  *counters;

    ngx_http_flowdash_output(out,
        "# HELP flowdash_step_answers_total Calls, by the class of the "
        "answer's status.\n"
        "# TYPE flowdash_step_answers_total counter\n");

    i = 0;
    n = 0;
    labels.data = buf;

    while ((counters = ngx_http_flowdash_status_prometheus_next(view, 1, &i,
                                                                &n,
                                                                &labels)))
    {
        for (class = 0; class < 6; class++) {

            if (counters->statuses[class] == 0) {
                continue;
            }

            if (class == 0) {
                ngx_http_flowdash_output(out, "flowdash_step_answers_total"
                                         "{%V,code=\"none\"} %uA\n",
                                         &labels, counters->statuses[0]);
                continue;
            }

            ngx_http_flowdash_output(out, "flowdash_step_answers_total"
                                     "{%V,code=\"%uixx\"} %uA\n",
                                     &labels, class,
                                     counters->statuses[class]);
        }
    }
}


static void
ngx_http_flowdash_status_prometheus_times(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_uint_t steps)
{
    u_char                         buf[NGX_HTTP_FLOWDASH_LABELS];
    ngx_str_t                      labels;
    ngx_uint_t                     i, n;
    const char                    *name;
    ngx_http_flowdash_counters_t  *counters;

    name = steps ? "flowdash_step_duration_seconds"
                 : "flowdash_action_duration_seconds";

    ngx_http_flowdash_output(out, "# HELP %s How long %s.\n"
                             "# TYPE %s histogram\n", name,
                             steps ? "a step takes, with its repeats"
                                   : "all steps of an action take", name);
    i = 0;
    n = 0;
    labels.data = buf;

    while ((counters = ngx_http_flowdash_status_prometheus_next(view, steps,
                                                                &i, &n,
                                                                &labels)))
    {
        ngx_http_flowdash_status_prometheus_histogram(out, name, &labels,
                                                      &counters->time);
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
 * The next action, or the next step of all actions, with its labels, whose
 * memory is the caller's.
 */

static ngx_http_flowdash_counters_t *
ngx_http_flowdash_status_prometheus_next(ngx_http_flowdash_view_t *view,
    ngx_uint_t steps,
    ngx_uint_t *i, ngx_uint_t *n, ngx_str_t *labels)
{
    u_char                           *p;
    ngx_http_flowdash_counters_t     *counters;
    ngx_http_flowdash_step_view_t    *step;
    ngx_http_flowdash_action_view_t  *action;

    action = view->actions.elts;
    step = NULL;

    if (steps) {
        while (*i < view->actions.nelts && *n == action[*i].steps.nelts) {
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
        step = action->steps.elts;
        step += (*n)++;
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
