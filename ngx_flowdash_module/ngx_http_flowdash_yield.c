
/*
 * A long body is read, or copied, in turns.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_yield.h>


static void ngx_http_flowdash_yield_handler(ngx_event_t *ev);


ngx_int_t
ngx_http_flowdash_yield(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ctx->yield.handler = ngx_http_flowdash_yield_handler;
    ctx->yield.data = r->connection;
    ctx->yield.log = r->connection->log;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash action yields");

    ngx_post_event(&ctx->yield, &ngx_posted_next_events);

    return NGX_DONE;
}


static void
ngx_http_flowdash_yield_handler(ngx_event_t *ev)
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
