
/*
 * The client's request body as one text, in memory.  It is there once only:
 * nginx's buffers become the text, or the text takes their place.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_body_text.h>


static u_char *ngx_http_flowdash_body_text_stretch(ngx_chain_t *cl);
static ngx_int_t ngx_http_flowdash_body_text_shift(ngx_http_request_t *r,
    ngx_str_t *text);
static ngx_chain_t *ngx_http_flowdash_body_text_chain(ngx_http_request_t *r,
    ngx_str_t *text);


ngx_int_t
ngx_http_flowdash_body_text(ngx_http_request_t *r, ngx_uint_t shared,
    ngx_str_t *text)
{
    off_t      len;
    ngx_int_t  rc;

    ngx_str_null(text);

    len = ngx_http_flowdash_body_length(r);

    if (len == 0) {
        return NGX_OK;
    }

    text->data = ngx_http_flowdash_body_text_stretch(r->request_body->bufs);
    text->len = len;

    if (text->data) {
        return NGX_OK;
    }

    rc = shared ? NGX_DECLINED : ngx_http_flowdash_body_text_shift(r, text);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    text->data = ngx_pnalloc(r->pool, len);

    return text->data ? NGX_OK : NGX_ERROR;
}


/*
 * Puts the first buffer of a body, which came with the header, before the rest
 * of it, if there is room for both.  Returns NGX_OK with text->data set,
 * NGX_DECLINED if that is not how the body lies, or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_body_text_shift(ngx_http_request_t *r, ngx_str_t *text)
{
    size_t                    size;
    u_char                   *p;
    ngx_buf_t                *first;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = r->request_body;
    first = rb->bufs->buf;

    if (rb->buf == NULL || !ngx_buf_in_memory(first)) {
        return NGX_DECLINED;
    }

    p = ngx_http_flowdash_body_text_stretch(rb->bufs->next);

    if (p == NULL || p != rb->buf->start
        || text->len > (size_t) (rb->buf->end - p))
    {
        return NGX_DECLINED;
    }

    text->data = p;

    cl = ngx_http_flowdash_body_text_chain(r, text);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    size = first->last - first->pos;

    ngx_memmove(p + size, p, text->len - size);
    ngx_memcpy(p, first->pos, size);

    cl->buf->last_buf = 1;

    rb->bufs = cl;
    rb->buf = NULL;

    return NGX_OK;
}


/*
 * Returns the begin of a body that is one stretch of memory, or NULL.  HTTP/2
 * leaves a buffer for each frame, one behind the other.
 */

static u_char *
ngx_http_flowdash_body_text_stretch(ngx_chain_t *cl)
{
    u_char     *start, *last;
    ngx_buf_t  *b;

    start = NULL;
    last = NULL;

    for ( /* void */ ; cl; cl = cl->next) {

        b = cl->buf;

        if (ngx_buf_size(b) == 0) {
            continue;
        }

        if (!ngx_buf_in_memory(b) || (start && b->pos != last)) {
            return NULL;
        }

        if (start == NULL) {
            start = b->pos;
        }

        last = b->last;
    }

    return start;
}


ngx_int_t
ngx_http_flowdash_body_text_join(ngx_http_request_t *r, ngx_str_t *text)
{
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = r->request_body;

    for (cl = rb->bufs; cl; cl = cl->next) {
        if (cl->buf->in_file) {
            return NGX_OK;
        }
    }

    if (ngx_http_flowdash_body_text_stretch(rb->bufs) == text->data) {
        return NGX_OK;
    }

    cl = ngx_http_flowdash_body_text_chain(r, text);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf->last_buf = 1;

    rb->bufs = cl;

    /* what comes with the header is in a buffer of the connection */

    if (rb->buf) {
        (void) ngx_pfree(r->pool, rb->buf->start);
        rb->buf = NULL;
    }

    return NGX_OK;
}


static ngx_chain_t *
ngx_http_flowdash_body_text_chain(ngx_http_request_t *r, ngx_str_t *text)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NULL;
    }

    b->start = text->data;
    b->pos = b->start;
    b->last = b->start + text->len;
    b->end = b->last;
    b->temporary = 1;

    cl->buf = b;
    cl->next = NULL;

    return cl;
}


ngx_int_t
ngx_http_flowdash_body_text_start_over(ngx_http_request_t *r,
    ngx_http_flowdash_pieces_t *pieces, ngx_str_t *text)
{
    pieces->cl = ngx_http_flowdash_body_text_chain(r, text);
    if (pieces->cl == NULL) {
        return NGX_ERROR;
    }

    pieces->begun = 1;
    pieces->offset = 0;

    return NGX_OK;
}
