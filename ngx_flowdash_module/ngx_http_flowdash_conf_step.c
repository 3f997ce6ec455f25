
/*
 * flowdash_step, the directives that only a step has, and whether an action
 * and its steps fit together.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_call.h>
#include <ngx_http_flowdash_conf_user.h>
#include <ngx_http_flowdash_conf_warn.h>
#include <ngx_http_flowdash_conf_step_check.h>
#include <ngx_http_flowdash_conf_step_block.h>
#include <ngx_http_flowdash_conf_whole.h>
#include <ngx_http_flowdash_conf_step.h>


static char *ngx_http_flowdash_conf_optional_condition(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_step_t *step, ngx_str_t *value);
static char *ngx_http_flowdash_conf_signed(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


char *
ngx_http_flowdash_conf_step(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    char                           *rv;
    ngx_str_t                      *value;
    ngx_http_flowdash_step_t       *step;
    ngx_http_flowdash_main_conf_t  *fmcf;

    value = cf->args->elts;

    if (flcf->step) {
        return ngx_http_flowdash_conf_step_misplaced(cf, cmd, flcf->step,
                                              &value[1],
                                              "a step cannot be in a step");
    }

    if (ngx_http_flowdash_conf_step_name(cf, cmd, &value[1]) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (flcf->steps == NGX_CONF_UNSET_PTR) {
        flcf->places.step = ngx_http_flowdash_conf_place(cf);
        if (flcf->places.step == NULL) {
            return NGX_CONF_ERROR;
        }

        flcf->own_steps = 1;
    }

    step = ngx_http_flowdash_conf_step_add(cf, &flcf->steps,
                                           NGX_HTTP_FLOWDASH_KIND_STEP,
                                           &value[1]);
    if (step == NULL) {
        return NGX_CONF_ERROR;
    }

    if (step == NGX_CONF_UNSET_PTR) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                               "the action already has a step of this name");
    }

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);
    fmcf->steps = 1;

    rv = ngx_http_flowdash_conf_step_block(cf, step);

    ngx_conf_init_value(step->optional, 0);

    return rv;
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

    if (step->kind != NGX_HTTP_FLOWDASH_KIND_STEP) {
        return ngx_http_flowdash_conf_step_misplaced(cf, cmd, step, NULL,
                                 "its failure never ends an action: delete "
                                 "the directive");
    }

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
            || ngx_http_flowdash_conf_whole_headers(cf, conf) != NGX_CONF_OK
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

        return ngx_http_flowdash_conf_whole_action(cf, conf);
    }

    if (conf->own_steps) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"flowdash_step\" outside an action: "
                      "\"flowdash_action\" is missing in the location "
                      "in %V:%ui", &conf->places.step->file,
                      conf->places.step->line);
        return NGX_CONF_ERROR;
    }

    if (conf->own_afters) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"flowdash_after\" outside an action: "
                      "\"flowdash_action\" is missing in the location "
                      "in %V:%ui", &conf->places.after->file,
                      conf->places.after->line);
        return NGX_CONF_ERROR;
    }

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
