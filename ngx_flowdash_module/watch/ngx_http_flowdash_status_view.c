
/*
 * What flowdash_status shows: the configured actions with their counters, and
 * the other actions that were counted.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_origin.h>
#include <ngx_http_flowdash_status_delivery.h>


/*
 * A step is slow if one in twenty runs takes longer, in ms: the bound of a
 * bucket, so that it is no estimate.
 */

#define NGX_HTTP_FLOWDASH_VIEW_SLOW  2500


static ngx_int_t ngx_http_flowdash_status_view_table(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view);
static int ngx_libc_cdecl ngx_http_flowdash_status_view_compare(
    const void *one, const void *two);
static void ngx_http_flowdash_status_view_recent(
    ngx_http_flowdash_view_t *view);
static ngx_uint_t ngx_http_flowdash_status_view_steps(
    ngx_http_flowdash_action_view_t *action);
static ngx_uint_t ngx_http_flowdash_status_view_is_degraded(
    ngx_http_flowdash_step_view_t *step);
static void ngx_http_flowdash_status_view_fill(
    ngx_http_flowdash_counters_t **counters,
    ngx_http_flowdash_recent_t *recent);
static ngx_int_t ngx_http_flowdash_status_view_configured(
    ngx_http_request_t *r, ngx_http_flowdash_view_t *view,
    ngx_http_flowdash_loc_conf_t *flcf);
static ngx_int_t ngx_http_flowdash_status_view_add_steps(
    ngx_http_flowdash_action_view_t *action,
    ngx_http_flowdash_loc_conf_t *flcf);
static ngx_int_t ngx_http_flowdash_status_view_counted(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_counters_t *counters);
static ngx_int_t ngx_http_flowdash_status_view_named(ngx_http_request_t *r,
    ngx_http_flowdash_main_conf_t *fmcf, ngx_http_flowdash_view_t *view);
static ngx_http_flowdash_action_view_t *ngx_http_flowdash_status_view_action(
    ngx_http_request_t *r, ngx_http_flowdash_view_t *view, ngx_str_t *name);
static ngx_http_flowdash_step_view_t *ngx_http_flowdash_status_view_step(
    ngx_http_flowdash_action_view_t *action, ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_status_view_failures(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view);


ngx_int_t
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

    ngx_http_flowdash_metrics_sum_running(view->zone);

    view->configured = view->actions.nelts;
    view->sorted = 1;

    if (ngx_http_flowdash_status_view_table(r, view) != NGX_OK
        || ngx_http_flowdash_status_view_named(r, fmcf, view) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_status_view_recent(view);

    return ngx_http_flowdash_status_view_failures(r, view);
}


/* sorted, so that the entries of an action follow each other */

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
        if (ngx_http_flowdash_status_view_counted(r, view, sorted[i])
            != NGX_OK)
        {
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


/* what the last minutes were like */

static void
ngx_http_flowdash_status_view_recent(ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                        i, degraded;
    ngx_http_flowdash_action_view_t  *action;

    view->seconds = ngx_http_flowdash_recent_seconds(view->zone);

    ngx_memzero(view->states, sizeof(view->states));

    action = view->actions.elts;

    for (i = 0; i < view->actions.nelts; i++) {

        ngx_http_flowdash_status_view_fill(&action[i].counters,
                                           &action[i].recent);

        action[i].failing = action[i].recent.now_failed
                            || action[i].recent.now_app_failed;

        degraded = ngx_http_flowdash_status_view_steps(&action[i]);
        degraded |= (action[i].recent.now_app_refused != 0);

        action[i].state = action[i].failing ? NGX_HTTP_FLOWDASH_VIEW_FAILING
                          : degraded ? NGX_HTTP_FLOWDASH_VIEW_DEGRADED
                          : action[i].recent.ended
                            || action[i].counters->running
                            ? NGX_HTTP_FLOWDASH_VIEW_FINE
                          : NGX_HTTP_FLOWDASH_VIEW_IDLE;

        view->states[action[i].state]++;
    }

    view->failing = view->states[NGX_HTTP_FLOWDASH_VIEW_FAILING];
}


/*
 * Returns whether one of them is slow or fails, which may be tolerated.  A
 * step that fails at least half of its runs stops the action.
 */

static ngx_uint_t
ngx_http_flowdash_status_view_steps(ngx_http_flowdash_action_view_t *action)
{
    ngx_uint_t                      i, degraded, failed;
    ngx_http_flowdash_step_view_t  *step;

    degraded = 0;
    step = action->steps.elts;

    action->stop = action->steps.nelts;
    action->refused = (action->recent.now_failed != 0);

    for (i = 0; i < action->steps.nelts; i++) {

        degraded |= ngx_http_flowdash_status_view_is_degraded(&step[i]);

        failed = step[i].recent.now_failed - step[i].recent.now_tolerated;

        step[i].tolerated = (step[i].failing && failed == 0);

        if (failed == 0) {
            continue;
        }

        action->refused = 0;

        if (action->stop == action->steps.nelts
            && failed * 2 >= step[i].recent.now_ended)
        {
            action->stop = i;
        }
    }

    step = action->deliveries.elts;

    for (i = 0; i < action->deliveries.nelts; i++) {
        degraded |= ngx_http_flowdash_status_view_is_degraded(&step[i]);
    }

    return degraded;
}


static ngx_uint_t
ngx_http_flowdash_status_view_is_degraded(ngx_http_flowdash_step_view_t *step)
{
    ngx_http_flowdash_status_view_fill(&step->counters, &step->recent);

    step->failing = (step->recent.now_failed != 0);
    step->slow = ngx_http_flowdash_metrics_quantile(&step->recent.time, 950)
                 > NGX_HTTP_FLOWDASH_VIEW_SLOW;

    return step->failing || step->slow;
}


/* what found no room in the zone has zeros */

static void
ngx_http_flowdash_status_view_fill(ngx_http_flowdash_counters_t **counters,
    ngx_http_flowdash_recent_t *recent)
{
    static ngx_http_flowdash_counters_t  none;

    if (*counters == NULL) {
        *counters = &none;
    }

    ngx_http_flowdash_recent(*counters, recent);
}


static ngx_int_t
ngx_http_flowdash_status_view_configured(ngx_http_request_t *r,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_str_t                         name;
    ngx_http_flowdash_action_view_t  *action;

    name = ngx_http_flowdash_metrics_name(&flcf->action->value);

    action = ngx_http_flowdash_status_view_action(r, view, &name);
    if (action == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_status_view_add_steps(action, flcf);
}


static ngx_int_t
ngx_http_flowdash_status_view_add_steps(
    ngx_http_flowdash_action_view_t *action,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_str_t                        name;
    ngx_uint_t                       i;
    ngx_http_flowdash_step_t       **step;
    ngx_http_flowdash_step_view_t   *step_view;

    step = flcf->steps->elts;

    for (i = 0; i < flcf->steps->nelts; i++) {

        name = ngx_http_flowdash_metrics_name(&step[i]->name);

        step_view = ngx_http_flowdash_status_view_step(action, &name);
        if (step_view == NULL) {
            return NGX_ERROR;
        }

        step_view->optional = step[i]->optional;
        step_view->endpoint = step[i]->endpoint;
    }

    return ngx_http_flowdash_status_delivery_add(action, flcf);
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
 * The table has only the steps that have run, sorted by name.  The order, the
 * other steps and the endpoints come from the configuration.
 */

static ngx_int_t
ngx_http_flowdash_status_view_named(ngx_http_request_t *r,
    ngx_http_flowdash_main_conf_t *fmcf, ngx_http_flowdash_view_t *view)
{
    ngx_uint_t                        i, k, n;
    ngx_http_flowdash_loc_conf_t     *flcf;
    ngx_http_flowdash_step_view_t    *counted, *step;
    ngx_http_flowdash_action_view_t  *action;

    action = view->actions.elts;

    for (i = view->configured; i < view->actions.nelts; i++) {

        flcf = ngx_http_flowdash_status_origin(fmcf, &action[i]);
        if (flcf == NULL) {
            continue;
        }

        counted = action[i].steps.elts;
        n = action[i].steps.nelts;

        if (ngx_array_init(&action[i].steps, r->pool, flcf->steps->nelts,
                           sizeof(ngx_http_flowdash_step_view_t))
            != NGX_OK
            || ngx_http_flowdash_status_view_add_steps(&action[i], flcf)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        for (k = 0; k < n; k++) {

            step = ngx_http_flowdash_status_view_step(&action[i],
                                                      &counted[k].name);
            if (step == NULL) {
                return NGX_ERROR;
            }

            step->counters = counted[k].counters;
        }
    }

    return NGX_OK;
}


/*
 * Finds or creates the action of that name.  Returns NULL on error.  The
 * configured actions come first; the table's follow, sorted by name, so that
 * only the last of these may be the one.
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
        != NGX_OK
        || ngx_array_init(&action->deliveries, r->pool, 1,
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

    step = ngx_http_flowdash_status_delivery_find(action, name);
    if (step) {
        return step;
    }

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


/* copied: they may be overwritten while the page is written */

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


void
ngx_http_flowdash_status_view_texts(ngx_http_flowdash_failure_t *failure,
    ngx_str_t *action, ngx_str_t *step, ngx_str_t *id)
{
    action->data = failure->action;
    action->len = failure->action_len;

    step->data = failure->step;
    step->len = failure->step_len;

    id->data = failure->id;
    id->len = failure->id_len;
}


ngx_str_t *
ngx_http_flowdash_status_view_reason(ngx_http_flowdash_failure_t *failure)
{
    static ngx_str_t  aborted = ngx_string("aborted");
    static ngx_str_t  refused = ngx_string("refused");
    static ngx_str_t  unknown = ngx_string("unknown");

    switch (failure->reason) {

    case NGX_HTTP_FLOWDASH_METRICS_ABORTED:
        return &aborted;

    case NGX_HTTP_FLOWDASH_METRICS_REFUSED:
        return &refused;

    case NGX_HTTP_FLOWDASH_METRICS_UNKNOWN:
        return &unknown;

    default:
        return ngx_http_flowdash_reason_name(failure->reason);
    }
}


const char *
ngx_http_flowdash_status_view_state(ngx_http_flowdash_view_state_e state)
{
    static const char *const  names[] = {
        "failing", "degraded", "fine", "idle"
    };

    return names[state];
}


const char *
ngx_http_flowdash_status_view_station(ngx_http_flowdash_action_view_t *action,
    ngx_uint_t i)
{
    ngx_http_flowdash_step_view_t  *step;

    if (i == action->steps.nelts) {
        return action->recent.now_app_failed ? "bad"
               : action->recent.now_app_refused ? "refused"
               : action->stop < i
                 || action->recent.ended == action->recent.failed
               ? "none" : "";
    }

    step = action->steps.elts;
    step += i;

    return step->failing ? step->tolerated ? "weak" : "bad"
           : step->slow ? "slow"
           : action->stop < i || step->recent.ended == 0 ? "none" : "";
}
