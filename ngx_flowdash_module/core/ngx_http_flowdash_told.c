
/*
 * Which fields of the task the endpoint of a step is told: flowdash_pass_field
 * and flowdash_hide_field.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_fold.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_told.h>


static ngx_uint_t ngx_http_flowdash_told_passes(
    ngx_http_flowdash_loc_conf_t *conf, ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_told_to_one(
    ngx_http_flowdash_loc_conf_t *conf, ngx_str_t *name);


/*
 * A name in another case is hidden, too, and so are the parts of a value such
 * as due_date(1i): an app may take them for the field.
 */

ngx_uint_t
ngx_http_flowdash_told_hides(ngx_http_flowdash_loc_conf_t *conf,
    ngx_str_t *name)
{
    ngx_str_t   *hidden, attribute;
    ngx_uint_t   i;

    if (conf->hide_fields == NULL) {
        return 0;
    }

    attribute.data = name->data;
    attribute.len = ngx_http_flowdash_text_multiparameter(name);

    hidden = conf->hide_fields->elts;

    for (i = 0; i < conf->hide_fields->nelts; i++) {

        if (ngx_http_flowdash_fold_compare(&hidden[i], name) == 0
            || (attribute.len
                && ngx_http_flowdash_fold_compare(&hidden[i], &attribute)
                   == 0))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_told_passes(ngx_http_flowdash_loc_conf_t *conf,
    ngx_str_t *name)
{
    ngx_str_t   *passed;
    ngx_uint_t   i;

    if (conf->pass_fields == NULL) {
        return 1;
    }

    passed = conf->pass_fields->elts;

    for (i = 0; i < conf->pass_fields->nelts; i++) {
        if (ngx_http_flowdash_text_equal(&passed[i], name)) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_flowdash_told(ngx_http_flowdash_loc_conf_t *conf, ngx_str_t *name)
{
    return conf == NULL
           || (ngx_http_flowdash_told_passes(conf, name)
               && !ngx_http_flowdash_told_hides(conf, name));
}


void
ngx_http_flowdash_told_mark(ngx_http_flowdash_loc_conf_t *conf,
    ngx_http_flowdash_task_t *task)
{
    ngx_str_t   name;
    ngx_uint_t  i;

    if (conf == NULL
        || (conf->pass_fields == NULL && conf->hide_fields == NULL))
    {
        ngx_http_flowdash_field_unmark(&task->index);
        return;
    }

    for (i = 0; i < task->index.used; i++) {

        ngx_http_flowdash_field_name(&task->index, i, &name);

        ngx_http_flowdash_field_mark(&task->index, i,
                                     !ngx_http_flowdash_told(conf, &name));
    }
}


void
ngx_http_flowdash_told_mark_all(ngx_http_flowdash_loc_conf_t *conf,
    ngx_http_flowdash_task_t *task)
{
    ngx_str_t   name;
    ngx_uint_t  i;

    for (i = 0; i < task->index.used; i++) {

        ngx_http_flowdash_field_name(&task->index, i, &name);

        ngx_http_flowdash_field_mark(&task->index, i,
                                  !ngx_http_flowdash_told_to_one(conf, &name));
    }
}


/* whether a step is told of the field, and no step hides it */

static ngx_uint_t
ngx_http_flowdash_told_to_one(ngx_http_flowdash_loc_conf_t *conf,
    ngx_str_t *name)
{
    ngx_uint_t                     i, told;
    ngx_http_flowdash_step_t     **step;
    ngx_http_flowdash_loc_conf_t  *flcf;

    told = 0;
    step = conf->steps->elts;

    for (i = 0; i < conf->steps->nelts; i++) {

        flcf = step[i]->loc_conf[ngx_http_flowdash_module.ctx_index];

        if (ngx_http_flowdash_told_hides(flcf, name)) {
            return 0;
        }

        told |= ngx_http_flowdash_told_passes(flcf, name);
    }

    return told;
}


/*
 * The variables of a step's own directives, such as proxy_set_header, are
 * those of its subrequest, or of one that it has made.  The module's context
 * of a subrequest does not tell: a redirect clears it, and in a subrequest of
 * another module it is no exchange.
 */

ngx_http_flowdash_loc_conf_t *
ngx_http_flowdash_told_conf(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_exchange_t  **ex;

    if (ctx->evaluation) {
        return ctx->evaluation->conf;
    }

    ex = ctx->exchanges.elts;

    for ( /* void */ ; r != r->main; r = r->parent) {

        for (i = 0; i < ctx->exchanges.nelts; i++) {
            if (ex[i]->request == r) {
                return ngx_http_flowdash_exchange_conf(ex[i]);
            }
        }
    }

    return NULL;
}
