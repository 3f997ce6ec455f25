
/*
 * The directives that are more than a slot, and all that "nginx -t" can say
 * about them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


static char *ngx_http_flowdash_conf_pointer(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *text, ngx_array_t **pointer);
static ngx_int_t ngx_http_flowdash_conf_pointer_token(ngx_array_t *pointer,
    u_char **start, u_char *last);
static ngx_int_t ngx_http_flowdash_conf_task_from_uri(ngx_conf_t *cf,
    ngx_http_flowdash_task_from_t *from, u_char *p, u_char *last);
static char *ngx_http_flowdash_conf_step_block(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static char *ngx_http_flowdash_conf_step_check(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static ngx_uint_t ngx_http_flowdash_conf_rewrites(ngx_conf_t *cf,
    void **loc_conf);
static char *ngx_http_flowdash_conf_param(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t **params, ngx_uint_t caseless);
static char *ngx_http_flowdash_conf_add_action(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static char *ngx_http_flowdash_conf_signed(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


char *
ngx_http_flowdash_conf_action(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    if (flcf->action != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (flcf->step) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                             "a step cannot be an action");
    }

    flcf->file = cf->conf_file->file.name;
    flcf->line = cf->conf_file->line;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        flcf->action = NULL;
        return NGX_CONF_OK;
    }

    if (value[1].len == 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                           "the name is empty, \"off\" makes it no action");
    }

    if (ngx_http_flowdash_text_check_utf8(&value[1])) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                             "the name must be UTF-8");
    }

    flcf->action = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (flcf->action == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_flowdash_conf_value(cf, &value[1], flcf->action) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_flowdash_conf_value(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t *value)
{
    ngx_http_compile_complex_value_t  ccv;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = value;

    return ngx_http_compile_complex_value(&ccv);
}


/*
 * A string returned as the error would be printed with the name of the last
 * directive parsed, which is another one after a block.
 */

char *
ngx_http_flowdash_conf_refuse(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid \"%V\" in \"%V\": %s",
                       value, &cmd->name, reason);

    return NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_methods(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    /* the slot would add them up */

    if (flcf->methods) {
        return "is duplicate";
    }

    return ngx_conf_set_bitmask_slot(cf, cmd, conf);
}


char *
ngx_http_flowdash_conf_user(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (value[1].len == 0 || ngx_http_flowdash_text_check_utf8(&value[1])) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                              "the field's name must be UTF-8 and not empty");
    }

    return ngx_http_flowdash_conf_param(cf, cmd, &flcf->user, 0);
}


static char *
ngx_http_flowdash_conf_param(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t **params, ngx_uint_t caseless)
{
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_flowdash_param_t  *param;

    value = cf->args->elts;

    if (*params == NGX_CONF_UNSET_PTR) {
        *params = ngx_array_create(cf->pool, 4,
                                   sizeof(ngx_http_flowdash_param_t));
        if (*params == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    param = (*params)->elts;

    for (i = 0; i < (*params)->nelts; i++) {

        if (param[i].name.len != value[1].len) {
            continue;
        }

        if (ngx_strncmp(param[i].name.data, value[1].data, value[1].len) == 0
            || (caseless && ngx_strncasecmp(param[i].name.data, value[1].data,
                                            value[1].len) == 0))
        {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                                 "it is set twice here");
        }
    }

    param = ngx_array_push(*params);
    if (param == NULL) {
        return NGX_CONF_ERROR;
    }

    param->name = value[1];
    param->json = 0;

    if (ngx_http_flowdash_conf_value(cf, &value[2], &param->value) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_task(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    if (flcf->pointer != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    return ngx_http_flowdash_conf_pointer(cf, cmd, &value[1], &flcf->pointer);
}


static char *
ngx_http_flowdash_conf_pointer(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *text, ngx_array_t **pointer)
{
    u_char     *p, *last;
    ngx_int_t   rc;

    *pointer = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
    if (*pointer == NULL) {
        return NGX_CONF_ERROR;
    }

    p = text->data;
    last = p + text->len;

    if (ngx_http_flowdash_text_check_utf8(text)) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, text,
                                             "the pointer must be UTF-8");
    }

    while (p < last) {

        rc = ngx_http_flowdash_conf_pointer_token(*pointer, &p, last);

        if (rc == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }

        if (rc == NGX_DECLINED) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, text,
                       "a JSON pointer is empty or starts with \"/\", "
                       "and \"~\" in it is written \"~0\", \"/\" \"~1\"");
        }
    }

    if ((*pointer)->nelts >= NGX_HTTP_FLOWDASH_JSON_DEPTH) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, text,
                             "the pointer is deeper than any accepted body");
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_flowdash_conf_pointer_token(ngx_array_t *pointer, u_char **start,
    u_char *last)
{
    u_char     *p, *dst;
    ngx_str_t  *token;

    p = *start;

    if (*p++ != '/') {
        return NGX_DECLINED;
    }

    token = ngx_array_push(pointer);
    if (token == NULL) {
        return NGX_ERROR;
    }

    token->data = ngx_pnalloc(pointer->pool, last - p + 1);
    if (token->data == NULL) {
        return NGX_ERROR;
    }

    for (dst = token->data; p < last && *p != '/'; p++) {

        if (*p != '~') {
            *dst++ = *p;
            continue;
        }

        if (++p == last || (*p != '0' && *p != '1')) {
            return NGX_DECLINED;
        }

        *dst++ = (*p == '0') ? '~' : '/';
    }

    token->len = dst - token->data;
    *start = p;

    return NGX_OK;
}


char *
ngx_http_flowdash_conf_task_from(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    u_char                         *p, *args;
    ngx_str_t                      *value, text;
    ngx_http_flowdash_task_from_t  *from;

    if (flcf->task_from != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        flcf->task_from = NULL;
        return NGX_CONF_OK;
    }

    for (p = value[1].data; *p; p++) {
        if (*p <= 0x20 || *p == 0x7f || *p == '#') {
            break;
        }
    }

    args = ngx_strlchr(value[1].data, p, '?');

    if ((value[1].data[0] != '/' && value[1].data[0] != '$') || *p
        || ngx_strstr(value[1].data, "$request_uri")
        || ngx_strstr(value[1].data, "${request_uri}")
        || ngx_strstr(value[1].data, "$is_args")
        || ngx_strstr(value[1].data, "${is_args}")
        || ngx_http_flowdash_url_dot_segment(value[1].data,
                                             args ? args : p))
    {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                   "a path of this server is expected, such as \"$uri\" or "
                   "\"/api/tasks/$id\" without \".\" or \"..\" as a part, "
                   "arguments as \"?a=$b\"");
    }

    from = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_task_from_t));
    if (from == NULL) {
        return NGX_CONF_ERROR;
    }

    flcf->task_from = from;

    if (ngx_http_flowdash_conf_task_from_uri(cf, from, value[1].data, p)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[2].data, "pointer=", 8) != 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[2],
                           "\"pointer=\" and a JSON pointer is expected");
    }

    text.data = value[2].data + 8;
    text.len = value[2].len - 8;

    return ngx_http_flowdash_conf_pointer(cf, cmd, &text, &from->pointer);
}


static ngx_int_t
ngx_http_flowdash_conf_task_from_uri(ngx_conf_t *cf,
    ngx_http_flowdash_task_from_t *from, u_char *p, u_char *last)
{
    u_char  *args;

    if (ngx_array_init(&from->path, cf->pool, 4,
                       sizeof(ngx_http_flowdash_url_part_t))
        != NGX_OK
        || ngx_array_init(&from->args, cf->pool, 4,
                          sizeof(ngx_http_flowdash_url_part_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    args = ngx_strlchr(p, last, '?');

    if (args == NULL) {
        return ngx_http_flowdash_url_parts(cf, &from->path, p, last);
    }

    if (ngx_http_flowdash_url_parts(cf, &from->path, p, args) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_url_parts(cf, &from->args, args + 1, last);
}


char *
ngx_http_flowdash_conf_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    char                       *rv;
    ngx_int_t                   rc;
    ngx_str_t                  *value;
    ngx_array_t                 leaves;
    ngx_http_flowdash_param_t  *param;

    value = cf->args->elts;

    if (value[1].len == 0 || ngx_http_flowdash_text_check_utf8(&value[1])) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                              "the field's name must be UTF-8 and not empty");
    }

    rv = ngx_http_flowdash_conf_param(cf, cmd, &flcf->set, 0);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    param = flcf->set->elts;
    param += flcf->set->nelts - 1;

    param->json = (cmd->name.len == sizeof("flowdash_set_json") - 1);

    if (param->value.lengths) {
        return NGX_CONF_OK;
    }

    if (!param->json) {
        if (ngx_http_flowdash_text_check_utf8(&value[2])) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[2],
                                                 "the value must be UTF-8");
        }

        return NGX_CONF_OK;
    }

    rc = ngx_http_flowdash_json_leaves(&param->value.value, &leaves,
                                       cf->temp_pool);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[2],
                     "a JSON value is expected, such as true, 7 or \"text\" "
                     "with its quotes");
    }

    return (rc == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_dry_run(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    if (flcf->dry_run != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        flcf->dry_run = NULL;
        return NGX_CONF_OK;
    }

    flcf->dry_run = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (flcf->dry_run == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_flowdash_conf_value(cf, &value[1], flcf->dry_run) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


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


char *
ngx_http_flowdash_conf_accept(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t   *value, *field;
    ngx_uint_t   i;

    if (flcf->accept != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "all") == 0) {
        flcf->accept = NULL;
        return NGX_CONF_OK;
    }

    flcf->accept = ngx_array_create(cf->pool, cf->args->nelts,
                                    sizeof(ngx_str_t));
    if (flcf->accept == NULL) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "none") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "all") == 0
            || ngx_strcmp(value[i].data, "none") == 0)
        {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[i],
                                     "it stands alone, without any field");
        }

        if (value[i].len == 0
            || ngx_http_flowdash_text_check_utf8(&value[i]))
        {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[i],
                              "the field's name must be UTF-8 and not empty");
        }

        field = ngx_array_push(flcf->accept);
        if (field == NULL) {
            return NGX_CONF_ERROR;
        }

        *field = value[i];
    }

    return NGX_CONF_OK;
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
ngx_http_flowdash_conf_set_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    u_char      c;
    size_t      i;
    ngx_str_t  *value, *name;

    static ngx_str_t  own[] = {
        ngx_string("connection"),
        ngx_string("content-length"),
        ngx_string("expect"),
        ngx_string("keep-alive"),
        ngx_string("proxy-connection"),
        ngx_string("te"),
        ngx_string("trailer"),
        ngx_string("transfer-encoding"),
        ngx_string("upgrade"),
        ngx_null_string
    };

    value = cf->args->elts;

    for (i = 0; i < value[1].len; i++) {
        c = value[1].data[i];

        if (c <= 0x20 || c >= 0x7f
            || ngx_strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
        {
            break;
        }
    }

    if (i == 0 || i < value[1].len) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                             "not the name of a header");
    }

    for (name = own; name->len; name++) {
        if (name->len == value[1].len
            && ngx_strncasecmp(name->data, value[1].data, name->len) == 0)
        {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                "this header belongs to the connection");
        }
    }

    return ngx_http_flowdash_conf_param(cf, cmd, &flcf->headers, 1);
}


char *
ngx_http_flowdash_conf_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_int_t    ms;
    ngx_str_t   *value;
    ngx_msec_t  *msp;

    msp = (ngx_msec_t *) (p + cmd->offset);

    if (*msp != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ms = ngx_parse_time(&value[1], 0);

    if (ms == NGX_ERROR || ms == 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                     "a time over 0 is expected, such as 500ms, 5s or 1m");
    }

    *msp = ms;

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    size_t     *sp;
    ssize_t     size;
    ngx_str_t  *value;

    sp = (size_t *) (p + cmd->offset);

    if (*sp != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size == 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                            "a size over 0 is expected, such as 64k or 1m");
    }

    *sp = size;

    return NGX_CONF_OK;
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
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"flowdash_step\" \"%V\": \"flowdash_sign_key\" "
                          "makes the headers webhook-id, webhook-timestamp "
                          "and webhook-signature: \"flowdash_set_header\" "
                          "must not", &conf->step->name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
