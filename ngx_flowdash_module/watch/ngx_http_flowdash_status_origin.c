
/*
 * Where an action whose name came from variables is configured.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_delivery.h>
#include <ngx_http_flowdash_status_origin.h>


static ngx_uint_t ngx_http_flowdash_status_origin_has_steps(
    ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_flowdash_action_view_t *action);
static ngx_uint_t ngx_http_flowdash_status_origin_same_steps(
    ngx_http_flowdash_loc_conf_t *one, ngx_http_flowdash_loc_conf_t *two);


ngx_http_flowdash_loc_conf_t *
ngx_http_flowdash_status_origin(ngx_http_flowdash_main_conf_t *fmcf,
    ngx_http_flowdash_action_view_t *action)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_loc_conf_t  **conf, *origin;

    origin = NULL;
    conf = fmcf->actions.elts;

    for (i = 0; i < fmcf->actions.nelts; i++) {

        if (conf[i]->action->lengths == NULL
            || !ngx_http_flowdash_status_origin_has_steps(conf[i], action))
        {
            continue;
        }

        if (origin
            && !ngx_http_flowdash_status_origin_same_steps(origin, conf[i]))
        {
            return NULL;
        }

        origin = conf[i];
    }

    return origin;
}


/* an action that has failed before its first step may be any of them */

static ngx_uint_t
ngx_http_flowdash_status_origin_has_steps(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_flowdash_action_view_t *action)
{
    ngx_str_t                        name;
    ngx_uint_t                       i, k;
    ngx_http_flowdash_step_t       **step;
    ngx_http_flowdash_step_view_t   *counted;

    step = flcf->steps->elts;
    counted = action->steps.elts;

    for (i = 0; i < action->steps.nelts; i++) {

        for (k = 0; k < flcf->steps->nelts; k++) {

            name = ngx_http_flowdash_metrics_name(&step[k]->name);

            if (ngx_http_flowdash_text_equal(&name, &counted[i].name)) {
                break;
            }
        }

        if (k == flcf->steps->nelts
            && !ngx_http_flowdash_status_delivery_is(flcf, &counted[i].name))
        {
            return 0;
        }
    }

    return action->steps.nelts != 0;
}


static ngx_uint_t
ngx_http_flowdash_status_origin_same_steps(ngx_http_flowdash_loc_conf_t *one,
    ngx_http_flowdash_loc_conf_t *two)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_step_t  **a, **b;

    if (one->steps->nelts != two->steps->nelts) {
        return 0;
    }

    a = one->steps->elts;
    b = two->steps->elts;

    for (i = 0; i < one->steps->nelts; i++) {

        if (!ngx_http_flowdash_text_equal(&a[i]->name, &b[i]->name)
            || !ngx_http_flowdash_text_equal(&a[i]->endpoint, &b[i]->endpoint)
            || a[i]->optional != b[i]->optional)
        {
            return 0;
        }
    }

    return 1;
}
