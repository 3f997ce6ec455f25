
/*
 * The variables: what an execution is and did, and the task's fields.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_early.h>
#include <ngx_http_flowdash_told.h>
#include <ngx_http_flowdash_lists.h>
#include <ngx_http_flowdash_variables_end.h>
#include <ngx_http_flowdash_variables.h>


typedef ngx_int_t (*ngx_http_flowdash_variable_pt)(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);


static ngx_int_t ngx_http_flowdash_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

static ngx_int_t ngx_http_flowdash_variable_id(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);
static ngx_int_t ngx_http_flowdash_variable_traceparent(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);
static ngx_int_t ngx_http_flowdash_variable_action(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);
static ngx_int_t ngx_http_flowdash_variable_failed_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);
static ngx_int_t ngx_http_flowdash_variable_error(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);
static ngx_int_t ngx_http_flowdash_variable_error_message(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);
static ngx_int_t ngx_http_flowdash_variable_error_text(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);

static ngx_int_t ngx_http_flowdash_variable_task(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_stored(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_field(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_http_flowdash_field_t *field);
static ngx_http_flowdash_field_t *ngx_http_flowdash_variable_lookup(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_task_t *task, ngx_str_t *name,
    ngx_http_flowdash_value_t *value, ngx_http_flowdash_field_t *room);
static ngx_int_t ngx_http_flowdash_variable_user(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_flowdash_vars[] = {

    { ngx_string("flowdash_id"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_variable_id,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_traceparent"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_variable_traceparent,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_action"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_variable_action,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_result"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_variables_end_result,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_app_status"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_variables_end_app_status,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_failed_step"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_variable_failed_step,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_error"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_variable_error,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_error_message"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_variable_error_message,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_error_text"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_variable_error_text,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_step_name"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_lists_names,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_step_status"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_lists_statuses,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_step_error"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_lists_errors,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_step_time"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_lists_times,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_skipped"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_lists_skipped,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_ignored"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_lists_ignored,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_client_left"), NULL, ngx_http_flowdash_variable,
      (uintptr_t) ngx_http_flowdash_variables_end_client_left,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_task_"), NULL, ngx_http_flowdash_variable_task,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("flowdash_stored_"), NULL, ngx_http_flowdash_variable_stored,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("flowdash_user_"), NULL, ngx_http_flowdash_variable_user,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_flowdash_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_flowdash_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_http_variable_t *
ngx_http_flowdash_variables_find(ngx_str_t *name)
{
    ngx_http_variable_t  *v;

    for (v = ngx_http_flowdash_vars; v->name.len; v++) {

        if (name->len >= v->name.len
            && ngx_strncmp(name->data, v->name.data, v->name.len) == 0
            && (name->len == v->name.len
                || (v->flags & NGX_HTTP_VAR_PREFIX)))
        {
            return v;
        }
    }

    return NULL;
}


/* "data" is the handler that gets the value */

static ngx_int_t
ngx_http_flowdash_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t                       s;
    ngx_http_flowdash_ctx_t        *ctx;
    ngx_http_flowdash_variable_pt   handler;

    handler = (ngx_http_flowdash_variable_pt) data;
    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_str_null(&s);

    if (handler(r, ctx, &s) != NGX_OK) {
        return ngx_http_flowdash_variable_failed(ctx);
    }

    return ngx_http_flowdash_variable_set(r, ctx, v, &s);
}


ngx_int_t
ngx_http_flowdash_variable_failed(ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->evaluation) {
        ctx->evaluation->failed = 1;
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_http_flowdash_variable_set(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_variable_value_t *v, ngx_str_t *s)
{
    if (s->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    v->len = s->len;
    v->data = s->data;

    if (ngx_http_flowdash_text_find(s, NGX_HTTP_FLOWDASH_TEXT_LINE
                                       |NGX_HTTP_FLOWDASH_TEXT_C0)
        == NULL
        || (ctx->evaluation && ctx->evaluation->raw))
    {
        return NGX_OK;
    }

    if (ctx->evaluation) {
        ctx->evaluation->value->escaped = 1;
    }

    v->len = s->len + ngx_escape_json(NULL, s->data, s->len);

    v->data = ngx_pnalloc(r->pool, v->len);
    if (v->data == NULL) {
        return ngx_http_flowdash_variable_failed(ctx);
    }

    (void) ngx_escape_json(v->data, s->data, s->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_id(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    *s = ctx->id;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_traceparent(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    *s = ctx->traceparent;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_action(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    *s = ctx->action;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_failed_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    if (ctx->state == NGX_HTTP_FLOWDASH_FAILED && ctx->exchange) {
        *s = ctx->exchange->step->name;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_error(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    *s = *ngx_http_flowdash_reason_name(ctx->error);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_error_message(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    *s = ctx->message;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_error_text(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    *s = ctx->text;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_task(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    ngx_str_t                   field_name;
    ngx_http_flowdash_ctx_t    *ctx;
    ngx_http_flowdash_field_t   room;

    v->not_found = 1;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL) {
        ngx_http_flowdash_variables_too_early(r, name,
                                              "the task has been read");
        return NGX_OK;
    }

    field_name.len = name->len - (sizeof("flowdash_task_") - 1);
    field_name.data = name->data + sizeof("flowdash_task_") - 1;

    return ngx_http_flowdash_variable_field(r, ctx, v,
                   ngx_http_flowdash_variables_field(r, ctx, &field_name,
                                                     &room));
}


static ngx_int_t
ngx_http_flowdash_variable_stored(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    ngx_str_t                   field_name;
    ngx_http_flowdash_ctx_t    *ctx;
    ngx_http_flowdash_field_t   room;

    v->not_found = 1;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL) {
        ngx_http_flowdash_variables_too_early(r, name,
                                              "the task has been read");
        return NGX_OK;
    }

    field_name.len = name->len - (sizeof("flowdash_stored_") - 1);
    field_name.data = name->data + sizeof("flowdash_stored_") - 1;

    return ngx_http_flowdash_variable_field(r, ctx, v,
                   ngx_http_flowdash_variables_stored(r, ctx, &field_name,
                                                      &room));
}


/* a value other than a string is given as it is spelled */

static ngx_int_t
ngx_http_flowdash_variable_field(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_http_flowdash_field_t *field)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    if (field == NULL
        || (field->value.len == 4
            && ngx_strncmp(field->value.data, "null", 4) == 0))
    {
        return NGX_OK;
    }

    rc = ngx_http_flowdash_json_decode(&field->value, &text, r->pool);

    if (rc == NGX_ERROR) {
        return ngx_http_flowdash_variable_failed(ctx);
    }

    return ngx_http_flowdash_variable_set(r, ctx, v,
                                          rc == NGX_OK ? &text
                                                       : &field->value);
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_variables_field(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *name,
    ngx_http_flowdash_field_t *room)
{
    ngx_http_flowdash_value_t  *value, unused;

    value = &unused;

    if (ctx->evaluation) {
        ctx->evaluation->read = 1;
        value = ctx->evaluation->value;
    }

    if (ctx->task == NULL) {
        value->ambiguous = 1;
        return NULL;
    }

    return ngx_http_flowdash_variable_lookup(r, ctx, ctx->task, name,
                                             value, room);
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_variables_stored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *name,
    ngx_http_flowdash_field_t *room)
{
    ngx_http_flowdash_value_t  *value, unused;

    value = &unused;

    if (ctx->evaluation) {
        ctx->evaluation->read = 1;
        value = ctx->evaluation->value;
    }

    if (ctx->stored == NULL) {

        /* so that an empty name is evaluated again after the fetch */

        value->missing = 1;
        return NULL;
    }

    return ngx_http_flowdash_variable_lookup(r, ctx, ctx->stored, name,
                                             value, room);
}


static ngx_http_flowdash_field_t *
ngx_http_flowdash_variable_lookup(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_task_t *task,
    ngx_str_t *name, ngx_http_flowdash_value_t *value,
    ngx_http_flowdash_field_t *room)
{
    ngx_uint_t                  n;
    ngx_http_flowdash_field_t  *field;

    field = ngx_http_flowdash_task_field(task, name, &n, room);

    if (n > 1 || (field && field->ambiguous)) {
        value->ambiguous = 1;

        if (field) {
            value->twice = field->spelling;

        } else {
            ngx_str_null(&value->twice);
        }
    }

    if (field
        && !ngx_http_flowdash_told(ngx_http_flowdash_told_conf(r, ctx),
                                   &field->name))
    {
        /* the endpoint must not learn it in this way, either */

        field = NULL;
    }

    if (field == NULL) {
        value->missing = 1;
    }

    return field;
}


/* what the app has told; two members that have the same spelling here: none */

static ngx_int_t
ngx_http_flowdash_variable_user(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    ngx_str_t                    end;
    ngx_uint_t                   i;
    ngx_http_flowdash_ctx_t     *ctx;
    ngx_http_flowdash_member_t  *member, *found;

    v->not_found = 1;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL) {
        ngx_http_flowdash_variables_too_early(r, name, "the user is known");
        return NGX_OK;
    }

    if (ctx->evaluation) {
        ctx->evaluation->read = 1;
        ctx->evaluation->value->early |= ctx->conf->user_from
                                         && !ctx->identified;
    }

    if (ctx->told == NULL) {
        return NGX_OK;
    }

    end.len = name->len - (sizeof("flowdash_user_") - 1);
    end.data = name->data + sizeof("flowdash_user_") - 1;

    found = NULL;
    member = ctx->told->elts;

    for (i = 0; i < ctx->told->nelts; i++) {

        if (!ngx_http_flowdash_text_is_variable(&member[i].name, &end)) {
            continue;
        }

        if (found) {
            return NGX_OK;
        }

        found = &member[i];
    }

    return found ? ngx_http_flowdash_variable_set(r, ctx, v, &found->value)
                 : NGX_OK;
}


/* what "set" makes of it stays empty: warn */

void
ngx_http_flowdash_variables_too_early(ngx_http_request_t *r, ngx_str_t *name,
    const char *what)
{
    ngx_http_flowdash_loc_conf_t  *flcf;

    ngx_http_flowdash_early_note(r);

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    if (r == r->main && flcf->action
        && ngx_http_flowdash_method_is_listed(flcf->methods, &r->method_name))
    {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "flowdash: \"$%V\" is read before %s", name, what);
    }
}
