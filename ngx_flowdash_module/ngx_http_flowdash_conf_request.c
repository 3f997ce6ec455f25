
/*
 * The directives about requests: their methods, the guard, their media types,
 * and the rules by which they are read.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_conf_request.h>


static ngx_uint_t ngx_http_flowdash_conf_is_method(ngx_str_t *name);
static char *ngx_http_flowdash_conf_strict_rule(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *value, ngx_uint_t *strict,
    ngx_uint_t remove);


char *
ngx_http_flowdash_conf_methods(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t   *value, *method;
    ngx_uint_t   i;

    if (flcf->methods != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "all") == 0) {
        flcf->methods = NULL;
        return NGX_CONF_OK;
    }

    flcf->methods = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                     sizeof(ngx_str_t));
    if (flcf->methods == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (!ngx_http_flowdash_conf_is_method(&value[i])) {
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[i],
                       "a method is 1 to 32 of the characters A-Z, \"-\" "
                       "and \"_\"; \"all\" must stand alone");
        }

        method = ngx_array_push(flcf->methods);
        if (method == NULL) {
            return NGX_CONF_ERROR;
        }

        *method = value[i];
    }

    return NGX_CONF_OK;
}


/* nginx answers requests with other characters in the method by itself */

static ngx_uint_t
ngx_http_flowdash_conf_is_method(ngx_str_t *name)
{
    u_char      c;
    ngx_uint_t  i;

    if (name->len == 0 || name->len > NGX_HTTP_FLOWDASH_METHOD_MAX) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c < 'A' || c > 'Z') && c != '-' && c != '_') {
            return 0;
        }
    }

    return 1;
}


char *
ngx_http_flowdash_conf_guard(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    char                           *rv;
    ngx_http_flowdash_main_conf_t  *fmcf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv == NGX_CONF_OK && flcf->guard) {
        fmcf = ngx_http_conf_get_module_main_conf(cf,
                                                  ngx_http_flowdash_module);
        fmcf->guard = 1;
    }

    return rv;
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
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[i],
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
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[2],
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
    ngx_str_t    name;
    ngx_uint_t   rule;
    const char  *choice;

    name = *value;

    if (remove) {

        if (name.len == 0 || name.data[0] != '-') {
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
                       "after \"all\", a rule to leave out is expected, such "
                       "as \"-dots\"");
        }

        name.data++;
        name.len--;
    }

    rule = ngx_http_flowdash_strict_rule(&name);

    if (rule == 0) {
        choice = ngx_http_flowdash_strict_choice(cf->pool);

        return choice ? ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
                                                              choice)
                      : NGX_CONF_ERROR;
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
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                                             "a number over 0 is expected");
    }

    flcf->max_fields = n;

    return NGX_CONF_OK;
}
