
/*
 * flowdash_once: of the requests with the same key, one runs.  The others wait
 * for it, by a timer and without a lock, and get its response.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_once_table.h>
#include <ngx_http_flowdash_once_response.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_count.h>
#include <ngx_http_flowdash_once_key.h>
#include <ngx_http_flowdash_once.h>


/* ms; how long a request waits until it looks again, at first and at most */

#define NGX_HTTP_FLOWDASH_ONCE_DELAY      5
#define NGX_HTTP_FLOWDASH_ONCE_MAX_DELAY  100


static ngx_int_t ngx_http_flowdash_once_find(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_once_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_http_flowdash_once_result_e ngx_http_flowdash_once_look(
    ngx_http_request_t *r, ngx_http_flowdash_once_t *once);
static ngx_int_t ngx_http_flowdash_once_copy(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once);
static ngx_int_t ngx_http_flowdash_once_wait(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_once_wait_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_flowdash_once_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_once_result_e result);
static ngx_int_t ngx_http_flowdash_once_retry_after(ngx_http_request_t *r);
static void ngx_http_flowdash_once_count(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, ngx_http_flowdash_once_result_e result);
static ngx_int_t ngx_http_flowdash_once_outcome(
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_once_finish(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, ngx_int_t keep);
static ngx_shmtx_t *ngx_http_flowdash_once_lock(ngx_http_request_t *r);
static ngx_http_flowdash_zone_t *ngx_http_flowdash_once_zone(
    ngx_http_request_t *r);


ngx_int_t
ngx_http_flowdash_once(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->state = NGX_HTTP_FLOWDASH_WAITING;

    rc = ctx->conf->once ? ngx_http_flowdash_once_find(r, ctx) : NGX_OK;

    if (rc == NGX_OK) {
        ctx->state = NGX_HTTP_FLOWDASH_RUNNING;
        ngx_http_flowdash_count_started(r, ctx);
    }

    return rc;
}


static ngx_int_t
ngx_http_flowdash_once_find(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                         rc;
    ngx_http_flowdash_once_t         *once;
    ngx_http_flowdash_once_result_e   result;

    if (ctx->once == NULL) {
        rc = ngx_http_flowdash_once_begin(r, ctx);

        if (rc != NGX_OK || ctx->once == NULL) {
            return rc;
        }

    } else if (ngx_http_flowdash_ctx_client_has_left(r)) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "flowdash: client closed connection while it waited for "
                      "another request with the same key");

        return NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }

    once = ctx->once;

    result = ngx_http_flowdash_once_look(r, once);

    if (result == NGX_HTTP_FLOWDASH_ONCE_REPLAYED) {
        rc = ngx_http_flowdash_once_copy(r, once);

        if (rc == NGX_OK) {
            ngx_http_flowdash_once_count(r, once, once->waited
                                            ? NGX_HTTP_FLOWDASH_ONCE_WAITED
                                            : result);
            return NGX_DONE;
        }

        if (rc != NGX_DECLINED) {
            return NGX_ERROR;
        }

        /* it was overwritten meanwhile */

        result = NGX_HTTP_FLOWDASH_ONCE_DONE;
    }

    if (result == NGX_HTTP_FLOWDASH_ONCE_RUNNING) {
        return ngx_http_flowdash_once_wait(r, ctx);
    }

    if (result != NGX_HTTP_FLOWDASH_ONCE_FIRST) {
        return ngx_http_flowdash_once_refuse(r, ctx, result);
    }

    once->holds = 1;
    ngx_http_flowdash_once_count(r, once, result);

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    if (once->waited) {

        /* the steps have all of their time */

        ctx->start = ngx_current_msec;
        ctx->deadline = ctx->start + ctx->conf->deadline;
    }

    return NGX_OK;
}


/* leaves ctx->once as NULL if the request has no key */

static ngx_int_t
ngx_http_flowdash_once_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_str_t                        text;
    ngx_http_flowdash_once_t        *once;
    ngx_http_flowdash_once_result_e  result;

    static ngx_str_t  ambiguous =
        ngx_string("the key of flowdash_once depends on a field that the task "
                   "has twice, or on an extracted value that is not a scalar");

    once = ngx_pcalloc(r->pool, sizeof(ngx_http_flowdash_once_t));
    if (once == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_once_key(r, ctx, &text, once->lookup.key,
                                    once->lookup.request, &result);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc == NGX_ABORT) {
        ctx->once = once;

        if (result == NGX_HTTP_FLOWDASH_ONCE_NO_USER) {
            return ngx_http_flowdash_once_refuse(r, ctx, result);
        }

        once->error = NGX_HTTP_FLOWDASH_REQUEST_INVALID;
        ctx->detail = ambiguous;

        return NGX_DECLINED;
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    once->lookup.id = ctx->id;
    once->lookup.time = ctx->conf->once->time;

    once->since = ngx_current_msec;
    once->delay = NGX_HTTP_FLOWDASH_ONCE_DELAY;

    ctx->once = once;

    return NGX_OK;
}


static ngx_http_flowdash_once_result_e
ngx_http_flowdash_once_look(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once)
{
    ngx_shmtx_t                      *mutex;
    ngx_http_flowdash_once_table_t   *table;
    ngx_http_flowdash_once_result_e   result;

    table = &ngx_http_flowdash_once_zone(r)->once;

    mutex = ngx_http_flowdash_once_lock(r);

    result = ngx_http_flowdash_once_table_begin(table, &once->lookup,
                                                ngx_current_msec);

    if (result == NGX_HTTP_FLOWDASH_ONCE_REPLAYED) {
        once->kept.len = once->lookup.entry->len;
    }

    ngx_shmtx_unlock(mutex);

    return result;
}


/* memory is not allocated while the lock is held */

static ngx_int_t
ngx_http_flowdash_once_copy(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once)
{
    u_char                           buf[NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST];
    ngx_int_t                        rc;
    ngx_str_t                        id;
    ngx_shmtx_t                     *mutex;
    ngx_http_flowdash_once_table_t  *table;

    once->kept.data = ngx_palloc(r->pool, once->kept.len);
    if (once->kept.data == NULL) {
        return NGX_ERROR;
    }

    id.data = buf;
    id.len = 0;

    table = &ngx_http_flowdash_once_zone(r)->once;

    mutex = ngx_http_flowdash_once_lock(r);

    rc = ngx_http_flowdash_once_table_copy(table, &once->lookup, &once->kept,
                                           &id);
    ngx_shmtx_unlock(mutex);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "flowdash: not carried out again: the client gets the "
                  "response of id %V", &id);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_once_wait(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_msec_t                 waited, left;
    ngx_http_flowdash_once_t  *once;

    once = ctx->once;

    waited = ngx_current_msec - once->since;

    if (waited >= ctx->conf->once->wait) {
        return ngx_http_flowdash_once_refuse(r, ctx,
                                             NGX_HTTP_FLOWDASH_ONCE_RUNNING);
    }

    if (!once->waited) {
        once->waited = 1;

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "flowdash: waits for another request with the same key "
                      "of flowdash_once, id %V", &ctx->id);
    }

    /* in HTTP/2, the client may have left: this is looked at each time */

    r->connection->error = 0;

    if (ctx->timer.timer_set) {
        return NGX_AGAIN;
    }

    left = ctx->conf->once->wait - waited;

    ctx->timer.handler = ngx_http_flowdash_once_wait_handler;
    ctx->timer.data = r->connection;
    ctx->timer.log = r->connection->log;

    ngx_add_timer(&ctx->timer, ngx_min(once->delay, left));

    once->delay = ngx_min(2 * once->delay, NGX_HTTP_FLOWDASH_ONCE_MAX_DELAY);

    return NGX_AGAIN;
}


static void
ngx_http_flowdash_once_wait_handler(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    c = ev->data;
    r = c->data;
    r = r->main;

    ngx_http_set_log_request(c->log, r);

    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_flowdash_once_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_once_result_e result)
{
    ngx_http_flowdash_once_t  *once;

    once = ctx->once;

    once->error = NGX_HTTP_FLOWDASH_CONFLICT;
    ngx_http_flowdash_once_count(r, once, result);

    switch (result) {

    case NGX_HTTP_FLOWDASH_ONCE_RUNNING:
        ngx_str_set(&ctx->detail, "another request with the same key of "
                                  "flowdash_once still runs");
        return ngx_http_flowdash_once_retry_after(r);

    case NGX_HTTP_FLOWDASH_ONCE_NO_ROOM:
        ngx_str_set(&ctx->detail, "flowdash_zone has no room for another key "
                                  "of flowdash_once");
        return ngx_http_flowdash_once_retry_after(r);

    case NGX_HTTP_FLOWDASH_ONCE_DONE:
        ngx_str_set(&ctx->detail, "it was carried out for another request "
                                  "with the same key of flowdash_once, whose "
                                  "response is not kept");
        break;

    case NGX_HTTP_FLOWDASH_ONCE_MISMATCH:
        once->error = NGX_HTTP_FLOWDASH_MISMATCH;
        ngx_str_set(&ctx->detail, "another request has used the same key of "
                                  "flowdash_once");
        break;

    case NGX_HTTP_FLOWDASH_ONCE_NO_USER:
        once->error = NGX_HTTP_FLOWDASH_NO_USER;
        ctx->refusal_status = NGX_HTTP_BAD_REQUEST;
        ngx_str_set(&ctx->detail, "the client's Idempotency-Key cannot be "
                                  "used, because the user has no id");
        break;

    default:
        ngx_str_set(&ctx->detail, "the worker that ran another request with "
                                  "the same key of flowdash_once has died");
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_flowdash_once_retry_after(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Retry-After");
    ngx_str_set(&h->value, "5");

    return NGX_DECLINED;
}


static void
ngx_http_flowdash_once_count(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, ngx_http_flowdash_once_result_e result)
{
    once->result = result;

    (void) ngx_atomic_fetch_add(
                        &ngx_http_flowdash_once_zone(r)->once_results[result],
                        1);
}


void
ngx_http_flowdash_once_end(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                  keep;
    ngx_http_flowdash_once_t  *once;

    once = ctx->once;

    if (once == NULL || !once->holds) {
        return;
    }

    keep = ngx_http_flowdash_once_outcome(ctx);

    /* that the app was called is known, what it did is not */

    ngx_http_flowdash_once_finish(r, once, (keep == NGX_AGAIN) ? NGX_OK
                                                               : keep);
}


void
ngx_http_flowdash_once_settle(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                  keep;
    ngx_http_flowdash_once_t  *once;

    once = ctx->once;

    if (!once->holds || (!once->complete && !once->lost)) {
        return;
    }

    keep = ngx_http_flowdash_once_outcome(ctx);

    if (keep != NGX_AGAIN) {
        ngx_http_flowdash_once_finish(r, once, keep);
    }
}


/*
 * Returns NGX_OK if the action has happened, or nobody knows whether it has;
 * NGX_DECLINED if it has not; or NGX_AGAIN if that is not known yet.
 */

static ngx_int_t
ngx_http_flowdash_once_outcome(ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->state != NGX_HTTP_FLOWDASH_PASSED) {
        return NGX_DECLINED;
    }

    switch (ctx->outcome) {

    case NGX_HTTP_FLOWDASH_OUTCOME_NONE:
        return NGX_AGAIN;

    case NGX_HTTP_FLOWDASH_OUTCOME_OK:
    case NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN:
        return NGX_OK;

    default:
        return NGX_DECLINED;
    }
}


static void
ngx_http_flowdash_once_finish(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, ngx_int_t keep)
{
    ngx_str_t                        text;
    ngx_shmtx_t                     *mutex;
    ngx_http_flowdash_once_table_t  *table;

    once->holds = 0;

    ngx_str_null(&text);

    if (keep == NGX_OK && once->complete && !once->lost) {
        text.len = ngx_http_flowdash_once_response_length(&once->response);
        text.data = ngx_palloc(r->pool, text.len);

        if (text.data) {
            (void) ngx_http_flowdash_once_response_write(text.data,
                                                         &once->response);
        } else {
            text.len = 0;
        }
    }

    table = &ngx_http_flowdash_once_zone(r)->once;

    mutex = ngx_http_flowdash_once_lock(r);

    if (keep == NGX_OK) {
        ngx_http_flowdash_once_table_end(table, &once->lookup, &text,
                                         ngx_current_msec);
    } else {
        ngx_http_flowdash_once_table_release(table, &once->lookup);
    }

    ngx_shmtx_unlock(mutex);

    if (text.data) {
        (void) ngx_pfree(r->pool, text.data);
    }
}


/* nginx itself unlocks it if the worker that has locked it dies */

static ngx_shmtx_t *
ngx_http_flowdash_once_lock(ngx_http_request_t *r)
{
    ngx_slab_pool_t                *shpool;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);
    shpool = (ngx_slab_pool_t *) fmcf->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    return &shpool->mutex;
}


static ngx_http_flowdash_zone_t *
ngx_http_flowdash_once_zone(ngx_http_request_t *r)
{
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    return fmcf->counters;
}
