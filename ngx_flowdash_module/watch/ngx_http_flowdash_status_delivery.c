
/*
 * What is shown of undos and after-steps: they are counted like steps, but do
 * not stop an action.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_delivery.h>


static ngx_int_t ngx_http_flowdash_status_delivery_push(
    ngx_http_flowdash_action_view_t *action,
    ngx_http_flowdash_step_t *delivery, ngx_uint_t i);
static ngx_uint_t ngx_http_flowdash_status_delivery_step(
    ngx_http_flowdash_action_view_t *action, ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_status_delivery_counts(
    ngx_http_flowdash_step_t *delivery, ngx_str_t *name);


ngx_int_t
ngx_http_flowdash_status_delivery_add(ngx_http_flowdash_action_view_t *action,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_uint_t                  i, k;
    ngx_http_flowdash_step_t  **step;

    step = flcf->steps->elts;

    for (i = 0; i < flcf->steps->nelts; i++) {

        if (step[i]->undo == NULL) {
            continue;
        }

        k = ngx_http_flowdash_status_delivery_step(action, &step[i]->name);

        if (ngx_http_flowdash_status_delivery_push(action, step[i]->undo, k)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (flcf->afters == NULL) {
        return NGX_OK;
    }

    step = flcf->afters->elts;

    for (i = 0; i < flcf->afters->nelts; i++) {
        if (ngx_http_flowdash_status_delivery_push(action, step[i], 0)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_status_delivery_push(ngx_http_flowdash_action_view_t *action,
    ngx_http_flowdash_step_t *delivery, ngx_uint_t i)
{
    ngx_str_t                       name;
    ngx_http_flowdash_step_view_t  *view;

    name = ngx_http_flowdash_metrics_name(&delivery->counted);

    if (ngx_http_flowdash_status_delivery_find(action, &name)) {

        /* several locations may have an action of this name */

        return NGX_OK;
    }

    view = ngx_array_push(&action->deliveries);
    if (view == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(view, sizeof(ngx_http_flowdash_step_view_t));

    view->name = name;
    view->endpoint = delivery->endpoint;
    view->kind = delivery->kind;
    view->undoes = i;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_status_delivery_step(ngx_http_flowdash_action_view_t *action,
    ngx_str_t *name)
{
    ngx_str_t                       cut;
    ngx_uint_t                      i;
    ngx_http_flowdash_step_view_t  *step;

    cut = ngx_http_flowdash_metrics_name(name);
    step = action->steps.elts;

    for (i = 0; i < action->steps.nelts; i++) {
        if (ngx_http_flowdash_text_equal(&step[i].name, &cut)) {
            break;
        }
    }

    return i;
}


ngx_http_flowdash_step_view_t *
ngx_http_flowdash_status_delivery_find(ngx_http_flowdash_action_view_t *action,
    ngx_str_t *name)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_step_view_t  *delivery;

    delivery = action->deliveries.elts;

    for (i = 0; i < action->deliveries.nelts; i++) {
        if (ngx_http_flowdash_text_equal(&delivery[i].name, name)) {
            return &delivery[i];
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_flowdash_status_delivery_is(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_step_t  **step;

    step = flcf->steps->elts;

    for (i = 0; i < flcf->steps->nelts; i++) {
        if (ngx_http_flowdash_status_delivery_counts(step[i]->undo, name)) {
            return 1;
        }
    }

    if (flcf->afters == NULL) {
        return 0;
    }

    step = flcf->afters->elts;

    for (i = 0; i < flcf->afters->nelts; i++) {
        if (ngx_http_flowdash_status_delivery_counts(step[i], name)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_status_delivery_counts(ngx_http_flowdash_step_t *delivery,
    ngx_str_t *name)
{
    ngx_str_t  counted;

    if (delivery == NULL) {
        return 0;
    }

    counted = ngx_http_flowdash_metrics_name(&delivery->counted);

    return ngx_http_flowdash_text_equal(&counted, name);
}


ngx_http_flowdash_step_view_t *
ngx_http_flowdash_status_delivery_undo(ngx_http_flowdash_action_view_t *action,
    ngx_uint_t i)
{
    ngx_uint_t                      n;
    ngx_http_flowdash_step_view_t  *delivery;

    delivery = action->deliveries.elts;

    for (n = 0; n < action->deliveries.nelts; n++) {
        if (delivery[n].kind == NGX_HTTP_FLOWDASH_KIND_UNDO
            && delivery[n].undoes == i)
        {
            return &delivery[n];
        }
    }

    return NULL;
}


const char *
ngx_http_flowdash_status_delivery_state(
    ngx_http_flowdash_step_view_t *delivery)
{
    return delivery->failing ? "bad"
           : delivery->slow ? "slow"
           : delivery->recent.ended ? "" : "none";
}
