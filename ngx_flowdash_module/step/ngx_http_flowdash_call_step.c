
/*
 * flowdash_call, the content handler of a step.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_identity.h>
#include <ngx_http_flowdash_url_make.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_call_step.h>


static ngx_http_flowdash_call_t *ngx_http_flowdash_call_step_create(
    ngx_http_request_t *r, ngx_http_flowdash_exchange_t *ex);
static void ngx_http_flowdash_call_step_wake(ngx_http_flowdash_call_t *call);
static ngx_int_t ngx_http_flowdash_call_step_headers(
    ngx_http_flowdash_call_t *call, ngx_array_t *headers);
static void ngx_http_flowdash_call_step_repeat(ngx_http_flowdash_call_t *call,
    ngx_msec_t wait);
static void ngx_http_flowdash_call_step_finalize(
    ngx_http_flowdash_call_t *call, ngx_int_t rc);
static void ngx_http_flowdash_call_step_cleanup(void *data);


ngx_int_t
ngx_http_flowdash_call_step_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_call_t      *call;

    ex = ngx_http_get_module_ctx(r, ngx_http_flowdash_module);

    if (r == r->main || ex == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call = ngx_http_flowdash_call_step_create(r, ex);
    if (call == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_url_make(r->main, ex, call->conf->url, &call->url,
                                    &call->host);

    if (rc == NGX_OK) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "flowdash call \"%V\"", &ex->url);

        rc = ngx_http_flowdash_call_start(call);
    }

    if (rc != NGX_AGAIN) {
        ngx_http_flowdash_call_end(call, rc);
        return (rc == NGX_DECLINED) ? NGX_HTTP_BAD_REQUEST : rc;
    }

    r->main->count++;

    return NGX_DONE;
}


static ngx_http_flowdash_call_t *
ngx_http_flowdash_call_step_create(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_cleanup_t            *cln;
    ngx_http_flowdash_call_t      *call;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    call = ngx_pcalloc(r->pool, sizeof(ngx_http_flowdash_call_t));
    if (call == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_flowdash_call_step_cleanup;
    cln->data = ex;

    call->ex = ex;
    call->conf = flcf;
    call->main_conf = ngx_http_get_module_main_conf(r,
                                                    ngx_http_flowdash_module);
    call->retry = flcf->retry;
    call->resolver = clcf->resolver;
    call->resolver_timeout = clcf->resolver_timeout;
    call->deadline = ngx_http_flowdash_get_ctx(r)->deadline;
    call->pool = r->pool;
    call->log = r->connection->log;
    call->wake = ngx_http_flowdash_call_step_wake;
    call->add_headers = ngx_http_flowdash_call_step_headers;
    call->repeat = ngx_http_flowdash_call_step_repeat;
    call->handler = ngx_http_flowdash_call_step_finalize;
    call->data = r;

    return (ngx_http_flowdash_call_init(call) == NGX_OK) ? call : NULL;
}


static void
ngx_http_flowdash_call_step_wake(ngx_http_flowdash_call_t *call)
{
    ngx_http_request_t  *r;

    r = call->data;

    ngx_http_set_log_request(r->connection->log, r);
}


static ngx_int_t
ngx_http_flowdash_call_step_headers(ngx_http_flowdash_call_t *call,
    ngx_array_t *headers)
{
    ngx_http_request_t  *r;

    r = call->data;

    return ngx_http_flowdash_identity_call(r->pool,
                                        &ngx_http_flowdash_get_ctx(r)->trace,
                                        call->ex, headers);
}


static void
ngx_http_flowdash_call_step_repeat(ngx_http_flowdash_call_t *call,
    ngx_msec_t wait)
{
    ngx_http_request_t            *r;
    ngx_http_flowdash_exchange_t  *ex;

    r = call->data;
    ex = call->ex;

    if (ex->status) {
        r->headers_out.status = ex->status;
    }

    ngx_http_flowdash_log_repeated(r, ngx_http_flowdash_get_ctx(r), ex,
                                   ex->error ? ex->error
                                             : NGX_HTTP_FLOWDASH_STATUS,
                                   wait);
}


static void
ngx_http_flowdash_call_step_finalize(ngx_http_flowdash_call_t *call,
    ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = call->data;
    c = r->connection;

    if (call->ex->status) {
        r->headers_out.status = call->ex->status;
    }

    ngx_http_flowdash_call_end(call, rc);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_flowdash_call_step_cleanup(void *data)
{
    ngx_http_flowdash_exchange_t *ex = data;

    if (ex->call) {
        ngx_http_flowdash_call_end(ex->call, NGX_OK);
    }
}
