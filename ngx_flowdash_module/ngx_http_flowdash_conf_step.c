
/*
 * flowdash_step: the block, the directives that only a step has, and whether
 * an action and its steps fit together.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_block.h>
#include <ngx_http_flowdash_conf_call.h>
#include <ngx_http_flowdash_conf_user.h>
#include <ngx_http_flowdash_conf_endpoint.h>
#include <ngx_http_flowdash_conf_warn.h>
#include <ngx_http_flowdash_conf_step_check.h>
#include <ngx_http_flowdash_conf_step.h>


static ngx_http_flowdash_step_t *ngx_http_flowdash_conf_add_step(
    ngx_conf_t *cf, ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *name);
static char *ngx_http_flowdash_conf_optional_condition(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_step_t *step, ngx_str_t *value);
static char *ngx_http_flowdash_conf_step_block(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static void **ngx_http_flowdash_conf_step_create(ngx_conf_t *cf);
static char *ngx_http_flowdash_conf_add_action(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static char *ngx_http_flowdash_conf_signed(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


char *
ngx_http_flowdash_conf_step(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    char                      *rv;
    ngx_str_t                 *value, name;
    ngx_uint_t                 i;
    ngx_http_flowdash_step_t  *step, **steps;

    value = cf->args->elts;
    name = value[1];

    if (flcf->step) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" in \"%V\": a step cannot be in a "
                           "step; is the \"}\" of \"flowdash_step\" \"%V\" "
                           "missing?", &name, &cmd->name, &flcf->step->name);
        return NGX_CONF_ERROR;
    }

    if (name.len == 0 || ngx_http_flowdash_text_check_utf8(&name)) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &name,
                                     "the name must be UTF-8 and not empty");
    }

    if (ngx_http_flowdash_conf_has_variable(&name)) {
        ngx_http_flowdash_conf_warn(cf, cmd, &name,
                                    "variables in the name of a step are not "
                                    "evaluated; it is shown as it is");
    }

    if (flcf->steps == NGX_CONF_UNSET_PTR) {
        flcf->steps = ngx_array_create(cf->pool, 4,
                                       sizeof(ngx_http_flowdash_step_t *));
        flcf->places.step = ngx_http_flowdash_conf_place(cf);

        if (flcf->steps == NULL || flcf->places.step == NULL) {
            return NGX_CONF_ERROR;
        }

        flcf->own_steps = 1;
    }

    steps = flcf->steps->elts;

    for (i = 0; i < flcf->steps->nelts; i++) {
        if (ngx_http_flowdash_text_equal(&steps[i]->name, &name)) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &name,
                                   "the action already has a step of this "
                                   "name");
        }
    }

    step = ngx_http_flowdash_conf_add_step(cf, flcf, &name);
    if (step == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_flowdash_conf_step_block(cf, step);

    ngx_conf_init_value(step->optional, 0);

    return rv;
}


static ngx_http_flowdash_step_t *
ngx_http_flowdash_conf_add_step(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *name)
{
    ngx_http_flowdash_step_t       *step, **steps;
    ngx_http_flowdash_main_conf_t  *fmcf;

    step = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_step_t));
    steps = ngx_array_push(flcf->steps);

    if (step == NULL || steps == NULL) {
        return NULL;
    }

    *steps = step;
    step->name = *name;
    step->optional = NGX_CONF_UNSET;

    if (flcf->action != NGX_CONF_UNSET_PTR) {
        step->action = flcf->action;
    }

    if (ngx_http_flowdash_id_step(name, step->id) != NGX_OK) {
        return NULL;
    }

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);
    fmcf->steps = 1;

    return step;
}


char *
ngx_http_flowdash_conf_optional(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_flowdash_step_t  *step;

    if (ngx_http_flowdash_conf_step_only(cf, cmd, flcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    step = flcf->step;

    if (step->optional != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_http_flowdash_text_is(&value[1], "on")) {
            step->optional = 1;
            return NGX_CONF_OK;
        }

        if (ngx_http_flowdash_text_is(&value[1], "off")) {
            step->optional = 0;
            return NGX_CONF_OK;
        }
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_flowdash_conf_optional_condition(cf, cmd, step,
                                                      &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    step->optional = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_optional_condition(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_step_t *step, ngx_str_t *value)
{
    ngx_conf_bitmask_t  *condition;

    for (condition = ngx_http_flowdash_retry_conditions;
         condition->name.len;
         condition++)
    {
        if (!ngx_http_flowdash_text_equal(&condition->name, value)) {
            continue;
        }

        if (condition->mask & ~NGX_HTTP_FLOWDASH_RETRY_TOLERABLE) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                         "500 is always a failure, as a client that makes the "
                         "endpoint crash must not get past the step; of the "
                         "others, name \"502\", \"503\" and \"504\"");
        }

        step->tolerates |= condition->mask;

        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "timeout=", 8) == 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                         "\"timeout\" has no time here: "
                         "\"flowdash_timeout\" sets that of the step");
    }

    return ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
                     "\"on\" or \"off\" alone, or some of \"error\", "
                     "\"timeout\", \"429\", \"502\", \"503\" and \"504\" "
                     "are expected");
}


/* reads the block as that of a nameless location */

static char *
ngx_http_flowdash_conf_step_block(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    char                            *rv;
    ngx_conf_t                       save;
    ngx_http_conf_ctx_t             *ctx, *pctx;
    ngx_http_core_loc_conf_t        *clcf, *pclcf;
    ngx_http_flowdash_loc_conf_t    *flcf;
    ngx_http_flowdash_conf_block_t   block;

    pctx = cf->ctx;

    ctx = ngx_palloc(cf->pool, sizeof(ngx_http_conf_ctx_t));
    if (ctx == NULL) {
        return NGX_CONF_ERROR;
    }

    *ctx = *pctx;

    ctx->loc_conf = ngx_http_flowdash_conf_step_create(cf);
    if (ctx->loc_conf == NULL) {
        return NGX_CONF_ERROR;
    }

    step->loc_conf = ctx->loc_conf;

    flcf = ctx->loc_conf[ngx_http_flowdash_module.ctx_index];
    flcf->step = step;

    flcf->places.step = ngx_http_flowdash_conf_place(cf);
    if (flcf->places.step == NULL) {
        return NGX_CONF_ERROR;
    }

    pclcf = pctx->loc_conf[ngx_http_core_module.ctx_index];

    clcf = ctx->loc_conf[ngx_http_core_module.ctx_index];
    clcf->loc_conf = ctx->loc_conf;
    ngx_str_set(&clcf->name, "/");

    ngx_http_flowdash_conf_block_begin(cf, &block);

    save = *cf;
    cf->ctx = ctx;
    cf->cmd_type = NGX_HTTP_LOC_CONF;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        ngx_http_flowdash_conf_step_check_end(cf, step, &block);
        return rv;
    }

    /*
     * The location loses its name only now: nginx refuses a proxy_pass with a
     * URI in a nameless location, but in a step it works.
     */

    clcf->noname = 1;

    if (ngx_http_add_location(cf, &pclcf->locations, clcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_flowdash_conf_step_check(cf, step, &block) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_endpoint(cf, step, &block);
}


/* creates the configurations of a location, as "if" and "limit_except" do */

static void **
ngx_http_flowdash_conf_step_create(ngx_conf_t *cf)
{
    void               *mconf, **loc_conf;
    ngx_uint_t          i;
    ngx_http_module_t  *module;

    loc_conf = ngx_pcalloc(cf->pool, sizeof(void *) * ngx_http_max_module);
    if (loc_conf == NULL) {
        return NULL;
    }

    for (i = 0; cf->cycle->modules[i]; i++) {
        if (cf->cycle->modules[i]->type != NGX_HTTP_MODULE) {
            continue;
        }

        module = cf->cycle->modules[i]->ctx;

        if (module->create_loc_conf) {

            mconf = module->create_loc_conf(cf);
            if (mconf == NULL) {
                return NULL;
            }

            loc_conf[cf->cycle->modules[i]->ctx_index] = mconf;
        }
    }

    return loc_conf;
}


char *
ngx_http_flowdash_conf_step_merged(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    if (conf->step) {

        if (conf->places.step == NULL) {

            /* "if" in a step */

            return NGX_CONF_OK;
        }

        if (ngx_http_flowdash_conf_signed(cf, conf) != NGX_CONF_OK
            || ngx_http_flowdash_conf_user_check(cf, conf) != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        if (conf->url
            && ngx_http_flowdash_conf_call_check(cf, conf) != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        ngx_http_flowdash_conf_warn_step(cf, conf);

        return NGX_CONF_OK;
    }

    if (conf->action && conf->steps == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"flowdash_action\" \"%V\" has no \"flowdash_step\" "
                      "in %V:%ui", &conf->action->value,
                      &conf->places.action->file, conf->places.action->line);
        return NGX_CONF_ERROR;
    }

    if (conf->action
        && ngx_http_flowdash_conf_user_check(cf, conf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (conf->action) {
        ngx_http_flowdash_conf_warn_action(cf, conf);

        return ngx_http_flowdash_conf_add_action(cf, conf);
    }

    if (conf->own_steps) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"flowdash_step\" outside an action: "
                      "\"flowdash_action\" is missing in the location "
                      "in %V:%ui", &conf->places.step->file,
                      conf->places.step->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* for the counters and flowdash_status */

static char *
ngx_http_flowdash_conf_add_action(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_http_flowdash_loc_conf_t   **action;
    ngx_http_flowdash_main_conf_t   *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    action = ngx_array_push(&fmcf->actions);
    if (action == NULL) {
        return NGX_CONF_ERROR;
    }

    *action = conf;

    return NGX_CONF_OK;
}


/* flowdash_set_header must not replace the headers of the signature */

static char *
ngx_http_flowdash_conf_signed(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_param_t  *header;

    if (conf->sign_keys == NULL || conf->headers == NULL) {
        return NGX_CONF_OK;
    }

    header = conf->headers->elts;

    for (i = 0; i < conf->headers->nelts; i++) {

        if (!ngx_http_flowdash_text_is(&header[i].name, "webhook-id")
            && !ngx_http_flowdash_text_is(&header[i].name, "webhook-timestamp")
            && !ngx_http_flowdash_text_is(&header[i].name,
                                          "webhook-signature"))
        {
            continue;
        }

        return ngx_http_flowdash_conf_report_refuse(cf, conf, header[i].place,
                    "\"flowdash_sign_key\" makes the headers webhook-id, "
                    "webhook-timestamp and webhook-signature: "
                    "\"flowdash_set_header\" must not set them; delete "
                    "\"flowdash_set_header\" \"%V\"", &header[i].name);
    }

    return NGX_CONF_OK;
}
