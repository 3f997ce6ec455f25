
/*
 * The directives about requests: their methods, their media types, and the
 * rules by which they are read.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_conf_request.h>


static char *ngx_http_flowdash_conf_strict_rule(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *value, ngx_uint_t *strict,
    ngx_uint_t remove);


char *
ngx_http_flowdash_conf_methods(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    /* nginx's slot would add up the methods of two directives */

    if (flcf->methods) {
        return "is duplicate";
    }

    return ngx_conf_set_bitmask_slot(cf, cmd, conf);
}


char *
ngx_http_flowdash_conf_types(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t   *value, *type;
    ngx_uint_t   i;

    if (flcf->types != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    flcf->types = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                   sizeof(ngx_str_t));
    if (flcf->types == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_flowdash_body_type(&value[i])
            == NGX_HTTP_FLOWDASH_UNKNOWN)
        {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[i],
                       "a type must be \"application/json\", "
                       "\"text/json\", a type that ends in \"+json\", "
                       "\"application/x-www-form-urlencoded\", "
                       "or \"multipart/form-data\"");
        }

        type = ngx_array_push(flcf->types);
        if (type == NULL) {
            return NGX_CONF_ERROR;
        }

        *type = value[i];
    }

    return NGX_CONF_OK;
}


/* "all" and "none" come first; "-rule" takes one away from "all" */

char *
ngx_http_flowdash_conf_strict(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i, all;

    if (flcf->strict != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    i = 1;

    all = ngx_http_flowdash_text_is(&value[1], "all");
    flcf->strict = NGX_HTTP_FLOWDASH_STRICT_NONE;

    if (all) {
        flcf->strict = NGX_HTTP_FLOWDASH_STRICT_ALL;
        i = 2;

    } else if (ngx_http_flowdash_text_is(&value[1], "none")) {

        if (cf->args->nelts > 2) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[2],
                                         "\"none\" must stand alone");
        }

        i = 2;
    }

    for ( /* void */ ; i < cf->args->nelts; i++) {

        rv = ngx_http_flowdash_conf_strict_rule(cf, cmd, &value[i],
                                                &flcf->strict, all);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_strict_rule(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, ngx_uint_t *strict, ngx_uint_t remove)
{
    ngx_str_t   name;
    ngx_uint_t  rule;

    name = *value;

    if (remove) {

        if (name.len == 0 || name.data[0] != '-') {
            return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                       "after \"all\", a rule must be taken away, "
                       "such as \"-dots\"");
        }

        name.data++;
        name.len--;
    }

    rule = ngx_http_flowdash_strict_rule(&name);

    if (rule == 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                   "a rule is one of json, bom, control, dots, case, php, "
                   "parts, words, query, fields, meaning, raw, type; "
                   "\"all -rule\" is all but one");
    }

    *strict = remove ? *strict & ~rule : *strict | rule;

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_max_fields(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (flcf->max_fields != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    n = ngx_atoi(value[1].data, value[1].len);

    if (n == NGX_ERROR || n == 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                             "a number over 0 is expected");
    }

    flcf->max_fields = n;

    return NGX_CONF_OK;
}
