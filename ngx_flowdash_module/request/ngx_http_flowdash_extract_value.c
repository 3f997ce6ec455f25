
/*
 * The value at a pointer in JSON or in a form.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_select.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_task_write.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_task.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_extract_value.h>


#define NGX_HTTP_FLOWDASH_EXTRACT_VALUE_MAX  65536


static ngx_int_t ngx_http_flowdash_extract_value_members(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_extract_value_t *value);
static const char *ngx_http_flowdash_extract_value_check(ngx_uint_t strict,
    ngx_str_t *text, ngx_uint_t *rule);


ngx_http_flowdash_form_t *
ngx_http_flowdash_extract_value_create_form(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_extract_t *extract,
    ngx_str_t *boundary)
{
    ngx_http_flowdash_form_t  *form;

    form = ngx_http_flowdash_source_create_form(r, ctx, boundary);

    if (form) {
        form->pointer = &extract->names;
        form->scalar = (extract->rest.nelts == 0);
    }

    return form;
}


ngx_int_t
ngx_http_flowdash_extract_value_form(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_extract_value_t *value)
{
    ngx_uint_t                      rule;
    const char                     *error;
    ngx_http_flowdash_form_pair_t  *pair;

    if (form->verdict) {
        return (ngx_http_flowdash_source_refuse_form(r, ctx, form, value->what)
                == NGX_OK)
               ? NGX_DECLINED : NGX_ERROR;
    }

    if (!form->scalar) {
        return ngx_http_flowdash_extract_value_members(r, ctx, form, value);
    }

    pair = form->pairs;

    if (pair == NULL || pair->file) {
        value->other = (pair || form->nested);
        return NGX_OK;
    }

    error = ngx_http_flowdash_extract_value_check(form->strict, &pair->text,
                                                  &rule);

    if (pair->again) {
        rule = 0;
        error = "a name occurs twice";
    }

    if (error) {
        return (ngx_http_flowdash_source_refuse_at(r, ctx,
                    NGX_HTTP_BAD_REQUEST, value->what, error, rule,
                    pair->again ? pair->again->start : pair->start)
                == NGX_OK)
               ? NGX_DECLINED : NGX_ERROR;
    }

    value->found = 1;
    value->text = pair->text;

    return NGX_OK;
}


/* the pointer has a selector: f[0][id]=7&f[0][value]=x */

static ngx_int_t
ngx_http_flowdash_extract_value_members(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_extract_value_t *value)
{
    ngx_str_t                        text;
    ngx_http_flowdash_task_t         task;
    ngx_http_flowdash_json_select_t  sel;

    if (form->pairs == NULL) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_form_task(form, &task) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_task_write_flat(ngx_http_flowdash_task_write_object,
                                          &task, r->pool, &text)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_extract_value_init(ctx, &text, &value->extract->rest,
                                         &sel);

    if (ngx_http_flowdash_json_select(&sel, r->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_extract_value_json(r, ctx, &sel, value);
}


void
ngx_http_flowdash_extract_value_init(ngx_http_flowdash_ctx_t *ctx,
    ngx_str_t *text, ngx_array_t *pointer,
    ngx_http_flowdash_json_select_t *sel)
{
    ngx_memzero(sel, sizeof(ngx_http_flowdash_json_select_t));

    sel->text = *text;
    sel->pointer = pointer;
    sel->strict = ctx->conf->strict;
    sel->max_size = ctx->conf->max_fields_size;
}


ngx_int_t
ngx_http_flowdash_extract_value_json(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_extract_value_t *value)
{
    size_t                         offset;
    ngx_int_t                      rc;
    ngx_uint_t                     rule;
    const char                    *error;
    ngx_http_flowdash_extracted_t  extracted;

    error = NULL;
    rule = 0;

    if (sel->verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        error = sel->error;
        rule = sel->rule;
        offset = sel->offset;

    } else {
        if (sel->value.data == NULL) {
            return NGX_OK;
        }

        rc = ngx_http_flowdash_extract_value_scalar(r, sel->strict,
                                                    &sel->value, &extracted,
                                                    &error, &rule);
        if (rc == NGX_OK) {
            value->text = extracted.text;
            value->other = extracted.ambiguous;
            value->found = !extracted.ambiguous;

            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        offset = sel->value.data - sel->text.data;
    }

    return (ngx_http_flowdash_source_refuse_at(r, ctx,
                sel->verdict == NGX_HTTP_FLOWDASH_JSON_LARGE
                ? NGX_HTTP_REQUEST_ENTITY_TOO_LARGE : NGX_HTTP_BAD_REQUEST,
                value->what, error, rule, offset)
            == NGX_OK)
           ? NGX_DECLINED : NGX_ERROR;
}


ngx_int_t
ngx_http_flowdash_extract_value_scalar(ngx_http_request_t *r,
    ngx_uint_t strict, ngx_str_t *json,
    ngx_http_flowdash_extracted_t *extracted, const char **error,
    ngx_uint_t *rule)
{
    ngx_int_t  rc;

    ngx_memzero(extracted, sizeof(ngx_http_flowdash_extracted_t));

    if (json->data[0] == '{' || json->data[0] == '[') {

        /* to JavaScript, ["x"] is "x" where it wants a string */

        extracted->ambiguous = 1;
        return NGX_OK;
    }

    rc = ngx_http_flowdash_json_scalar(json, &extracted->text, r->pool);

    if (rc == NGX_DECLINED) {
        *rule = 0;
        *error = "half of a surrogate pair";
    }

    if (rc != NGX_OK) {
        return rc;
    }

    *error = ngx_http_flowdash_extract_value_check(strict, &extracted->text,
                                                   rule);

    return *error ? NGX_DECLINED : NGX_OK;
}


/* returns what is wrong with a value, or NULL */

static const char *
ngx_http_flowdash_extract_value_check(ngx_uint_t strict, ngx_str_t *text,
    ngx_uint_t *rule)
{
    *rule = 0;

    if (text->len > NGX_HTTP_FLOWDASH_EXTRACT_VALUE_MAX) {
        return "a value over 64k";
    }

    if ((strict & NGX_HTTP_FLOWDASH_STRICT_CONTROL)
        && text->len && memchr(text->data, '\0', text->len))
    {
        *rule = NGX_HTTP_FLOWDASH_STRICT_CONTROL;
        return "a value with a NUL, where some apps end it";
    }

    return NULL;
}


ngx_int_t
ngx_http_flowdash_extract_value_what(ngx_http_request_t *r,
    ngx_http_flowdash_extract_value_t *value, const char *place)
{
    u_char  *p;
    size_t   len;

    len = ngx_strlen(place) + sizeof(", for $")
          + value->extract->name->len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_snprintf(p, len, "%s, for $%V%Z", place,
                        value->extract->name);

    value->what = (char *) p;

    return NGX_OK;
}
