
/*
 * Checks a flowdash_step as soon as its block has been read.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_compat.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_conf_step_check.h>


/* a directive whose value in the configuration is as wide as a pointer */

typedef struct {
    const char                     *name;
    size_t                          offset;
    intptr_t                        unset;     /* as long as it is not given */
} ngx_http_flowdash_directive_t;


static char *ngx_http_flowdash_conf_step_check_locations(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static char *ngx_http_flowdash_conf_step_check_directives(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static ngx_http_flowdash_directive_t *ngx_http_flowdash_conf_step_check_find(
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_flowdash_directive_t *d);
static char *ngx_http_flowdash_conf_step_check_handler(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static ngx_uint_t ngx_http_flowdash_conf_step_check_rewrites(ngx_conf_t *cf,
    void **loc_conf);


/* directives that are for the whole action, not for a step */

static ngx_http_flowdash_directive_t  ngx_http_flowdash_action_directives[] = {

    { "flowdash_task",
      offsetof(ngx_http_flowdash_loc_conf_t, pointer), NGX_CONF_UNSET },

    { "flowdash_task_from",
      offsetof(ngx_http_flowdash_loc_conf_t, task_from), NGX_CONF_UNSET },

    { "flowdash_set",
      offsetof(ngx_http_flowdash_loc_conf_t, set), NGX_CONF_UNSET },

    { "flowdash_set_json",
      offsetof(ngx_http_flowdash_loc_conf_t, set), NGX_CONF_UNSET },

    { "flowdash_methods",
      offsetof(ngx_http_flowdash_loc_conf_t, methods), NGX_CONF_UNSET },

    { "flowdash_guard",
      offsetof(ngx_http_flowdash_loc_conf_t, guard), NGX_CONF_UNSET },

    { "flowdash_types",
      offsetof(ngx_http_flowdash_loc_conf_t, types), NGX_CONF_UNSET },

    { "flowdash_strict",
      offsetof(ngx_http_flowdash_loc_conf_t, strict), NGX_CONF_UNSET },

    { "flowdash_languages",
      offsetof(ngx_http_flowdash_loc_conf_t, languages), NGX_CONF_UNSET },

    { "flowdash_deadline",
      offsetof(ngx_http_flowdash_loc_conf_t, deadline), NGX_CONF_UNSET },

    { "flowdash_max_fields_size",
      offsetof(ngx_http_flowdash_loc_conf_t, max_fields_size),
      NGX_CONF_UNSET },

    { "flowdash_max_fields",
      offsetof(ngx_http_flowdash_loc_conf_t, max_fields), NGX_CONF_UNSET },

    { "flowdash_decode",
      offsetof(ngx_http_flowdash_loc_conf_t, decode), NGX_CONF_UNSET },

    { "flowdash_dry_run",
      offsetof(ngx_http_flowdash_loc_conf_t, dry_run), NGX_CONF_UNSET },

    { NULL, 0, 0 }
};


/* directives that mean nothing without flowdash_call */

static ngx_http_flowdash_directive_t  ngx_http_flowdash_call_directives[] = {

    { "flowdash_retry",
      offsetof(ngx_http_flowdash_loc_conf_t, retry), NGX_CONF_UNSET },

    { "flowdash_resend",
      offsetof(ngx_http_flowdash_loc_conf_t, resend), NGX_CONF_UNSET },

    { "flowdash_allow\" and \"flowdash_deny",
      offsetof(ngx_http_flowdash_loc_conf_t, rules), NGX_CONF_UNSET },

    { "flowdash_proxy",
      offsetof(ngx_http_flowdash_loc_conf_t, proxy), NGX_CONF_UNSET },

    { "flowdash_http_version",
      offsetof(ngx_http_flowdash_loc_conf_t, http_version), NGX_CONF_UNSET },

    { "flowdash_connect_timeout",
      offsetof(ngx_http_flowdash_loc_conf_t, connect_timeout),
      NGX_CONF_UNSET },

    { "flowdash_ssl_...",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_verify), NGX_CONF_UNSET },

    { "flowdash_ssl_...",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_protocols), 0 },

    { "flowdash_ssl_...",
      offsetof(ngx_http_flowdash_loc_conf_t,
               ssl_trusted_certificate.name.data), 0 },

    { "flowdash_ssl_...",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_certificate.name.data), 0 },

    { "flowdash_ssl_...",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_certificate_key.name.data),
      0 },

    { "flowdash_ssl_...",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_pinned_key.data), 0 },

    { NULL, 0, 0 }
};


char *
ngx_http_flowdash_conf_step_only(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    if (flcf->step) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" is allowed in \"flowdash_step\" only",
                       &cmd->name);

    return NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_step_check(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    char  *rv;

    rv = ngx_http_flowdash_conf_step_check_locations(cf, step);

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_flowdash_conf_step_check_directives(cf, step);
    }

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_flowdash_conf_step_check_handler(cf, step);
    }

    return rv;
}


static char *
ngx_http_flowdash_conf_step_check_locations(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    ngx_queue_t                *q;
    ngx_http_core_loc_conf_t   *clcf, *lclcf;
    ngx_http_location_queue_t  *lq;

    clcf = step->loc_conf[ngx_http_core_module.ctx_index];

    if (clcf->locations == NULL) {
        return NGX_CONF_OK;
    }

    for (q = ngx_queue_head(clcf->locations);
         q != ngx_queue_sentinel(clcf->locations);
         q = ngx_queue_next(q))
    {
        lq = (ngx_http_location_queue_t *) q;
        lclcf = ngx_http_flowdash_compat_location(lq);

        /* "if" makes locations without a name */

        if (!lclcf->noname) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "location \"%V\" in \"flowdash_step\" "
                               "\"%V\": a step has no locations",
                               &lclcf->name, &step->name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_step_check_directives(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    u_char                         *p, *last;
    u_char                          names[NGX_MAX_CONF_ERRSTR];
    ngx_http_flowdash_loc_conf_t   *flcf;
    ngx_http_flowdash_directive_t  *set, *d;

    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];

    set = ngx_http_flowdash_conf_step_check_find(flcf,
                                         ngx_http_flowdash_action_directives);
    if (set) {
        last = names + sizeof(names);
        p = names;

        for (d = ngx_http_flowdash_action_directives; d->name; d++) {
            p = ngx_slprintf(p, last, "%s\"%s\"",
                             p == names ? "" : d[1].name ? ", " : " and ",
                             d->name);
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%*s are for the whole action, not for "
                           "\"flowdash_step\" \"%V\"",
                           p - names, names, &step->name);
        return NGX_CONF_ERROR;
    }

    if (flcf->url) {
        return NGX_CONF_OK;
    }

    set = ngx_http_flowdash_conf_step_check_find(flcf,
                                         ngx_http_flowdash_call_directives);
    if (set) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" in \"flowdash_step\" \"%V\" is for "
                           "\"flowdash_call\" only: this step's content "
                           "handler has directives of its own",
                           set->name, &step->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* returns the first directive of a table that the step has, or NULL */

static ngx_http_flowdash_directive_t *
ngx_http_flowdash_conf_step_check_find(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_flowdash_directive_t *d)
{
    intptr_t  value;

    for ( /* void */ ; d->name; d++) {

        ngx_memcpy(&value, (u_char *) flcf + d->offset, sizeof(intptr_t));

        if (value != d->unset) {
            return d;
        }
    }

    return NULL;
}


static char *
ngx_http_flowdash_conf_step_check_handler(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_flowdash_loc_conf_t  *flcf;

    clcf = step->loc_conf[ngx_http_core_module.ctx_index];
    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->url && clcf->handler != ngx_http_flowdash_call_handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"flowdash_call\" in \"flowdash_step\" \"%V\": "
                           "the step has another content handler as well",
                           &step->name);
        return NGX_CONF_ERROR;
    }

    if (clcf->handler == NULL
        && !ngx_http_flowdash_conf_step_check_rewrites(cf, step->loc_conf))
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
 * content handler.  The configuration of the rewrite module is private to it.
 * What is relied on here: it starts with its codes, which are structs that
 * start with their function.
 */

static ngx_uint_t
ngx_http_flowdash_conf_step_check_rewrites(ngx_conf_t *cf, void **loc_conf)
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

            /* a "rewrite", unless it is the test of an "if" */

            regex = (ngx_http_script_regex_code_t *) &code[i];

            if (!regex->test) {
                return 1;
            }
        }
#endif
    }

    return 0;
}
