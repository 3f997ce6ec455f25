
/*
 * The variables: what an execution was and did, and the task's fields.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_variables.h>


/* "data" of the variables that list the steps */

#define NGX_HTTP_FLOWDASH_STEP_STATUS  0
#define NGX_HTTP_FLOWDASH_STEP_TIME    1


static ngx_int_t ngx_http_flowdash_variable_text(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_action(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_set_outside(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_variable_value_t *v, ngx_str_t *s);
static void ngx_http_flowdash_variable_set(ngx_http_variable_value_t *v,
    ngx_str_t *s);
static ngx_int_t ngx_http_flowdash_variable_result(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_failed_step(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_error(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_step_name(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_steps(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_uint_t ngx_http_flowdash_variable_attempts(
    ngx_http_flowdash_exchange_t *ex);
static u_char *ngx_http_flowdash_variable_step(u_char *p,
    ngx_http_flowdash_exchange_t *ex, uintptr_t data);
static u_char *ngx_http_flowdash_variable_attempt(u_char *p,
    ngx_http_flowdash_attempt_t *attempt, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_task(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_http_flowdash_variable_too_early(ngx_http_request_t *r,
    ngx_str_t *name);


static ngx_http_variable_t  ngx_http_flowdash_vars[] = {

    { ngx_string("flowdash_id"), NULL, ngx_http_flowdash_variable_text,
      offsetof(ngx_http_flowdash_ctx_t, id), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_action"), NULL, ngx_http_flowdash_variable_action,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_result"), NULL, ngx_http_flowdash_variable_result,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_failed_step"), NULL,
      ngx_http_flowdash_variable_failed_step,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_error"), NULL, ngx_http_flowdash_variable_error,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_step_name"), NULL,
      ngx_http_flowdash_variable_step_name,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_error_message"), NULL,
      ngx_http_flowdash_variable_text,
      offsetof(ngx_http_flowdash_ctx_t, message),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_step_status"), NULL,
      ngx_http_flowdash_variable_steps,
      NGX_HTTP_FLOWDASH_STEP_STATUS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_step_time"), NULL,
      ngx_http_flowdash_variable_steps,
      NGX_HTTP_FLOWDASH_STEP_TIME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("flowdash_task_"), NULL, ngx_http_flowdash_variable_task,
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


/* one of the execution's texts, at the offset "data" of its context */

static ngx_int_t
ngx_http_flowdash_variable_text(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx) {
        ngx_http_flowdash_variable_set(v,
                                       (ngx_str_t *) ((u_char *) ctx + data));
        return NGX_OK;
    }

    v->not_found = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_action(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx) {
        return ngx_http_flowdash_variable_set_outside(r, ctx, v, &ctx->action);
    }

    v->not_found = 1;

    return NGX_OK;
}


/*
 * A value from outside.  One with control characters is given in JSON's
 * escapes: proxy_set_header and add_header would make headers of line breaks.
 */

static ngx_int_t
ngx_http_flowdash_variable_set_outside(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_variable_value_t *v, ngx_str_t *s)
{
    u_char     *p, *last;
    ngx_str_t   escaped;

    last = s->data + s->len;

    for (p = s->data; p < last; p++) {
        if (*p < 0x20 && *p != '\t') {
            break;
        }
    }

    if (p == last || ctx->raw) {
        ngx_http_flowdash_variable_set(v, s);
        return NGX_OK;
    }

    ctx->escaped = 1;

    escaped.len = s->len + ngx_escape_json(NULL, s->data, s->len);

    escaped.data = ngx_pnalloc(r->pool, escaped.len);
    if (escaped.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_escape_json(escaped.data, s->data, s->len);

    ngx_http_flowdash_variable_set(v, &escaped);

    return NGX_OK;
}


static void
ngx_http_flowdash_variable_set(ngx_http_variable_value_t *v, ngx_str_t *s)
{
    if (s->len == 0) {
        v->not_found = 1;
        return;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    v->len = s->len;
    v->data = s->data;
}


static ngx_int_t
ngx_http_flowdash_variable_result(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                 result;
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    ngx_str_null(&result);

    if (ctx && ctx->state == NGX_HTTP_FLOWDASH_FAILED) {
        ngx_str_set(&result, "failed");

    } else if (ctx && ctx->state == NGX_HTTP_FLOWDASH_DRY_RUN) {
        ngx_str_set(&result, "dry_run");

    } else if (ctx && ctx->state == NGX_HTTP_FLOWDASH_PASSED
               && ctx->action.len)
    {
        ngx_str_set(&result, "ok");
    }

    ngx_http_flowdash_variable_set(v, &result);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_failed_step(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx && ctx->state == NGX_HTTP_FLOWDASH_FAILED && ctx->exchange) {
        return ngx_http_flowdash_variable_set_outside(r, ctx, v,
                                                   &ctx->exchange->step->name);
    }

    v->not_found = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variable_error(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx && ctx->error) {
        ngx_http_flowdash_variable_set(v,
                                    ngx_http_flowdash_reason_name(ctx->error));
        return NGX_OK;
    }

    v->not_found = 1;

    return NGX_OK;
}


/* as the lists below, of which it is the legend */

static ngx_int_t
ngx_http_flowdash_variable_step_name(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                         *p;
    size_t                          len;
    ngx_str_t                       s;
    ngx_uint_t                      i;
    ngx_http_flowdash_exchange_t  **exchanges;
    ngx_http_flowdash_ctx_t        *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL || ctx->exchanges.nelts == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    exchanges = ctx->exchanges.elts;
    len = 0;

    for (i = 0; i < ctx->exchanges.nelts; i++) {
        len += exchanges[i]->step->name.len + sizeof(" : ") - 1;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    s.data = p;

    for (i = 0; i < ctx->exchanges.nelts; i++) {

        if (i) {
            p = ngx_cpymem(p, " : ", 3);
        }

        p = ngx_cpymem(p, exchanges[i]->step->name.data,
                       exchanges[i]->step->name.len);
    }

    s.len = p - s.data;

    return ngx_http_flowdash_variable_set_outside(r, ctx, v, &s);
}


/* as $upstream_status and $upstream_response_time, a step being a group */

static ngx_int_t
ngx_http_flowdash_variable_steps(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                         *p;
    ngx_str_t                       s;
    ngx_uint_t                      i, n;
    ngx_http_flowdash_exchange_t  **exchanges;
    ngx_http_flowdash_ctx_t        *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL || ctx->exchanges.nelts == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    exchanges = ctx->exchanges.elts;
    n = 0;

    for (i = 0; i < ctx->exchanges.nelts; i++) {
        n += 1 + ngx_http_flowdash_variable_attempts(exchanges[i]);
    }

    p = ngx_pnalloc(r->pool, n * (NGX_TIME_T_LEN + sizeof(".000 : ")));
    if (p == NULL) {
        return NGX_ERROR;
    }

    s.data = p;

    for (i = 0; i < ctx->exchanges.nelts; i++) {

        if (i) {
            p = ngx_cpymem(p, " : ", 3);
        }

        p = ngx_http_flowdash_variable_step(p, exchanges[i], data);
    }

    s.len = p - s.data;
    ngx_http_flowdash_variable_set(v, &s);

    return NGX_OK;
}


/* how many are listed: the calls of flowdash_call, or nginx's upstream's */

static ngx_uint_t
ngx_http_flowdash_variable_attempts(ngx_http_flowdash_exchange_t *ex)
{
    if (ex->attempts.nelts) {
        return ex->attempts.nelts;
    }

    if (ex->request && ex->request->upstream_states) {
        return ex->request->upstream_states->nelts;
    }

    return 0;
}


static u_char *
ngx_http_flowdash_variable_step(u_char *p, ngx_http_flowdash_exchange_t *ex,
    uintptr_t data)
{
    ngx_uint_t                    i, n;
    ngx_http_flowdash_attempt_t   last, attempt, *attempts;
    ngx_http_upstream_state_t    *states;

    if (!ex->done || ex->request == NULL) {
        *p++ = '-';
        return p;
    }

    last.status = ex->status ? ex->status
                             : ngx_http_flowdash_reason_status(ex->error);
    last.time = ex->time;

    attempts = ex->attempts.elts;
    n = ngx_http_flowdash_variable_attempts(ex);

    for (i = 0; i + 1 < n; i++) {

        if (ex->attempts.nelts) {
            attempt = attempts[i];

        } else {
            states = ex->request->upstream_states->elts;
            attempt.status = states[i].status;
            attempt.time = states[i].response_time;

            last.time -= ngx_min(last.time, attempt.time);
        }

        p = ngx_http_flowdash_variable_attempt(p, &attempt, data);
        p = ngx_cpymem(p, ", ", 2);
    }

    if (ex->attempts.nelts) {
        last.time = attempts[n - 1].time;
    }

    return ngx_http_flowdash_variable_attempt(p, &last, data);
}


static u_char *
ngx_http_flowdash_variable_attempt(u_char *p,
    ngx_http_flowdash_attempt_t *attempt, uintptr_t data)
{
    if (data == NGX_HTTP_FLOWDASH_STEP_TIME) {
        return ngx_sprintf(p, "%T.%03M", (time_t) attempt->time / 1000,
                           attempt->time % 1000);
    }

    if (attempt->status == 0) {
        *p++ = '-';
        return p;
    }

    return ngx_sprintf(p, "%ui", attempt->status);
}


static ngx_int_t
ngx_http_flowdash_variable_task(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    ngx_int_t                   rc;
    ngx_str_t                   field_name, value;
    ngx_uint_t                  n;
    ngx_http_flowdash_ctx_t    *ctx;
    ngx_http_flowdash_field_t  *field;

    v->not_found = 1;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL) {
        ngx_http_flowdash_variable_too_early(r, name);
        return NGX_OK;
    }

    ctx->read = 1;

    if (ctx->task == NULL) {
        ctx->ambiguous = 1;
        return NGX_OK;
    }

    field_name.len = name->len - (sizeof("flowdash_task_") - 1);
    field_name.data = name->data + sizeof("flowdash_task_") - 1;

    field = ngx_http_flowdash_task_field(ctx->task, &field_name, &n);

    if (n > 1 || (field && field->ambiguous)) {
        ctx->ambiguous = 1;
    }

    if (field == NULL) {
        ctx->missing = 1;
    }

    if (field == NULL
        || (field->value.len == 4
            && ngx_strncmp(field->value.data, "null", 4) == 0))
    {
        return NGX_OK;
    }

    rc = ngx_http_flowdash_json_decode(&field->value, &value, r->pool);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    /* what is no string is shown as it is spelled */

    return ngx_http_flowdash_variable_set_outside(r, ctx, v,
                                                  rc == NGX_OK ? &value
                                                             : &field->value);
}


/* a variable that caches it, such as map's, would keep the empty value */

static void
ngx_http_flowdash_variable_too_early(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    if (r == r->main && flcf->action
        && (r->method & flcf->methods & ~NGX_CONF_BITMASK_SET))
    {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "flowdash: \"$%V\" is read before the task is", name);
    }
}
