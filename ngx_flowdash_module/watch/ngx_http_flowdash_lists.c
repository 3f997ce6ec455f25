
/*
 * The variables that list the steps of an execution, and their attempts, in
 * the format of $upstream_status.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_lists.h>


/* the longest reason is "response_too_large" */

#define NGX_HTTP_FLOWDASH_LISTS_ITEM                                         \
    (sizeof("response_too_large : ") + NGX_TIME_T_LEN)


/* writes what a list has of one attempt, and returns its end */

typedef u_char *(*ngx_http_flowdash_lists_pt)(u_char *p,
    ngx_http_flowdash_attempt_t *attempt);


static ngx_int_t ngx_http_flowdash_lists_join(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t ignored, ngx_str_t *s);
static u_char *ngx_http_flowdash_lists_encode(u_char *p, ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_lists_make(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_lists_pt write,
    ngx_str_t *s);
static ngx_uint_t ngx_http_flowdash_lists_attempts(
    ngx_http_flowdash_exchange_t *ex);
static void ngx_http_flowdash_lists_attempt(ngx_http_flowdash_exchange_t *ex,
    ngx_uint_t i, ngx_http_flowdash_attempt_t *attempt);
static void ngx_http_flowdash_lists_last(ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_attempt_t *attempt);
static ngx_http_flowdash_reason_e ngx_http_flowdash_lists_upstream_error(
    ngx_http_upstream_state_t *state);
static u_char *ngx_http_flowdash_lists_status(u_char *p,
    ngx_http_flowdash_attempt_t *attempt);
static u_char *ngx_http_flowdash_lists_error(u_char *p,
    ngx_http_flowdash_attempt_t *attempt);
static u_char *ngx_http_flowdash_lists_time(u_char *p,
    ngx_http_flowdash_attempt_t *attempt);


ngx_int_t
ngx_http_flowdash_lists_names(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    return ngx_http_flowdash_lists_join(r, ctx, 0, s);
}


ngx_int_t
ngx_http_flowdash_lists_ignored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    return ngx_http_flowdash_lists_join(r, ctx, 1, s);
}


static ngx_int_t
ngx_http_flowdash_lists_join(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t ignored, ngx_str_t *s)
{
    u_char                         *p;
    size_t                          len;
    ngx_uint_t                      i;
    ngx_http_flowdash_exchange_t  **ex;

    if (ctx->exchanges.nelts == 0) {
        return NGX_OK;
    }

    ex = ctx->exchanges.elts;
    len = 0;

    for (i = 0; i < ctx->exchanges.nelts; i++) {
        len += ex[i]->step->name.len + sizeof(" : ") - 1;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    s->data = p;

    for (i = 0; i < ctx->exchanges.nelts; i++) {

        if (ignored && !ex[i]->ignored) {
            continue;
        }

        if (p != s->data) {
            p = ngx_cpymem(p, " : ", 3);
        }

        p = ngx_cpymem(p, ex[i]->step->name.data, ex[i]->step->name.len);
    }

    s->len = p - s->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_lists_skipped(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    u_char                         *p;
    size_t                          len;
    ngx_uint_t                      i;
    ngx_http_flowdash_exchange_t  **ex;

    ex = ctx->exchanges.elts;
    len = 0;

    for (i = 0; i < ctx->exchanges.nelts; i++) {
        if (ex[i]->tolerated) {
            len += 3 * ex[i]->step->name.len + sizeof(", ") - 1;
        }
    }

    if (len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    s->data = p;

    for (i = 0; i < ctx->exchanges.nelts; i++) {

        if (!ex[i]->tolerated) {
            continue;
        }

        if (p != s->data) {
            p = ngx_cpymem(p, ", ", 2);
        }

        p = ngx_http_flowdash_lists_encode(p, &ex[i]->step->name);
    }

    s->len = p - s->data;

    return NGX_OK;
}


/* a space is safe within a name: at its ends it would be lost */

static u_char *
ngx_http_flowdash_lists_encode(u_char *p, ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c > 0x20 && c < 0x7f
            && ngx_strchr("%,;\"\\", c) == NULL)
        {
            *p++ = c;

        } else if (c == ' ' && i > 0 && i + 1 < name->len) {
            *p++ = c;

        } else {
            p = ngx_sprintf(p, "%%%02Xd", c);
        }
    }

    return p;
}


ngx_int_t
ngx_http_flowdash_lists_statuses(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    return ngx_http_flowdash_lists_make(r, ctx, ngx_http_flowdash_lists_status,
                                        s);
}


ngx_int_t
ngx_http_flowdash_lists_errors(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    return ngx_http_flowdash_lists_make(r, ctx, ngx_http_flowdash_lists_error,
                                        s);
}


ngx_int_t
ngx_http_flowdash_lists_times(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    return ngx_http_flowdash_lists_make(r, ctx, ngx_http_flowdash_lists_time,
                                        s);
}


/* like $upstream_status and $upstream_response_time; a step is a group */

static ngx_int_t
ngx_http_flowdash_lists_make(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_lists_pt write,
    ngx_str_t *s)
{
    u_char                         *p;
    ngx_uint_t                      i, k, n;
    ngx_http_flowdash_attempt_t     attempt;
    ngx_http_flowdash_exchange_t  **exchanges;

    if (ctx->exchanges.nelts == 0) {
        return NGX_OK;
    }

    exchanges = ctx->exchanges.elts;
    n = 0;

    for (i = 0; i < ctx->exchanges.nelts; i++) {
        n += ngx_http_flowdash_lists_attempts(exchanges[i]);
    }

    p = ngx_pnalloc(r->pool, n * NGX_HTTP_FLOWDASH_LISTS_ITEM);
    if (p == NULL) {
        return NGX_ERROR;
    }

    s->data = p;

    for (i = 0; i < ctx->exchanges.nelts; i++) {

        if (i) {
            p = ngx_cpymem(p, " : ", 3);
        }

        n = ngx_http_flowdash_lists_attempts(exchanges[i]);

        for (k = 0; k < n; k++) {

            if (k) {
                p = ngx_cpymem(p, ", ", 2);
            }

            ngx_http_flowdash_lists_attempt(exchanges[i], k, &attempt);
            p = write(p, &attempt);
        }
    }

    s->len = p - s->data;

    return NGX_OK;
}


/*
 * The number of calls: by flowdash_call, or by nginx's upstream.  A step that
 * has made none is listed all the same.
 */

static ngx_uint_t
ngx_http_flowdash_lists_attempts(ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t  n;

    if (!ex->done || ex->request == NULL) {
        return 1;
    }

    n = ex->attempts.nelts;

    if (n == 0 && ex->request->upstream_states) {
        n = ex->request->upstream_states->nelts;
    }

    return ngx_max(n, 1);
}


static void
ngx_http_flowdash_lists_attempt(ngx_http_flowdash_exchange_t *ex, ngx_uint_t i,
    ngx_http_flowdash_attempt_t *attempt)
{
    ngx_http_flowdash_attempt_t  *attempts;
    ngx_http_upstream_state_t    *states;

    ngx_memzero(attempt, sizeof(ngx_http_flowdash_attempt_t));

    if (!ex->done || ex->request == NULL) {

        /* still running, or skipped, or its request could not be made */

        attempt->error = ex->error;
        attempt->unsent = 1;

    } else if (i + 1 == ngx_http_flowdash_lists_attempts(ex)) {
        ngx_http_flowdash_lists_last(ex, attempt);

    } else if (ex->attempts.nelts) {
        attempts = ex->attempts.elts;
        *attempt = attempts[i];

    } else {
        states = ex->request->upstream_states->elts;

        attempt->status = states[i].status;
        attempt->time = states[i].response_time;
        attempt->error = ngx_http_flowdash_lists_upstream_error(&states[i]);
    }
}


/* its end is that of the step */

static void
ngx_http_flowdash_lists_last(ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_attempt_t *attempt)
{
    ngx_uint_t                    i, n;
    ngx_http_flowdash_attempt_t  *attempts;
    ngx_http_upstream_state_t    *states;

    attempt->status = ex->status ? ex->status
                                 : ngx_http_flowdash_reason_status(ex->error);
    attempt->error = ex->error;
    attempt->time = ex->time;

    n = ngx_http_flowdash_lists_attempts(ex) - 1;

    if (ex->attempts.nelts) {
        attempts = ex->attempts.elts;
        attempt->time = attempts[n].time;
        return;
    }

    for (i = 0; i < n; i++) {
        states = ex->request->upstream_states->elts;
        attempt->time -= ngx_min(attempt->time, states[i].response_time);
    }
}


/* why nginx has tried another server */

static ngx_http_flowdash_reason_e
ngx_http_flowdash_lists_upstream_error(ngx_http_upstream_state_t *state)
{
    if (state->header_time != (ngx_msec_t) -1) {
        return NGX_HTTP_FLOWDASH_STATUS;
    }

    if (state->status == NGX_HTTP_GATEWAY_TIME_OUT) {
        return NGX_HTTP_FLOWDASH_TIMEOUT;
    }

    return state->bytes_received ? NGX_HTTP_FLOWDASH_RESPONSE_INVALID
                                 : NGX_HTTP_FLOWDASH_CONNECT;
}


static u_char *
ngx_http_flowdash_lists_status(u_char *p, ngx_http_flowdash_attempt_t *attempt)
{
    if (attempt->status == 0) {
        *p++ = '-';
        return p;
    }

    return ngx_sprintf(p, "%ui", attempt->status);
}


/* if the status tells it all, there is none */

static u_char *
ngx_http_flowdash_lists_error(u_char *p, ngx_http_flowdash_attempt_t *attempt)
{
    if (attempt->error == NGX_HTTP_FLOWDASH_OK
        || attempt->error == NGX_HTTP_FLOWDASH_STATUS)
    {
        *p++ = '-';
        return p;
    }

    return ngx_sprintf(p, "%V", ngx_http_flowdash_reason_name(attempt->error));
}


static u_char *
ngx_http_flowdash_lists_time(u_char *p, ngx_http_flowdash_attempt_t *attempt)
{
    if (attempt->unsent) {
        *p++ = '-';
        return p;
    }

    return ngx_sprintf(p, "%T.%03M", (time_t) attempt->time / 1000,
                       attempt->time % 1000);
}
