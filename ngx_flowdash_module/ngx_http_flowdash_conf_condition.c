
/*
 * The directives whose value is a condition, which is true if the value is
 * neither empty nor "0".
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_step_check.h>
#include <ngx_http_flowdash_conf_condition.h>


static ngx_int_t ngx_http_flowdash_conf_condition_join(ngx_conf_t *cf,
    ngx_str_t *text);
static ngx_uint_t ngx_http_flowdash_conf_condition_compares(ngx_str_t *text);
static ngx_uint_t ngx_http_flowdash_conf_condition_negates(ngx_str_t *text);
static ngx_uint_t ngx_http_flowdash_conf_condition_always(ngx_str_t *text);


char *
ngx_http_flowdash_conf_if(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  text;

    if (ngx_http_flowdash_conf_step_only(cf, cmd, flcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (flcf->step->condition) {
        return "is duplicate";
    }

    if (ngx_http_flowdash_conf_condition_join(cf, &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts > 2 || ngx_http_flowdash_conf_condition_compares(&text)
        || ngx_http_flowdash_conf_condition_negates(&text))
    {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &text,
                     "one value is expected, and the step runs if it is "
                     "neither empty nor \"0\"; to compare values, use a "
                     "\"map\" in the http block, which sets a variable");
    }

    if (ngx_http_flowdash_conf_has_variable(&text)
        && ngx_http_flowdash_conf_condition_always(&text))
    {
        ngx_http_flowdash_conf_warn(cf, cmd, &text,
                     "the step always runs, because this value is never empty "
                     "or \"0\"");
    }

    flcf->step->condition = ngx_http_flowdash_conf_create_value(cf, &text);

    return flcf->step->condition ? NGX_CONF_OK : NGX_CONF_ERROR;
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

    if (ngx_http_flowdash_conf_condition_always(&value[1])) {
        ngx_http_flowdash_conf_warn(cf, cmd, &value[1],
                     "this value is never empty or \"0\", so every action "
                     "here is a dry run; write \"off\" to carry them out");

    } else if (ngx_http_flowdash_conf_condition_clients(&value[1])) {
        ngx_http_flowdash_conf_warn(cf, cmd, &value[1],
                     "any client can enable it, and read what endpoints are "
                     "told; a \"map\" can also require an address or a user");
    }

    flcf->dry_run = ngx_http_flowdash_conf_create_value(cf, &value[1]);

    return flcf->dry_run ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* the arguments, as they are written but for quotes */

static ngx_int_t
ngx_http_flowdash_conf_condition_join(ngx_conf_t *cf, ngx_str_t *text)
{
    u_char      *p;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (cf->args->nelts == 2) {
        *text = value[1];
        return NGX_OK;
    }

    text->len = cf->args->nelts - 2;

    for (i = 1; i < cf->args->nelts; i++) {
        text->len += value[i].len;
    }

    text->data = ngx_pnalloc(cf->pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = text->data;

    for (i = 1; i < cf->args->nelts; i++) {
        if (i > 1) {
            *p++ = ' ';
        }

        p = ngx_cpymem(p, value[i].data, value[i].len);
    }

    return NGX_OK;
}


/* what nginx's "if" would understand */

static ngx_uint_t
ngx_http_flowdash_conf_condition_compares(ngx_str_t *text)
{
    ngx_uint_t   i;

    static const char  *operators[] = {
        " = ", " == ", " != ", " ~ ", " ~* ", " !~ ", " !~* ", NULL
    };

    if (text->len == 0) {
        return 0;
    }

    if (text->data[0] == '(' || text->data[0] == '!') {
        return 1;
    }

    for (i = 0; operators[i]; i++) {
        if (ngx_strnstr(text->data, (char *) operators[i], text->len)) {
            return 1;
        }
    }

    return 0;
}


/* what is meant as "never", but is neither empty nor "0" */

static ngx_uint_t
ngx_http_flowdash_conf_condition_negates(ngx_str_t *text)
{
    return ngx_http_flowdash_text_is(text, "off")
           || ngx_http_flowdash_text_is(text, "no")
           || ngx_http_flowdash_text_is(text, "false");
}


/* whether a value is true whatever its variables are */

static ngx_uint_t
ngx_http_flowdash_conf_condition_always(ngx_str_t *text)
{
    u_char      *p, *last;
    ngx_uint_t   zeros;

    last = text->data + text->len;
    zeros = 0;

    for (p = text->data; p < last; /* void */ ) {

        if (*p == '$') {
            p = ngx_http_flowdash_text_variable_end(p, last);
            continue;
        }

        if (*p++ != '0' || zeros++) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_flowdash_conf_condition_clients(ngx_str_t *text)
{
    u_char      *p, *last, *end;
    ngx_str_t    name;
    ngx_uint_t   i;

    static ngx_str_t  prefixes[] = {
        ngx_string("http_"),
        ngx_string("arg_"),
        ngx_string("cookie_"),
        ngx_string("args"),
        ngx_string("query_string"),
        ngx_null_string
    };

    last = text->data + text->len;

    for (p = text->data; p < last; p = end) {

        if (*p != '$') {
            end = p + 1;
            continue;
        }

        end = ngx_http_flowdash_text_variable_end(p, last);

        name.data = p + 1;

        if (name.data < end && *name.data == '{') {
            name.data++;
        }

        name.len = end - name.data;

        for (i = 0; prefixes[i].len; i++) {
            if (name.len >= prefixes[i].len
                && ngx_strncasecmp(name.data, prefixes[i].data,
                                   prefixes[i].len)
                   == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}
