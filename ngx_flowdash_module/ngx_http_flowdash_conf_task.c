
/*
 * The directives about the task: where it is, where it is stored, and which
 * fields are set.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_leaves.h>
#include <ngx_http_flowdash_pointer.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_url_text.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_http_flowdash_conf.h>
#include <ngx_http_flowdash_conf_task.h>


static ngx_int_t ngx_http_flowdash_conf_from_parts(ngx_conf_t *cf,
    ngx_http_flowdash_from_t *from, u_char *p, u_char *last);


char *
ngx_http_flowdash_conf_task(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    if (flcf->pointer != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 3) {

        if (ngx_strcmp(value[2].data, "required") != 0) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[2],
                                                 "\"required\" is expected");
        }

        flcf->task_required = 1;
    }

    flcf->pointer_text = value[1];

    return ngx_http_flowdash_conf_pointer(cf, cmd, &value[1], &flcf->pointer);
}


char *
ngx_http_flowdash_conf_pointer(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *text, ngx_array_t **pointer)
{
    u_char     *p, *last;
    ngx_int_t   rc;
    ngx_str_t  *token;

    *pointer = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
    if (*pointer == NULL) {
        return NGX_CONF_ERROR;
    }

    p = text->data;
    last = p + text->len;

    if (ngx_http_flowdash_text_check_utf8(text)) {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, text,
                                             "the pointer must be UTF-8");
    }

    while (p < last) {

        token = ngx_array_push(*pointer);
        if (token == NULL) {
            return NGX_CONF_ERROR;
        }

        rc = ngx_http_flowdash_pointer_token(&p, last, token, cf->pool);

        if (rc == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }

        if (rc == NGX_DECLINED) {
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, text,
                       "a JSON pointer is empty or starts with \"/\"; in a "
                       "name, write \"~0\" for \"~\" and \"~1\" for \"/\"");
        }
    }

    if ((*pointer)->nelts >= NGX_HTTP_FLOWDASH_JSON_DEPTH) {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, text,
                             "the pointer is deeper than any accepted body");
    }

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_selectors(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *text, ngx_array_t **pointer)
{
    ngx_int_t    rc;
    const char  *error;

    *pointer = ngx_palloc(cf->pool, sizeof(ngx_array_t));
    if (*pointer == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = ngx_http_flowdash_pointer_read(text, *pointer, &error, cf->pool);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, text, error);
    }

    return (rc == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_task_from(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                 *value, text;
    ngx_http_flowdash_from_t  *from;

    if (flcf->task_from != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        flcf->task_from = NULL;
        return NGX_CONF_OK;
    }

    from = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_from_t));
    if (from == NULL) {
        return NGX_CONF_ERROR;
    }

    flcf->task_from = from;

    if (ngx_http_flowdash_conf_from(cf, cmd, &value[1], from)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[2].data, "pointer=", 8) != 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[2],
                           "\"pointer=\" with a JSON pointer is expected");
    }

    text.data = value[2].data + 8;
    text.len = value[2].len - 8;

    return ngx_http_flowdash_conf_pointer(cf, cmd, &text, &from->pointer);
}


char *
ngx_http_flowdash_conf_from(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, ngx_http_flowdash_from_t *from)
{
    u_char  *p, *args;

    for (p = value->data; *p; p++) {
        if (*p <= 0x20 || *p == 0x7f || *p == '#') {
            break;
        }
    }

    args = ngx_strlchr(value->data, p, '?');

    if ((value->data[0] != '/' && value->data[0] != '$') || *p
        || ngx_strstr(value->data, "$request_uri")
        || ngx_strstr(value->data, "${request_uri}")
        || ngx_strstr(value->data, "$is_args")
        || ngx_strstr(value->data, "${is_args}")
        || ngx_http_flowdash_url_text_dot_segment(value->data,
                                                  args ? args : p))
    {
        if (ngx_strcmp(cmd->name.data, "flowdash_user_from") == 0) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                   "a path of this server is expected, such as "
                   "\"/users/me\", in which no part is \".\" or \"..\"; "
                   "\"location /\" can pass it to the app");
        }

        return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                   "a path of this server is expected, such as \"$uri\" or "
                   "\"/api/tasks/$id\", in which no part is \".\" or \"..\"; "
                   "arguments are written \"?a=$b\"");
    }

    return (ngx_http_flowdash_conf_from_parts(cf, from, value->data, p)
            == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_flowdash_conf_from_parts(ngx_conf_t *cf,
    ngx_http_flowdash_from_t *from, u_char *p, u_char *last)
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

    if (ngx_http_flowdash_conf_field_name(cf, cmd, &value[1]) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
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
                                       NGX_MAX_SIZE_T_VALUE, cf->temp_pool);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[2],
                     "a JSON value is expected, such as true, 7 or \"text\" "
                     "with its quotes");
    }

    return (rc == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}
