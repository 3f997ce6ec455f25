
/*
 * The attempts of a call, whoever makes it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_resolve.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_flowdash_curl.h>
#include <ngx_http_flowdash_call_record.h>
#include <ngx_http_flowdash_call_result.h>
#include <ngx_http_flowdash_call_setup.h>
#include <ngx_http_flowdash_call_transfer.h>
#include <ngx_http_flowdash_tolerance.h>
#include <ngx_http_flowdash_call.h>


static ngx_int_t ngx_http_flowdash_call_resolve(
    ngx_http_flowdash_call_t *call);
static ngx_int_t ngx_http_flowdash_call_resolved(
    ngx_http_flowdash_call_t *call);
static void ngx_http_flowdash_call_resolve_handler(
    ngx_http_flowdash_resolve_t *rs);
static void ngx_http_flowdash_call_transfer_handler(
    ngx_flowdash_curl_transfer_t *t);
static ngx_int_t ngx_http_flowdash_call_attempt_complete(
    ngx_http_flowdash_call_t *call);
static ngx_int_t ngx_http_flowdash_call_resend(
    ngx_http_flowdash_call_t *call);
static void ngx_http_flowdash_call_schedule_retry(
    ngx_http_flowdash_call_t *call, ngx_msec_t wait);
static void ngx_http_flowdash_call_forget_attempt(
    ngx_http_flowdash_call_t *call, ngx_msec_t wait);
static void ngx_http_flowdash_call_timer_handler(ngx_event_t *ev);
static void ngx_http_flowdash_call_check_time(ngx_http_flowdash_call_t *call);
static void ngx_http_flowdash_call_stop_timer(ngx_http_flowdash_call_t *call);
static void ngx_http_flowdash_call_finalize(ngx_http_flowdash_call_t *call,
    ngx_int_t rc);
static void ngx_http_flowdash_call_abort(ngx_http_flowdash_call_t *call);
static void ngx_http_flowdash_call_check_handle(
    ngx_http_flowdash_call_t *call);


ngx_int_t
ngx_http_flowdash_call_init(ngx_http_flowdash_call_t *call)
{
    ngx_uint_t                     attempts;
    ngx_http_flowdash_exchange_t  *ex;

    ex = call->ex;

    /* the first, one by flowdash_resend, those by flowdash_retry */

    attempts = 2 + (call->retry ? call->retry->n : 0);

    if (ngx_array_init(&ex->attempts, call->pool, attempts,
                       sizeof(ngx_http_flowdash_attempt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    call->transfer.handler = ngx_http_flowdash_call_transfer_handler;
    call->transfer.data = call;

    call->timer.handler = ngx_http_flowdash_call_timer_handler;
    call->timer.data = call;
    call->timer.log = call->log;

    if (ngx_flowdash_curl_create(&call->transfer, call->conf->handles)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ex->call = call;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_call_start(ngx_http_flowdash_call_t *call)
{
    ngx_int_t  rc;

    call->start = ngx_current_msec;
    call->attempting = 1;
    call->transferred = 0;
    call->denied = 0;
    call->opened = 0;
    call->made = 0;
    call->unfit = 0;
    call->fresh = call->resent;

    rc = ngx_http_flowdash_call_resolve(call);

    if (rc == NGX_OK) {
        return ngx_http_flowdash_call_transfer(call);
    }

    return (rc == NGX_DECLINED)
           ? ngx_http_flowdash_call_attempt_complete(call) : rc;
}


/*
 * Looks up the host, or that of the proxy, if nginx has a resolver.  Returns
 * NGX_OK, NGX_AGAIN, NGX_DECLINED with ex->error set if the host has no
 * address, or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_call_resolve(ngx_http_flowdash_call_t *call)
{
    ngx_int_t                      rc;
    ngx_str_t                     *host;
    ngx_msec_t                     time;
    ngx_http_flowdash_resolve_t   *rs;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = call->conf;

    if (!ngx_http_flowdash_call_setup_named(flcf)) {
        return NGX_OK;
    }

    host = flcf->proxy ? &flcf->proxy->host : &call->host;

    if (flcf->url->variable_host && !ngx_http_flowdash_resolve_needed(host)) {
        return NGX_OK;
    }

    time = ngx_http_flowdash_retry_time(call->retry, flcf->timeout);

    rs = call->resolve;

    if (rs == NULL) {
        rs = ngx_palloc(call->pool, sizeof(ngx_http_flowdash_resolve_t));
        if (rs == NULL) {
            return NGX_ERROR;
        }

        call->resolve = rs;
    }

    ngx_memzero(rs, sizeof(ngx_http_flowdash_resolve_t));

    rs->host = *host;
    rs->port = flcf->proxy ? flcf->proxy->port : flcf->url->port;
    rs->resolver = call->resolver;
    rs->timeout = ngx_min(call->resolver_timeout, flcf->connect_timeout);

    if (time) {
        rs->timeout = ngx_min(time, rs->timeout);
    }

    rs->pool = call->pool;
    rs->log = call->log;
    rs->handler = ngx_http_flowdash_call_resolve_handler;
    rs->data = call;

    rc = ngx_http_flowdash_resolve(rs, call->main_conf->hosts);

    if (rc == NGX_DECLINED) {

        /* nginx has no resolver: libcurl asks the system's */

        return NGX_OK;
    }

    return (rc == NGX_OK) ? ngx_http_flowdash_call_resolved(call) : rc;
}


static ngx_int_t
ngx_http_flowdash_call_resolved(ngx_http_flowdash_call_t *call)
{
    ngx_http_flowdash_resolve_t  *rs;

    rs = call->resolve;

    if (rs->state == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rs->state == NGX_RESOLVE_TIMEDOUT) {
        return ngx_http_flowdash_call_result_set_error(call,
                                                NGX_HTTP_FLOWDASH_TIMEOUT,
                                                "the resolver did not answer");
    }

    if (rs->state != NGX_OK) {
        return ngx_http_flowdash_call_result_set_error(call,
                                             NGX_HTTP_FLOWDASH_RESOLVE,
                                             ngx_resolver_strerror(rs->state));
    }

    call->addresses.data = (char *) rs->entry.data;

    return NGX_OK;
}


static void
ngx_http_flowdash_call_resolve_handler(ngx_http_flowdash_resolve_t *rs)
{
    ngx_http_flowdash_call_t *call = rs->data;

    ngx_int_t  rc;

    call->wake(call);

    rc = ngx_http_flowdash_call_resolved(call);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_call_transfer(call);

    } else if (rc == NGX_DECLINED) {
        rc = ngx_http_flowdash_call_attempt_complete(call);
    }

    ngx_http_flowdash_call_finalize(call, rc);
}


static void
ngx_http_flowdash_call_transfer_handler(ngx_flowdash_curl_transfer_t *t)
{
    ngx_http_flowdash_call_t *call = t->data;

    ngx_int_t  rc;

    call->wake(call);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, call->log, 0,
                   "flowdash call done: %d %s", t->result,
                   curl_easy_strerror(t->result));

    ngx_http_flowdash_call_stop_timer(call);
    ngx_http_flowdash_call_check_handle(call);

    if (call->unfit && !call->fresh) {

        /* a new one may be to another address, which is allowed */

        call->denied = 0;
        call->fresh = 1;

        rc = ngx_http_flowdash_call_transfer(call);

    } else {
        rc = ngx_http_flowdash_call_result_read_response(call);

        if (rc != NGX_ERROR) {
            rc = ngx_http_flowdash_call_result_can_resend(call)
                 ? ngx_http_flowdash_call_resend(call)
                 : ngx_http_flowdash_call_attempt_complete(call);
        }
    }

    ngx_http_flowdash_call_finalize(call, rc);
}


/*
 * Records an attempt that has ended, and schedules the next one if the call
 * may be repeated.  Returns as ngx_http_flowdash_call_start() does.
 */

static ngx_int_t
ngx_http_flowdash_call_attempt_complete(ngx_http_flowdash_call_t *call)
{
    curl_off_t                     after;
    ngx_msec_t                     wait;
    ngx_uint_t                     condition;
    ngx_msec_int_t                 left;
    ngx_http_flowdash_exchange_t  *ex;

    ex = call->ex;

    ngx_http_flowdash_call_record(call);
    ngx_http_flowdash_tolerance_attempt(call);

    condition = ngx_http_flowdash_call_result_retry_condition(call);

    if (condition) {
        after = ngx_http_flowdash_call_result_retry_after(call);

        left = ex->start + call->conf->timeout - ngx_current_msec;
        left = ngx_min(left, (ngx_msec_int_t) (call->deadline
                                               - ngx_current_msec));

        if (ngx_http_flowdash_retry(call->retry, condition,
                                    ex->attempts.nelts - call->resent, after,
                                    left, &wait)
            == NGX_OK)
        {
            ngx_http_flowdash_call_schedule_retry(call, wait);
            return NGX_AGAIN;
        }
    }

    return ex->error ? NGX_ERROR : NGX_OK;
}


/* a kept connection was dead: sends the call again, on a new one */

static ngx_int_t
ngx_http_flowdash_call_resend(ngx_http_flowdash_call_t *call)
{
    ngx_http_flowdash_call_record(call);

    /* unless the endpoint has said that it did not read the call */

    if (call->ex->status != NGX_HTTP_REQUEST_TIME_OUT
        && !(call->lost && (call->http1 || !call->kept)))
    {
        ngx_http_flowdash_tolerance_attempt(call);
    }

    ngx_http_flowdash_call_forget_attempt(call, 0);

    call->resent = 1;

    return ngx_http_flowdash_call_start(call);
}


static void
ngx_http_flowdash_call_schedule_retry(ngx_http_flowdash_call_t *call,
    ngx_msec_t wait)
{
    ngx_http_flowdash_call_forget_attempt(call, wait);

    ngx_add_timer(&call->timer, wait);
}


/* clears what an attempt has left that is followed by another */

static void
ngx_http_flowdash_call_forget_attempt(ngx_http_flowdash_call_t *call,
    ngx_msec_t wait)
{
    ngx_http_flowdash_exchange_t  *ex;

    ex = call->ex;

    call->repeat(call, wait);

    ex->error = NGX_HTTP_FLOWDASH_OK;
    ngx_str_null(&ex->detail);

    ex->status = 0;
    ngx_str_null(&ex->content_type);
    ex->body.len = 0;
}


static void
ngx_http_flowdash_call_timer_handler(ngx_event_t *ev)
{
    ngx_http_flowdash_call_t  *call;

    call = ev->data;

    call->wake(call);

    if (call->attempting) {
        ngx_http_flowdash_call_check_time(call);
        return;
    }

    ngx_http_flowdash_call_finalize(call, ngx_http_flowdash_call_start(call));
}


/*
 * libcurl's timers are not enough: it forgets one if something else wakes the
 * transfer less than a millisecond before.
 */

static void
ngx_http_flowdash_call_check_time(ngx_http_flowdash_call_t *call)
{
    ngx_msec_int_t  left;

    left = ngx_http_flowdash_call_transfer_left(call);

    if (left > 0) {
        ngx_add_timer(&call->timer, (ngx_msec_t) left);
        return;
    }

    if (left < 0) {
        ngx_flowdash_curl_end(&call->transfer, CURLE_OPERATION_TIMEDOUT);
    }
}


static void
ngx_http_flowdash_call_stop_timer(ngx_http_flowdash_call_t *call)
{
    if (call->timer.timer_set) {
        ngx_del_timer(&call->timer);
    }
}


/* the end of an event; the call may be gone when this returns */

static void
ngx_http_flowdash_call_finalize(ngx_http_flowdash_call_t *call, ngx_int_t rc)
{
    if (rc != NGX_AGAIN) {
        call->handler(call, rc);
    }
}


void
ngx_http_flowdash_call_end(ngx_http_flowdash_call_t *call, ngx_int_t rc)
{
    if (rc == NGX_ERROR && !call->ex->error) {

        /* before the attempt is recorded */

        (void) ngx_http_flowdash_exchange_fail(call->ex,
                                               NGX_HTTP_FLOWDASH_INTERNAL,
                                               "memory ran out");
    }

    ngx_http_flowdash_call_abort(call);
}


void
ngx_http_flowdash_call_time_out(ngx_http_flowdash_call_t *call)
{
    call->transfer.timedout = 1;

    ngx_http_flowdash_call_abort(call);
}


static void
ngx_http_flowdash_call_abort(ngx_http_flowdash_call_t *call)
{
    call->ex->call = NULL;

    if (call->attempting) {
        ngx_http_flowdash_call_record(call);
        ngx_http_flowdash_tolerance_attempt(call);
    }

    if (call->resolve) {
        ngx_http_flowdash_resolve_cancel(call->resolve);
    }

    ngx_http_flowdash_call_stop_timer(call);
    ngx_http_flowdash_call_check_handle(call);

    ngx_flowdash_curl_free(&call->transfer);
}


/*
 * Without an octet of an answer libcurl may have been about to send the call
 * again, and has counted that.
 */

static void
ngx_http_flowdash_call_check_handle(ngx_http_flowdash_call_t *call)
{
    if (call->sent && call->header_size == 0) {
        call->transfer.worn = 1;
    }
}
