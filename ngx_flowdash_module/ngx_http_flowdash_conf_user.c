
/*
 * The directives about who the user is: the app is asked, and an action needs
 * somebody.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_task.h>
#include <ngx_http_flowdash_conf_warn.h>
#include <ngx_http_flowdash_conf_user.h>


/* ms; who has logged out is known for as long as this */

#define NGX_HTTP_FLOWDASH_CONF_USER_CACHE  (60 * 60 * 1000)


static char *ngx_http_flowdash_conf_user_cache(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *value,
    ngx_http_flowdash_user_from_t *from);
static size_t ngx_http_flowdash_conf_user_prefix(ngx_str_t *name);


char *
ngx_http_flowdash_conf_user_from(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    char                           *rv;
    ngx_str_t                      *value, pointer;
    ngx_uint_t                      i;
    ngx_http_flowdash_user_from_t  *from;

    if (flcf->user_from != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        flcf->user_from = NULL;
        return NGX_CONF_OK;
    }

    from = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_user_from_t));
    if (from == NULL) {
        return NGX_CONF_ERROR;
    }

    flcf->user_from = from;

    ngx_str_set(&pointer, "");

    rv = ngx_http_flowdash_conf_from(cf, cmd, &value[1], &from->from);

    for (i = 2; rv == NGX_CONF_OK && i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "pointer=", 8) == 0
            && pointer.len == 0)
        {
            pointer.data = value[i].data + 8;
            pointer.len = value[i].len - 8;
            continue;
        }

        if (ngx_strncmp(value[i].data, "cache=", 6) == 0 && !from->cache) {
            rv = ngx_http_flowdash_conf_user_cache(cf, cmd, &value[i], from);
            continue;
        }

        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[i],
                   "\"pointer=\" with a JSON pointer, or \"cache=\" with a "
                   "time, is expected, each once");
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    from->pointer_text = pointer;

    return ngx_http_flowdash_conf_pointer(cf, cmd, &pointer,
                                          &from->from.pointer);
}


static char *
ngx_http_flowdash_conf_user_cache(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, ngx_http_flowdash_user_from_t *from)
{
    ngx_int_t                       ms;
    ngx_str_t                       time;
    ngx_http_flowdash_place_t      *place;
    ngx_http_flowdash_main_conf_t  *fmcf;

    time.data = value->data + 6;
    time.len = value->len - 6;

    ms = ngx_parse_time(&time, 0);

    if (ms == NGX_ERROR || ms == 0 || ms > NGX_HTTP_FLOWDASH_CONF_USER_CACHE)
    {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
                     "a time over 0 and up to 1h is expected, such as "
                     "cache=5s");
    }

    place = ngx_http_flowdash_conf_place(cf);
    if (place == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_flowdash_conf_warn_no_unit(cf, cmd, value, &time, place);

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    if (fmcf->user_cache == NULL) {
        fmcf->user_cache = place;
    }

    from->cache = ms;

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_user_check(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_param_t  *user;

    if (!conf->require_user || conf->user_from) {
        return NGX_CONF_OK;
    }

    user = conf->user->elts;

    for (i = 0; i < conf->user->nelts; i++) {
        if (user[i].name.len == 2
            && ngx_strncmp(user[i].name.data, "id", 2) == 0)
        {
            return NGX_CONF_OK;
        }
    }

    return ngx_http_flowdash_conf_report_refuse(cf, conf,
                conf->step ? conf->places.step : conf->places.action,
                "\"flowdash_require_user\" is on, but nothing tells the "
                "user's id: write \"flowdash_user id ...\" here, or "
                "\"flowdash_user_from\"");
}


ngx_int_t
ngx_http_flowdash_conf_user_init(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf)
{
    size_t                      len;
    ngx_str_t                  *name;
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    if (fmcf->user_cache && fmcf->zone == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"cache=\" of \"flowdash_user_from\" needs "
                      "\"flowdash_zone\", such as \"flowdash_zone "
                      "flowdash:1m\" in the http block, but is used without "
                      "it in %V:%ui",
                      &fmcf->user_cache->file, fmcf->user_cache->line);
        return NGX_ERROR;
    }

    if (ngx_array_init(&fmcf->user_names, cf->pool, 4, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        len = ngx_http_flowdash_conf_user_prefix(&v[i].name);

        if (len == 0) {
            continue;
        }

        name = ngx_array_push(&fmcf->user_names);
        if (name == NULL) {
            return NGX_ERROR;
        }

        name->data = v[i].name.data + len;
        name->len = v[i].name.len - len;

        fmcf->task_variables = 1;
    }

    return NGX_OK;
}


/* returns how long it is in the name of a variable, or 0 */

static size_t
ngx_http_flowdash_conf_user_prefix(ngx_str_t *name)
{
    ngx_str_t  *prefix;

    static ngx_str_t  prefixes[] = {
        ngx_string("flowdash_user_"),
        ngx_string("flowdash_json_user_"),
        ngx_null_string
    };

    for (prefix = prefixes; prefix->len; prefix++) {
        if (name->len > prefix->len
            && ngx_strncmp(name->data, prefix->data, prefix->len) == 0)
        {
            return prefix->len;
        }
    }

    return 0;
}
