
/*
 * The subrequest of a step or a fetch: creates it, limits its time, collects
 * its answer, and wakes the main request when it ends.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_answer.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_timeout.h>
#include <ngx_http_flowdash_tolerance.h>
#include <ngx_http_flowdash_subrequest.h>


/* NGX_HTTP_LIMIT_REQ_PASSED of ngx_http_limit_req_module.c */

#define NGX_HTTP_FLOWDASH_LIMIT_REQ_PASSED  1


static ngx_int_t ngx_http_flowdash_subrequest_body_filter(
    ngx_http_request_t *r, ngx_chain_t *in);
static void ngx_http_flowdash_subrequest_timeout(ngx_event_t *ev);
static void ngx_http_flowdash_subrequest_abort(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex);
static void ngx_http_flowdash_subrequest_end(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex);


static ngx_http_output_body_filter_pt  ngx_http_next_body_filter;


ngx_int_t
ngx_http_flowdash_subrequest_init(ngx_conf_t *cf)
{
    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_flowdash_subrequest_body_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_subrequest_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in)
{
    ngx_int_t                      rc;
    ngx_buf_t                     *b;
    ngx_http_flowdash_exchange_t  *ex;

    if (r == r->main
        || r->post_subrequest == NULL
        || r->post_subrequest->handler != ngx_http_flowdash_subrequest_done)
    {
        return ngx_http_next_body_filter(r, in);
    }

    ex = r->post_subrequest->data;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (b->last_buf || b->last_in_chain) {
            ex->complete = 1;
        }

        if (ngx_buf_special(b)) {
            continue;
        }

        /* NGX_HTTP_SUBREQUEST_IN_MEMORY has asked for this */

        rc = ngx_buf_in_memory(b)
             ? ngx_http_flowdash_answer_add(ex, r->pool, b->pos,
                                            b->last - b->pos)
             : ngx_http_flowdash_exchange_fail(ex,
                                               NGX_HTTP_FLOWDASH_INTERNAL,
                                               "the answer is in a file");

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        b->pos = b->last;
    }

    return NGX_OK;
}


ngx_http_request_t *
ngx_http_flowdash_subrequest_create(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_str_t *uri, ngx_str_t *args)
{
    ngx_int_t                    rc;
    ngx_http_request_t          *sr;
    ngx_http_variable_value_t   *variables;
    ngx_http_post_subrequest_t  *ps;

    /*
     * If they shared the array, a header that one request has read would be
     * cached for the other.
     */

    variables = ngx_http_flowdash_value_copy_variables(r);
    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));

    if (variables == NULL || ps == NULL) {
        return NULL;
    }

    ps->handler = ngx_http_flowdash_subrequest_done;
    ps->data = ex;

    sr = NULL;

    rc = ngx_http_subrequest(r, uri, args, &sr, ps,
                             NGX_HTTP_SUBREQUEST_IN_MEMORY
                             |NGX_HTTP_SUBREQUEST_BACKGROUND);

    ex->request = sr;

    if (rc != NGX_OK) {

        if (sr) {

            /* it could not be posted, but the client's request waits for it */

            ngx_http_flowdash_subrequest_undo(r, ex);
        }

        return NULL;
    }

    sr->variables = variables;
    ngx_http_set_ctx(sr, ex, ngx_http_flowdash_module);

    /*
     * If limit_req delayed the subrequest, it would wait for an event of the
     * connection.  Such events go to the client's request, so the subrequest
     * would never wake.
     */

    if (r->limit_req_status == 0) {
        r->limit_req_status = NGX_HTTP_FLOWDASH_LIMIT_REQ_PASSED;
    }

    /* nginx clears it if the upstream breaks off, see answer_is_complete() */

    sr->keepalive = 1;

    return sr;
}


void
ngx_http_flowdash_subrequest_undo(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_posted_request_t  **p;

    for (p = &r->main->posted_requests; *p; p = &(*p)->next) {

        if ((*p)->request == ex->request) {
            *p = (*p)->next;
            break;
        }
    }

    r->main->count--;
    ex->request = NULL;
}


void
ngx_http_flowdash_subrequest_set_method(ngx_http_request_t *sr,
    ngx_uint_t method, ngx_str_t *name)
{
    ngx_http_variable_value_t      *v;
    ngx_http_flowdash_main_conf_t  *fmcf;

    sr->method = method;
    sr->method_name = *name;

    fmcf = ngx_http_get_module_main_conf(sr, ngx_http_flowdash_module);

    v = &sr->variables[fmcf->request_method];

    v->len = name->len;
    v->data = name->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}


void
ngx_http_flowdash_subrequest_set_timer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_msec_t  time, left;

    time = flcf->timeout;
    left = ctx->deadline - ngx_current_msec;

    if (left < time) {
        time = left;
        ctx->exchange->deadline = 1;
    }

    ctx->timer.handler = ngx_http_flowdash_subrequest_timeout;
    ctx->timer.data = r->connection;
    ctx->timer.log = r->connection->log;

    ngx_add_timer(&ctx->timer, time);
}


static void
ngx_http_flowdash_subrequest_timeout(ngx_event_t *ev)
{
    ngx_connection_t              *c;
    ngx_http_request_t            *r, *sr;
    ngx_http_flowdash_ctx_t       *ctx;
    ngx_http_flowdash_exchange_t  *ex;

    c = ev->data;
    r = c->data;
    r = r->main;

    ngx_http_set_log_request(c->log, r);

    ctx = ngx_http_flowdash_get_ctx(r);
    ex = ctx->exchange;
    sr = ex->request;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "flowdash step \"%V\" ran out of time", &ex->step->name);

    ngx_http_flowdash_timeout(r, ex);

    ngx_http_flowdash_subrequest_abort(sr, ex);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_flowdash_subrequest_abort(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_upstream_t  *u;

    u = sr->upstream;

    if (ex->call) {
        ngx_http_flowdash_call_time_out(ex->call);

    } else if (u && u->cleanup) {

        /* the upstream's cleanup handler releases one reference */

        sr->main->count++;
        (*u->cleanup)(sr);

    } else {

        /*
         * Another handler cannot be stopped.  It continues by itself, and
         * keeps the request's memory until it ends; the action does not wait
         * for it.
         */

        ngx_http_flowdash_subrequest_end(sr, ex);
        return;
    }

    ngx_http_finalize_request(sr, NGX_HTTP_GATEWAY_TIME_OUT);
}


ngx_int_t
ngx_http_flowdash_subrequest_done(ngx_http_request_t *r, void *data,
    ngx_int_t rc)
{
    ngx_http_flowdash_exchange_t *ex = data;

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash step \"%V\" done, rc:%i s:%ui",
                   &ex->step->name, rc, r->headers_out.status);

    if (ex->done) {

        /* finalized a second time, or after the timeout */

        return NGX_OK;
    }

    if (rc == NGX_OK && r->buffered && !r->connection->error) {

        /* a filter waits for a file */

        return NGX_OK;
    }

    ngx_http_flowdash_answer_judge(ex, rc);

    /* what a filter still holds goes nowhere: nginx must not wait for it */

    r->buffered = 0;

    ngx_http_flowdash_subrequest_end(r, ex);

    return NGX_OK;
}


/*
 * Wakes the main request.  The subrequest ends with NGX_OK whatever the answer
 * was, so that nginx makes no error page for it.
 */

static void
ngx_http_flowdash_subrequest_end(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex)
{
    /* set if an output filter of the step failed, or the client left */

    r->connection->error = 0;
    r->connection->log->action = NULL;

    ex->done = 1;
    ex->time = ngx_current_msec - ex->start;

    ngx_http_flowdash_tolerance_end(ex);

    r->main->write_event_handler = ngx_http_core_run_phases;

    /* an exchange ends once, and waking the request needs no memory */

    (void) ngx_http_post_request(r->main, &ex->posted);
}
