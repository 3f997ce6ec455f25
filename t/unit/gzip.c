
/*
 * gzip's decoder without nginx: random texts in random pieces, limits, bombs,
 * and what is truncated or damaged.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <zlib.h>

#include "tap.h"


static ngx_uint_t  test_buffers;        /* of the pool, for the text */
static size_t      test_largest;
static ngx_int_t   test_zlib;           /* zlib's that are not freed */


static void *
test_buffer(ngx_pool_t *pool, size_t size)
{
    test_buffers++;
    test_largest = ngx_max(test_largest, size);

    return test_pnalloc(pool, size);
}


static void *
test_pcalloc(ngx_pool_t *pool, size_t size)
{
    return test_fails() ? NULL : ngx_pcalloc(pool, size);
}


static voidpf
test_zalloc(voidpf opaque, uInt items, uInt size)
{
    if (test_fails()) {
        return Z_NULL;
    }

    test_zlib++;

    return malloc((size_t) items * size);
}


static void
test_zfree(voidpf opaque, voidpf p)
{
    test_zlib--;
    free(p);
}


static int
test_init(z_streamp stream, int bits, const char *version, int size)
{
    stream->zalloc = test_zalloc;
    stream->zfree = test_zfree;

    return inflateInit2_(stream, bits, version, size);
}


#define ngx_pnalloc           test_buffer
#define ngx_pcalloc           test_pcalloc
#define ngx_pool_cleanup_add  test_cleanup_add
#define inflateInit2_         test_init
#include "ngx_http_flowdash_gzip.c"
#undef ngx_pnalloc
#undef ngx_pcalloc
#undef ngx_pool_cleanup_add
#undef inflateInit2_


#define TEST_TEXT    (4 * 1024 * 1024)
#define TEST_MB      (1024 * 1024)
#define TEST_RANDOM  ((size_t) -1)     /* pieces of random sizes */
#define TEST_WHOLE   0                 /* one piece */

#define TEST_DAMAGED    "not gzip, or damaged"
#define TEST_TRUNCATED  "gzip data is truncated"
#define TEST_BEHIND     "data after the gzip data"
#define TEST_LARGE      "larger than allowed when decoded"


typedef struct {
    ngx_pool_t   *pool;
    ngx_str_t     text;        /* decoded */
    ngx_int_t     rc;
    const char   *error;
    ngx_uint_t    large;
    ngx_uint_t    again;       /* how often */
    ngx_uint_t    good;        /* the decoder kept to its rules */
} test_result_t;


/*
 * One piece, in memory that is spoiled as soon as the decoder must be through
 * with it.
 */

static void
feed(ngx_http_flowdash_gzip_t *gz, u_char *p, size_t len, test_result_t *t)
{
    size_t     before;
    ngx_str_t  copy;

    copy = exactly(p, len);

    before = gz->len;
    t->rc = ngx_http_flowdash_gzip_read(gz, copy.data, copy.len);

    while (t->rc == NGX_AGAIN) {
        t->again++;
        t->good &= gz->len - before <= TEST_MB && gz->len <= gz->max;
        before = gz->len;
        t->rc = ngx_http_flowdash_gzip_read(gz, NULL, 0);
    }

    t->good &= gz->len - before <= TEST_MB && gz->len <= gz->max;

    memset(copy.data, 0xdd, copy.len);
    free(copy.data);
}


/* the pool is the caller's to destroy */

static void
decode(ngx_str_t *gzip, size_t piece, size_t max, test_result_t *t)
{
    size_t                     n, i;
    ngx_http_flowdash_gzip_t  *gz;

    ngx_memzero(t, sizeof(test_result_t));
    t->pool = ngx_create_pool(4096, &test_log);
    t->good = 1;
    t->rc = NGX_ERROR;

    test_buffers = 0;
    test_largest = 0;

    gz = ngx_http_flowdash_gzip_create(t->pool, max);
    if (gz == NULL) {
        return;
    }

    t->rc = NGX_OK;

    for (i = 0; i < gzip->len && t->rc == NGX_OK; i += n) {
        n = piece == TEST_RANDOM ? dice(dice(4) ? 40 : 200000) : piece;

        if (n > gzip->len - i || piece == TEST_WHOLE) {
            n = gzip->len - i;
        }

        feed(gz, gzip->data + i, n, t);
    }

    if (t->rc == NGX_OK) {
        t->rc = ngx_http_flowdash_gzip_end(gz, &t->text);
    }

    t->error = gz->error;
    t->large = gz->large;
    t->good &= test_largest <= max;

    if (t->rc == NGX_ERROR) {
        t->good &= t->error == NULL;
        return;
    }

    /* a decoder that has ended keeps nothing, and stays with its answer */

    t->good &= test_zlib == 0 && (t->rc == NGX_DECLINED) == (t->error != NULL)
               && ngx_http_flowdash_gzip_read(gz, NULL, 0) == t->rc;
}


static ngx_uint_t
decodes(ngx_str_t *gzip, size_t piece, size_t max, ngx_str_t *text)
{
    ngx_uint_t     good;
    test_result_t  t;

    decode(gzip, piece, max, &t);

    good = t.good && t.rc == NGX_OK && is(&t.text, text->data, text->len);

    ngx_destroy_pool(t.pool);

    return good && test_zlib == 0;
}


static ngx_uint_t
refuses(ngx_str_t *gzip, size_t piece, size_t max, const char *error)
{
    ngx_uint_t     good;
    test_result_t  t;

    decode(gzip, piece, max, &t);

    good = t.good && t.rc == NGX_DECLINED && strcmp(t.error, error) == 0
           && t.large == (strcmp(error, TEST_LARGE) == 0)
           && t.text.data == NULL && t.text.len == 0;

    ngx_destroy_pool(t.pool);

    return good && test_zlib == 0;
}


static void
encode(ngx_str_t *text, ngx_str_t *gzip, int level, int bits, int strategy,
    ngx_uint_t header)
{
    z_stream   stream;
    gz_header  head;

    ngx_memzero(&stream, sizeof(stream));
    ngx_memzero(&head, sizeof(head));

    if (deflateInit2(&stream, level, Z_DEFLATED, bits + 16, 8, strategy)
        != Z_OK)
    {
        abort();
    }

    if (header) {
        head.name = (Bytef *) "name";
        head.comment = (Bytef *) "comment";
        head.extra = (Bytef *) "extra";
        head.extra_len = 5;
        head.hcrc = 1;
        (void) deflateSetHeader(&stream, &head);
    }

    gzip->len = deflateBound(&stream, text->len) + 64;
    gzip->data = malloc(gzip->len);

    stream.next_in = text->data;
    stream.avail_in = text->len;
    stream.next_out = gzip->data;
    stream.avail_out = gzip->len;

    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
        abort();
    }

    gzip->len -= stream.avail_out;
    (void) deflateEnd(&stream);
}


/* runs, words, and bytes that cannot be packed */

static void
pick_text(ngx_str_t *text)
{
    size_t  i, n, max;

    static const size_t  sizes[] = { 1, 100, 20000, 100000, TEST_TEXT };
    static const size_t  exact[] = { 16384, 32768, 65536, 65537, TEST_MB,
                                     2 * TEST_MB };

    max = sizes[dice(dice(20) ? 3 : 5)];
    text->len = dice(10) ? dice(max + 1) : exact[dice(dice(10) ? 2 : 6)];

    for (i = 0; i < text->len; i += n) {
        n = 1 + dice(dice(2) ? 50 : max);
        n = ngx_min(n, text->len - i);

        switch (dice(3)) {

        case 0:
            memset(text->data + i, (int) dice(256), n);
            break;

        case 1:
            if (i) {
                n = ngx_min(n, i);
                memcpy(text->data + i, text->data + dice(i - n + 1), n);
                break;
            }

            /* fall through */

        default:
            max = 1 + dice(3000);
            n = ngx_min(n, max);

            for (max = 0; max < n; max++) {
                text->data[i + max] = (u_char) random();
            }

            max = sizes[dice(3)];
        }
    }
}


static ngx_uint_t
round_trip(ngx_str_t *text)
{
    size_t      max;
    ngx_str_t   gzip;
    ngx_uint_t  good;

    pick_text(text);
    encode(text, &gzip, (int) dice(10), 9 + (int) dice(7), (int) dice(5),
           dice(2));

    max = text->len + (dice(2) ? 0 : dice(3 * TEST_MB));

    good = decodes(&gzip, TEST_RANDOM, max, text)
           && decodes(&gzip, TEST_WHOLE, max, text)
           && (gzip.len > 2000 || decodes(&gzip, 1, text->len, text))
           && (text->len == 0
               || (refuses(&gzip, TEST_WHOLE, text->len - 1, TEST_LARGE)
                   && refuses(&gzip, TEST_RANDOM, dice(text->len),
                              TEST_LARGE)));

    free(gzip.data);

    return good;
}


/* the gzip with "n" more bytes */

static void
append(ngx_str_t *gzip, const void *p, size_t n)
{
    gzip->data = realloc(gzip->data, gzip->len + n);
    ngx_memcpy(gzip->data + gzip->len, p, n);
    gzip->len += n;
}


static void
pick_small(ngx_str_t *gzip, ngx_uint_t i)
{
    static ngx_str_t  text = ngx_string("{\"task\":{\"a\":\"a a a a a a a b\","
                                        "\"b\":[1,2,3,1,2,3,1,2,3,4,5,6]}}");

    encode(&text, gzip, i == 1 ? 0 : 9, 15,
           i == 2 ? Z_HUFFMAN_ONLY : i == 3 ? Z_FIXED : 0, i == 4);
}


static ngx_uint_t
truncated(void)
{
    size_t      n;
    ngx_str_t   gzip;
    ngx_uint_t  i, good;

    good = 1;

    for (i = 0; i < 5; i++) {
        pick_small(&gzip, i);

        for (n = gzip.len; n; n--) {
            gzip.len = n - 1;
            good &= refuses(&gzip, TEST_WHOLE, 1000, TEST_TRUNCATED)
                    && refuses(&gzip, 1, 1000, TEST_TRUNCATED);
        }

        free(gzip.data);
    }

    return good;
}


static ngx_uint_t
damaged(void)
{
    size_t         n;
    ngx_str_t      gzip;
    ngx_uint_t     i, c, good, same, errors;
    test_result_t  t, whole;

    good = 1;
    same = 0;
    errors = 0;

    for (i = 0; i < 5; i++) {
        pick_small(&gzip, i);
        decode(&gzip, TEST_WHOLE, 1000, &whole);

        for (n = 0; n < gzip.len; n++) {

            for (c = 1; c < 256; c++) {
                gzip.data[n] ^= c;
                decode(&gzip, c % 2 ? TEST_WHOLE : 1, 1000, &t);
                gzip.data[n] ^= c;

                if (t.rc == NGX_OK) {
                    same++;
                    good &= is(&t.text, whole.text.data, whole.text.len);

                } else {
                    errors++;
                    good &= t.rc == NGX_DECLINED;
                }

                good &= t.good;
                ngx_destroy_pool(t.pool);

                /* magic, method; check sum, length */

                good &= (n > 2 && n < gzip.len - 8) || t.rc != NGX_OK;
            }
        }

        ngx_destroy_pool(whole.pool);
        free(gzip.data);
    }

    printf("# %u refused, %u with the same text\n", (unsigned) errors,
           (unsigned) same);

    return good && same && errors > same;
}


static ngx_uint_t
garbage(void)
{
    u_char         bytes[300];
    size_t         i;
    ngx_str_t      s, zlib;
    ngx_uint_t     n, good;
    test_result_t  t;

    static ngx_str_t  json = ngx_string("{\"task\":{}}");

    good = refuses(&json, TEST_WHOLE, 1000, TEST_DAMAGED)
           && refuses(&json, 1, 1000, TEST_DAMAGED);

    /* zlib's own format, which is "deflate" in HTTP */

    encode(&json, &zlib, 9, 15 - 16, 0, 0);
    good &= refuses(&zlib, TEST_WHOLE, 1000, TEST_DAMAGED);
    free(zlib.data);

    /* a good header, then anything */

    s.data = bytes;

    for (n = 0; n < 5000; n++) {
        s.len = 10 + dice(sizeof(bytes) - 10);

        for (i = 0; i < s.len; i++) {
            bytes[i] = (u_char) random();
        }

        ngx_memcpy(bytes, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);

        decode(&s, TEST_RANDOM, 1 + dice(100000), &t);
        good &= t.good && t.rc == NGX_DECLINED;
        ngx_destroy_pool(t.pool);
    }

    return good;
}


static ngx_uint_t
behind(void)
{
    size_t      len;
    ngx_str_t   gzip, empty, nothing;
    ngx_uint_t  good;

    ngx_str_null(&nothing);
    encode(&nothing, &empty, 9, 15, 0, 0);

    good = decodes(&empty, TEST_WHOLE, 0, &nothing)
           && decodes(&empty, 1, 0, &nothing)
           && decodes(&empty, 1, 10, &nothing);

    pick_small(&gzip, 0);
    len = gzip.len;

    /* in the same piece, or in the next one */

    append(&gzip, "\0", 1);
    good &= refuses(&gzip, TEST_WHOLE, 1000, TEST_BEHIND)
            && refuses(&gzip, len, 1000, TEST_BEHIND)
            && refuses(&gzip, 1, 1000, TEST_BEHIND);

    gzip.len = len;
    append(&gzip, empty.data, 5);
    good &= refuses(&gzip, TEST_WHOLE, 1000, TEST_BEHIND);

    /* a second member, which here holds nothing */

    gzip.len = len;
    append(&gzip, empty.data, empty.len);
    good &= refuses(&gzip, TEST_WHOLE, 1000, TEST_BEHIND)
            && refuses(&gzip, len, 1000, TEST_BEHIND)
            && refuses(&gzip, 1, 1000, TEST_BEHIND);

    free(gzip.data);
    free(empty.data);

    return good;
}


/* "n" MB of zeros in n kB, the same block again and again */

static void
make_bomb(ngx_str_t *gzip, ngx_uint_t n)
{
    u_char     *zeros, *block, trailer[10];
    uLong       one, all;
    size_t      len;
    z_stream    stream;
    ngx_uint_t  i;

    ngx_memzero(&stream, sizeof(stream));

    if (deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, 0) != Z_OK) {
        abort();
    }

    zeros = calloc(1, TEST_MB);
    block = malloc(8192);

    stream.next_in = zeros;
    stream.avail_in = TEST_MB;
    stream.next_out = block;
    stream.avail_out = 8192;

    (void) deflate(&stream, Z_FULL_FLUSH);
    len = 8192 - stream.avail_out;
    (void) deflateEnd(&stream);

    gzip->data = malloc(10 + n * len + 10);
    gzip->len = 0;
    one = crc32(0, zeros, TEST_MB);
    all = crc32(0, NULL, 0);

    memcpy(gzip->data, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    gzip->len = 10;

    for (i = 0; i < n; i++) {
        memcpy(gzip->data + gzip->len, block, len);
        gzip->len += len;
        all = crc32_combine(all, one, TEST_MB);
    }

    /* an empty last block, and the trailer */

    memcpy(trailer, "\x03\0", 2);

    for (i = 0; i < 4; i++) {
        trailer[2 + i] = (u_char) (all >> (8 * i));
        trailer[6 + i] = (u_char) ((n * TEST_MB) >> (8 * i));
    }

    memcpy(gzip->data + gzip->len, trailer, 10);
    gzip->len += 10;

    free(zeros);
    free(block);
}


static ngx_uint_t
bomb(void)
{
    ngx_str_t      gzip, text;
    ngx_uint_t     good;
    test_result_t  t;

    make_bomb(&gzip, 1024);

    decode(&gzip, TEST_WHOLE, 10 * TEST_MB, &t);
    printf("# %u bytes: %u times again, %u buffers of up to %u bytes\n",
           (unsigned) gzip.len, (unsigned) t.again, (unsigned) test_buffers,
           (unsigned) test_largest);

    good = t.good && t.rc == NGX_DECLINED && t.large && t.again <= 10
           && test_buffers <= 11 && test_largest == 10 * TEST_MB;

    ngx_destroy_pool(t.pool);

    good &= refuses(&gzip, 1, TEST_MB, TEST_LARGE)
            && refuses(&gzip, TEST_WHOLE, 0, TEST_LARGE);

    free(gzip.data);

    /* one that is allowed, and one byte more than is */

    make_bomb(&gzip, 32);

    text.len = 32 * TEST_MB;
    text.data = calloc(1, text.len);

    good &= decodes(&gzip, TEST_WHOLE, text.len, &text)
            && decodes(&gzip, TEST_RANDOM, text.len, &text)
            && decodes(&gzip, TEST_WHOLE, (size_t) -1 / 2, &text)
            && refuses(&gzip, TEST_WHOLE, text.len - 1, TEST_LARGE);

    free(gzip.data);
    free(text.data);

    return good;
}


static ngx_uint_t
again(void)
{
    ngx_str_t      gzip, text;
    ngx_uint_t     good, i;
    test_result_t  t;

    /* much output */

    text.len = 3 * TEST_MB + 1;
    text.data = calloc(1, text.len);
    encode(&text, &gzip, 9, 15, 0, 0);
    decode(&gzip, TEST_WHOLE, text.len, &t);

    good = t.good && t.rc == NGX_OK && t.again == 3;

    ngx_destroy_pool(t.pool);
    free(gzip.data);

    /* much input */

    encode(&text, &gzip, 0, 15, 0, 0);
    decode(&gzip, TEST_WHOLE, text.len, &t);

    good &= t.good && t.rc == NGX_OK
            && t.again == gzip.len / NGX_HTTP_FLOWDASH_GZIP_INPUT;

    ngx_destroy_pool(t.pool);
    free(gzip.data);
    free(text.data);

    /* much input without any output: empty blocks */

    gzip.len = 10 + 5 * 100000 + 10;
    gzip.data = calloc(1, gzip.len);
    memcpy(gzip.data, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);

    for (i = 0; i < 100000; i++) {
        memcpy(gzip.data + 10 + 5 * i, "\0\0\0\xff\xff", 5);
    }

    gzip.data[10 + 5 * i] = 3;

    decode(&gzip, TEST_WHOLE, 0, &t);

    good &= t.good && t.rc == NGX_OK && t.text.len == 0 && t.again == 7;

    ngx_destroy_pool(t.pool);
    free(gzip.data);

    return good;
}


static ngx_uint_t
out_of_memory(void)
{
    ngx_int_t      n;
    ngx_str_t      gzip, text;
    ngx_uint_t     good;
    test_result_t  t;

    text.len = TEST_MB;
    text.data = calloc(1, text.len);
    encode(&text, &gzip, 9, 15, 0, 0);

    good = 1;

    for (n = 0; n < 100; n++) {
        test_budget = n;
        decode(&gzip, n % 2 ? TEST_WHOLE : 300, text.len, &t);
        test_budget = -1;

        ngx_destroy_pool(t.pool);
        good &= t.good && test_zlib == 0;

        if (t.rc == NGX_OK) {
            break;
        }

        good &= t.rc == NGX_ERROR;
    }

    printf("# %u allocations\n", (unsigned) n);

    free(gzip.data);
    free(text.data);

    /* the decoder, its cleanup, zlib's two, and some buffers */

    return good && n > 8 && n < 20;
}


/* the pool goes while the decoder is at work */

static ngx_uint_t
abandoned(void)
{
    ngx_int_t                  rc;
    ngx_str_t                  gzip;
    ngx_uint_t                 held;
    ngx_pool_t                *pool;
    ngx_http_flowdash_gzip_t  *gz;

    make_bomb(&gzip, 4);

    pool = ngx_create_pool(4096, &test_log);
    gz = ngx_http_flowdash_gzip_create(pool, 4 * TEST_MB);
    rc = ngx_http_flowdash_gzip_read(gz, gzip.data, gzip.len);
    held = test_zlib > 0;

    ngx_destroy_pool(pool);
    free(gzip.data);

    return rc == NGX_AGAIN && held && test_zlib == 0;
}


int
main(void)
{
    ngx_str_t   text;
    ngx_uint_t  i, rounds, good;

    rounds = test_begin(2000);
    text.data = malloc(TEST_TEXT);

    good = 0;

    for (i = 0; i < rounds; i++) {
        good += round_trip(&text);
    }

    ok(good == rounds, "random texts come back, up to the limit");
    ok(truncated(), "truncated anywhere, it is refused");
    ok(damaged(), "damaged anywhere, it is refused or has the same text");
    ok(garbage(), "what is no gzip is refused");
    ok(behind(), "nothing may be behind it");
    ok(bomb(), "a bomb is noticed early");
    ok(again(), "a call does not do too much");
    ok(out_of_memory(), "memory that runs out is an error");
    ok(abandoned(), "the pool cleans up");

    free(text.data);

    return test_end();
}
