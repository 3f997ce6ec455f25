
/*
 * Takes the response of an execution with a key, as the content handler gives
 * it: a request that gets it later has filters of its own.  The response is
 * held until it is complete, so that it is kept even if the client has left,
 * as a browser does when a user clicks twice.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_once_response.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_once.h>
#include <ngx_http_flowdash_once_header.h>
#include <ngx_http_flowdash_once_keep.h>


/* the longest body that is kept, and the longest header, in bytes */

#define NGX_HTTP_FLOWDASH_ONCE_KEEP_BODY    (64 * 1024)
#define NGX_HTTP_FLOWDASH_ONCE_KEEP_HEADER  (16 * 1024)

#define NGX_HTTP_FLOWDASH_ONCE_KEEP_FIRST   4096


static ngx_int_t ngx_http_flowdash_once_keep_header_filter(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_once_keep_body_filter(
    ngx_http_request_t *r, ngx_chain_t *in);
static ngx_http_flowdash_once_t *ngx_http_flowdash_once_keep_get(
    ngx_http_request_t *r);
static void ngx_http_flowdash_once_keep_take(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once);
static ngx_uint_t ngx_http_flowdash_once_keep_has_no_body(
    ngx_http_request_t *r);
static ngx_chain_t *ngx_http_flowdash_once_keep_collect(
    ngx_http_request_t *r, ngx_http_flowdash_once_t *once, ngx_chain_t *in,
    ngx_uint_t *flush);
static ngx_int_t ngx_http_flowdash_once_keep_add(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, ngx_buf_t *b);
static ngx_int_t ngx_http_flowdash_once_keep_grow(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, size_t len);
static ngx_int_t ngx_http_flowdash_once_keep_send(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, ngx_chain_t *in);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
ngx_http_flowdash_once_keep_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_flowdash_once_keep_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_flowdash_once_keep_body_filter;
}


/* the header of the app's answer, or of a page */

static ngx_int_t
ngx_http_flowdash_once_keep_header_filter(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_flowdash_ctx_t   *ctx;
    ngx_http_flowdash_once_t  *once;

    once = ngx_http_flowdash_once_keep_get(r);

    if (once == NULL) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx->state != NGX_HTTP_FLOWDASH_PASSED) {

        /* the page of a failed action: the next one need not wait for it */

        ngx_http_flowdash_once_end(r, ctx);

        return ngx_http_next_header_filter(r);
    }

    if (r->filter_finalize) {

        /* a filter's own page: another request may get the response itself */

        once->lost = !once->complete;

        return ngx_http_next_header_filter(r);
    }

    ngx_http_flowdash_once_keep_take(r, once);

    if (!once->lost && !ngx_http_flowdash_once_keep_has_no_body(r)) {
        once->held = 1;
        return NGX_OK;
    }

    once->complete = !once->lost;

    rc = ngx_http_next_header_filter(r);

    ngx_http_flowdash_once_settle(r, ctx);

    return rc;
}


static ngx_int_t
ngx_http_flowdash_once_keep_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_uint_t                 flush;
    ngx_chain_t               *rest;
    ngx_http_flowdash_once_t  *once;

    once = ngx_http_flowdash_once_keep_get(r);

    if (once == NULL || !once->taken || once->complete || once->lost) {
        return ngx_http_next_body_filter(r, in);
    }

    flush = 0;

    rest = ngx_http_flowdash_once_keep_collect(r, once, in, &flush);

    if (once->held) {

        if (!once->complete && !once->lost && !flush) {
            return NGX_OK;
        }

        return ngx_http_flowdash_once_keep_send(r, once, rest);
    }

    ngx_http_flowdash_once_settle(r, ngx_http_flowdash_get_ctx(r));

    return ngx_http_next_body_filter(r, in);
}


/* of an execution that has the key, or NULL */

static ngx_http_flowdash_once_t *
ngx_http_flowdash_once_keep_get(ngx_http_request_t *r)
{
    ngx_http_flowdash_ctx_t  *ctx;

    if (r != r->main || r->post_action) {
        return NULL;
    }

    ctx = ngx_http_flowdash_get_ctx(r);

    return (ctx && ctx->once && (ctx->once->holds || ctx->once->held))
           ? ctx->once : NULL;
}


/* a header that is sent in place of one that is still held counts */

static void
ngx_http_flowdash_once_keep_take(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once)
{
    once->taken = 1;
    once->held = 0;
    once->complete = 0;
    once->lost = 0;

    once->response.body.len = 0;

    if (r->headers_out.status < NGX_HTTP_OK
        || r->headers_out.content_length_n > NGX_HTTP_FLOWDASH_ONCE_KEEP_BODY
        || ngx_http_flowdash_once_header_take(r, &once->response) != NGX_OK
        || ngx_http_flowdash_once_response_length(&once->response)
           > NGX_HTTP_FLOWDASH_ONCE_KEEP_HEADER)
    {
        once->lost = 1;
    }
}


/* what nginx's header filter will find out */

static ngx_uint_t
ngx_http_flowdash_once_keep_has_no_body(ngx_http_request_t *r)
{
    return r->header_only
           || r->method == NGX_HTTP_HEAD
           || r->headers_out.status == NGX_HTTP_NO_CONTENT
           || r->headers_out.status == NGX_HTTP_NOT_MODIFIED;
}


/*
 * Adds a chain to the body, and uses it up if the response is held.  Returns
 * what is left when the response cannot be kept.
 */

static ngx_chain_t *
ngx_http_flowdash_once_keep_collect(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, ngx_chain_t *in, ngx_uint_t *flush)
{
    off_t       length;
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (ngx_http_flowdash_once_keep_add(r, once, b) != NGX_OK) {
            once->lost = 1;
            return in;
        }

        /* a response that breaks off ends with such a buffer, too */

        *flush |= b->flush;

        if (once->held) {
            b->pos = b->last;
            b->file_pos = b->file_last;
        }

        if (!b->last_buf) {
            continue;
        }

        length = once->response.content_length;

        if (length == -1 || length == (off_t) once->response.body.len) {
            once->complete = 1;

        } else {
            once->lost = 1;
        }

        return in;
    }

    return NULL;
}


static ngx_int_t
ngx_http_flowdash_once_keep_add(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, ngx_buf_t *b)
{
    off_t       size;
    u_char     *p;
    ssize_t     n;
    ngx_str_t  *body;

    if (ngx_buf_special(b)) {
        return NGX_OK;
    }

    body = &once->response.body;
    size = ngx_buf_size(b);

    if (size > (off_t) (NGX_HTTP_FLOWDASH_ONCE_KEEP_BODY - body->len)
        || ngx_http_flowdash_once_keep_grow(r, once, (size_t) size) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    p = body->data + body->len;

    if (ngx_buf_in_memory(b)) {
        ngx_memcpy(p, b->pos, (size_t) size);

    } else if (b->in_file) {
        n = ngx_read_file(b->file, p, (size_t) size, b->file_pos);

        if (n != (ssize_t) size) {
            return NGX_DECLINED;
        }
    }

    body->len += (size_t) size;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_once_keep_grow(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, size_t len)
{
    u_char     *p;
    size_t      size;
    ngx_str_t  *body;

    body = &once->response.body;
    len += body->len;

    if (len <= once->size) {
        return NGX_OK;
    }

    size = once->response.content_length > 0
           ? (size_t) once->response.content_length
           : once->size ? 2 * once->size : NGX_HTTP_FLOWDASH_ONCE_KEEP_FIRST;

    size = ngx_max(size, len);

    p = ngx_palloc(r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (body->data) {
        ngx_memcpy(p, body->data, body->len);

        if (once->held) {

            /* or the client still gets it from there */

            (void) ngx_pfree(r->pool, body->data);
        }
    }

    body->data = p;
    once->size = size;

    return NGX_OK;
}


/* sends what was held, and then "in" */

static ngx_int_t
ngx_http_flowdash_once_keep_send(ngx_http_request_t *r,
    ngx_http_flowdash_once_t *once, ngx_chain_t *in)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    once->held = 0;

    rc = ngx_http_next_header_filter(r);

    /* those that wait get it now, however slow this client is */

    ngx_http_flowdash_once_settle(r, ngx_http_flowdash_get_ctx(r));

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (once->response.body.len) {
        b->pos = once->response.body.data;
        b->last = b->pos + once->response.body.len;
        b->memory = 1;
    }

    if (in == NULL) {
        b->flush = 1;

    } else if (in->buf->last_buf && ngx_buf_size(in->buf) == 0) {

        /* all of it has been collected */

        b->last_buf = 1;
        b->last_in_chain = 1;
        in = NULL;

    } else if (once->response.body.len == 0) {
        return ngx_http_next_body_filter(r, in);
    }

    out.buf = b;
    out.next = in;

    return ngx_http_next_body_filter(r, &out);
}
