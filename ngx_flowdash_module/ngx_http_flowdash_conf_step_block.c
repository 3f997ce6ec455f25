
/*
 * The blocks of flowdash_step, flowdash_undo and flowdash_after: nameless
 * locations.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_block.h>
#include <ngx_http_flowdash_conf_endpoint.h>
#include <ngx_http_flowdash_conf_step_check.h>
#include <ngx_http_flowdash_conf_step_block.h>


static ngx_int_t ngx_http_flowdash_conf_step_counted(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static void **ngx_http_flowdash_conf_step_create(ngx_conf_t *cf);


/* as in the counters; the first part of "undo NAME" is hashed as well */

static const char  *ngx_http_flowdash_conf_step_kinds[] = {
    NULL, "undo", "after"
};


char *
ngx_http_flowdash_conf_step_misplaced(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_step_t *outer, ngx_str_t *name, const char *reason)
{
    u_char  *p, *last;
    u_char   text[NGX_MAX_CONF_ERRSTR];

    last = text + sizeof(text);

    p = ngx_http_flowdash_conf_report_name(text, last, outer);

    if (name) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" in \"%V\": %s; is the \"}\" of "
                           "%*s missing?",
                           name, &cmd->name, reason, p - text, text);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" in %*s: %s",
                           &cmd->name, p - text, text, reason);
    }

    return NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_step_name(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name)
{
    if (name->len == 0 || ngx_http_flowdash_text_check_utf8(name)) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, name,
                                     "the name must be UTF-8 and not empty");
    }

    if (ngx_http_flowdash_conf_has_variable(name)) {
        ngx_http_flowdash_conf_warn(cf, cmd, name,
                                    "variables in the name of a step are not "
                                    "evaluated; it is shown as it is");
    }

    return NGX_CONF_OK;
}


ngx_http_flowdash_step_t *
ngx_http_flowdash_conf_step_add(ngx_conf_t *cf, ngx_array_t **steps,
    ngx_http_flowdash_kind_e kind, ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_step_t  **step;

    if (*steps == NGX_CONF_UNSET_PTR) {
        *steps = ngx_array_create(cf->pool, 4,
                                  sizeof(ngx_http_flowdash_step_t *));
        if (*steps == NULL) {
            return NULL;
        }
    }

    step = (*steps)->elts;

    for (i = 0; i < (*steps)->nelts; i++) {
        if (ngx_http_flowdash_text_equal(&step[i]->name, name)) {
            return NGX_CONF_UNSET_PTR;
        }
    }

    step = ngx_array_push(*steps);
    if (step == NULL) {
        return NULL;
    }

    *step = ngx_http_flowdash_conf_step_new(cf, kind, name);

    return *step;
}


ngx_http_flowdash_step_t *
ngx_http_flowdash_conf_step_new(ngx_conf_t *cf, ngx_http_flowdash_kind_e kind,
    ngx_str_t *name)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_step_t      *step;
    ngx_http_flowdash_loc_conf_t  *flcf;

    step = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_step_t));
    if (step == NULL) {
        return NULL;
    }

    step->name = *name;
    step->kind = kind;
    step->optional = NGX_CONF_UNSET;

    flcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_flowdash_module);

    if (flcf->step) {

        /* of an undo */

        step->action = flcf->step->action;

    } else if (flcf->action != NGX_CONF_UNSET_PTR) {
        step->action = flcf->action;
    }

    rc = (kind == NGX_HTTP_FLOWDASH_KIND_STEP)
         ? ngx_http_flowdash_id_step(name, step->id)
         : ngx_http_flowdash_id_delivery(
               ngx_http_flowdash_conf_step_kinds[kind], name, step->id);

    if (rc != NGX_OK
        || ngx_http_flowdash_conf_step_counted(cf, step) != NGX_OK)
    {
        return NULL;
    }

    return step;
}


static ngx_int_t
ngx_http_flowdash_conf_step_counted(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    u_char      *p;
    const char  *kind;

    kind = ngx_http_flowdash_conf_step_kinds[step->kind];

    if (kind == NULL) {
        step->counted = step->name;
        return NGX_OK;
    }

    step->counted.len = ngx_strlen(kind) + 1 + step->name.len;

    p = ngx_pnalloc(cf->pool, step->counted.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    step->counted.data = p;

    (void) ngx_sprintf(p, "%s %V", kind, &step->name);

    return NGX_OK;
}


char *
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
