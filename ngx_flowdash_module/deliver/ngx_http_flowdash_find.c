
/*
 * Where in the configuration the calls of a record are, by names: what a file
 * says may be of another configuration, or forged.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_find.h>


static ngx_http_flowdash_step_t *ngx_http_flowdash_find_name(
    ngx_array_t *steps, ngx_str_t *name);


void
ngx_http_flowdash_find_names(ngx_http_flowdash_loc_conf_t *conf,
    ngx_http_flowdash_record_t *record)
{
    record->server = conf->server;
    record->location = conf->location;
}


ngx_http_flowdash_step_t *
ngx_http_flowdash_find(ngx_http_flowdash_main_conf_t *fmcf,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery,
    ngx_uint_t undo)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_step_t       *step;
    ngx_http_flowdash_loc_conf_t  **action;

    action = fmcf->actions.elts;

    for (i = 0; i < fmcf->actions.nelts; i++) {

        if (!action[i]->whole
            || !ngx_http_flowdash_text_equal(&action[i]->server,
                                             &record->server)
            || !ngx_http_flowdash_text_equal(&action[i]->location,
                                             &record->location))
        {
            continue;
        }

        step = ngx_http_flowdash_find_name(undo ? action[i]->steps
                                                : action[i]->afters,
                                           &delivery->name);

        if (step && undo) {
            step = step->undo;
        }

        if (step) {
            return step;
        }
    }

    return NULL;
}


static ngx_http_flowdash_step_t *
ngx_http_flowdash_find_name(ngx_array_t *steps, ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_step_t  **step;

    if (steps == NULL) {
        return NULL;
    }

    step = steps->elts;

    for (i = 0; i < steps->nelts; i++) {
        if (ngx_http_flowdash_text_equal(&step[i]->name, name)) {
            return step[i];
        }
    }

    return NULL;
}
