
/*
 * One try of a delivery.  No client waits for it: it has a pool, a log and a
 * timer of its own.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_identity.h>
#include <ngx_http_flowdash_timeout.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_call_result.h>
#include <ngx_http_flowdash_compose.h>
#include <ngx_http_flowdash_try.h>


#define NGX_HTTP_FLOWDASH_TRY_POOL  4096


static ngx_int_t ngx_http_flowdash_try_init(ngx_http_flowdash_try_t *try,
    ngx_http_flowdash_step_t *step);
static ngx_int_t ngx_http_flowdash_try_init_trace(
    ngx_http_flowdash_try_t *try);
static u_char *ngx_http_flowdash_try_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_http_flowdash_try_wake(ngx_http_flowdash_call_t *call);
static ngx_int_t ngx_http_flowdash_try_headers(ngx_http_flowdash_call_t *call,
    ngx_array_t *headers);
static void ngx_http_flowdash_try_repeat(ngx_http_flowdash_call_t *call,
    ngx_msec_t wait);
static void ngx_http_flowdash_try_call_handler(ngx_http_flowdash_call_t *call,
    ngx_int_t rc);
static void ngx_http_flowdash_try_timeout(ngx_event_t *ev);
static void ngx_http_flowdash_try_end(ngx_http_flowdash_try_t *try,
    ngx_int_t rc);
static void ngx_http_flowdash_try_result(ngx_http_flowdash_try_t *try);


ngx_http_flowdash_try_t *
ngx_http_flowdash_try_create(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *delivery, ngx_http_flowdash_step_t *step)
{
    ngx_pool_t               *pool;
    ngx_http_flowdash_try_t  *try;

    pool = ngx_create_pool(NGX_HTTP_FLOWDASH_TRY_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    try = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_try_t));
    if (try == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    try->pool = pool;
    try->record = record;
    try->delivery = delivery;

    if (ngx_http_flowdash_try_init(try, step) != NGX_OK) {
        ngx_http_flowdash_try_destroy(try);
        return NULL;
    }

    return try;
}


static ngx_int_t
ngx_http_flowdash_try_init(ngx_http_flowdash_try_t *try,
    ngx_http_flowdash_step_t *step)
{
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_flowdash_call_t  *call;

    /* all lines that others write about it say what it is about */

    try->log = *ngx_cycle->log;
    try->log.handler = ngx_http_flowdash_try_log;
    try->log.data = try;

    try->ex.step = step;
    try->ex.start = ngx_current_msec;

    clcf = step->loc_conf[ngx_http_core_module.ctx_index];
    call = &try->call;

    call->ex = &try->ex;
    call->conf = step->loc_conf[ngx_http_flowdash_module.ctx_index];
    call->main_conf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                                    ngx_http_flowdash_module);
    call->resolver = clcf->resolver;
    call->resolver_timeout = clcf->resolver_timeout;
    call->deadline = ngx_current_msec + call->conf->timeout;
    call->pool = try->pool;
    call->log = &try->log;
    call->wake = ngx_http_flowdash_try_wake;
    call->add_headers = ngx_http_flowdash_try_headers;
    call->repeat = ngx_http_flowdash_try_repeat;
    call->handler = ngx_http_flowdash_try_call_handler;
    call->data = try;

    try->timer.handler = ngx_http_flowdash_try_timeout;
    try->timer.data = try;
    try->timer.log = &try->log;

    if (ngx_http_flowdash_try_init_trace(try) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_call_init(call);
}


static ngx_int_t
ngx_http_flowdash_try_init_trace(ngx_http_flowdash_try_t *try)
{
    ngx_str_t  *trace;

    trace = &try->record->trace;

    if (trace->len != sizeof(try->trace.id) + sizeof(try->trace.flags)) {
        return ngx_http_flowdash_id_trace_begin(&try->trace);
    }

    ngx_memcpy(try->trace.id, trace->data, sizeof(try->trace.id));
    ngx_memcpy(try->trace.flags, trace->data + sizeof(try->trace.id),
               sizeof(try->trace.flags));

    return NGX_OK;
}


static u_char *
ngx_http_flowdash_try_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_http_flowdash_try_t *try = log->data;

    u_char  *p;

    p = ngx_snprintf(buf, len, " while delivering");

    return ngx_http_flowdash_log_delivery_name(p, buf + len, try->record,
                                               try->delivery);
}


ngx_int_t
ngx_http_flowdash_try(ngx_http_flowdash_try_t *try,
    ngx_http_flowdash_try_handler_pt handler)
{
    ngx_int_t  rc;

    try->handler = handler;

    rc = ngx_http_flowdash_compose(&try->call, try->record, try->delivery);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_call_start(&try->call);
    }

    if (rc == NGX_AGAIN) {

        /* it keeps a worker that quits until the call has ended */

        ngx_add_timer(&try->timer, try->call.conf->timeout);

        return NGX_AGAIN;
    }

    ngx_http_flowdash_try_end(try, rc);

    return NGX_OK;
}


void
ngx_http_flowdash_try_destroy(ngx_http_flowdash_try_t *try)
{
    if (try->ex.call) {
        ngx_http_flowdash_call_end(&try->call, NGX_OK);
    }

    if (try->timer.timer_set) {
        ngx_del_timer(&try->timer);
    }

    ngx_destroy_pool(try->pool);
}


static void
ngx_http_flowdash_try_wake(ngx_http_flowdash_call_t *call)
{
    ngx_http_flowdash_try_t *try = call->data;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, call->log, 0,
                   "flowdash delivery of \"%V\", id %V",
                   &try->delivery->name, &try->record->id);
}


static ngx_int_t
ngx_http_flowdash_try_headers(ngx_http_flowdash_call_t *call,
    ngx_array_t *headers)
{
    ngx_http_flowdash_try_t *try = call->data;

    return ngx_http_flowdash_identity_call(call->pool, &try->trace, &try->ex,
                                           headers);
}


/* a kept connection was closed just as the call was sent */

static void
ngx_http_flowdash_try_repeat(ngx_http_flowdash_call_t *call, ngx_msec_t wait)
{
    ngx_http_flowdash_try_t *try = call->data;

    ngx_http_flowdash_log_delivery(&try->log, NGX_LOG_INFO, try->record,
                                   try->delivery, &try->ex, "is sent again",
                                   0);
}


static void
ngx_http_flowdash_try_call_handler(ngx_http_flowdash_call_t *call,
    ngx_int_t rc)
{
    ngx_http_flowdash_try_t *try = call->data;

    try->after = ngx_http_flowdash_call_result_retry_after(call);

    ngx_http_flowdash_try_end(try, rc);

    try->handler(try);
}


static void
ngx_http_flowdash_try_timeout(ngx_event_t *ev)
{
    ngx_http_flowdash_try_t *try = ev->data;

    ngx_http_flowdash_timeout_call(&try->call);
    ngx_http_flowdash_call_time_out(&try->call);

    ngx_http_flowdash_try_result(try);

    try->handler(try);
}


static void
ngx_http_flowdash_try_end(ngx_http_flowdash_try_t *try, ngx_int_t rc)
{
    if (try->timer.timer_set) {
        ngx_del_timer(&try->timer);
    }

    ngx_http_flowdash_call_end(&try->call, rc);

    ngx_http_flowdash_try_result(try);
}


static void
ngx_http_flowdash_try_result(ngx_http_flowdash_try_t *try)
{
    ngx_http_flowdash_attempt_t   *attempt;
    ngx_http_flowdash_exchange_t  *ex;

    ex = &try->ex;

    if (ex->attempts.nelts) {
        attempt = ex->attempts.elts;
        try->status = attempt[ex->attempts.nelts - 1].header;
    }

    if (ex->error == NGX_HTTP_FLOWDASH_OK
        && !ngx_http_flowdash_try_succeeded(try))
    {
        ex->error = NGX_HTTP_FLOWDASH_STATUS;
    }
}


ngx_uint_t
ngx_http_flowdash_try_succeeded(ngx_http_flowdash_try_t *try)
{
    return try->status >= NGX_HTTP_OK
           && try->status < NGX_HTTP_SPECIAL_RESPONSE;
}


ngx_uint_t
ngx_http_flowdash_try_reached(ngx_http_flowdash_try_t *try)
{
    if (try->status) {
        return 1;
    }

    switch (try->ex.error) {

    case NGX_HTTP_FLOWDASH_TIMEOUT:
    case NGX_HTTP_FLOWDASH_CONNECT:
    case NGX_HTTP_FLOWDASH_RESOLVE:
    case NGX_HTTP_FLOWDASH_TLS:
        return 0;

    default:
        return 1;
    }
}
