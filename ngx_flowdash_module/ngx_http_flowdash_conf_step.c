
/*
 * flowdash_step: the block, the directives that only a step has, and what must
 * hold between an action and its steps.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_headers.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_conf_call.h>
#include <ngx_http_flowdash_conf_step.h>


static char *ngx_http_flowdash_conf_step_block(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static char *ngx_http_flowdash_conf_step_check(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static ngx_uint_t ngx_http_flowdash_conf_rewrites(ngx_conf_t *cf,
    void **loc_conf);
static char *ngx_http_flowdash_conf_add_action(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static char *ngx_http_flowdash_conf_signed(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


char *
ngx_http_flowdash_conf_step(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    char                           *rv;
    ngx_str_t                      *value, name;
    ngx_uint_t                      i;
    ngx_http_flowdash_step_t       *step, **steps;
    ngx_http_flowdash_main_conf_t  *fmcf;

    value = cf->args->elts;
    name = value[1];

    if (flcf->step) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &name,
                                             "a step cannot be in a step");
    }

    if (name.len == 0 || ngx_http_flowdash_text_check_utf8(&name)) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &name,
                                     "the name must be UTF-8 and not empty");
    }

    if (flcf->steps == NGX_CONF_UNSET_PTR) {
        flcf->steps = ngx_array_create(cf->pool, 4,
                                       sizeof(ngx_http_flowdash_step_t *));
        if (flcf->steps == NULL) {
            return NGX_CONF_ERROR;
        }

        flcf->own_steps = 1;
        flcf->file = cf->conf_file->file.name;
        flcf->line = cf->conf_file->line;
    }

    steps = flcf->steps->elts;

    for (i = 0; i < flcf->steps->nelts; i++) {
        if (steps[i]->name.len == name.len
            && ngx_strncmp(steps[i]->name.data, name.data, name.len) == 0)
        {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &name,
                                   "the action has a step of this name");
        }
    }

    step = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_step_t));
    steps = ngx_array_push(flcf->steps);

    if (step == NULL || steps == NULL) {
        return NGX_CONF_ERROR;
    }

    *steps = step;
    step->name = name;
    step->optional = NGX_CONF_UNSET;

    if (ngx_http_flowdash_id_step(&name, step->id) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);
    fmcf->steps = 1;

    rv = ngx_http_flowdash_conf_step_block(cf, step);

    ngx_conf_init_value(step->optional, 0);

    return rv;
}


char *
ngx_http_flowdash_conf_if(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                 *value;
    ngx_http_complex_value_t  *condition;

    value = cf->args->elts;

    if (flcf->step == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is allowed in \"flowdash_step\" only",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (flcf->step->condition) {
        return "is duplicate";
    }

    condition = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (condition == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_flowdash_conf_value(cf, &value[1], condition) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    flcf->step->condition = condition;

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_optional(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_command_t  flag;

    if (flcf->step == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is allowed in \"flowdash_step\" only",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    flag = *cmd;
    flag.offset = offsetof(ngx_http_flowdash_step_t, optional);

    return ngx_conf_set_flag_slot(cf, &flag, flcf->step);
}


/* a nameless location, made as "if" and "limit_except" make theirs */

static char *
ngx_http_flowdash_conf_step_block(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    char                          *rv;
    void                          *mconf;
    ngx_uint_t                     i;
    ngx_conf_t                     save;
    ngx_http_module_t             *module;
    ngx_http_conf_ctx_t           *ctx, *pctx;
    ngx_http_core_loc_conf_t      *clcf, *pclcf;
    ngx_http_flowdash_loc_conf_t  *flcf;

    ctx = ngx_pcalloc(cf->pool, sizeof(ngx_http_conf_ctx_t));
    if (ctx == NULL) {
        return NGX_CONF_ERROR;
    }

    pctx = cf->ctx;
    ctx->main_conf = pctx->main_conf;
    ctx->srv_conf = pctx->srv_conf;

    ctx->loc_conf = ngx_pcalloc(cf->pool,
                                sizeof(void *) * ngx_http_max_module);
    if (ctx->loc_conf == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; cf->cycle->modules[i]; i++) {
        if (cf->cycle->modules[i]->type != NGX_HTTP_MODULE) {
            continue;
        }

        module = cf->cycle->modules[i]->ctx;

        if (module->create_loc_conf) {

            mconf = module->create_loc_conf(cf);
            if (mconf == NULL) {
                return NGX_CONF_ERROR;
            }

            ctx->loc_conf[cf->cycle->modules[i]->ctx_index] = mconf;
        }
    }

    step->loc_conf = ctx->loc_conf;

    flcf = ctx->loc_conf[ngx_http_flowdash_module.ctx_index];
    flcf->step = step;

    pclcf = pctx->loc_conf[ngx_http_core_module.ctx_index];

    clcf = ctx->loc_conf[ngx_http_core_module.ctx_index];
    clcf->loc_conf = ctx->loc_conf;
    ngx_str_set(&clcf->name, "/");

    save = *cf;
    cf->ctx = ctx;
    cf->cmd_type = NGX_HTTP_LOC_CONF;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    /*
     * Nameless only now: proxy_pass with an URI is refused in a nameless
     * location, but in a step it does what it says.
     */

    clcf->noname = 1;

    if (ngx_http_add_location(cf, &pclcf->locations, clcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_step_check(cf, step);
}


static char *
ngx_http_flowdash_conf_step_check(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    const char                    *name;
    ngx_queue_t                   *q;
    ngx_http_core_loc_conf_t      *clcf, *lclcf;
    ngx_http_location_queue_t     *lq;
    ngx_http_flowdash_loc_conf_t  *flcf;

    clcf = step->loc_conf[ngx_http_core_module.ctx_index];
    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (clcf->locations) {
        for (q = ngx_queue_head(clcf->locations);
             q != ngx_queue_sentinel(clcf->locations);
             q = ngx_queue_next(q))
        {
            lq = (ngx_http_location_queue_t *) q;
            lclcf = lq->exact ? lq->exact : lq->inclusive;

            if (!lclcf->noname) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "location \"%V\" in \"flowdash_step\" "
                                   "\"%V\": a step has no locations",
                                   &lclcf->name, &step->name);
                return NGX_CONF_ERROR;
            }
        }
    }

    if (flcf->pointer != NGX_CONF_UNSET_PTR || flcf->methods
        || flcf->deadline != NGX_CONF_UNSET_MSEC
        || flcf->task_from != NGX_CONF_UNSET_PTR
        || flcf->set != NGX_CONF_UNSET_PTR
        || flcf->max_fields_size != NGX_CONF_UNSET_SIZE
        || flcf->decode != NGX_CONF_UNSET
        || flcf->dry_run != NGX_CONF_UNSET_PTR)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"flowdash_task\", \"flowdash_task_from\", "
                           "\"flowdash_set\", \"flowdash_set_json\", "
                           "\"flowdash_methods\", \"flowdash_deadline\", "
                           "\"flowdash_max_fields_size\", "
                           "\"flowdash_decode\" and \"flowdash_dry_run\" "
                           "are for the whole action, not for "
                           "\"flowdash_step\" \"%V\"", &step->name);
        return NGX_CONF_ERROR;
    }

    name = flcf->url ? NULL : ngx_http_flowdash_conf_call_only(flcf);

    if (name) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" in \"flowdash_step\" \"%V\" is for "
                           "\"flowdash_call\" only: this step's content "
                           "handler has directives of its own",
                           name, &step->name);
        return NGX_CONF_ERROR;
    }

    if (flcf->url && clcf->handler != ngx_http_flowdash_call_handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"flowdash_call\" in \"flowdash_step\" \"%V\": "
                           "the step has another content handler as well",
                           &step->name);
        return NGX_CONF_ERROR;
    }

    if (clcf->handler == NULL
        && !ngx_http_flowdash_conf_rewrites(cf, step->loc_conf))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"flowdash_step\" \"%V\" has no content handler, "
                           "such as \"flowdash_call\" or \"proxy_pass\"",
                           &step->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * Whether there is a "return" or a "rewrite", which can answer without a
 * content handler.  The rewrite module's configuration is its own affair;
 * what is relied on here is that it starts with its code, which is made of
 * structs that start with their function.
 */

static ngx_uint_t
ngx_http_flowdash_conf_rewrites(ngx_conf_t *cf, void **loc_conf)
{
    ngx_uint_t                     i, n;
    ngx_array_t                   *codes;
    ngx_module_t                  *module;
    ngx_http_script_code_pt       *code;
#if (NGX_PCRE)
    ngx_http_script_regex_code_t  *regex;
#endif

    module = NULL;

    for (i = 0; cf->cycle->modules[i]; i++) {
        if (ngx_strcmp(cf->cycle->modules[i]->name, "ngx_http_rewrite_module")
            == 0)
        {
            module = cf->cycle->modules[i];
        }
    }

    if (module == NULL) {
        return 0;
    }

    codes = *(ngx_array_t **) loc_conf[module->ctx_index];

    if (codes == NULL) {
        return 0;
    }

    code = codes->elts;
    n = codes->nelts * codes->size / sizeof(ngx_http_script_code_pt);

    for (i = 0; i < n; i++) {

        if (code[i] == ngx_http_script_return_code) {
            return 1;
        }

#if (NGX_PCRE)
        if (code[i] == ngx_http_script_regex_start_code) {

            /* of a "rewrite", unless it is the test of an "if" */

            regex = (ngx_http_script_regex_code_t *) &code[i];

            if (!regex->test) {
                return 1;
            }
        }
#endif
    }

    return 0;
}


char *
ngx_http_flowdash_conf_check(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    if (conf->step) {

        if (ngx_http_flowdash_conf_signed(cf, conf) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        return conf->url ? ngx_http_flowdash_conf_call_check(cf, conf)
                         : NGX_CONF_OK;
    }

    if (conf->action && conf->steps == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"flowdash_action\" \"%V\" has no \"flowdash_step\" "
                      "in %V:%ui", &conf->action->value, &conf->file,
                      conf->line);
        return NGX_CONF_ERROR;
    }

    if (conf->action) {
        return ngx_http_flowdash_conf_add_action(cf, conf);
    }

    if (conf->own_steps) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"flowdash_step\" outside an action: "
                      "\"flowdash_action\" is missing in the location "
                      "in %V:%ui", &conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* for those who show what is configured */

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


/* headers that would take the place of the signature's */

static char *
ngx_http_flowdash_conf_signed(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_str_t  *name;

    static ngx_str_t  names[] = {
        ngx_string("webhook-id"),
        ngx_string("webhook-timestamp"),
        ngx_string("webhook-signature"),
        ngx_null_string
    };

    if (conf->sign_keys == NULL) {
        return NGX_CONF_OK;
    }

    for (name = names; name->len; name++) {
        if (ngx_http_flowdash_headers_is_set(conf, name)) {
            return ngx_http_flowdash_conf_step_refuse(cf, &conf->step->name,
                        "\"flowdash_sign_key\" makes the headers webhook-id, "
                        "webhook-timestamp and webhook-signature: "
                        "\"flowdash_set_header\" must not");
        }
    }

    return NGX_CONF_OK;
}
