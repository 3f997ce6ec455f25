
/*
 * The client's connection while the app works: whether the client leaves no
 * longer matters, since the endpoints have agreed to the action.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_client.h>


static ngx_int_t ngx_http_flowdash_client_content_handler(
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_flowdash_client_is_checked(ngx_http_request_t *r);


void
ngx_http_flowdash_client_ignore(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    if (r->content_handler == NULL
        || r->content_handler == ngx_http_flowdash_client_content_handler)
    {
        return;
    }

    ctx->content_handler = r->content_handler;
    r->content_handler = ngx_http_flowdash_client_content_handler;
}


static ngx_int_t
ngx_http_flowdash_client_content_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    rc = ctx->content_handler(r);

    if (ngx_http_flowdash_client_is_checked(r)) {

        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "flowdash client is not checked");

        r->read_event_handler = ngx_http_block_reading;
        r->write_event_handler = ngx_http_request_empty_handler;
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
