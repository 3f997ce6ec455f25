
/*
 * Where the fields of the task come from in a request, and where changed ones
 * go: its body, in JSON or a form, and its query.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


static ngx_int_t ngx_http_flowdash_source_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_http_flowdash_form_t *ngx_http_flowdash_source_form(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_str_t *boundary);
static ngx_int_t ngx_http_flowdash_source_decode(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_json(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_urlencoded(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_multipart(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, const char *error);
static ngx_int_t ngx_http_flowdash_source_refuse_form(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_form_t *form);
static ngx_int_t ngx_http_flowdash_source_refuse_at(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, const char *what,
    const char *error, off_t offset);

static ngx_int_t ngx_http_flowdash_source_lay_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_agrees(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *said);
static void ngx_http_flowdash_source_settle(ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_check_form(
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_source_t *source,
    ngx_http_flowdash_field_t *new, ngx_http_flowdash_field_t *field,
    const char **error);

static ngx_int_t ngx_http_flowdash_source_hand_out(
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_write_body(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_write_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


ngx_int_t
ngx_http_flowdash_source_read(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (!ctx->pieces.begun) {

        rc = ngx_http_flowdash_source_begin(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ctx->refused) {
        return NGX_OK;
    }

    if (ctx->gzip) {

        rc = ngx_http_flowdash_source_decode(r, ctx);

        if (rc != NGX_OK || ctx->refused) {
            return rc;
        }
    }

    switch (ctx->media.type) {

    case NGX_HTTP_FLOWDASH_MULTIPART:
        rc = ngx_http_flowdash_source_multipart(r, ctx);
        break;

    case NGX_HTTP_FLOWDASH_URLENCODED:
        rc = ngx_http_flowdash_source_urlencoded(r, ctx);
        break;

    default:
        rc = ngx_http_flowdash_source_json(r, ctx);
    }

    if (rc != NGX_OK || ctx->refused) {
        return rc;
    }

    rc = ngx_http_flowdash_source_query(r, ctx);

    if (rc != NGX_OK || ctx->refused) {
        return rc;
    }

    return ngx_http_flowdash_source_lay(r, ctx);
}


/* also when an internal redirect has led to another action */

static ngx_int_t
ngx_http_flowdash_source_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    off_t                      max;
    ngx_http_core_loc_conf_t  *clcf;

    ngx_memzero(&ctx->body, sizeof(ngx_http_flowdash_source_t));
    ngx_memzero(&ctx->query, sizeof(ngx_http_flowdash_source_t));

    ctx->gzip = NULL;
    ctx->multipart = NULL;
    ctx->stored = NULL;
    ctx->task = NULL;
    ctx->refused = 0;

    ctx->has_body = (ngx_http_flowdash_body_length(r) != 0);

    if (ngx_strlchr(r->unparsed_uri.data,
                    r->unparsed_uri.data + r->unparsed_uri.len, '#'))
    {
        /* for nginx the query ends there, for some apps it does not */

        return ngx_http_flowdash_source_refuse(r, ctx, NGX_HTTP_BAD_REQUEST,
                                           "the request's URI has a fragment");
    }

    ngx_http_flowdash_body_media(r, ctx->conf->decode, &ctx->media);

    if (ctx->media.error) {
        return ngx_http_flowdash_source_refuse(r, ctx, ctx->media.status,
                                               ctx->media.error);
    }

    if (!ctx->has_body) {

        /* a form without fields can get some */

        if (ctx->media.type != NGX_HTTP_FLOWDASH_URLENCODED) {
            ctx->media.type = NGX_HTTP_FLOWDASH_UNKNOWN;
        }

        return NGX_OK;
    }

    if (ctx->media.gzip) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        max = clcf->client_max_body_size;

        if (max == 0) {
            max = ctx->conf->max_fields_size;
        }

        ctx->gzip = ngx_http_flowdash_gzip_create(r->pool, max);
        if (ctx->gzip == NULL) {
            return NGX_ERROR;
        }
    }

    if (ctx->media.type == NGX_HTTP_FLOWDASH_MULTIPART) {

        ctx->body.form = ngx_http_flowdash_source_form(r, ctx,
                                                       &ctx->media.boundary);
        if (ctx->body.form == NULL) {
            return NGX_ERROR;
        }

        ctx->multipart = ngx_http_flowdash_multipart_create(ctx->body.form);
        if (ctx->multipart == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_http_flowdash_form_t *
ngx_http_flowdash_source_form(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *boundary)
{
    ngx_http_flowdash_form_t  *form;

    form = ngx_palloc(r->pool, sizeof(ngx_http_flowdash_form_t));
    if (form == NULL) {
        return NULL;
    }

    ngx_http_flowdash_form_init(form, r->pool, ctx->conf->pointer, boundary,
                                ctx->conf->max_fields_size);

    return form;
}


static ngx_int_t
ngx_http_flowdash_source_decode(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;
    ngx_str_t  piece;

    /* what is left of the last piece */

    ngx_str_null(&piece);

    for ( ;; ) {

        rc = ngx_http_flowdash_gzip_read(ctx->gzip, piece.data, piece.len);

        if (rc != NGX_OK) {
            break;
        }

        rc = ngx_http_flowdash_body_piece(r, &ctx->pieces, &piece);

        if (rc == NGX_DONE) {
            rc = ngx_http_flowdash_gzip_end(ctx->gzip, &ctx->body.text);
            break;
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_source_refuse(r, ctx,
                                       ctx->gzip->large
                                       ? NGX_HTTP_REQUEST_ENTITY_TOO_LARGE
                                       : NGX_HTTP_BAD_REQUEST,
                                       ctx->gzip->error);
    }

    if (rc == NGX_OK) {
        ctx->gzip = NULL;
    }

    return rc;
}


static ngx_int_t
ngx_http_flowdash_source_json(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                          rc;
    ngx_str_t                         *text;
    ngx_http_flowdash_json_verdict_e   verdict;

    text = &ctx->body.text;

    if (!ctx->has_body) {
        ngx_str_set(text, "{}");

    } else if (!ctx->media.gzip) {

        rc = ngx_http_flowdash_body_read(r, text);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ngx_http_flowdash_task_init(&ctx->body.task, r->pool, text,
                                    ctx->conf->pointer, &verdict)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_OK) {
        return NGX_OK;
    }

    return ngx_http_flowdash_source_refuse_at(r, ctx, NGX_HTTP_BAD_REQUEST,
                                              "body",
                                              ctx->body.task.json.error,
                                              ctx->body.task.json.offset);
}


static ngx_int_t
ngx_http_flowdash_source_urlencoded(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_str_t                   none;
    ngx_http_flowdash_form_t   *form;

    if (!ctx->media.gzip) {

        if (ngx_http_flowdash_body_length(r)
            > (off_t) ctx->conf->max_fields_size)
        {
            return ngx_http_flowdash_source_refuse(r, ctx,
                                           NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                           "the request's body is over "
                                           "flowdash_max_fields_size");
        }

        rc = ngx_http_flowdash_body_read(r, &ctx->body.text);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ctx->body.text.len == 0) {
        ngx_str_set(&ctx->body.text, "");
    }

    ngx_str_null(&none);

    form = ngx_http_flowdash_source_form(r, ctx, &none);
    if (form == NULL) {
        return NGX_ERROR;
    }

    ctx->body.form = form;

    rc = ngx_http_flowdash_form_parse(form, &ctx->body.text);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_source_refuse_form(r, ctx, form);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_flowdash_form_task(form, &ctx->body.task);
}


static ngx_int_t
ngx_http_flowdash_source_multipart(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;
    ngx_str_t  piece;

    if (ctx->media.gzip) {
        rc = ngx_http_flowdash_multipart_read(ctx->multipart,
                                              ctx->body.text.data,
                                              ctx->body.text.len);

    } else {
        for ( ;; ) {

            rc = ngx_http_flowdash_body_piece(r, &ctx->pieces, &piece);

            if (rc == NGX_DONE) {
                rc = NGX_OK;
                break;
            }

            if (rc != NGX_OK) {
                return rc;
            }

            rc = ngx_http_flowdash_multipart_read(ctx->multipart, piece.data,
                                                  piece.len);
            if (rc != NGX_OK) {
                break;
            }
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_multipart_end(ctx->multipart);
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_source_refuse_form(r, ctx, ctx->body.form);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_flowdash_form_task(ctx->body.form, &ctx->body.task);
}


static ngx_int_t
ngx_http_flowdash_source_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_str_t                  none;
    ngx_http_flowdash_form_t  *form;

    ctx->target = &ctx->body;

    /*
     * If the whole JSON body is the task, the query's arguments are filters
     * and the like.
     */

    if (r->args.len == 0
        || (ctx->has_body && ctx->body.form == NULL
            && ctx->conf->pointer->nelts == 0))
    {
        return NGX_OK;
    }

    ngx_str_null(&none);

    form = ngx_http_flowdash_source_form(r, ctx, &none);
    if (form == NULL) {
        return NGX_ERROR;
    }

    form->query = 1;

    rc = ngx_http_flowdash_form_parse(form, &r->args);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_source_refuse_form(r, ctx, form);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (form->pairs == NULL) {
        return NGX_OK;
    }

    ctx->query.form = form;
    ctx->query.text = r->args;

    /*
     * Apps that read a[b] in the query do not merge it with a[c] in the body:
     * what is new has to stand beside what is there.
     */

    if (ctx->conf->pointer->nelts || ctx->body.form == NULL) {
        ctx->target = &ctx->query;
    }

    return ngx_http_flowdash_form_task(form, &ctx->query.task);
}


static ngx_int_t
ngx_http_flowdash_source_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, const char *error)
{
    ctx->refused = status;
    ctx->detail.data = (u_char *) error;
    ctx->detail.len = ngx_strlen(error);

    ctx->pieces.begun = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_source_refuse_form(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_form_t *form)
{
    ngx_uint_t  status;

    switch (form->verdict) {

    case NGX_HTTP_FLOWDASH_FORM_CHARSET:
        status = NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
        break;

    case NGX_HTTP_FLOWDASH_FORM_LARGE:
        status = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        break;

    default:
        status = NGX_HTTP_BAD_REQUEST;
    }

    return ngx_http_flowdash_source_refuse_at(r, ctx, status,
                                         form->query ? "query" : "body",
                                         form->error, form->offset);
}


static ngx_int_t
ngx_http_flowdash_source_refuse_at(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, const char *what,
    const char *error, off_t offset)
{
    u_char  *p;

    ctx->detail.data = ngx_pnalloc(r->pool, NGX_MAX_ERROR_STR);
    if (ctx->detail.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_snprintf(ctx->detail.data, NGX_MAX_ERROR_STR,
                     "the request's %s: %s, at byte %O", what, error, offset);

    ctx->detail.len = p - ctx->detail.data;
    ctx->refused = status;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_source_lay(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_task_t          *task, *base;
    ngx_http_flowdash_json_verdict_e   verdict;

    if (ctx->stored == NULL && ctx->query.form == NULL) {
        ctx->task = &ctx->body.task;
        return NGX_OK;
    }

    task = ngx_palloc(r->pool, sizeof(ngx_http_flowdash_task_t));
    if (task == NULL) {
        return NGX_ERROR;
    }

    base = ctx->stored ? ctx->stored : &ctx->body.task;

    if (ngx_http_flowdash_task_init(task, r->pool, &base->json.text,
                                    base->json.pointer, &verdict)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->task = task;

    if (ctx->stored
        && ngx_http_flowdash_task_merge(task, &ctx->body.task) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->query.form
        && ngx_http_flowdash_source_lay_query(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->task) {
        ngx_http_flowdash_source_settle(ctx);
    }

    return NGX_OK;
}


/*
 * The query beats the body, as it does in apps that read both.  For those
 * that don't, the value of the body will be replaced: endpoints and the app
 * must not see different ones.
 */

static ngx_int_t
ngx_http_flowdash_source_lay_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    const char                 *error;
    ngx_list_part_t            *part;
    ngx_http_flowdash_field_t  *field, *said;

    i = 0;
    part = &ctx->query.task.fields.part;

    while ((said = ngx_http_flowdash_task_next(&part, &i))) {

        field = ngx_http_flowdash_task_lookup(&ctx->body.task,
                                              &said->node.str);
        if (field) {

            rc = ngx_http_flowdash_source_agrees(r, &field->value,
                                                 &said->value);
            if (rc == NGX_OK) {
                continue;
            }

            if (rc != NGX_DECLINED) {
                return rc;
            }

            rc = ngx_http_flowdash_source_check_form(ctx, &ctx->body, said,
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

        if (ngx_http_flowdash_task_set(ctx->task, said) != NGX_OK) {
            return NGX_ERROR;
        }

        if (field) {
            field = ngx_http_flowdash_task_lookup(ctx->task, &said->node.str);
            field->doubtful = 1;
        }
    }

    return NGX_OK;
}


/* a form says 5 as "5"; returns NGX_OK, NGX_DECLINED or NGX_ERROR */

static ngx_int_t
ngx_http_flowdash_source_agrees(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *said)
{
    ngx_int_t                        rc;
    ngx_array_t                      was, is;
    ngx_http_flowdash_json_node_t  **a, **b;

    if (value->data[0] == '{' || value->data[0] == '['
        || said->data[0] == '{' || said->data[0] == '[')
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_flowdash_json_leaves(value, &was, r->pool);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_json_leaves(said, &is, r->pool);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    a = was.elts;
    b = is.elts;

    if (was.nelts != 1 || is.nelts != 1 || a[0]->depth || b[0]->depth
        || a[0]->text.len != b[0]->text.len
        || ngx_memcmp(a[0]->text.data, b[0]->text.data, b[0]->text.len) != 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* a field stays doubtful if any source of it is, whichever of them won */

static void
ngx_http_flowdash_source_settle(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_uint_t                  i;
    ngx_list_part_t            *part;
    ngx_http_flowdash_task_t   *query;
    ngx_http_flowdash_field_t  *field, *own;

    query = ctx->query.form ? &ctx->query.task : NULL;

    i = 0;
    part = &ctx->task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        own = ngx_http_flowdash_task_lookup(&ctx->body.task, &field->node.str);

        if (own && own->doubtful) {
            field->doubtful = 1;
        }

        own = query ? ngx_http_flowdash_task_lookup(query, &field->node.str)
                    : NULL;

        if (own && own->doubtful) {
            field->doubtful = 1;
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
    ngx_int_t                   rc;
    ngx_http_flowdash_field_t  *field;

    field = ngx_http_flowdash_task_lookup(ctx->task, &new->node.str);

    if (field && ngx_http_flowdash_task_same(field, new)) {
        return NGX_DONE;
    }

    rc = ngx_http_flowdash_source_check_form(ctx, &ctx->body, new, field,
                                             error);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_source_check_form(ctx, &ctx->query, new, field,
                                                 error);
    }

    return rc;
}


static ngx_int_t
ngx_http_flowdash_source_check_form(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_source_t *source, ngx_http_flowdash_field_t *new,
    ngx_http_flowdash_field_t *field, const char **error)
{
    if (source->form == NULL
        || (ctx->target != source
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
    u_char                     *p;
    ngx_int_t                   rc;
    ngx_str_t                   value, text;
    ngx_uint_t                  i;
    ngx_array_t                 leaves;
    ngx_http_flowdash_field_t   field;
    ngx_http_flowdash_param_t  *param;

    if (ctx->conf->set == NULL) {
        return NGX_OK;
    }

    param = ctx->conf->set->elts;

    for (i = 0; i < ctx->conf->set->nelts; i++) {

        if (ngx_http_flowdash_value_raw(r, &param[i].value, &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        text = value;

        if (!param[i].json) {

            if (ngx_http_flowdash_json_check_utf8(&value)) {
                *error = "the value of flowdash_set is not UTF-8";
                return NGX_DECLINED;
            }

            text.data = ngx_pnalloc(r->pool,
                               ngx_http_flowdash_json_string_length(&value));
            if (text.data == NULL) {
                return NGX_ERROR;
            }

            p = ngx_http_flowdash_json_write_string(text.data, &value);
            text.len = p - text.data;
        }

        rc = ngx_http_flowdash_json_leaves(&text, &leaves, r->pool);

        if (rc == NGX_DECLINED) {
            *error = "the value of flowdash_set_json is not JSON";
        }

        if (rc != NGX_OK) {
            return rc;
        }

        ngx_memzero(&field, sizeof(ngx_http_flowdash_field_t));

        field.node.str = param[i].name;
        field.value = text;

        field.spelling.data = ngx_pnalloc(r->pool,
                       ngx_http_flowdash_json_string_length(&param[i].name));
        if (field.spelling.data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_http_flowdash_json_write_string(field.spelling.data,
                                                &param[i].name);
        field.spelling.len = p - field.spelling.data;

        rc = ngx_http_flowdash_source_set(ctx, &field, error);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_source_write(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->task != &ctx->body.task
        && ngx_http_flowdash_source_hand_out(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->query.task.changed
        && ngx_http_flowdash_source_write_query(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->body.task.changed) {
        return ngx_http_flowdash_source_write_body(r, ctx);
    }

    return NGX_OK;
}


/* to each source its fields, and to one those that are new */

static ngx_int_t
ngx_http_flowdash_source_hand_out(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_uint_t                  i, found;
    ngx_list_part_t            *part;
    ngx_http_flowdash_field_t  *field;

    i = 0;
    part = &ctx->task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        found = 0;

        if (ngx_http_flowdash_task_lookup(&ctx->body.task, &field->node.str)) {
            found = 1;

            if (ngx_http_flowdash_task_set(&ctx->body.task, field) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        if (ctx->query.form
            && ngx_http_flowdash_task_lookup(&ctx->query.task,
                                             &field->node.str))
        {
            found = 1;

            if (ngx_http_flowdash_task_set(&ctx->query.task, field)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (!found && field->changed
            && ngx_http_flowdash_task_set(&ctx->target->task, field)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_source_write_body(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_str_t                  text;
    ngx_array_t               *edits;
    ngx_http_flowdash_form_t  *form;
    ngx_http_flowdash_task_t  *task;

    form = ctx->body.form;
    task = &ctx->body.task;

    if (form) {
        edits = ngx_http_flowdash_form_edits(form, task);
        if (edits == NULL) {
            return NGX_ERROR;
        }

        if (edits->nelts == 0) {
            return NGX_OK;
        }

        if (form->boundary.len && !ctx->media.gzip) {
            return ngx_http_flowdash_replace_edits(r, edits, &ctx->copy);
        }

        if (ngx_http_flowdash_form_write(form, &ctx->body.text, edits, &text)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else {
        text.data = ngx_pnalloc(r->pool,
                                ngx_http_flowdash_task_text_length(task));
        if (text.data == NULL) {
            return NGX_ERROR;
        }

        text.len = ngx_http_flowdash_task_write_text(text.data, task)
                   - text.data;

        if (!ctx->has_body
            && ngx_http_flowdash_replace_set_json(r) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_flowdash_replace_text(r, &text, ctx->media.gzip,
                                          &ctx->copy);
}


static ngx_int_t
ngx_http_flowdash_source_write_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    u_char       *p, *last;
    ngx_str_t     text, uri;
    ngx_array_t  *edits;

    edits = ngx_http_flowdash_form_edits(ctx->query.form, &ctx->query.task);
    if (edits == NULL) {
        return NGX_ERROR;
    }

    if (edits->nelts == 0) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_form_write(ctx->query.form, &ctx->query.text, edits,
                                     &text)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash replace query: \"%V\"", &text);

    /* the path stays as it was sent */

    uri = r->unparsed_uri;
    last = uri.data + uri.len;
    p = ngx_strlchr(uri.data, last, '?');

    if (p && (size_t) (last - p - 1) == r->args.len
        && ngx_memcmp(p + 1, r->args.data, r->args.len) == 0)
    {
        p++;

        r->unparsed_uri.len = p - uri.data + text.len;

        r->unparsed_uri.data = ngx_pnalloc(r->pool, r->unparsed_uri.len);
        if (r->unparsed_uri.data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(r->unparsed_uri.data, uri.data, p - uri.data);
        ngx_memcpy(p, text.data, text.len);

    } else {
        r->valid_unparsed_uri = 0;
    }

    r->args = text;

    ngx_http_flowdash_replace_forget(r);

    return NGX_OK;
}
