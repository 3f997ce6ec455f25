
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
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form_alias.h>
#include <ngx_http_flowdash_form_check.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_source_state.h>
#include <ngx_http_flowdash_source.h>


static ngx_int_t ngx_http_flowdash_source_join(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_source_save_form(
    ngx_http_flowdash_source_t *source);
static void ngx_http_flowdash_source_restore_form(
    ngx_http_flowdash_source_t *source);
static ngx_uint_t ngx_http_flowdash_source_query_differs(
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_field_t *new);
static ngx_uint_t ngx_http_flowdash_source_other_case(
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_task_t *task,
    ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_source_other_cases(
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_task_t *other);
static ngx_int_t ngx_http_flowdash_source_check_form(
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_source_t *source,
    ngx_http_flowdash_field_t *new, ngx_http_flowdash_field_t *field,
    const char **error);


ngx_int_t
ngx_http_flowdash_source_create(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ctx->sources = ngx_pcalloc(r->pool, sizeof(ngx_http_flowdash_sources_t));
    if (ctx->sources == NULL) {
        return NGX_ERROR;
    }

    /* it was read for another location, or for another module */

    ctx->sources->shared = (r->request_body != NULL);

    ctx->stored = NULL;
    ctx->task = NULL;
    ctx->extracted = NULL;
    ctx->refusal_status = 0;
    ctx->refusal_rule = 0;

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
    error = ngx_http_flowdash_strict_error(r->pool, rule, error);
    if (error == NULL) {
        return NGX_ERROR;
    }

    ctx->refusal_rule = rule;

    return ngx_http_flowdash_source_refuse(r, ctx, status, error);
}


ngx_int_t
ngx_http_flowdash_source_refuse_at(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, const char *what,
    const char *error, ngx_uint_t rule, off_t offset)
{
    u_char  *p, *last;

    ctx->detail.data = ngx_pnalloc(r->pool, NGX_MAX_ERROR_STR);
    if (ctx->detail.data == NULL) {
        return NGX_ERROR;
    }

    last = ctx->detail.data + NGX_MAX_ERROR_STR;

    p = ngx_slprintf(ctx->detail.data, last, "the request's %s: %s", what,
                     error);

    if (rule) {
        p = ngx_slprintf(p, last, " (flowdash_strict %s)",
                         ngx_http_flowdash_strict_name(rule));
    }

    p = ngx_slprintf(p, last, ", at byte %O", offset);

    ctx->detail.len = p - ctx->detail.data;
    ctx->refusal_status = status;
    ctx->refusal_rule = rule;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_source_require(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    u_char                       *p;
    size_t                        len;
    ngx_uint_t                    found;
    ngx_str_t                    *pointer;
    ngx_http_flowdash_sources_t  *src;

    static const char  error[] = "the request has no task at the pointer ";

    src = ctx->sources;

    if (src->body.form) {
        found = (src->body.form->pairs != NULL);

    } else {
        found = (src->has_body && src->body.task.json.object.data);
    }

    if (found || src->query.form) {
        return NGX_OK;
    }

    /*
     * Perhaps the app takes what is there for the task, as Rails does with
     * JSON that has no root; or flowdash_task is wrong.
     */

    pointer = &ctx->conf->pointer_text;

    if (!ctx->conf->task_required) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "flowdash: %s\"%V\"", error, pointer);
        return NGX_OK;
    }

    len = sizeof(error) + pointer->len + sizeof("\"\"");

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_snprintf(p, len, "%s\"%V\"%Z", error, pointer);

    return ngx_http_flowdash_source_refuse(r, ctx, NGX_HTTP_BAD_REQUEST,
                                           (char *) p);
}


ngx_int_t
ngx_http_flowdash_source_merge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_flowdash_source_join(r, ctx);

    if (rc == NGX_OK && ctx->task
        && (ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_MEANING)
        && ngx_http_flowdash_task_has_conflict(ctx->task))
    {
        ctx->task = NULL;
        return ngx_http_flowdash_source_refuse_rule(r, ctx,
                   NGX_HTTP_BAD_REQUEST, NGX_HTTP_FLOWDASH_STRICT_MEANING,
                   "a field and a part of it, as Rails reads due_date(1i)");
    }

    return rc;
}


/* the stored task, and what body and query have of it */

static ngx_int_t
ngx_http_flowdash_source_join(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_task_t     *task, *base, *query;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    if (ctx->stored == NULL && src->query.form == NULL) {
        ctx->task = &src->body.task;
        return NGX_OK;
    }

    query = src->query.form ? &src->query.task : NULL;

    if (ngx_http_flowdash_source_other_cases(ctx, ctx->stored, &src->body.task)
        || ngx_http_flowdash_source_other_cases(ctx, ctx->stored, query))
    {
        ctx->task = NULL;
        return ngx_http_flowdash_source_refuse_rule(r, ctx,
                   NGX_HTTP_BAD_REQUEST, NGX_HTTP_FLOWDASH_STRICT_CASE,
                   "a field of the request differs from a stored one only in "
                   "case");
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

    /* what body and query both have is the same, source_query sees to it */

    if (src->query.form
        && ngx_http_flowdash_task_merge(task, &src->query.task) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_flowdash_source_begin(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    ngx_http_flowdash_source_save_form(&src->body);
    ngx_http_flowdash_source_save_form(&src->query);
}


static void
ngx_http_flowdash_source_save_form(ngx_http_flowdash_source_t *source)
{
    if (source->form) {
        source->fields = source->form->fields;
        ngx_http_flowdash_form_alias_mark(source->form, &source->mark);
    }
}


void
ngx_http_flowdash_source_cancel(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    ngx_http_flowdash_source_restore_form(&src->body);
    ngx_http_flowdash_source_restore_form(&src->query);
}


ngx_int_t
ngx_http_flowdash_source_commit(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_task_t *change)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_field_t  *field, room;

    for (i = 0; (field = ngx_http_flowdash_task_get(change, i, &room)); i++) {

        if (change->index.refs[i].marked
            && ngx_http_flowdash_task_set(ctx->task, field) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_flowdash_source_restore_form(ngx_http_flowdash_source_t *source)
{
    if (source->form) {
        source->form->fields = source->fields;
        ngx_http_flowdash_form_alias_remove(source->form, &source->mark);
    }
}


ngx_int_t
ngx_http_flowdash_source_check(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new, const char **error)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_field_t    *field, room;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    field = ngx_http_flowdash_task_lookup(ctx->task, &new->name, &room);

    if (field && ngx_http_flowdash_task_same(field, new)) {
        return NGX_DONE;
    }

    if (ngx_http_flowdash_source_query_differs(ctx, new)) {
        *error = "the request's query has a different value for it "
                 "(flowdash_strict query)";
        return NGX_DECLINED;
    }

    if (ngx_http_flowdash_source_other_case(ctx, ctx->task, &new->name)) {
        *error = "the task has a field whose name differs only in case "
                 "(flowdash_strict case)";
        return NGX_DECLINED;
    }

    /* a field that the task has was judged when the task was read */

    if (field == NULL
        && (ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_MEANING)
        && ngx_http_flowdash_task_conflicts(ctx->task, &new->name))
    {
        *error = "Rails reads due(1i) as due (flowdash_strict meaning)";
        return NGX_DECLINED;
    }

    rc = ngx_http_flowdash_source_check_form(ctx, &src->body, new, field,
                                             error);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_source_check_form(ctx, &src->query, new, field,
                                                 error);
    }

    return rc;
}


/*
 * Tells whether a query that is not the task's has another value for a field:
 * some apps prefer it to that of the body.
 */

static ngx_uint_t
ngx_http_flowdash_source_query_differs(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new)
{
    ngx_http_flowdash_field_t    *field, room;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    if (!src->query_is_other
        || !(ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_QUERY))
    {
        return 0;
    }

    field = ngx_http_flowdash_task_lookup(&src->query.task, &new->name, &room);

    return field && !ngx_http_flowdash_task_same(field, new);
}


/*
 * Tells whether a task has a name in another case only, which apps may take
 * for this one.
 */

static ngx_uint_t
ngx_http_flowdash_source_other_case(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_task_t *task, ngx_str_t *name)
{
    return (ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_CASE)
           && ngx_http_flowdash_task_has_similar(task, name);
}


/* the same for all names of another task; either may be NULL */

static ngx_uint_t
ngx_http_flowdash_source_other_cases(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_task_t *task, ngx_http_flowdash_task_t *other)
{
    ngx_str_t   name;
    ngx_uint_t  i;

    if (task == NULL || other == NULL) {
        return 0;
    }

    for (i = 0; i < other->index.used; i++) {

        ngx_http_flowdash_field_name(&other->index, i, &name);

        if (ngx_http_flowdash_source_other_case(ctx, task, &name)) {
            return 1;
        }
    }

    return 0;
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
            && !ngx_http_flowdash_task_has(&source->task, &new->name)))
    {
        return NGX_OK;
    }

    return ngx_http_flowdash_form_check(source->form, new,
                                        field ? &field->value : NULL, error);
}


ngx_http_flowdash_form_t *
ngx_http_flowdash_source_create_form(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *boundary)
{
    ngx_http_flowdash_form_t  *form;

    form = ngx_palloc(r->pool, sizeof(ngx_http_flowdash_form_t));
    if (form == NULL) {
        return NULL;
    }

    ngx_http_flowdash_form_init(form, r->pool, ctx->conf->pointer, boundary,
                                ctx->conf->max_fields_size,
                                ctx->conf->strict);

    form->max_fields = ctx->conf->max_fields;

    return form;
}


ngx_int_t
ngx_http_flowdash_source_refuse_form(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_form_t *form,
    const char *what)
{
    ngx_uint_t  status;

    switch (form->verdict) {

    case NGX_HTTP_FLOWDASH_FORM_CHARSET:
    case NGX_HTTP_FLOWDASH_FORM_TYPE:
        status = NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
        break;

    case NGX_HTTP_FLOWDASH_FORM_LARGE:
        status = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        break;

    default:
        status = NGX_HTTP_BAD_REQUEST;
    }

    return ngx_http_flowdash_source_refuse_at(r, ctx, status, what,
                                              form->error, form->rule,
                                              form->offset);
}
