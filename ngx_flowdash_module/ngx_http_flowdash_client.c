
/*
 * The client's connection once endpoints have been called: the action
 * continues to its end, and so does the app's request, although the client
 * leaves.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_client.h>


static void ngx_http_flowdash_client_notice(ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_client_content_handler(
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_flowdash_client_is_checked(ngx_http_request_t *r);
static void ngx_http_flowdash_client_read_handler(ngx_http_request_t *r);


void
ngx_http_flowdash_client_ignore(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_http_flowdash_client_read_handler;
}


void
ngx_http_flowdash_client_restore(ngx_http_request_t *r)
{
    ngx_http_flowdash_client_notice(r);

#if (NGX_HTTP_V2)

    if (r->stream && ngx_http_flowdash_ctx_client_has_left(r)) {
        r->connection->error = 1;
    }

#endif

    if (r->read_event_handler == ngx_http_flowdash_client_read_handler) {
        r->read_event_handler = ngx_http_block_reading;
    }
}


/*
 * If the client of an action that has started has left, remembers when, and
 * logs it, once.
 */

static void
ngx_http_flowdash_client_notice(ngx_http_request_t *r)
{
    ngx_msec_int_t            ms;
    ngx_time_t               *tp;
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL || !ctx->started
        || ctx->state == NGX_HTTP_FLOWDASH_WAITING)
    {
        return;
    }

    if (!ctx->left) {

        if (!ngx_http_flowdash_ctx_client_has_left(r)) {
            return;
        }

        /* as $request_time counts */

        tp = ngx_timeofday();

        ms = (ngx_msec_int_t) ((tp->sec - r->main->start_sec) * 1000
                               + (tp->msec - r->main->start_msec));

        ctx->left = 1;
        ctx->left_after = ngx_max(ms, 0);
    }

    /* while the app is asked for the user, the name may not be known */

    if (ctx->action.len && !ctx->left_logged) {
        ctx->left_logged = 1;
        ngx_http_flowdash_log_left(r, ctx);
    }
}


/*
 * In HTTP/2 nginx has set the connection's error already, which would
 * terminate the request when a subrequest is finalized.
 */

static void
ngx_http_flowdash_client_read_handler(ngx_http_request_t *r)
{
    ngx_http_flowdash_client_notice(r);

    r->connection->error = 0;

    ngx_http_block_reading(r);
}


ngx_int_t
ngx_http_flowdash_client_wrap(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_handler_pt  *handler;

    if (r->content_handler == NULL
        || r->content_handler == ngx_http_flowdash_client_content_handler)
    {
        return NGX_OK;
    }

    handler = &ctx->content_handler;

    if (r != r->main) {
        handler = ngx_palloc(r->pool, sizeof(ngx_http_handler_pt));
        if (handler == NULL) {
            return NGX_ERROR;
        }

        ngx_http_set_ctx(r, handler, ngx_http_flowdash_module);
    }

    *handler = r->content_handler;
    r->content_handler = ngx_http_flowdash_client_content_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_client_content_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_http_handler_pt      *handler;
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    handler = &ctx->content_handler;

    if (r != r->main) {
        handler = ngx_http_get_module_ctx(r, ngx_http_flowdash_module);
    }

    ctx->handled = 1;

    rc = (*handler)(r);

    if (ngx_http_flowdash_client_is_checked(r)) {

        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "flowdash client is not checked");

        ngx_http_flowdash_client_ignore(r);
        r->write_event_handler = ngx_http_request_empty_handler;

    } else if ((r->read_event_handler == ngx_http_block_reading
                || (r->read_event_handler == ngx_http_request_empty_handler
                    && r != r->main))
               && !r->main->header_sent)
    {
        /*
         * It may start an upstream, or a subrequest, later.  In a subrequest
         * nobody looks at the client, but HTTP/2 marks its connection.
         */

        ngx_http_flowdash_client_ignore(r);
    }

    return rc;
}


/*
 * Whether an upstream is at work that looks whether the client is still there.
 * It has no answer yet, so it has no other event handlers of the request.
 */

static ngx_uint_t
ngx_http_flowdash_client_is_checked(ngx_http_request_t *r)
{
    ngx_http_upstream_t  *u;

    u = r->upstream;

    return u != NULL
           && u->cleanup != NULL
           && !u->header_sent
           && !u->store
           && !u->conf->ignore_client_abort;
}
