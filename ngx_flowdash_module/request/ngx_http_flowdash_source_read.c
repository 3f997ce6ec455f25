
/*
 * Reads the task from the request: its body and its query.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_task.h>
#include <ngx_http_flowdash_form_urlencoded.h>
#include <ngx_http_flowdash_form_grammar.h>
#include <ngx_http_flowdash_gzip.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_body_text.h>
#include <ngx_http_flowdash_overrides.h>
#include <ngx_http_flowdash_source_state.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_source_query.h>
#include <ngx_http_flowdash_source_multipart.h>
#include <ngx_http_flowdash_extract.h>
#include <ngx_http_flowdash_source_read.h>


static ngx_int_t ngx_http_flowdash_source_read_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_read_decode(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_read_text(ngx_http_request_t *r,
    ngx_http_flowdash_sources_t *src);
static ngx_int_t ngx_http_flowdash_source_read_json(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_read_value(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_read_urlencoded(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_read_pairs(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_source_t *source,
    ngx_uint_t query);
static ngx_int_t ngx_http_flowdash_source_read_rest(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_read_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


ngx_int_t
ngx_http_flowdash_source_read(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    if (!src->pieces.begun) {

        rc = ngx_http_flowdash_source_read_begin(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ctx->refusal_status) {
        return NGX_OK;
    }

    if (src->gzip) {

        rc = ngx_http_flowdash_source_read_decode(r, ctx);

        if (rc != NGX_OK || ctx->refusal_status) {
            return rc;
        }
    }

    switch (src->media.type) {

    case NGX_HTTP_FLOWDASH_MULTIPART:
        rc = ngx_http_flowdash_source_multipart(r, ctx);
        break;

    case NGX_HTTP_FLOWDASH_URLENCODED:
        rc = ngx_http_flowdash_source_read_urlencoded(r, ctx);
        break;

    default:
        rc = ngx_http_flowdash_source_read_json(r, ctx);
    }

    if (rc != NGX_OK || ctx->refusal_status || src->batch) {
        return rc;
    }

    return ngx_http_flowdash_source_read_rest(r, ctx);
}


/* the body has been read: this is about the query, and both together */

static ngx_int_t
ngx_http_flowdash_source_read_rest(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_flowdash_source_read_query(r, ctx);

    if (rc == NGX_OK && !ctx->refusal_status) {
        rc = ngx_http_flowdash_source_require(r, ctx);
    }

    if (rc != NGX_OK || ctx->refusal_status) {
        return rc;
    }

    return ngx_http_flowdash_source_merge(r, ctx);
}


static ngx_int_t
ngx_http_flowdash_source_read_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    off_t                         max;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    src->has_body = (ngx_http_flowdash_body_length(r) != 0);

    if (ngx_strlchr(r->unparsed_uri.data,
                    r->unparsed_uri.data + r->unparsed_uri.len, '#'))
    {
        /* to nginx, the query ends there; to some apps, it does not */

        return ngx_http_flowdash_source_refuse(r, ctx, NGX_HTTP_BAD_REQUEST,
                                           "the request's URI has a fragment");
    }

    ngx_http_flowdash_body_media(r, ctx->conf->decode, ctx->conf->types,
                                 &src->media);

    if (src->media.error) {
        return ngx_http_flowdash_source_refuse(r, ctx, src->media.status,
                                               src->media.error);
    }

    if (!src->has_body) {

        /* an empty form can still get fields */

        if (src->media.type != NGX_HTTP_FLOWDASH_URLENCODED) {
            src->media.type = NGX_HTTP_FLOWDASH_UNKNOWN;
        }

        return NGX_OK;
    }

    if (src->media.gzip) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        max = clcf->client_max_body_size;

        if (max == 0) {
            max = ctx->conf->max_fields_size;
        }

        src->gzip = ngx_http_flowdash_gzip_create(r->pool, max);
        if (src->gzip == NULL) {
            return NGX_ERROR;
        }
    }

    if (src->media.type == NGX_HTTP_FLOWDASH_MULTIPART) {
        return ngx_http_flowdash_source_multipart_begin(r, ctx);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_source_read_decode(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_str_t                     piece;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    /* continue with the rest of the last piece */

    ngx_str_null(&piece);

    for ( ;; ) {

        rc = ngx_http_flowdash_gzip_read(src->gzip, piece.data, piece.len);

        if (rc != NGX_OK) {
            break;
        }

        rc = ngx_http_flowdash_body_piece(r, &src->pieces, &piece);

        if (rc == NGX_DONE) {
            rc = ngx_http_flowdash_gzip_end(src->gzip, &src->body.text);
            break;
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_source_refuse(r, ctx,
                                       src->gzip->large
                                       ? NGX_HTTP_REQUEST_ENTITY_TOO_LARGE
                                       : NGX_HTTP_BAD_REQUEST,
                                       src->gzip->error);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    src->gzip = NULL;

    if (src->body.text.len == 0) {
        ngx_str_set(&src->body.text, "");
    }

    return ngx_http_flowdash_body_text_start_over(r, &src->pieces,
                                                  &src->body.text);
}


/*
 * Reads the body into src->body.text, where a decoded one is already.  Returns
 * as ngx_http_flowdash_body_piece(), and NGX_OK after the last piece.
 */

static ngx_int_t
ngx_http_flowdash_source_read_text(ngx_http_request_t *r,
    ngx_http_flowdash_sources_t *src)
{
    ngx_int_t  rc;
    ngx_str_t  piece, *text;

    text = &src->body.text;

    if (text->data == NULL
        && ngx_http_flowdash_body_text(r, src->shared, text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for ( ;; ) {

        src->pieces.buf = text->data + src->filled;

        rc = ngx_http_flowdash_body_piece(r, &src->pieces, &piece);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (piece.data != text->data + src->filled) {
            ngx_memcpy(text->data + src->filled, piece.data, piece.len);
        }

        src->filled += piece.len;
    }

    return (src->media.gzip || src->shared)
           ? NGX_OK : ngx_http_flowdash_body_text_join(r, text);
}


static ngx_int_t
ngx_http_flowdash_source_read_json(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_str_t                    *text;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    text = &src->body.text;

    if (src->has_body) {

        if (ngx_http_flowdash_body_length(r)
            > (off_t) NGX_HTTP_FLOWDASH_FIELD_TEXT_MAX)
        {
            return ngx_http_flowdash_source_refuse(r, ctx,
                                           NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                           "the request's body is over 4 GB");
        }

        rc = ngx_http_flowdash_source_read_text(r, src);

        if (rc != NGX_OK) {
            return rc;
        }

    } else {
        ngx_str_set(text, "{}");
    }

    if (ngx_http_flowdash_extract_is_batch(ctx->conf, text)) {
        src->batch = 1;
        return NGX_OK;
    }

    return ngx_http_flowdash_source_read_value(r, ctx);
}


ngx_int_t
ngx_http_flowdash_source_read_element(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *text)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    ctx->task = NULL;
    ctx->refusal_status = 0;
    ctx->refusal_rule = 0;

    src->body.text = *text;
    src->query.form = NULL;
    src->query_is_other = 0;

    rc = ngx_http_flowdash_source_read_value(r, ctx);

    if (rc != NGX_OK || ctx->refusal_status) {
        return rc;
    }

    return ngx_http_flowdash_source_read_rest(r, ctx);
}


/* src->body.text is the JSON that has the task */

static ngx_int_t
ngx_http_flowdash_source_read_value(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_str_t                           *text;
    ngx_uint_t                           status;
    ngx_http_flowdash_task_t            *task;
    ngx_http_flowdash_sources_t         *src;
    ngx_http_flowdash_json_verdict_e     verdict;
    ngx_http_flowdash_overrides_json_t   overrides;

    src = ctx->sources;
    text = &src->body.text;

    if ((ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_JSON)
        && ngx_http_flowdash_body_may_be_form(ctx->conf->types)
        && ngx_http_flowdash_form_grammar_in_json(text, ctx->conf->pointer))
    {
        return ngx_http_flowdash_source_refuse_rule(r, ctx,
                                             NGX_HTTP_BAD_REQUEST,
                                             NGX_HTTP_FLOWDASH_STRICT_JSON,
                                             "JSON in which a form parser "
                                             "could find a field of the task; "
                                             "\"flowdash_types "
                                             "application/json\" allows it");
    }

    task = &src->body.task;

    ngx_http_flowdash_task_begin(task, r->pool, text, ctx->conf->pointer,
                                 ctx->conf->strict,
                                 ctx->conf->max_fields_size);

    ngx_http_flowdash_overrides_json_begin(r, &task->json, &overrides,
                                           &ctx->method);

    if (ngx_http_flowdash_task_read(task, &verdict) != NGX_OK) {
        return NGX_ERROR;
    }

    /* what else is in it can be extracted, even if there is no task */

    src->readable = (verdict == NGX_HTTP_FLOWDASH_JSON_OK
                     || verdict == NGX_HTTP_FLOWDASH_JSON_NO_OBJECT);

    if (verdict == NGX_HTTP_FLOWDASH_JSON_OK) {

        if (ngx_http_flowdash_overrides_json_end(r, &task->json, &overrides,
                                                 &ctx->method)
            == NGX_OK)
        {
            return NGX_OK;
        }

        return ngx_http_flowdash_source_refuse(r, ctx, NGX_HTTP_BAD_REQUEST,
                                           "the body's names are too "
                                           "ambiguous to look for "
                                           "\"_method\"");
    }

    status = (verdict == NGX_HTTP_FLOWDASH_JSON_LARGE)
             ? NGX_HTTP_REQUEST_ENTITY_TOO_LARGE : NGX_HTTP_BAD_REQUEST;

    return ngx_http_flowdash_source_refuse_at(r, ctx, status, "body",
                                              task->json.error,
                                              task->json.rule,
                                              task->json.offset);
}


static ngx_int_t
ngx_http_flowdash_source_read_urlencoded(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    if (!src->media.gzip) {

        if (ngx_http_flowdash_body_length(r)
            > (off_t) ctx->conf->max_fields_size)
        {
            return ngx_http_flowdash_source_refuse(r, ctx,
                                           NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                           "the request's body is over "
                                           "flowdash_max_fields_size");
        }
    }

    if (src->has_body) {
        rc = ngx_http_flowdash_source_read_text(r, src);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (src->body.text.len == 0) {
        ngx_str_set(&src->body.text, "");
    }

    ngx_http_flowdash_method_pairs(&ctx->method, &src->body.text);

    rc = ngx_http_flowdash_source_read_pairs(r, ctx, &src->body, 0);

    src->readable = (rc == NGX_OK && !ctx->refusal_status);

    return rc;
}


/*
 * Reads source->text, which is a query or a urlencoded body.  Returns NGX_OK,
 * with source->form and source->task or with ctx->refusal_status set, or
 * NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_source_read_pairs(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_source_t *source,
    ngx_uint_t query)
{
    ngx_int_t                     rc;
    ngx_str_t                     none;
    ngx_http_flowdash_form_t     *form;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    ngx_str_null(&none);

    form = ngx_http_flowdash_source_create_form(r, ctx, &none);
    if (form == NULL) {
        return NGX_ERROR;
    }

    form->query = query;
    form->ascii = src->media.ascii;

    if (query && ngx_http_flowdash_source_query_is_other(ctx)) {

        /* just its names are compared with those of the body */

        form->strict = NGX_HTTP_FLOWDASH_STRICT_NONE;
    }

    rc = ngx_http_flowdash_form_urlencoded_parse(form, &source->text);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_source_refuse_form(r, ctx, form,
                                                    query ? "query" : "body");
    }

    if (rc != NGX_OK) {
        return rc;
    }

    /* a query without fields of the task is not a source */

    if (query && form->pairs == NULL) {
        return NGX_OK;
    }

    source->form = form;

    return ngx_http_flowdash_form_task(form, &source->task);
}


static ngx_int_t
ngx_http_flowdash_source_read_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    src->target = &src->body;

    if (r->args.len == 0
        || (ngx_http_flowdash_source_query_is_other(ctx)
            && !(ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_QUERY)))
    {
        return NGX_OK;
    }

    src->query.text = r->args;

    rc = ngx_http_flowdash_source_read_pairs(r, ctx, &src->query, 1);

    if (rc == NGX_OK && src->query.form && !ctx->refusal_status) {
        rc = ngx_http_flowdash_source_query_judge(r, ctx);
    }

    if (rc != NGX_OK || src->query.form == NULL) {
        return rc;
    }

    /*
     * Apps do not merge a[b] in the query with a[c] in the body, so new fields
     * must go where the others are.
     */

    if (ctx->conf->pointer->nelts || src->body.form == NULL) {
        src->target = &src->query;
    }

    return NGX_OK;
}
