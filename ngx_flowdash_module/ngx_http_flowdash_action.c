
/*
 * The phase handler: the only state machine.  nginx enters it for the client's
 * request, and again when the body has been read, after the fetch, after each
 * step, and to continue with a long body.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_early.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_client.h>
#include <ngx_http_flowdash_replace_headers.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_source_preset.h>
#include <ngx_http_flowdash_source_read.h>
#include <ngx_http_flowdash_source_write.h>
#include <ngx_http_flowdash_extract.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_count.h>
#include <ngx_http_flowdash_identity.h>
#include <ngx_http_flowdash_merge.h>
#include <ngx_http_flowdash_step.h>
#include <ngx_http_flowdash_user.h>
#include <ngx_http_flowdash_user_from.h>
#include <ngx_http_flowdash_fetch.h>
#include <ngx_http_flowdash_dry_run.h>
#include <ngx_http_flowdash_whole.h>
#include <ngx_http_flowdash_whole_begin.h>
#include <ngx_http_flowdash_whole_step.h>
#include <ngx_http_flowdash_once.h>
#include <ngx_http_flowdash_once_replay.h>
#include <ngx_http_flowdash_error.h>
#include <ngx_http_flowdash_error_internal.h>
#include <ngx_http_flowdash_error_user.h>
#include <ngx_http_flowdash_end.h>
#include <ngx_http_flowdash_unread.h>
#include <ngx_http_flowdash_guard.h>
#include <ngx_http_flowdash_here.h>
#include <ngx_http_flowdash_name.h>
#include <ngx_http_flowdash_batch.h>
#include <ngx_http_flowdash_yield.h>
#include <ngx_http_flowdash_action.h>


static ngx_int_t ngx_http_flowdash_action_enter_location(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_action_continue(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_redirected(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_begin(ngx_http_request_t *r,
    ngx_http_flowdash_method_t *method);
static void ngx_http_flowdash_action_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_action_find_task(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_batch(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_prepare(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_once(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_record(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_action_enter(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_identify(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_identified(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_fetch(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_fetched(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char *detail);
static ngx_int_t ngx_http_flowdash_action_stop(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_reason_e error,
    ngx_uint_t status, ngx_str_t *detail);
static ngx_uint_t ngx_http_flowdash_action_is_answered(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_unreadable(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_flowdash_action_run(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_action_tolerate(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_action_finish(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_written(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_flowdash_action_pass(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_action_unrecorded(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_action_restore(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_action_restore_connection(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx);


ngx_int_t
ngx_http_flowdash_action_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_http_flowdash_ctx_t  *ctx;

    if (r != r->main) {
        return ngx_http_flowdash_here_subrequest(r);
    }

    ctx = ngx_http_flowdash_get_ctx(r);

    rc = ctx ? ngx_http_flowdash_action_continue(r, ctx)
             : ngx_http_flowdash_action_enter_location(r);

    if (rc != NGX_ERROR) {
        return rc;
    }

    /* nginx would close the connection without a word */

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx) {
        ngx_http_flowdash_action_restore(r, ctx);
    }

    return ngx_http_flowdash_error_internal(r, ctx,
                                            "memory ran out, or nginx failed");
}


static ngx_int_t
ngx_http_flowdash_action_enter_location(ngx_http_request_t *r)
{
    ngx_http_flowdash_method_t  method;

    if (!ngx_http_flowdash_here(r, &method)) {
        return ngx_http_flowdash_guard(r, NULL);
    }

    return ngx_http_flowdash_action_begin(r, &method);
}


static ngx_int_t
ngx_http_flowdash_action_continue(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_flowdash_method_t  method;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash action handler, state:%d", ctx->state);

    /* whatever comes after this event must not run the phases again */

    ngx_http_flowdash_ctx_end_yield(ctx);

    switch (ctx->state) {

    case NGX_HTTP_FLOWDASH_READ:
        return ngx_http_flowdash_action_find_task(r, ctx);

    case NGX_HTTP_FLOWDASH_IDENTIFYING:
        return ngx_http_flowdash_action_identified(r, ctx);

    case NGX_HTTP_FLOWDASH_FETCHING:
        return ngx_http_flowdash_action_fetched(r, ctx);

    case NGX_HTTP_FLOWDASH_WAITING:
        return ngx_http_flowdash_action_once(r, ctx);

    case NGX_HTTP_FLOWDASH_RECORDING:
        rc = ngx_http_flowdash_action_call(r, ctx);
        return (rc == NGX_OK) ? ngx_http_flowdash_action_run(r, ctx) : rc;

    case NGX_HTTP_FLOWDASH_RUNNING:
        return ngx_http_flowdash_action_run(r, ctx);

    case NGX_HTTP_FLOWDASH_WRITING:
        rc = ngx_http_flowdash_source_write_copy(r, ctx);
        return ngx_http_flowdash_action_written(r, ctx, rc);

    case NGX_HTTP_FLOWDASH_MARKING:
        return ngx_http_flowdash_action_pass(r, ctx);

    case NGX_HTTP_FLOWDASH_NONE:

        return ngx_http_flowdash_action_redirected(r, ctx);

    case NGX_HTTP_FLOWDASH_PASSED:
        ngx_http_flowdash_end_redirected(r, ctx);
        (void) ngx_http_flowdash_client_wrap(r, ctx);
        return NGX_DECLINED;

    default:

        if (ngx_http_flowdash_unread_page(r, ctx) != NGX_OK) {
            return NGX_ERROR;
        }

        if (!ngx_http_flowdash_here(r, &method)) {
            return NGX_DECLINED;
        }

        /*
         * An error page leads into an action: a request that failed must not
         * reach the app this way.
         */

        return ctx->status ? (ngx_int_t) ctx->status
                           : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


/* an internal redirect may have led to an action after all */

static ngx_int_t
ngx_http_flowdash_action_redirected(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    if (!ngx_http_flowdash_here(r, &ctx->method)) {
        return ngx_http_flowdash_guard(r, ctx);
    }

    ctx->state = NGX_HTTP_FLOWDASH_READ;
    ctx->conf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);
    ctx->started = 0;

    /* another location may ask another page */

    ctx->told = NULL;
    ctx->user_key = NULL;
    ctx->user_cached = 0;
    ctx->identified = 0;

    if (ngx_http_flowdash_source_create(r, ctx) != NGX_OK
        || ngx_http_flowdash_early_forget(r, 1) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_action_find_task(r, ctx);
}


static ngx_int_t
ngx_http_flowdash_action_begin(ngx_http_request_t *r,
    ngx_http_flowdash_method_t *method)
{
    ngx_int_t                  rc;
    ngx_http_flowdash_ctx_t   *ctx;
    ngx_http_core_loc_conf_t  *clcf;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash action begins");

    ctx = ngx_http_flowdash_create_ctx(r, ngx_http_flowdash_end);
    if (ctx == NULL || ngx_http_flowdash_source_create(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->method = *method;
    ctx->conf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    if (ngx_http_flowdash_early_forget(r, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->method == NGX_HTTP_PUT && r->content_handler == NULL
        && !clcf->client_body_in_file_only)
    {
        /* dav needs the body in a file, and would ask for that too late */

        r->request_body_in_file_only = 1;
        r->request_body_in_persistent_file = 1;
        r->request_body_in_clean_file = 1;
        r->request_body_file_log_level = 0;
    }

    /* the buffer of a body has room for the part that comes with the header */

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r,
                                       ngx_http_flowdash_action_body_handler);

    if (rc == NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return ngx_http_flowdash_unread(r, ctx);
    }

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_flowdash_action_body_handler(ngx_http_request_t *r)
{
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    ctx->state = NGX_HTTP_FLOWDASH_READ;

    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}


static ngx_int_t
ngx_http_flowdash_action_find_task(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = r->connection;

    if (c->error || c->read->eof || c->read->pending_eof) {

        /* nothing has been called yet, so the action can be dropped */

        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "flowdash: client closed connection before an action");

        return NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }

    rc = ngx_http_flowdash_source_read(r, ctx);

    if (rc == NGX_AGAIN) {
        return ngx_http_flowdash_yield(r, ctx);
    }

    if (rc != NGX_OK) {
        return ngx_http_flowdash_action_unreadable(r, ctx, rc);
    }

    if (!ctx->refusal_status) {

        if (!ctx->method.listed) {

            /* the body does not override the method either */

            ctx->state = NGX_HTTP_FLOWDASH_NONE;

            return ngx_http_flowdash_guard(r, ctx);
        }

        if (ctx->method.differ) {
            (void) ngx_http_flowdash_source_refuse(r, ctx,
                       NGX_HTTP_BAD_REQUEST,
                       "two overrides of the request's method differ");

        } else if (ctx->method.unlisted) {

            /* the endpoints would agree to something else */

            rc = ngx_http_flowdash_guard(r, ctx);

            if (rc != NGX_DECLINED) {
                return rc;
            }

            (void) ngx_http_flowdash_source_refuse(r, ctx,
                       NGX_HTTP_BAD_REQUEST,
                       "a method that flowdash_methods does not list");
        }
    }

    ctx->own = ctx->task;
    ctx->task_digest = NULL;

    if (!ctx->refusal_status && ngx_http_flowdash_batch_is_here(ctx)) {
        return ngx_http_flowdash_action_batch(r, ctx);
    }

    if (ngx_http_flowdash_extract(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_action_start(r, ctx);
}


/* several requests in one body: none of them may be an action */

static ngx_int_t
ngx_http_flowdash_action_batch(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->judged = 1;

    if (ngx_http_flowdash_ctx_id(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_batch(r, ctx);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_action_refuse(r, ctx, NULL);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->state = NGX_HTTP_FLOWDASH_NONE;

    return NGX_DECLINED;
}


/*
 * The name may depend on the task; if it is empty, this is not an action.  If
 * it depends on a field that the request lacks, it is evaluated again when the
 * stored task is there; and if it depends on the user, when the app has told
 * who that is.
 */

static ngx_int_t
ngx_http_flowdash_action_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                   rc;
    const char                 *error;
    ngx_http_flowdash_value_t   name;

    static ngx_str_t  no_id = ngx_string("the user has no id");

    ctx->judged = 1;

    if (ngx_http_flowdash_name(r, ctx, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    if (name.text.len == 0 && !name.ambiguous && !name.early
        && (ctx->conf->task_from == NULL || ctx->stored || !name.missing))
    {
        ctx->state = NGX_HTTP_FLOWDASH_NONE;

        if (ctx->started) {
            ngx_http_flowdash_action_restore(r, ctx);
        }

        return NGX_DECLINED;
    }

    error = ngx_http_flowdash_name_check(ctx, &name);

    if (ctx->refusal_status || error) {
        return ngx_http_flowdash_action_refuse(r, ctx, error);
    }

    if (ctx->conf->require_user
        && (ctx->conf->user_from == NULL || ctx->identified))
    {
        rc = ngx_http_flowdash_user_has_id(r, ctx);

        if (rc == NGX_DECLINED) {
            return ngx_http_flowdash_action_stop(r, ctx,
                       NGX_HTTP_FLOWDASH_NO_USER, 0, &no_id);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_http_flowdash_action_enter(r, ctx);

    /* first, so that a stranger costs the app one request */

    if (ctx->conf->user_from && !ctx->identified) {
        return ngx_http_flowdash_action_identify(r, ctx);
    }

    if (ctx->conf->task_from && ctx->stored == NULL) {
        return ngx_http_flowdash_action_fetch(r, ctx);
    }

    return ngx_http_flowdash_action_prepare(r, ctx);
}


/* the name and the task are known: prepares the first step */

static ngx_int_t
ngx_http_flowdash_action_prepare(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t    rc;
    const char  *error;

    if (ngx_http_flowdash_identity(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_dry_run_asked(r, ctx, &error);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_source_preset(r, ctx, &error);
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_action_refuse(r, ctx, error);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->dry_run) {
        ngx_http_flowdash_action_restore(r, ctx);
        return ngx_http_flowdash_dry_run(r, ctx);
    }

    return ngx_http_flowdash_action_once(r, ctx);
}


/* one of the requests with the same key runs, the others get its response */

static ngx_int_t
ngx_http_flowdash_action_once(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_flowdash_once(r, ctx);

    if (rc == NGX_OK) {
        return ngx_http_flowdash_action_record(r, ctx);
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_action_stop(r, ctx, ctx->once->error,
                                         ctx->refusal_status, &ctx->detail);
    }

    if (rc == NGX_DONE) {
        ngx_http_flowdash_action_restore(r, ctx);
        return ngx_http_flowdash_once_replay(r, ctx);
    }

    return (rc == NGX_AGAIN) ? NGX_DONE : rc;
}


static ngx_int_t
ngx_http_flowdash_action_record(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_flowdash_whole_begin(r, ctx);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_action_unrecorded(r, ctx);
    }

    return (rc == NGX_OK) ? ngx_http_flowdash_action_run(r, ctx) : NGX_ERROR;
}


/* from here on, the app or endpoints are called */

static void
ngx_http_flowdash_action_enter(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->started) {
        return;
    }

    ctx->started = 1;
    ctx->start = ngx_current_msec;
    ctx->deadline = ctx->start + ctx->conf->deadline;

    ngx_http_flowdash_client_ignore(r);
}


static ngx_int_t
ngx_http_flowdash_action_identify(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ctx->state = NGX_HTTP_FLOWDASH_IDENTIFYING;

    if (ngx_http_flowdash_user_from_start(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_action_identified(r, ctx);
}


static ngx_int_t
ngx_http_flowdash_action_identified(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_exchange_t  *ex;

    ex = ctx->exchange;

    if (!ngx_http_flowdash_action_is_answered(r, ctx)) {
        return NGX_DONE;
    }

    if (ngx_http_flowdash_user_from_end(r, ctx) == NGX_ERROR) {
        (void) ngx_http_flowdash_exchange_fail(ex, NGX_HTTP_FLOWDASH_INTERNAL,
                                               "no memory for the user");
    }

    if (ex->error) {
        return ngx_http_flowdash_action_stop(r, ctx, ex->error,
                   ngx_http_flowdash_error_user_status(r, ctx), &ex->detail);
    }

    /* the fetch is not to blame for later failures */

    ctx->exchange = NULL;

    return ngx_http_flowdash_action_start(r, ctx);
}


static ngx_int_t
ngx_http_flowdash_action_fetch(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ctx->state = NGX_HTTP_FLOWDASH_FETCHING;

    if (ngx_http_flowdash_fetch_start(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_action_fetched(r, ctx);
}


static ngx_int_t
ngx_http_flowdash_action_fetched(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_exchange_t  *ex;

    ex = ctx->exchange;

    if (!ngx_http_flowdash_action_is_answered(r, ctx)) {
        return NGX_DONE;
    }

    if (!ex->error && ngx_http_flowdash_fetch_end(r, ctx) == NGX_ERROR) {
        (void) ngx_http_flowdash_exchange_fail(ex, NGX_HTTP_FLOWDASH_INTERNAL,
                                             "no memory for the stored task");
    }

    if (ex->error) {
        ngx_http_flowdash_fetch_failed(r, ctx);

        return ngx_http_flowdash_action_stop(r, ctx, ex->error, 0,
                                             &ex->detail);
    }

    /* the fetch is not to blame for later failures */

    ctx->exchange = NULL;

    return ngx_http_flowdash_action_start(r, ctx);
}


static ngx_int_t
ngx_http_flowdash_action_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char *detail)
{
    if (detail) {
        ctx->detail.data = (u_char *) detail;
        ctx->detail.len = ngx_strlen(detail);
    }

    return ngx_http_flowdash_action_stop(r, ctx,
               NGX_HTTP_FLOWDASH_REQUEST_INVALID, ctx->refusal_status,
               &ctx->detail);
}


/* counts and reports an action that ends before its first step */

static ngx_int_t
ngx_http_flowdash_action_stop(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_reason_e error,
    ngx_uint_t status, ngx_str_t *detail)
{
    if (!ngx_http_flowdash_dry_run_was_asked(r, ctx)) {
        ngx_http_flowdash_count_started(r, ctx);
    }

    if (ctx->started) {
        ngx_http_flowdash_action_restore(r, ctx);
    }

    return ngx_http_flowdash_error(r, ctx, error, status, detail);
}


/* whether what was called has answered, or will not */

static ngx_uint_t
ngx_http_flowdash_action_is_answered(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    if (!ctx->exchange->done) {

        /* a write event: in HTTP/2, the client may have left */

        r->connection->error = 0;
        return 0;
    }

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    return 1;
}


/* nginx's file with the body cannot be read or written */

static ngx_int_t
ngx_http_flowdash_action_unreadable(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_int_t rc)
{
    if (rc != NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_error_internal(r, ctx,
               ctx->state == NGX_HTTP_FLOWDASH_WRITING
               ? "the changed body could not be copied to a file"
               : "the file of the request's body could not be read");
}


static ngx_int_t
ngx_http_flowdash_action_run(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_exchange_t  *ex;

    for ( ;; ) {

        ex = ctx->exchange;

        if (ex && !ngx_http_flowdash_action_is_answered(r, ctx)) {
            return NGX_DONE;
        }

        if (ex) {

            rc = ex->error ? NGX_DECLINED
                           : ngx_http_flowdash_merge(r, ctx, ex);

            if (rc == NGX_ERROR) {
                (void) ngx_http_flowdash_exchange_fail(ex,
                           NGX_HTTP_FLOWDASH_INTERNAL,
                           "no memory to merge the answer");
            }

            /* a task that is merged in part must not be used */

            if (rc != NGX_ERROR && ex->error) {
                ngx_http_flowdash_action_tolerate(r, ctx, ex);
            }

            ngx_http_flowdash_whole_answer(r, ctx, ex);
            ngx_http_flowdash_count_step(r, ctx, ex);
            ngx_http_flowdash_step_free_payloads(r, ctx);

            if (ex->error && !ex->tolerated) {
                ngx_http_flowdash_action_restore(r, ctx);
                return ngx_http_flowdash_error(r, ctx, ex->error, 0,
                                               &ex->detail);
            }
        }

        if (ctx->exchanges.nelts == ctx->conf->steps->nelts) {
            return ngx_http_flowdash_action_finish(r, ctx);
        }

        if (ngx_http_flowdash_step_start(r, ctx) != NGX_OK) {
            return NGX_ERROR;
        }

        rc = ngx_http_flowdash_action_call(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


/* calls the step that was started, when its record is safe */

static ngx_int_t
ngx_http_flowdash_action_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_exchange_t  *ex;

    ex = ctx->exchange;

    if (!ex->done) {
        rc = ngx_http_flowdash_whole_call(r, ctx, ex);

        if (rc == NGX_AGAIN) {
            ctx->state = NGX_HTTP_FLOWDASH_RECORDING;
            r->connection->error = 0;
            return NGX_DONE;
        }

        ex->done = (rc == NGX_DECLINED);
    }

    ctx->state = NGX_HTTP_FLOWDASH_RUNNING;

    return ngx_http_flowdash_step_call(r, ctx);
}


/* decides whether the action continues although a step has failed */

static void
ngx_http_flowdash_action_tolerate(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    if (ngx_http_flowdash_exchange_is_tolerated(ex)) {
        ex->tolerated = 1;
        ngx_http_flowdash_log_tolerated(r, ctx, ex);
    }
}


static ngx_int_t
ngx_http_flowdash_action_finish(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash action \"%V\" passed, steps:%ui changed:%d",
                   &ctx->action, ctx->exchanges.nelts, ctx->task->changed);

    ctx->state = NGX_HTTP_FLOWDASH_WRITING;

    /* no step is to blame for what fails now */

    ctx->exchange = NULL;

    rc = ngx_http_flowdash_source_write(r, ctx);

    return ngx_http_flowdash_action_written(r, ctx, rc);
}


static ngx_int_t
ngx_http_flowdash_action_written(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_int_t rc)
{
    if (rc == NGX_AGAIN) {
        return ngx_http_flowdash_yield(r, ctx);
    }

    if (rc == NGX_OK && ctx->own_trace) {
        rc = ngx_http_flowdash_replace_headers_set_trace(r, &ctx->traceparent);
    }

    if (rc != NGX_OK) {
        ngx_http_flowdash_action_restore(r, ctx);
        return ngx_http_flowdash_action_unreadable(r, ctx, rc);
    }

    return ngx_http_flowdash_action_pass(r, ctx);
}


/* the app may be called, when that is recorded */

static ngx_int_t
ngx_http_flowdash_action_pass(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_flowdash_whole_mark(r, ctx);

    if (rc == NGX_AGAIN) {
        ctx->state = NGX_HTTP_FLOWDASH_MARKING;
        r->connection->error = 0;
        return NGX_DONE;
    }

    if (rc != NGX_OK) {
        return ngx_http_flowdash_action_unrecorded(r, ctx);
    }

    ctx->state = NGX_HTTP_FLOWDASH_PASSED;
    ngx_http_flowdash_outcome_start(r, ctx);

    ngx_http_flowdash_count_passed(ctx);
    ngx_http_flowdash_action_restore_connection(r, ctx);
    (void) ngx_http_flowdash_client_wrap(r, ctx);

    return NGX_DECLINED;
}


/* nothing is done that could not be undone */

static ngx_int_t
ngx_http_flowdash_action_unrecorded(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_action_restore(r, ctx);

    return ngx_http_flowdash_error_internal(r, ctx,
               "the action could not be recorded in flowdash_outbox");
}


/* gives the request back to nginx as it was before the first step */

static void
ngx_http_flowdash_action_restore(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_action_restore_connection(r, ctx);
    ngx_http_flowdash_client_restore(r);
}


/* whether the client has left still does not matter */

static void
ngx_http_flowdash_action_restore_connection(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    r->connection->sendfile = ctx->sendfile;
    r->connection->tcp_nopush = ctx->tcp_nopush;
}
