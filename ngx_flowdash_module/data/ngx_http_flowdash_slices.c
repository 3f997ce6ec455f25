
/*
 * Texts in slices: most of a large text stays where it is.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_slices.h>


static void ngx_http_flowdash_slices_flush(
    ngx_http_flowdash_slices_writer_t *w);
static void ngx_http_flowdash_slices_open(
    ngx_http_flowdash_slices_writer_t *w);


void
ngx_http_flowdash_slices_write(ngx_http_flowdash_slices_writer_t *w,
    u_char *data, size_t len)
{
    if (len == 0) {
        return;
    }

    if (w->stretch.data && w->stretch.data + w->stretch.len == data) {
        w->stretch.len += len;
        return;
    }

    ngx_http_flowdash_slices_flush(w);

    w->stretch.data = data;
    w->stretch.len = len;
}


static void
ngx_http_flowdash_slices_flush(ngx_http_flowdash_slices_writer_t *w)
{
    ngx_str_t  *s;

    s = &w->stretch;

    if (s->data == NULL) {
        return;
    }

    w->len += s->len;

    if (!w->flat && s->len >= NGX_HTTP_FLOWDASH_SLICES_MIN) {

        if (w->elts) {
            w->elts[w->nelts] = *s;
        }

        w->nelts++;
        w->open = 0;

    } else {
        ngx_http_flowdash_slices_open(w);

        w->copied += s->len;

        if (w->elts) {
            w->elts[w->nelts - 1].len += s->len;
            w->p = ngx_cpymem(w->p, s->data, s->len);
        }
    }

    ngx_str_null(s);
}


static void
ngx_http_flowdash_slices_open(ngx_http_flowdash_slices_writer_t *w)
{
    if (w->open) {
        return;
    }

    if (w->elts) {
        w->elts[w->nelts].data = w->p;
        w->elts[w->nelts].len = 0;
    }

    w->nelts++;
    w->open = 1;
}


u_char *
ngx_http_flowdash_slices_room(ngx_http_flowdash_slices_writer_t *w, size_t len)
{
    ngx_http_flowdash_slices_flush(w);
    ngx_http_flowdash_slices_open(w);

    if (w->elts == NULL) {
        w->len += len;
        w->copied += len;
    }

    return w->p;
}


void
ngx_http_flowdash_slices_fill(ngx_http_flowdash_slices_writer_t *w,
    u_char *last)
{
    if (w->elts == NULL) {
        return;
    }

    w->len += last - w->p;
    w->elts[w->nelts - 1].len += last - w->p;
    w->p = last;
}


size_t
ngx_http_flowdash_slices_length(ngx_http_flowdash_slices_writer_t *w)
{
    ngx_http_flowdash_slices_flush(w);

    return w->len;
}


ngx_int_t
ngx_http_flowdash_slices_begin(ngx_http_flowdash_slices_writer_t *w,
    ngx_pool_t *pool)
{
    size_t      size;
    ngx_uint_t  flat;

    flat = (ngx_http_flowdash_slices_length(w)
            < NGX_HTTP_FLOWDASH_SLICES_TEXT);

    size = flat ? sizeof(ngx_str_t) + w->len
                : w->nelts * sizeof(ngx_str_t) + w->copied;

    w->p = ngx_palloc(pool, size);
    if (w->p == NULL) {
        return NGX_ERROR;
    }

    w->elts = (ngx_str_t *) w->p;
    w->p += (flat ? 1 : w->nelts) * sizeof(ngx_str_t);

    w->len = 0;
    w->nelts = 0;
    w->copied = 0;
    w->flat = flat;
    w->open = 0;

    return NGX_OK;
}


void
ngx_http_flowdash_slices_end(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_slices_t *slices)
{
    ngx_http_flowdash_slices_flush(w);

    slices->len = w->len;
    slices->elts = w->elts;
    slices->nelts = w->nelts;
}


void
ngx_http_flowdash_slices_flat(ngx_http_flowdash_slices_writer_t *w,
    ngx_str_t *text, u_char *p)
{
    ngx_memzero(w, sizeof(ngx_http_flowdash_slices_writer_t));

    w->elts = text;
    w->p = p;
    w->flat = 1;
}


u_char *
ngx_http_flowdash_slices_flat_end(ngx_http_flowdash_slices_writer_t *w)
{
    ngx_http_flowdash_slices_flush(w);

    return w->p;
}


ngx_int_t
ngx_http_flowdash_slices_set(ngx_http_flowdash_slices_t *slices,
    ngx_str_t *text, ngx_pool_t *pool)
{
    slices->elts = ngx_palloc(pool, sizeof(ngx_str_t));
    if (slices->elts == NULL) {
        return NGX_ERROR;
    }

    slices->elts[0] = *text;
    slices->nelts = 1;
    slices->len = text->len;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_slices_text(ngx_http_flowdash_slices_t *slices,
    ngx_pool_t *pool, ngx_str_t *text)
{
    ngx_http_flowdash_slices_place_t  place;

    if (slices->nelts == 1) {
        *text = slices->elts[0];
        return NGX_OK;
    }

    text->len = slices->len;

    text->data = ngx_pnalloc(pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&place, sizeof(ngx_http_flowdash_slices_place_t));

    (void) ngx_http_flowdash_slices_read(slices, &place, text->data,
                                         text->len);

    return NGX_OK;
}


size_t
ngx_http_flowdash_slices_read(ngx_http_flowdash_slices_t *slices,
    ngx_http_flowdash_slices_place_t *place, u_char *p, size_t len)
{
    size_t      n, left;
    ngx_str_t  *s;

    left = len;

    while (left && place->n < slices->nelts) {

        s = &slices->elts[place->n];
        n = ngx_min(left, s->len - place->offset);

        p = ngx_cpymem(p, s->data + place->offset, n);

        place->offset += n;
        left -= n;

        if (place->offset == s->len) {
            place->n++;
            place->offset = 0;
        }
    }

    return len - left;
}


void
ngx_http_flowdash_slices_seek(ngx_http_flowdash_slices_t *slices,
    ngx_http_flowdash_slices_place_t *place, size_t offset)
{
    for (place->n = 0; place->n < slices->nelts; place->n++) {

        if (offset < slices->elts[place->n].len) {
            break;
        }

        offset -= slices->elts[place->n].len;
    }

    place->offset = offset;
}


ngx_int_t
ngx_http_flowdash_slices_chain(ngx_http_flowdash_slices_t *slices,
    ngx_pool_t *pool, ngx_chain_t **chain)
{
    ngx_buf_t    *b;
    ngx_uint_t    i;
    ngx_chain_t  *cl;

    *chain = NULL;
    b = NULL;

    for (i = 0; i < slices->nelts; i++) {

        if (slices->elts[i].len == 0) {

            /* nginx does not like empty buffers */

            continue;
        }

        b = ngx_calloc_buf(pool);
        cl = ngx_alloc_chain_link(pool);

        if (b == NULL || cl == NULL) {
            return NGX_ERROR;
        }

        /* nginx goes back to b->start when it resends the request */

        b->start = slices->elts[i].data;
        b->pos = b->start;
        b->last = b->start + slices->elts[i].len;
        b->end = b->last;
        b->memory = 1;

        cl->buf = b;
        cl->next = NULL;

        *chain = cl;
        chain = &cl->next;
    }

    if (b) {
        b->last_buf = 1;
    }

    return NGX_OK;
}


void
ngx_http_flowdash_slices_free(ngx_http_flowdash_slices_t *slices,
    ngx_pool_t *pool)
{
    if (slices->elts) {
        (void) ngx_pfree(pool, slices->elts);
    }

    slices->elts = NULL;
    slices->nelts = 0;
}
