
/*
 * Secrets in stored texts, without nginx: texts are split at markers and put
 * together again, what looks like a marker and is none, markers that are lost,
 * and no memory.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


static ngx_inline void *
test_array_push(ngx_array_t *a)
{
    return test_fails() ? NULL : ngx_array_push(a);
}


#define ngx_pnalloc     test_pnalloc
#define ngx_array_push  test_array_push
#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_id.c"
#include "ngx_http_flowdash_marker.c"
#undef ngx_pnalloc
#undef ngx_array_push


#define MARKER  NGX_HTTP_FLOWDASH_MARKER_LEN


static void test_split(ngx_pool_t *pool);
static void test_near(ngx_pool_t *pool);
static void test_check(ngx_pool_t *pool);
static void test_chance(ngx_pool_t *pool, ngx_uint_t rounds);
static void test_no_memory(ngx_pool_t *pool);
static ngx_uint_t test_again(ngx_array_t *pieces, const char *wanted);


static ngx_str_t  secrets[] = {
    ngx_string("crm_token"),
    ngx_string("b"),
    ngx_string("mail")
};


int
main(void)
{
    ngx_uint_t   rounds;
    ngx_pool_t  *pool;

    rounds = test_begin(2000);

    pool = ngx_create_pool(4096, &test_log);

    test_split(pool);
    test_near(pool);
    test_check(pool);
    test_chance(pool, rounds);
    test_no_memory(pool);

    ngx_destroy_pool(pool);

    return test_end();
}


/*
 * Makes a text of "what", in which a digit stands for the secret of that
 * number: the text has its marker.
 */

static ngx_str_t
test_text(ngx_http_flowdash_markers_t *markers, const char *what)
{
    u_char      *p;
    ngx_str_t    text, marker;

    text.data = malloc(strlen(what) * MARKER + 1);
    p = text.data;

    for ( /* void */ ; *what; what++) {

        if (*what < '0' || *what > '2') {
            *p++ = *what;
            continue;
        }

        if (ngx_http_flowdash_marker_add(markers, &secrets[*what - '0'],
                                         &marker)
            != NGX_OK)
        {
            abort();
        }

        p = ngx_cpymem(p, marker.data, marker.len);
    }

    text.len = p - text.data;
    p = text.data;

    text = exactly(p, text.len);
    free(p);

    return text;
}


static ngx_uint_t
test_splits(ngx_pool_t *pool, const char *what, ngx_uint_t n)
{
    ngx_str_t                     text;
    ngx_uint_t                    good;
    ngx_array_t                   pieces;
    ngx_http_flowdash_markers_t   markers;

    ngx_array_init(&pieces, pool, 1, sizeof(ngx_http_flowdash_piece_t));

    if (ngx_http_flowdash_marker_init(&markers, pool) != NGX_OK) {
        return 0;
    }

    text = test_text(&markers, what);

    ngx_http_flowdash_marker_check(&markers, 0, &text);

    good = ngx_http_flowdash_marker_split(&markers, &text,
                                          NGX_HTTP_FLOWDASH_PIECE_URI,
                                          &pieces, pool)
           == NGX_OK;

    /* the pieces do not lie in the text */

    free(text.data);

    return good && markers.lost == NULL && pieces.nelts == n
           && test_again(&pieces, what);
}


/* whether the pieces are those of a text of test_text() */

static ngx_uint_t
test_again(ngx_array_t *pieces, const char *wanted)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_piece_t  *piece;

    piece = pieces->elts;

    for (i = 0; i < pieces->nelts; i++) {

        if (piece[i].kind == NGX_HTTP_FLOWDASH_PIECE_TEXT) {

            if (piece[i].text.len == 0
                || strncmp((char *) piece[i].text.data, wanted,
                           piece[i].text.len) != 0)
            {
                return 0;
            }

            wanted += piece[i].text.len;
            continue;
        }

        if (piece[i].kind != NGX_HTTP_FLOWDASH_PIECE_SECRET
            || piece[i].encoding != NGX_HTTP_FLOWDASH_PIECE_URI
            || *wanted < '0' || *wanted > '2'
            || !is(&piece[i].text, secrets[*wanted - '0'].data,
                   secrets[*wanted - '0'].len))
        {
            return 0;
        }

        wanted++;
    }

    return *wanted == '\0';
}


static void
test_split(ngx_pool_t *pool)
{
    ok(test_splits(pool, "", 0), "nothing");
    ok(test_splits(pool, "Bearer", 1), "no secret");
    ok(test_splits(pool, "0", 1), "a secret alone");
    ok(test_splits(pool, "Bearer 0", 2), "a secret at the end");
    ok(test_splits(pool, "0:x", 2), "a secret at the start");
    ok(test_splits(pool, "a0b", 3), "a secret in between");
    ok(test_splits(pool, "01", 2), "two secrets side by side");
    ok(test_splits(pool, "00", 2), "one secret twice");
    ok(test_splits(pool, "a=0&b=1&c=2&d=0", 8), "many");
}


/* what looks like a marker, and is none */

static void
test_near(ngx_pool_t *pool)
{
    size_t                       n;
    u_char                       buf[2 * MARKER];
    ngx_str_t                    text, marker;
    ngx_uint_t                   good;
    ngx_array_t                  pieces;
    ngx_http_flowdash_piece_t   *piece;
    ngx_http_flowdash_markers_t  markers, others;

    (void) ngx_http_flowdash_marker_init(&others, pool);
    (void) ngx_http_flowdash_marker_add(&others, &secrets[0], &marker);

    /* behind three digits of the number 0000, a zero would complete it */

    do {
        (void) ngx_http_flowdash_marker_init(&markers, pool);
        (void) ngx_http_flowdash_marker_add(&markers, &secrets[0], &marker);
    } while (markers.prefix[0] == '0');

    ok(ngx_memcmp(markers.prefix, others.prefix, sizeof(markers.prefix)) != 0,
       "each rendering has markers of its own");

    good = 1;

    for (n = 0; n < MARKER; n++) {
        text = exactly(marker.data, n);
        ngx_array_init(&pieces, pool, 1, sizeof(ngx_http_flowdash_piece_t));

        good &= ngx_http_flowdash_marker_split(&markers, &text,
                    NGX_HTTP_FLOWDASH_PIECE_RAW, &pieces, pool) == NGX_OK;

        piece = pieces.elts;
        good &= (n == 0) ? pieces.nelts == 0
                         : pieces.nelts == 1
                           && piece->kind == NGX_HTTP_FLOWDASH_PIECE_TEXT
                           && is(&piece->text, marker.data, n);

        free(text.data);
    }

    ok(good, "a part of a marker is text");

    good = 1;

    for (n = 0; n < MARKER; n++) {
        ngx_memcpy(buf, marker.data, n);
        ngx_memcpy(buf + n, marker.data, MARKER);
        text = exactly(buf, n + MARKER);
        ngx_array_init(&pieces, pool, 1, sizeof(ngx_http_flowdash_piece_t));

        good &= ngx_http_flowdash_marker_split(&markers, &text,
                    NGX_HTTP_FLOWDASH_PIECE_RAW, &pieces, pool) == NGX_OK;

        piece = pieces.elts;
        piece += (n > 0);
        good &= pieces.nelts == (n ? 2 : 1)
                && piece->kind == NGX_HTTP_FLOWDASH_PIECE_SECRET;

        free(text.data);
    }

    ok(good, "a marker behind a part of it is found");

    /* the number of a read that was not made */

    ngx_memcpy(buf, marker.data, MARKER);
    buf[MARKER - 1] = '1';
    text = exactly(buf, MARKER);
    ngx_array_init(&pieces, pool, 1, sizeof(ngx_http_flowdash_piece_t));

    ok(ngx_http_flowdash_marker_split(&markers, &text,
                    NGX_HTTP_FLOWDASH_PIECE_RAW, &pieces, pool) == NGX_OK
       && pieces.nelts == 1
       && ((ngx_http_flowdash_piece_t *) pieces.elts)->kind
          == NGX_HTTP_FLOWDASH_PIECE_TEXT,
       "a number that no read has");

    free(text.data);
}


static void
test_check(ngx_pool_t *pool)
{
    ngx_str_t                    text, lost;
    ngx_http_flowdash_markers_t  markers;

    (void) ngx_http_flowdash_marker_init(&markers, pool);

    text = test_text(&markers, "a0b1");
    ngx_http_flowdash_marker_check(&markers, 0, &text);
    ok(markers.lost == NULL, "both markers are there");

    text.data[1] ^= 1;
    ngx_http_flowdash_marker_check(&markers, 0, &text);
    ok(markers.lost && is_text(markers.lost, "crm_token"),
       "the first one was changed");

    markers.lost = NULL;
    ngx_http_flowdash_marker_check(&markers, 1, &text);
    ok(markers.lost == NULL, "it was read before");

    text.data[text.len - 1] ^= 0x40;
    ngx_http_flowdash_marker_check(&markers, 1, &text);
    ok(markers.lost && is_text(markers.lost, "b"), "the last one was changed");

    free(text.data);

    markers.lost = NULL;
    text = test_text(&markers, "2");
    ngx_str_null(&lost);
    ngx_http_flowdash_marker_check(&markers, 2, &lost);
    ok(markers.lost && is_text(markers.lost, "mail"), "an empty text");

    /* read twice, the other copy is missing */

    markers.lost = NULL;
    free(text.data);
    text = test_text(&markers, "00");
    text.len -= MARKER;
    ngx_http_flowdash_marker_check(&markers, markers.names.nelts - 2, &text);
    ok(markers.lost != NULL, "one of two reads is lost");

    free(text.data);
}


static void
test_chance(ngx_pool_t *pool, ngx_uint_t rounds)
{
    char        what[32];
    size_t      i, n;
    ngx_uint_t  good, pieces;

    good = 1;

    while (rounds-- && good) {

        n = dice(sizeof(what));
        pieces = 0;

        for (i = 0; i < n; i++) {
            what[i] = "012xyz"[dice(6)];
            pieces += what[i] <= '2' || i == 0 || what[i - 1] <= '2';
        }

        what[n] = '\0';
        good = test_splits(pool, what, pieces);
    }

    ok(good, "texts by chance");
}


static void
test_no_memory(ngx_pool_t *pool)
{
    ngx_int_t                    i, rc;
    ngx_str_t                    text, marker;
    ngx_array_t                  pieces;
    ngx_http_flowdash_markers_t  markers;

    (void) ngx_http_flowdash_marker_init(&markers, pool);

    for (i = 0, rc = NGX_ERROR; rc != NGX_OK && i < 10; i++) {
        test_budget = i;
        rc = ngx_http_flowdash_marker_add(&markers, &secrets[0], &marker);
        test_budget = -1;
    }

    ok(rc == NGX_OK && i == 3, "a marker needs memory twice");

    text = test_text(&markers, "a0b");
    ngx_array_init(&pieces, pool, 1, sizeof(ngx_http_flowdash_piece_t));

    for (i = 0, rc = NGX_ERROR; rc != NGX_OK && i < 10; i++) {
        test_budget = i;
        rc = ngx_http_flowdash_marker_split(&markers, &text,
                 NGX_HTTP_FLOWDASH_PIECE_RAW, &pieces, pool);
        test_budget = -1;
    }

    ok(rc == NGX_OK && i == 7, "three pieces need memory six times");
    free(text.data);

    /* more reads than a marker has numbers for */

    while (markers.names.nelts <= 0xffff) {
        if (ngx_http_flowdash_marker_add(&markers, &secrets[1], &marker)
            != NGX_OK)
        {
            break;
        }
    }

    ok(markers.names.nelts == 0x10000
       && ngx_http_flowdash_marker_add(&markers, &secrets[1], &marker)
          == NGX_ERROR, "no more than 65,536 reads");

    ngx_array_init(&pieces, pool, 1, sizeof(ngx_http_flowdash_piece_t));

    ok(ngx_memcmp(marker.data + MARKER - 4, "ffff", 4) == 0
       && ngx_http_flowdash_marker_split(&markers, &marker,
              NGX_HTTP_FLOWDASH_PIECE_RAW, &pieces, pool) == NGX_OK
       && pieces.nelts == 1
       && is_text(&((ngx_http_flowdash_piece_t *) pieces.elts)->text, "b"),
       "the last one is found");
}
