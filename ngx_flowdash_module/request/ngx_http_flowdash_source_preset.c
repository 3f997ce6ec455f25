
/*
 * What flowdash_set and flowdash_set_json set before the first step.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_source_state.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_source_preset.h>


static void ngx_http_flowdash_source_preset_refused(
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_preset_field(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_param_t *param,
    ngx_http_flowdash_field_t *field, const char **error);
static ngx_int_t ngx_http_flowdash_source_preset_json(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_field_t *field,
    const char **error);
static ngx_int_t ngx_http_flowdash_source_preset_string(ngx_http_request_t *r,
    ngx_str_t *s, ngx_str_t *json);


ngx_int_t
ngx_http_flowdash_source_preset(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char **error)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_flowdash_field_t   field;
    ngx_http_flowdash_param_t  *param;

    if (ctx->conf->set == NULL) {
        return NGX_OK;
    }

    param = ctx->conf->set->elts;

    for (i = 0; i < ctx->conf->set->nelts; i++) {

        rc = ngx_http_flowdash_source_preset_field(r, ctx, &param[i], &field,
                                                   error);
        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_source_check(ctx, &field, error);
        }

        if (rc == NGX_DONE) {
            continue;
        }

        if (rc == NGX_DECLINED) {
            ngx_http_flowdash_source_preset_refused(ctx);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (ngx_http_flowdash_task_set(ctx->task, &field) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the client has sent too much to add anything */

static void
ngx_http_flowdash_source_preset_refused(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_form_t     *form;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    form = src->target->form;

    if (form && form->verdict == NGX_HTTP_FLOWDASH_FORM_LARGE) {
        ctx->refusal_status = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
}


/* evaluates one flowdash_set or flowdash_set_json */

static ngx_int_t
ngx_http_flowdash_source_preset_field(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_param_t *param,
    ngx_http_flowdash_field_t *field, const char **error)
{
    ngx_http_flowdash_value_t  value;

    ngx_memzero(field, sizeof(ngx_http_flowdash_field_t));

    field->name = param->name;

    if (ngx_http_flowdash_source_preset_string(r, &param->name,
                                               &field->spelling)
        != NGX_OK
        || ngx_http_flowdash_value_raw(r, &param->value, &value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!param->json) {

        if (ngx_http_flowdash_text_check_utf8(&value.text)) {
            *error = "the value of flowdash_set is not UTF-8";
            return NGX_DECLINED;
        }

        return ngx_http_flowdash_source_preset_string(r, &value.text,
                                                      &field->value);
    }

    field->value = value.text;

    /* a constant is what nginx -t has seen */

    return param->value.lengths
           ? ngx_http_flowdash_source_preset_json(r, ctx, field, error)
           : NGX_OK;
}


/*
 * Judges a value that may have a client's variables in it as that of a field
 * in a client's body: as the only member of an object.
 */

static ngx_int_t
ngx_http_flowdash_source_preset_json(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_field_t *field,
    const char **error)
{
    u_char                            *p;
    ngx_str_t                          text;
    ngx_array_t                        pointer;
    ngx_http_flowdash_task_t           task;
    ngx_http_flowdash_field_t         *only, room;
    ngx_http_flowdash_json_verdict_e   verdict;

    ngx_memzero(&pointer, sizeof(ngx_array_t));

    text.len = field->spelling.len + field->value.len + sizeof("{:}") - 1;

    text.data = ngx_pnalloc(r->pool, text.len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    p = text.data;
    *p++ = '{';
    p = ngx_cpymem(p, field->spelling.data, field->spelling.len);
    *p++ = ':';
    p = ngx_cpymem(p, field->value.data, field->value.len);
    *p = '}';

    if (ngx_http_flowdash_task_init(&task, r->pool, &text, &pointer,
                                    ctx->conf->strict,
                                    ctx->conf->max_fields_size, &verdict)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_OK && task.index.used == 1) {

        only = ngx_http_flowdash_task_get(&task, 0, &room);
        field->value = only->value;

        return NGX_OK;
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_OK
        || verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED)
    {
        *error = "the value of flowdash_set_json is not JSON";
        return NGX_DECLINED;
    }

    *error = task.json.error;

    if (task.json.rule) {
        *error = ngx_http_flowdash_strict_error(r->pool, task.json.rule,
                                                *error);
    }

    return *error ? NGX_DECLINED : NGX_ERROR;
}


/* writes a string as JSON, in the request's pool */

static ngx_int_t
ngx_http_flowdash_source_preset_string(ngx_http_request_t *r,
    ngx_str_t *s, ngx_str_t *json)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, ngx_http_flowdash_json_string_length(s));
    if (p == NULL) {
        return NGX_ERROR;
    }

    json->data = p;
    json->len = ngx_http_flowdash_json_write_string(p, s) - p;

    return NGX_OK;
}
