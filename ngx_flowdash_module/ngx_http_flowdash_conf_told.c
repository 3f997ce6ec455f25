
/*
 * The directives about which fields of the task a step is told.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf.h>
#include <ngx_http_flowdash_conf_told.h>


char *
ngx_http_flowdash_conf_pass_field(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    if (flcf->pass_fields != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "all") == 0) {
        flcf->pass_fields = NULL;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "none") == 0) {
        flcf->pass_fields = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
        return flcf->pass_fields ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_field_names(cf, cmd, &flcf->pass_fields);
}


char *
ngx_http_flowdash_conf_hide_field(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    if (flcf->hide_fields || flcf->hide_none) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "none") == 0) {
        flcf->hide_none = 1;
        return NGX_CONF_OK;
    }

    return ngx_http_flowdash_conf_field_names(cf, cmd, &flcf->hide_fields);
}


ngx_int_t
ngx_http_flowdash_conf_told_merge(ngx_http_flowdash_loc_conf_t *prev,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_str_t   *name;
    ngx_uint_t   n;

    if (conf->hide_none || prev->hide_fields == NULL) {
        return NGX_OK;
    }

    if (conf->hide_fields == NULL) {
        conf->hide_fields = prev->hide_fields;
        return NGX_OK;
    }

    n = prev->hide_fields->nelts;

    name = ngx_array_push_n(conf->hide_fields, n);
    if (name == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(name, prev->hide_fields->elts, n * sizeof(ngx_str_t));

    return NGX_OK;
}
