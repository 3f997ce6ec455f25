
/*
 * The response to an action with undos or after-steps waits until the outcome
 * is recorded.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_whole_state.h>
#include <ngx_http_flowdash_hold.h>


/* of the four bits, nginx's modules use the others */

#define NGX_HTTP_FLOWDASH_HOLD_BUFFERED  0x08


static ngx_int_t ngx_http_flowdash_hold_header_filter(ngx_http_request_t *r);
static void ngx_http_flowdash_hold_header_only(ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_hold_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
ngx_http_flowdash_hold_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_flowdash_hold_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_flowdash_hold_body_filter;
}


static ngx_int_t
ngx_http_flowdash_hold_header_filter(ngx_http_request_t *r)
{
    ngx_http_flowdash_ctx_t  *ctx;

    if (r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL || ctx->whole == NULL || !ctx->whole->holding) {
        return ngx_http_next_header_filter(r);
    }

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash header is held");

    /*
     * To nginx, the header is sent: it must not send another one.  What would
     * send more of the body than this filter can pass on waits, as it does for
     * limit_rate.
     */

    ngx_http_flowdash_hold_header_only(r);

    r->header_sent = 1;
    r->buffered |= NGX_HTTP_FLOWDASH_HOLD_BUFFERED;
    r->connection->write->delayed = 1;

    return NGX_OK;
}


/* what nginx's last filter tells whoever would send a body */

static void
ngx_http_flowdash_hold_header_only(ngx_http_request_t *r)
{
    if (r->method == NGX_HTTP_HEAD
        || r->headers_out.status == NGX_HTTP_NO_CONTENT
        || r->headers_out.status == NGX_HTTP_NOT_MODIFIED)
    {
        r->header_only = 1;
    }
}


static ngx_int_t
ngx_http_flowdash_hold_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_flowdash_ctx_t  *ctx;

    if (r != r->main) {
        return ngx_http_next_body_filter(r, in);
    }

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL || ctx->whole == NULL || !ctx->whole->holding) {
        return ngx_http_next_body_filter(r, in);
    }

    if (ngx_chain_add_copy(r->pool, &ctx->whole->held, in) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


void
ngx_http_flowdash_hold_release(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole)
{
    ngx_int_t     rc;
    ngx_chain_t  *held;

    if (!whole->holding) {
        return;
    }

    whole->holding = 0;

    r->buffered &= ~NGX_HTTP_FLOWDASH_HOLD_BUFFERED;
    r->connection->write->delayed = 0;

    if (r->connection->error) {
        return;
    }

    r->header_sent = 0;

    rc = ngx_http_next_header_filter(r);

    held = whole->held;
    whole->held = NULL;

    if (rc != NGX_ERROR && rc <= NGX_OK && held) {
        rc = ngx_http_next_body_filter(r, held);
    }

    /* whoever sends the body ends the request */

    if (rc == NGX_ERROR || rc > NGX_OK) {
        r->connection->error = 1;
    }
}
