
/*
 * The directives about endpoints with a contract of their own: the body of the
 * call, and what is taken from the answer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_template.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf.h>
#include <ngx_http_flowdash_conf_task.h>
#include <ngx_http_flowdash_conf_body.h>


static ngx_int_t ngx_http_flowdash_conf_body_compile(ngx_conf_t *cf,
    ngx_array_t *parts, ngx_http_flowdash_set_body_t *body);
static ngx_http_flowdash_from_answer_t *ngx_http_flowdash_conf_body_add(
    ngx_conf_t *cf, ngx_array_t **fields, ngx_str_t *name);


char *
ngx_http_flowdash_conf_set_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_int_t                            rc;
    ngx_str_t                           *value;
    ngx_array_t                          parts;
    ngx_http_flowdash_set_body_t        *body;
    ngx_http_flowdash_template_error_t   error;

    if (flcf->set_body != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "off") == 0) {
            flcf->set_body = NULL;
            return NGX_CONF_OK;
        }

        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                     "\"json\" or \"form\" and a template is expected, or "
                     "\"off\"");
    }

    body = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_set_body_t));
    if (body == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_strcmp(value[1].data, "json") == 0) {
        rc = ngx_http_flowdash_template_json(&value[2], &parts, &error,
                                             cf->pool);

    } else if (ngx_strcmp(value[1].data, "form") == 0) {
        body->form = 1;
        rc = ngx_http_flowdash_template_form(&value[2], &parts, &error,
                                             cf->pool);

    } else {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                     "\"json\" or \"form\" is expected before the template");
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &error.near,
                                             error.reason);
    }

    if (rc != NGX_OK
        || ngx_http_flowdash_conf_body_compile(cf, &parts, body) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    flcf->set_body = body;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_flowdash_conf_body_compile(ngx_conf_t *cf, ngx_array_t *parts,
    ngx_http_flowdash_set_body_t *body)
{
    ngx_uint_t                          i;
    ngx_http_flowdash_body_part_t      *compiled;
    ngx_http_flowdash_template_part_t  *part;

    if (ngx_array_init(&body->parts, cf->pool, ngx_max(parts->nelts, 1),
                       sizeof(ngx_http_flowdash_body_part_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    part = parts->elts;

    for (i = 0; i < parts->nelts; i++) {

        compiled = ngx_array_push(&body->parts);
        if (compiled == NULL) {
            return NGX_ERROR;
        }

        compiled->text = part[i].text;
        compiled->place = part[i].place;
        compiled->value = NULL;

        if (part[i].place == NGX_HTTP_FLOWDASH_TEMPLATE_TEXT) {
            continue;
        }

        compiled->value = ngx_http_flowdash_conf_create_value(cf,
                                                              &part[i].text);
        if (compiled->value == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


char *
ngx_http_flowdash_conf_set_from_answer(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                        *value;
    ngx_uint_t                        i;
    ngx_http_flowdash_from_answer_t  *field;

    value = cf->args->elts;

    if (ngx_http_flowdash_conf_field_name(cf, cmd, &value[1]) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (flcf->from_answer != NGX_CONF_UNSET_PTR) {

        field = flcf->from_answer->elts;

        for (i = 0; i < flcf->from_answer->nelts; i++) {
            if (ngx_http_flowdash_text_equal(&field[i].name, &value[1])) {
                return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                                     "it is set twice here");
            }
        }
    }

    field = ngx_http_flowdash_conf_body_add(cf, &flcf->from_answer, &value[1]);
    if (field == NULL) {
        return NGX_CONF_ERROR;
    }

    field->pointer_text = value[2];

    if (ngx_http_flowdash_conf_selectors(cf, cmd, &value[2], &field->pointer)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 4) {

        if (ngx_strcmp(value[3].data, "required") != 0) {
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[3],
                         "\"required\" is expected");
        }

        field->required = 1;
    }

    return NGX_CONF_OK;
}


static ngx_http_flowdash_from_answer_t *
ngx_http_flowdash_conf_body_add(ngx_conf_t *cf, ngx_array_t **fields,
    ngx_str_t *name)
{
    ngx_http_flowdash_from_answer_t  *field;

    if (*fields == NGX_CONF_UNSET_PTR) {
        *fields = ngx_array_create(cf->pool, 4,
                                   sizeof(ngx_http_flowdash_from_answer_t));
        if (*fields == NULL) {
            return NULL;
        }
    }

    field = ngx_array_push(*fields);
    if (field == NULL) {
        return NULL;
    }

    ngx_memzero(field, sizeof(ngx_http_flowdash_from_answer_t));

    field->name = *name;
    field->spelling.len = ngx_http_flowdash_json_string_length(name);

    field->spelling.data = ngx_pnalloc(cf->pool, field->spelling.len);
    if (field->spelling.data == NULL) {
        return NULL;
    }

    (void) ngx_http_flowdash_json_write_string(field->spelling.data, name);

    return field;
}
