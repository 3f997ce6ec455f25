
/*
 * The directives about an action.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_error_language.h>
#include <ngx_http_flowdash_conf_warn.h>
#include <ngx_http_flowdash_conf.h>


static const char *ngx_http_flowdash_conf_pass_status_value(
    ngx_array_t *passed, ngx_str_t *value, ngx_uint_t *status);
static const char *ngx_http_flowdash_conf_languages_known(ngx_conf_t *cf);


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

    flcf->places.action = ngx_http_flowdash_conf_place(cf);
    if (flcf->places.action == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        flcf->action = NULL;
        return NGX_CONF_OK;
    }

    if (value[1].len == 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                           "the name is empty; to cancel an inherited action, "
                           "write \"off\"");
    }

    if (ngx_http_flowdash_text_check_utf8(&value[1])) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                             "the name must be UTF-8");
    }

    flcf->action = ngx_http_flowdash_conf_create_value(cf, &value[1]);

    return flcf->action ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_user(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_http_flowdash_conf_field_name(cf, cmd, &value[1]) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_param(cf, cmd, &flcf->user, 0);
}


char *
ngx_http_flowdash_conf_field_name(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name)
{
    if (name->len == 0 || ngx_http_flowdash_text_check_utf8(name)) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, name,
                              "the field's name must be UTF-8 and not empty");
    }

    return NGX_CONF_OK;
}


char *
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

    param->place = ngx_http_flowdash_conf_place(cf);
    if (param->place == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_flowdash_conf_value(cf, &value[2], &param->value) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_field_names(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t **fields)
{
    ngx_str_t   *value, *field;
    ngx_uint_t   i;

    value = cf->args->elts;

    *fields = ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_str_t));
    if (*fields == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "all") == 0
            || ngx_strcmp(value[i].data, "none") == 0)
        {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[i],
                                     "it must stand alone, without any field");
        }

        if (ngx_http_flowdash_conf_field_name(cf, cmd, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        field = ngx_array_push(*fields);
        if (field == NULL) {
            return NGX_CONF_ERROR;
        }

        if (value[i].data[value[i].len - 1] == ',') {
            ngx_http_flowdash_conf_warn(cf, cmd, &value[i],
                                        "the comma is part of the field's "
                                        "name; names are separated by spaces");
        }

        *field = value[i];
    }

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_accept(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    if (flcf->accept != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    flcf->accept_given = 1;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "all") == 0) {
        flcf->accept = NULL;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "none") == 0) {
        flcf->accept = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
        return flcf->accept ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_field_names(cf, cmd, &flcf->accept);
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

    ngx_int_t                      ms;
    ngx_str_t                     *value;
    ngx_msec_t                    *msp;
    ngx_http_flowdash_place_t     *place;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = conf;
    msp = (ngx_msec_t *) (p + cmd->offset);

    if (*msp != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    place = ngx_http_flowdash_conf_place(cf);
    if (place == NULL) {
        return NGX_CONF_ERROR;
    }

    if (msp == &flcf->timeout) {
        flcf->places.timeout = place;

    } else if (msp == &flcf->connect_timeout) {
        flcf->places.connect_timeout = place;
    }

    value = cf->args->elts;

    ms = ngx_parse_time(&value[1], 0);

    if (ms == NGX_ERROR || ms == 0) {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                     "a time over 0 is expected, such as 500ms, 5s or 1m");
    }

    ngx_http_flowdash_conf_warn_no_unit(cf, cmd, &value[1], &value[1], place);

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
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                            "a size over 0 is expected, such as 64k or 1m");
    }

    *sp = size;

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_pass_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i, *status;
    const char  *reason;

    if (flcf->pass_status != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "none") == 0) {
        flcf->pass_status = NULL;
        return NGX_CONF_OK;
    }

    flcf->pass_status = ngx_array_create(cf->pool, cf->args->nelts,
                                         sizeof(ngx_uint_t));
    if (flcf->pass_status == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        status = ngx_array_push(flcf->pass_status);
        if (status == NULL) {
            return NGX_CONF_ERROR;
        }

        reason = ngx_http_flowdash_conf_pass_status_value(flcf->pass_status,
                                                          &value[i], status);
        if (reason) {
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[i],
                                                         reason);
        }
    }

    return NGX_CONF_OK;
}


/* "status" is the last element of "passed" */

static const char *
ngx_http_flowdash_conf_pass_status_value(ngx_array_t *passed, ngx_str_t *value,
    ngx_uint_t *status)
{
    ngx_int_t    n;
    ngx_uint_t  *s;

    n = ngx_atoi(value->data, value->len);

    if (n < 400 || n > 599) {
        return "a status from 400 to 599 is expected, or \"none\" alone";
    }

    if (n == 407 || n == 421) {
        return "this status concerns the connection, not the user";
    }

    if (n == NGX_HTTP_REQUEST_TIME_OUT || n == NGX_HTTP_CLOSE
        || (n >= NGX_HTTP_NGINX_CODES && n <= NGX_HTTP_CLIENT_CLOSED_REQUEST))
    {
        return "this status has a special meaning in nginx";
    }

    for (s = passed->elts; s < status; s++) {
        if (*s == (ngx_uint_t) n) {
            return "it is named twice";
        }
    }

    *status = n;

    return NULL;
}


char *
ngx_http_flowdash_conf_languages(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                            *value;
    ngx_uint_t                            i, n;
    const char                           *known;
    ngx_http_flowdash_error_language_t   *language, **languages;

    if (flcf->languages != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    flcf->languages = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                sizeof(ngx_http_flowdash_error_language_t *));
    if (flcf->languages == NULL) {
        return NGX_CONF_ERROR;
    }

    languages = flcf->languages->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        language = ngx_http_flowdash_error_language_find(&value[i]);

        if (language == NULL) {
            known = ngx_http_flowdash_conf_languages_known(cf);

            return known ? ngx_http_flowdash_conf_refuse_literal(cf, cmd,
                                                                 &value[i],
                                                                 known)
                         : NGX_CONF_ERROR;
        }

        for (n = 0; n < flcf->languages->nelts; n++) {
            if (languages[n] == language) {
                return ngx_http_flowdash_conf_refuse(cf, cmd, &value[i],
                                                     "it is named twice");
            }
        }

        (void) ngx_array_push(flcf->languages);
        languages[n] = language;
    }

    return NGX_CONF_OK;
}


/* NULL on error */

static const char *
ngx_http_flowdash_conf_languages_known(ngx_conf_t *cf)
{
    u_char                              *p, *known;
    size_t                               len;
    ngx_http_flowdash_error_language_t  *language;

    len = sizeof("the known ones are");

    language = ngx_http_flowdash_error_languages;

    for ( /* void */ ; language->tag.len; language++) {
        len += sizeof(", ") - 1 + language->tag.len;
    }

    known = ngx_pnalloc(cf->pool, len);
    if (known == NULL) {
        return NULL;
    }

    p = ngx_cpymem(known, "the known ones are",
                   sizeof("the known ones are") - 1);

    language = ngx_http_flowdash_error_languages;

    for ( /* void */ ; language->tag.len; language++) {
        p = ngx_sprintf(p, "%s%V",
                        language == ngx_http_flowdash_error_languages
                        ? " " : ", ",
                        &language->tag);
    }

    *p = '\0';

    return (const char *) known;
}
