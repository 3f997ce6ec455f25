
/*
 * The response to an action with undos or after-steps: its header waits until
 * the outcome is recorded, and the after-steps get a copy of its body.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_gzip.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_whole_state.h>
#include <ngx_http_flowdash_whole.h>
#include <ngx_http_flowdash_hold.h>


/* of the four bits, nginx's modules use the others */

#define NGX_HTTP_FLOWDASH_HOLD_BUFFERED  0x08


static ngx_int_t ngx_http_flowdash_hold_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_hold_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_uint_t ngx_http_flowdash_hold_is_gzip(ngx_http_request_t *r);
static void ngx_http_flowdash_hold_read(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole, ngx_chain_t *in);
static ngx_int_t ngx_http_flowdash_hold_add(ngx_http_flowdash_whole_t *whole,
    ngx_buf_t *b);
static void ngx_http_flowdash_hold_end(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole);
static ngx_int_t ngx_http_flowdash_hold_gunzip(
    ngx_http_flowdash_whole_t *whole);


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

    if (ctx == NULL || ctx->whole == NULL
        || ngx_http_flowdash_whole_outcome(r, ctx) != NGX_AGAIN)
    {
        return ngx_http_next_header_filter(r);
    }

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash header is held");

    /*
     * To nginx, the header is sent: it must not send another one.  What would
     * send more of the body than this filter can pass on waits, as it does for
     * limit_rate.
     */

    ctx->whole->holding = 1;

    r->header_sent = 1;
    r->buffered |= NGX_HTTP_FLOWDASH_HOLD_BUFFERED;
    r->connection->write->delayed = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_hold_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_flowdash_ctx_t    *ctx;
    ngx_http_flowdash_whole_t  *whole;

    if (r != r->main) {
        return ngx_http_next_body_filter(r, in);
    }

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL || ctx->whole == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    whole = ctx->whole;

    if (whole->collecting) {
        ngx_http_flowdash_hold_read(r, whole, in);
    }

    if (!whole->holding) {
        return ngx_http_next_body_filter(r, in);
    }

    if (ngx_chain_add_copy(r->pool, &whole->held, in) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


void
ngx_http_flowdash_hold_collect(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole)
{
    ngx_str_t  type;

    type = r->headers_out.content_type;

    if (type.len == 0 || !ngx_http_flowdash_text_is_json_type(&type)) {
        return;
    }

    if (r->headers_out.content_length_n > NGX_HTTP_FLOWDASH_HOLD_RESPONSE
        || (r->headers_out.content_encoding
            && r->headers_out.content_encoding->value.len
            && !ngx_http_flowdash_hold_is_gzip(r)))
    {
        whole->record->truncated = 1;
        return;
    }

    /* until its end has come */

    whole->record->truncated = 1;
    whole->collecting = 1;
    whole->gzip = ngx_http_flowdash_hold_is_gzip(r);

    r->filter_need_in_memory = 1;
}


static ngx_uint_t
ngx_http_flowdash_hold_is_gzip(ngx_http_request_t *r)
{
    return r->headers_out.content_encoding
           && ngx_http_flowdash_text_is(
                               &r->headers_out.content_encoding->value, "gzip");
}


static void
ngx_http_flowdash_hold_read(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole, ngx_chain_t *in)
{
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (!ngx_buf_special(b)
            && ngx_http_flowdash_hold_add(whole, b) != NGX_OK)
        {
            ngx_str_null(&whole->response);
            ngx_http_flowdash_whole_complete(whole, r->connection->log);
            return;
        }

        if (b->last_buf) {
            ngx_http_flowdash_hold_end(r, whole);
            return;
        }
    }
}


static ngx_int_t
ngx_http_flowdash_hold_add(ngx_http_flowdash_whole_t *whole, ngx_buf_t *b)
{
    size_t  len;

    if (!ngx_buf_in_memory(b)) {
        return NGX_ERROR;
    }

    len = b->last - b->pos;

    if (len > NGX_HTTP_FLOWDASH_HOLD_RESPONSE - whole->response.len) {
        return NGX_ERROR;
    }

    if (whole->response.data == NULL) {

        whole->response.data = ngx_pnalloc(whole->record->pool,
                                           NGX_HTTP_FLOWDASH_HOLD_RESPONSE);
        if (whole->response.data == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memcpy(whole->response.data + whole->response.len, b->pos, len);

    whole->response.len += len;

    return NGX_OK;
}


/* the response has come to its end: keeps it if it is JSON */

static void
ngx_http_flowdash_hold_end(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole)
{
    size_t                           offset;
    ngx_int_t                        rc;
    ngx_http_flowdash_json_memory_t  memory;

    rc = whole->gzip ? ngx_http_flowdash_hold_gunzip(whole) : NGX_OK;

    if (rc == NGX_OK) {
        whole->record->truncated = 0;

        if (ngx_http_flowdash_json_check_text(&whole->response) == NULL
            && ngx_http_flowdash_json_run(&memory, NULL, NULL, NULL,
                                          &whole->response, &offset,
                                          r->connection->log)
               == NGX_OK)
        {
            whole->record->response = whole->response;
        }
    }

    ngx_http_flowdash_whole_complete(whole, r->connection->log);
}


static ngx_int_t
ngx_http_flowdash_hold_gunzip(ngx_http_flowdash_whole_t *whole)
{
    ngx_int_t                  rc;
    ngx_http_flowdash_gzip_t  *gz;

    gz = ngx_http_flowdash_gzip_create(whole->record->pool,
                                       NGX_HTTP_FLOWDASH_HOLD_RESPONSE);
    if (gz == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_gzip_read(gz, whole->response.data,
                                     whole->response.len);

    while (rc == NGX_AGAIN) {
        rc = ngx_http_flowdash_gzip_read(gz, NULL, 0);
    }

    return (rc == NGX_OK) ? ngx_http_flowdash_gzip_end(gz, &whole->response)
                          : rc;
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
