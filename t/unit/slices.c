/*
 * Tests of data/ngx_http_flowdash_slices.c: random writes give the same text
 * in one piece and in slices, which is read, sought and chained.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


static void *
test_palloc(ngx_pool_t *pool, size_t size)
{
    return test_fails() ? NULL : ngx_palloc(pool, size);
}


#define ngx_palloc   test_palloc
#define ngx_pnalloc  test_palloc
#include "ngx_http_flowdash_slices.c"
#undef ngx_palloc
#undef ngx_pnalloc


#define TEST_PIECES  12


/* a text of the client's, its pieces, and what they make */

typedef struct {
    u_char     text[65536];
    ngx_str_t  piece[TEST_PIECES];
    unsigned   room[TEST_PIECES];   /* written into a room */
    ngx_uint_t n;
    u_char    *wanted;
    size_t     len;
} test_t;


static test_t  test;


static void
make(void)
{
    size_t      len;
    u_char     *p;
    ngx_uint_t  i;

    p = test.text;

    test.n = dice(TEST_PIECES);
    test.len = 0;

    for (i = 0; i < test.n; i++) {

        len = dice(3) ? dice(40) : dice(12000);

        /* often, the neighbor of the last one */

        if (p + len > test.text + sizeof(test.text) || dice(3) == 0) {
            p = test.text + dice(sizeof(test.text) - len);
        }

        test.piece[i].data = p;
        test.piece[i].len = len;
        test.room[i] = (dice(4) == 0 && len < 100);

        test.len += len;
        p += len;
    }

    test.wanted = malloc(test.len + 1);
    p = test.wanted;

    for (i = 0; i < test.n; i++) {
        p = ngx_cpymem(p, test.piece[i].data, test.piece[i].len);
    }
}


static void
write_pieces(ngx_http_flowdash_slices_writer_t *w)
{
    u_char      *p;
    ngx_str_t   *piece;
    ngx_uint_t   i;

    for (i = 0; i < test.n; i++) {

        piece = &test.piece[i];

        if (!test.room[i]) {
            ngx_http_flowdash_slices_write(w, piece->data, piece->len);
            continue;
        }

        /* more room than is needed */

        p = ngx_http_flowdash_slices_room(w, piece->len + 1);

        if (p) {
            ngx_http_flowdash_slices_fill(w, ngx_cpymem(p, piece->data,
                                                        piece->len));
        }
    }
}


static ngx_uint_t
is_wanted(ngx_str_t *text)
{
    return text->len == test.len
           && ngx_memcmp(text->data, test.wanted, test.len) == 0;
}


/* each slice is as long as it must be, and only the client's are not copied */

static ngx_uint_t
slices_are_right(ngx_http_flowdash_slices_t *slices)
{
    size_t      len;
    ngx_str_t  *s;
    ngx_uint_t  i, own, last;

    len = 0;
    last = 0;

    if (slices->len != test.len) {
        return 0;
    }

    for (i = 0; i < slices->nelts; i++) {

        s = &slices->elts[i];
        len += s->len;

        own = (s->data < test.text
               || s->data >= test.text + sizeof(test.text));

        if ((own && last && i)
            || (!own && s->len < NGX_HTTP_FLOWDASH_SLICES_MIN)
            || (!own && test.len < NGX_HTTP_FLOWDASH_SLICES_TEXT
                && test.len + TEST_PIECES < NGX_HTTP_FLOWDASH_SLICES_TEXT))
        {
            return 0;
        }

        last = own;
    }

    return len == test.len;
}


static ngx_uint_t
reads(ngx_http_flowdash_slices_t *slices)
{
    u_char                            *got;
    size_t                             n, len, offset;
    ngx_uint_t                         good;
    ngx_http_flowdash_slices_place_t   place;

    got = malloc(test.len + 1);

    ngx_memzero(&place, sizeof(ngx_http_flowdash_slices_place_t));

    if (dice(2)) {

        /* once in vain */

        (void) ngx_http_flowdash_slices_read(slices, &place, got,
                                             dice(test.len + 1));
    }

    offset = dice(test.len + 1);
    ngx_http_flowdash_slices_seek(slices, &place, offset);

    len = offset;

    do {
        n = dice(test.len + 100 - offset) + 1;
        n = ngx_http_flowdash_slices_read(slices, &place, got + len,
                                          ngx_min(n, test.len - len));
        len += n;
    } while (n);

    good = (len == test.len
            && ngx_memcmp(got + offset, test.wanted + offset, len - offset)
               == 0);

    free(got);

    return good;
}


static ngx_uint_t
chains(ngx_http_flowdash_slices_t *slices, ngx_pool_t *pool)
{
    size_t        n, len;
    ngx_chain_t  *chain, *cl;

    if (ngx_http_flowdash_slices_chain(slices, pool, &chain) != NGX_OK) {
        return 0;
    }

    len = 0;

    for (cl = chain; cl; cl = cl->next) {
        n = ngx_buf_size(cl->buf);

        if (n == 0 || len + n > test.len
            || ngx_memcmp(cl->buf->pos, test.wanted + len, n) != 0
            || cl->buf->start != cl->buf->pos
            || cl->buf->last_buf != (cl->next == NULL))
        {
            return 0;
        }

        len += n;
    }

    return len == test.len && (len == 0) == (chain == NULL);
}


static ngx_uint_t
random_slices(void)
{
    u_char                             *p;
    ngx_str_t                           text, slice;
    ngx_uint_t                          good;
    ngx_pool_t                         *pool;
    ngx_http_flowdash_slices_t          slices;
    ngx_http_flowdash_slices_writer_t   w;

    make();

    pool = ngx_create_pool(1024, &test_log);

    ngx_memzero(&w, sizeof(ngx_http_flowdash_slices_writer_t));
    write_pieces(&w);

    good = (ngx_http_flowdash_slices_length(&w) >= test.len);

    test_budget = dice(20) ? -1 : 0;

    if (test_budget == 0) {
        good &= (ngx_http_flowdash_slices_begin(&w, pool) == NGX_ERROR);
        test_budget = -1;
    }

    good &= (ngx_http_flowdash_slices_begin(&w, pool) == NGX_OK);
    write_pieces(&w);
    ngx_http_flowdash_slices_end(&w, &slices);

    good &= slices_are_right(&slices) && reads(&slices)
            && chains(&slices, pool)
            && ngx_http_flowdash_slices_text(&slices, pool, &text) == NGX_OK
            && is_wanted(&text);

    ngx_http_flowdash_slices_free(&slices, pool);
    good &= (slices.len == test.len && slices.nelts == 0);

    p = malloc(test.len + TEST_PIECES);
    ngx_http_flowdash_slices_flat(&w, &slice, p);
    write_pieces(&w);

    text.data = p;
    text.len = ngx_http_flowdash_slices_flat_end(&w) - p;
    good &= is_wanted(&text);

    free(p);
    free(test.wanted);
    ngx_destroy_pool(pool);

    return good;
}


int
main(void)
{
    size_t                      n;
    ngx_str_t                   text = ngx_string("text"), same;
    ngx_uint_t                  i, rounds, good;
    ngx_pool_t                 *pool;
    ngx_http_flowdash_slices_t  slices;

    rounds = test_begin(20000);

    for (n = 0; n < sizeof(test.text); n++) {
        test.text[n] = (u_char) dice(256);
    }

    pool = ngx_create_pool(1024, &test_log);

    ok(ngx_http_flowdash_slices_set(&slices, &text, pool) == NGX_OK
       && slices.len == 4
       && ngx_http_flowdash_slices_text(&slices, pool, &same) == NGX_OK
       && same.data == text.data && same.len == 4, "a text is one slice");

    ngx_destroy_pool(pool);

    good = 0;

    for (i = 0; i < rounds; i++) {
        good += random_slices();
    }

    ok(good == rounds, "random texts are the same in slices");

    return test_end();
}
