
/*
 * The variables: what an execution was and did, and the task's fields.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


static ngx_int_t ngx_http_flowdash_value_evaluate(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_complex_value_t *val,
    ngx_str_t *value);
static ngx_int_t ngx_http_flowdash_variable_text(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_action(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_set_outside(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_variable_value_t *v, ngx_str_t *s);
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
    ngx_http_flowdash_run_t *run);
static u_char *ngx_http_flowdash_variable_step(u_char *p,
    ngx_http_flowdash_run_t *run, uintptr_t data);
static u_char *ngx_http_flowdash_variable_attempt(u_char *p,
    ngx_http_flowdash_attempt_t *attempt, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variable_task(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_http_flowdash_variable_too_early(ngx_http_request_t *r,
    ngx_str_t *name);
static void ngx_http_flowdash_variable_set(ngx_http_variable_value_t *v,
    ngx_str_t *s);


/* "data" of the variables that list the steps */

#define NGX_HTTP_FLOWDASH_STEP_STATUS  0
#define NGX_HTTP_FLOWDASH_STEP_TIME    1


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


ngx_int_t
ngx_http_flowdash_value(ngx_http_request_t *r, ngx_http_complex_value_t *val,
    ngx_str_t *value)
{
    size_t                          size;
    ngx_int_t                       rc;
    ngx_http_flowdash_ctx_t        *ctx;
    ngx_http_variable_value_t      *saved;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    ctx = ngx_http_flowdash_get_ctx(r);
    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    ctx->escaped = 0;
    ctx->read = 0;

    r = r->main;

    if (!fmcf->task_variables || val->lengths == NULL) {
        return ngx_http_flowdash_value_evaluate(r, ctx, val, value);
    }

    /*
     * A variable that nginx caches (that of a "map") must not keep what it
     * has found in a task which is going to change.
     */

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    size = cmcf->variables.nelts * sizeof(ngx_http_variable_value_t);

    saved = ngx_palloc(r->pool, size);
    if (saved == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(saved, r->variables, size);

    rc = ngx_http_flowdash_value_evaluate(r, ctx, val, value);

    if (ctx->read) {
        ngx_memcpy(r->variables, saved, size);
    }

    (void) ngx_pfree(r->pool, saved);

    return rc;
}


ngx_int_t
ngx_http_flowdash_value_raw(ngx_http_request_t *r,
    ngx_http_complex_value_t *val, ngx_str_t *value)
{
    ngx_int_t                   rc;
    ngx_http_flowdash_ctx_t    *ctx;
    ngx_http_variable_value_t  *variables;

    if (ngx_http_flowdash_value(r, val, value) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx = ngx_http_flowdash_get_ctx(r);

    if (!ctx->escaped) {
        return NGX_OK;
    }

    /* nothing that is raw may stay in a variable which nginx keeps */

    variables = r->variables;

    r->variables = ngx_http_flowdash_variables_copy(r);

    if (r->variables == NULL) {
        r->variables = variables;
        return NGX_ERROR;
    }

    ctx->raw = 1;
    rc = ngx_http_flowdash_value_evaluate(r, ctx, val, value);
    ctx->raw = 0;

    r->variables = variables;

    return rc;
}


/*
 * To nginx, a variable that could not be read is an empty one.  But no name or
 * condition may be empty because memory ran out: the steps would not run.
 */

static ngx_int_t
ngx_http_flowdash_value_evaluate(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_complex_value_t *val,
    ngx_str_t *value)
{
    ctx->exhausted = 0;

    if (ngx_http_complex_value(r, val, value) != NGX_OK || ctx->exhausted) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_value_test(ngx_http_request_t *r,
    ngx_http_complex_value_t *val)
{
    ngx_str_t  value;

    ngx_http_flowdash_get_ctx(r)->doubtful = 0;

    if (ngx_http_flowdash_value(r, val, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (value.len == 0 || (value.len == 1 && value.data[0] == '0')) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_http_variable_value_t *
ngx_http_flowdash_variables_copy(ngx_http_request_t *r)
{
    ngx_uint_t                      i, mask;
    ngx_http_variable_t            *v;
    ngx_http_variable_value_t      *copy;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    copy = ngx_pcalloc(r->pool, cmcf->variables.nelts
                                * sizeof(ngx_http_variable_value_t));
    if (copy == NULL) {
        return NULL;
    }

    v = cmcf->variables.elts;
    mask = NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if ((v[i].flags & mask) == NGX_HTTP_VAR_CHANGEABLE) {
            copy[i] = r->variables[i];
        }
    }

    copy[fmcf->request_id] = r->variables[fmcf->request_id];

    return copy;
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
        ctx->exhausted = 1;
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

    if (ctx && ctx->state == NGX_HTTP_FLOWDASH_FAILED && ctx->run) {
        return ngx_http_flowdash_variable_set_outside(r, ctx, v,
                                                      &ctx->run->step->name);
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
                                    ngx_http_flowdash_error_name(ctx->error));
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
    u_char                    *p;
    size_t                     len;
    ngx_str_t                  s;
    ngx_uint_t                 i;
    ngx_http_flowdash_run_t  **runs;
    ngx_http_flowdash_ctx_t   *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL || ctx->runs.nelts == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    runs = ctx->runs.elts;
    len = 0;

    for (i = 0; i < ctx->runs.nelts; i++) {
        len += runs[i]->step->name.len + sizeof(" : ") - 1;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        ctx->exhausted = 1;
        return NGX_ERROR;
    }

    s.data = p;

    for (i = 0; i < ctx->runs.nelts; i++) {

        if (i) {
            p = ngx_cpymem(p, " : ", 3);
        }

        p = ngx_cpymem(p, runs[i]->step->name.data, runs[i]->step->name.len);
    }

    s.len = p - s.data;

    return ngx_http_flowdash_variable_set_outside(r, ctx, v, &s);
}


/* as $upstream_status and $upstream_response_time, a step being a group */

static ngx_int_t
ngx_http_flowdash_variable_steps(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                    *p;
    ngx_str_t                  s;
    ngx_uint_t                 i, n;
    ngx_http_flowdash_run_t  **runs;
    ngx_http_flowdash_ctx_t   *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL || ctx->runs.nelts == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    runs = ctx->runs.elts;
    n = 0;

    for (i = 0; i < ctx->runs.nelts; i++) {
        n += 1 + ngx_http_flowdash_variable_attempts(runs[i]);
    }

    p = ngx_pnalloc(r->pool, n * (NGX_TIME_T_LEN + sizeof(".000 : ")));
    if (p == NULL) {
        ctx->exhausted = 1;
        return NGX_ERROR;
    }

    s.data = p;

    for (i = 0; i < ctx->runs.nelts; i++) {

        if (i) {
            p = ngx_cpymem(p, " : ", 3);
        }

        p = ngx_http_flowdash_variable_step(p, runs[i], data);
    }

    s.len = p - s.data;
    ngx_http_flowdash_variable_set(v, &s);

    return NGX_OK;
}


/* how many are listed: the calls of flowdash_call, or nginx's upstream's */

static ngx_uint_t
ngx_http_flowdash_variable_attempts(ngx_http_flowdash_run_t *run)
{
    if (run->attempts.nelts) {
        return run->attempts.nelts;
    }

    if (run->request && run->request->upstream_states) {
        return run->request->upstream_states->nelts;
    }

    return 0;
}


static u_char *
ngx_http_flowdash_variable_step(u_char *p, ngx_http_flowdash_run_t *run,
    uintptr_t data)
{
    ngx_uint_t                    i, n;
    ngx_http_flowdash_attempt_t   last, attempt, *attempts;
    ngx_http_upstream_state_t    *states;

    if (!run->done || run->request == NULL) {
        *p++ = '-';
        return p;
    }

    last.status = run->status ? run->status
                              : ngx_http_flowdash_error_status(run->error);
    last.time = run->time;

    attempts = run->attempts.elts;
    n = ngx_http_flowdash_variable_attempts(run);

    for (i = 0; i + 1 < n; i++) {

        if (run->attempts.nelts) {
            attempt = attempts[i];

        } else {
            states = run->request->upstream_states->elts;
            attempt.status = states[i].status;
            attempt.time = states[i].response_time;

            last.time -= ngx_min(last.time, attempt.time);
        }

        p = ngx_http_flowdash_variable_attempt(p, &attempt, data);
        p = ngx_cpymem(p, ", ", 2);
    }

    if (run->attempts.nelts) {
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
        ctx->doubtful = 1;
        return NGX_OK;
    }

    field_name.len = name->len - (sizeof("flowdash_task_") - 1);
    field_name.data = name->data + sizeof("flowdash_task_") - 1;

    field = ngx_http_flowdash_task_field(ctx->task, &field_name, &n);

    if (n > 1 || (field && field->doubtful)) {
        ctx->doubtful = 1;
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
        ctx->exhausted = 1;
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
