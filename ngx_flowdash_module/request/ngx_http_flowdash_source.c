
/*
 * The sources of the task's fields in a request: its body, as JSON or a form,
 * and its query.  Changed fields go back to where they came from.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_leaves.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form_check.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_source_state.h>
#include <ngx_http_flowdash_source.h>


static ngx_int_t ngx_http_flowdash_source_merge_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_agrees(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *in_query);
static ngx_int_t ngx_http_flowdash_source_scalar(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *text);
static void ngx_http_flowdash_source_mark_ambiguous(
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_check_form(
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_source_t *source,
    ngx_http_flowdash_field_t *new, ngx_http_flowdash_field_t *field,
    const char **error);
static ngx_int_t ngx_http_flowdash_source_preset_field(ngx_http_request_t *r,
    ngx_http_flowdash_param_t *param, ngx_http_flowdash_field_t *field,
    const char **error);
static ngx_int_t ngx_http_flowdash_source_string(ngx_http_request_t *r,
    ngx_str_t *s, ngx_str_t *json);


ngx_int_t
ngx_http_flowdash_source_create(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ctx->sources = ngx_pcalloc(r->pool, sizeof(ngx_http_flowdash_sources_t));
    if (ctx->sources == NULL) {
        return NGX_ERROR;
    }

    ctx->stored = NULL;
    ctx->task = NULL;
    ctx->refusal_status = 0;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_source_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, const char *error)
{
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    ctx->refusal_status = status;
    ctx->detail.data = (u_char *) error;
    ctx->detail.len = ngx_strlen(error);

    src->pieces.begun = 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_source_refuse_rule(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, ngx_uint_t rule,
    const char *error)
{
    u_char      *p;
    size_t       len;
    const char  *name;

    name = ngx_http_flowdash_strict_name(rule);

    len = ngx_strlen(error) + sizeof(" (rule \"\")") + ngx_strlen(name);

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_snprintf(p, len, "%s (rule \"%s\")%Z", error, name);

    return ngx_http_flowdash_source_refuse(r, ctx, status, (char *) p);
}


ngx_int_t
ngx_http_flowdash_source_merge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_task_t     *task, *base;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    if (ctx->stored == NULL && src->query.form == NULL) {
        ctx->task = &src->body.task;
        return NGX_OK;
    }

    task = ngx_palloc(r->pool, sizeof(ngx_http_flowdash_task_t));
    if (task == NULL) {
        return NGX_ERROR;
    }

    base = ctx->stored ? ctx->stored : &src->body.task;

    if (ngx_http_flowdash_task_copy(task, r->pool, base) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->task = task;

    if (ctx->stored
        && ngx_http_flowdash_task_merge(task, &src->body.task) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (src->query.form
        && ngx_http_flowdash_source_merge_query(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->task) {
        ngx_http_flowdash_source_mark_ambiguous(ctx);
    }

    return NGX_OK;
}


/*
 * The query overrides the body, as it does in apps that read both.  For apps
 * that read only the body, its value is replaced: the endpoints and the app
 * must see the same value.
 */

static ngx_int_t
ngx_http_flowdash_source_merge_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i;
    const char                   *error;
    ngx_list_part_t              *part;
    ngx_http_flowdash_field_t    *field, *in_query;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    i = 0;
    part = &src->query.task.fields.part;

    while ((in_query = ngx_http_flowdash_task_next(&part, &i))) {

        field = ngx_http_flowdash_task_lookup(&src->body.task,
                                              &in_query->node.str);
        if (field) {

            rc = ngx_http_flowdash_source_agrees(r, &field->value,
                                                 &in_query->value);
            if (rc == NGX_OK) {
                continue;
            }

            if (rc != NGX_DECLINED) {
                return rc;
            }

            rc = ngx_http_flowdash_source_check_form(ctx, &src->body, in_query,
                                                     field, &error);
            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_DECLINED) {
                ctx->task = NULL;
                return ngx_http_flowdash_source_refuse(r, ctx,
                             NGX_HTTP_BAD_REQUEST,
                             "a field of the query that the body cannot have");
            }
        }

        if (ngx_http_flowdash_task_set(ctx->task, in_query) != NGX_OK) {
            return NGX_ERROR;
        }

        if (field) {
            field = ngx_http_flowdash_task_lookup(ctx->task,
                                                  &in_query->node.str);
            field->ambiguous = 1;
        }
    }

    return NGX_OK;
}


/*
 * Tells whether a scalar of the query has the same text as that of the body: a
 * form has "5" for 5.  Returns NGX_OK, NGX_DECLINED or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_source_agrees(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *in_query)
{
    ngx_int_t  rc;
    ngx_str_t  a, b;

    rc = ngx_http_flowdash_source_scalar(r, value, &a);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_source_scalar(r, in_query, &b);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_flowdash_text_equal(&a, &b) ? NGX_OK : NGX_DECLINED;
}


/*
 * Gets the text of a scalar.  Returns NGX_OK; NGX_DECLINED for an array, an
 * object or half of a surrogate pair; or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_source_scalar(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *text)
{
    switch (value->data[0]) {

    case '{':
    case '[':
        return NGX_DECLINED;

    case '"':
        if (ngx_http_flowdash_json_lone_surrogate(value)) {
            return NGX_DECLINED;
        }

        return ngx_http_flowdash_json_decode(value, text, r->pool);

    default:
        *text = *value;
        return NGX_OK;
    }
}


/* a field stays ambiguous if it is so in any source, whichever one won */

static void
ngx_http_flowdash_source_mark_ambiguous(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_uint_t                    i;
    ngx_list_part_t              *part;
    ngx_http_flowdash_task_t     *query;
    ngx_http_flowdash_field_t    *field, *own;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    query = src->query.form ? &src->query.task : NULL;

    i = 0;
    part = &ctx->task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        own = ngx_http_flowdash_task_lookup(&src->body.task, &field->node.str);

        if (own && own->ambiguous) {
            field->ambiguous = 1;
        }

        own = query ? ngx_http_flowdash_task_lookup(query, &field->node.str)
                    : NULL;

        if (own && own->ambiguous) {
            field->ambiguous = 1;
        }
    }
}


ngx_int_t
ngx_http_flowdash_source_set(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new, const char **error)
{
    ngx_int_t  rc;

    rc = ngx_http_flowdash_source_check(ctx, new, error);

    if (rc == NGX_OK) {
        return ngx_http_flowdash_task_set(ctx->task, new);
    }

    return (rc == NGX_DONE) ? NGX_OK : rc;
}


ngx_int_t
ngx_http_flowdash_source_check(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new, const char **error)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_field_t    *field;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    field = ngx_http_flowdash_task_lookup(ctx->task, &new->node.str);

    if (field && ngx_http_flowdash_task_same(field, new)) {
        return NGX_DONE;
    }

    rc = ngx_http_flowdash_source_check_form(ctx, &src->body, new, field,
                                             error);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_source_check_form(ctx, &src->query, new, field,
                                                 error);
    }

    return rc;
}


static ngx_int_t
ngx_http_flowdash_source_check_form(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_source_t *source, ngx_http_flowdash_field_t *new,
    ngx_http_flowdash_field_t *field, const char **error)
{
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    if (source->form == NULL
        || (src->target != source
            && ngx_http_flowdash_task_lookup(&source->task, &new->node.str)
               == NULL))
    {
        return NGX_OK;
    }

    return ngx_http_flowdash_form_check(source->form, new,
                                        field ? &field->value : NULL, error);
}


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

        rc = ngx_http_flowdash_source_preset_field(r, &param[i], &field,
                                                   error);
        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_source_set(ctx, &field, error);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* evaluates one flowdash_set or flowdash_set_json */

static ngx_int_t
ngx_http_flowdash_source_preset_field(ngx_http_request_t *r,
    ngx_http_flowdash_param_t *param, ngx_http_flowdash_field_t *field,
    const char **error)
{
    ngx_int_t                  rc;
    ngx_array_t                leaves;
    ngx_http_flowdash_value_t  value;

    ngx_memzero(field, sizeof(ngx_http_flowdash_field_t));

    field->node.str = param->name;

    if (ngx_http_flowdash_source_string(r, &param->name, &field->spelling)
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

        return ngx_http_flowdash_source_string(r, &value.text, &field->value);
    }

    rc = ngx_http_flowdash_json_leaves(&value.text, &leaves, r->pool);

    if (rc == NGX_DECLINED) {
        *error = "the value of flowdash_set_json is not JSON";
    }

    field->value = value.text;

    return rc;
}


/* writes a string as JSON, in the request's pool */

static ngx_int_t
ngx_http_flowdash_source_string(ngx_http_request_t *r, ngx_str_t *s,
    ngx_str_t *json)
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
