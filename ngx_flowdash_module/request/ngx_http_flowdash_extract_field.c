
/*
 * flowdash_extract from the task and the stored task: a place in a field,
 * which steps may change.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_select.h>
#include <ngx_http_flowdash_pointer.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_extract_value.h>
#include <ngx_http_flowdash_extract_field.h>


ngx_int_t
ngx_http_flowdash_extract_field(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_extract_t *extract,
    ngx_http_flowdash_extracted_t *value, const char **error,
    ngx_uint_t *rule)
{
    ngx_array_t                       rest;
    ngx_http_flowdash_task_t         *task;
    ngx_http_flowdash_field_t        *field, room;
    ngx_http_flowdash_token_t        *token;
    ngx_http_flowdash_json_select_t   sel;

    ngx_memzero(value, sizeof(ngx_http_flowdash_extracted_t));

    task = (extract->from == NGX_HTTP_FLOWDASH_FROM_STORED) ? ctx->stored
                                                            : ctx->task;
    token = extract->pointer.elts;
    field = ngx_http_flowdash_task_lookup(task, &token->name, &room);

    if (field == NULL) {
        value->missing = 1;
        return NGX_OK;
    }

    rest = extract->pointer;
    rest.elts = token + 1;
    rest.nelts--;

    ngx_memzero(&sel, sizeof(ngx_http_flowdash_json_select_t));

    sel.text = field->value;
    sel.pointer = &rest;
    sel.strict = ctx->conf->strict;
    sel.max_size = ctx->conf->max_fields_size;

    if (ngx_http_flowdash_json_select(&sel, r->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    if (sel.verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        *error = sel.error;
        *rule = sel.rule;
        return NGX_DECLINED;
    }

    if (sel.value.data == NULL) {
        value->missing = 1;
        return NGX_OK;
    }

    return ngx_http_flowdash_extract_value_scalar(r, sel.strict, &sel.value,
                                                  value, error, rule);
}


ngx_int_t
ngx_http_flowdash_extract_field_check_stored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_int_t                       rc;
    ngx_uint_t                      i, rule;
    const char                     *error;
    ngx_array_t                    *extracts;
    ngx_http_flowdash_extract_t    *extract;
    ngx_http_flowdash_extracted_t   unused;

    extracts = ctx->conf->extracts;

    if (extracts == NULL) {
        return NGX_OK;
    }

    extract = extracts->elts;

    for (i = 0; i < extracts->nelts; i++) {

        if (extract[i].from <= NGX_HTTP_FLOWDASH_FROM_QUERY
            || (extract[i].from == NGX_HTTP_FLOWDASH_FROM_TASK
                && ctx->task == NULL))
        {
            continue;
        }

        rc = ngx_http_flowdash_extract_field(r, ctx, &extract[i], &unused,
                                             &error, &rule);

        if (rc == NGX_DECLINED) {
            return ngx_http_flowdash_exchange_fail_text(ex,
                       NGX_HTTP_FLOWDASH_RESPONSE_INVALID, r->pool,
                       "the stored task, for $%V: %s", extract[i].name,
                       error);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_extract_field_get(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t n,
    ngx_http_flowdash_extracted_t *extracted)
{
    ngx_int_t                     rc;
    ngx_uint_t                    rule;
    const char                   *error;
    ngx_http_flowdash_task_t     *task;
    ngx_http_flowdash_extract_t  *extract;

    extract = ctx->conf->extracts->elts;
    extract += n;

    if (extract->from <= NGX_HTTP_FLOWDASH_FROM_QUERY && ctx->extracted) {
        *extracted = ctx->extracted[n];
        return NGX_OK;
    }

    ngx_memzero(extracted, sizeof(ngx_http_flowdash_extracted_t));

    if (extract->from == NGX_HTTP_FLOWDASH_FROM_STORED) {
        task = ctx->stored;
        extracted->missing = (task == NULL);

    } else {
        task = (extract->from == NGX_HTTP_FLOWDASH_FROM_TASK) ? ctx->task
                                                              : NULL;
        extracted->ambiguous = (task == NULL);
    }

    if (task == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_flowdash_extract_field(r, ctx, extract, extracted, &error,
                                         &rule);

    if (rc == NGX_DECLINED) {

        /* a step has put something into the task that is ambiguous */

        ngx_str_null(&extracted->text);
        extracted->ambiguous = 1;
        rc = NGX_OK;
    }

    return rc;
}
