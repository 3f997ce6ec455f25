
/*
 * The query beside a body: whether both have the task, or the same field.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form_alias.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_source_state.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_source_query.h>


static ngx_int_t ngx_http_flowdash_source_query_contradicts(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *in_query);
static ngx_int_t ngx_http_flowdash_source_query_same(ngx_http_request_t *r,
    ngx_str_t *a, ngx_str_t *b);
static ngx_int_t ngx_http_flowdash_source_query_scalar(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *text);


ngx_uint_t
ngx_http_flowdash_source_query_is_other(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    return src->has_body && src->body.form == NULL
           && ctx->conf->pointer->nelts == 0;
}


ngx_int_t
ngx_http_flowdash_source_query_judge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i;
    ngx_http_flowdash_field_t    *in_query, room;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    if (ctx->conf->pointer->nelts) {

        /* apps read the task of one of the two, and do not merge them */

        rc = (src->body.form ? src->body.form->pairs != NULL
                             : src->body.task.json.object.data != NULL)
             ? NGX_DECLINED : NGX_OK;

    } else {
        rc = NGX_OK;

        for (i = 0; rc == NGX_OK; i++) {

            in_query = ngx_http_flowdash_task_get(&src->query.task, i, &room);

            if (in_query == NULL) {
                break;
            }

            rc = ngx_http_flowdash_source_query_contradicts(r, ctx, in_query);
        }
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (ctx->refusal_status) {
        return NGX_OK;
    }

    if (rc == NGX_DECLINED
        && (ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_QUERY))
    {
        return ngx_http_flowdash_source_refuse_rule(r, ctx,
                   NGX_HTTP_BAD_REQUEST, NGX_HTTP_FLOWDASH_STRICT_QUERY,
                   "the request's query and its body both have fields of the "
                   "task");
    }

    if (ngx_http_flowdash_source_query_is_other(ctx)) {
        src->query_is_other = 1;
        src->query.form = NULL;

    } else if (rc == NGX_DECLINED) {
        src->query.form = NULL;
    }

    return NGX_OK;
}


/*
 * Compares a field of the query with those of the body.  Returns NGX_OK if
 * they agree, NGX_DECLINED if apps may see another value, with
 * ctx->refusal_status set if it is for the names, or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_source_query_contradicts(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_field_t *in_query)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_form_t     *form;
    ngx_http_flowdash_field_t    *field, room;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    field = ngx_http_flowdash_task_lookup(&src->body.task, &in_query->name,
                                          &room);
    if (field) {
        return ngx_http_flowdash_source_query_same(r, &field->value,
                                                   &in_query->value);
    }

    form = src->body.form;

    if (form == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_flowdash_form_alias_check(form, &in_query->name);

    if (rc == NGX_DECLINED
        && ngx_http_flowdash_source_refuse_rule(r, ctx, NGX_HTTP_BAD_REQUEST,
                                                form->rule, form->error)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return rc;
}


/*
 * Tells whether two values are the same to apps: a form has "5" for 5.
 * Returns NGX_OK, NGX_DECLINED or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_source_query_same(ngx_http_request_t *r, ngx_str_t *a,
    ngx_str_t *b)
{
    ngx_int_t  rc;
    ngx_str_t  s, t;

    if (ngx_http_flowdash_text_equal(a, b)) {
        return NGX_OK;
    }

    rc = ngx_http_flowdash_source_query_scalar(r, a, &s);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_source_query_scalar(r, b, &t);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_flowdash_text_equal(&s, &t) ? NGX_OK : NGX_DECLINED;
}


/*
 * Gets the text of a scalar.  Returns NGX_OK; NGX_DECLINED for an array, an
 * object or half of a surrogate pair; or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_source_query_scalar(ngx_http_request_t *r, ngx_str_t *value,
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
