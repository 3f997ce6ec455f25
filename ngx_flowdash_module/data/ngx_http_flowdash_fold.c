
/*
 * Simple case folding of names in UTF-8.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_hash.h>
#include <ngx_http_flowdash_fold.h>


typedef struct {
    uint32_t                           first;
    uint32_t                           last;
    uint32_t                           step;
    int32_t                            delta;
} ngx_http_flowdash_fold_range_t;


#include <ngx_http_flowdash_fold_table.h>


/* what a byte is that is not UTF-8: no character */

#define NGX_HTTP_FLOWDASH_FOLD_BYTE  0x110000


/* the bytes of a folded string, as the hash takes them */

typedef struct {
    ngx_http_flowdash_hash_t           hash;
    uint64_t                           word;     /* that is not full */
    size_t                             len;      /* of all bytes */
} ngx_http_flowdash_fold_bytes_t;


/* in each byte of a word */

#define ngx_http_flowdash_fold_each(c)  ((c) * UINT64_C(0x0101010101010101))


static uint32_t ngx_http_flowdash_fold_next(u_char **p, u_char *last);
static uint32_t ngx_http_flowdash_fold_char(uint32_t c);
static uint64_t ngx_http_flowdash_fold_hash_from(ngx_str_t *s, u_char *p,
    ngx_http_flowdash_hash_t *h);
static ngx_inline uint64_t ngx_http_flowdash_fold_ascii(uint64_t word);
static void ngx_http_flowdash_fold_add(ngx_http_flowdash_fold_bytes_t *bytes,
    uint32_t c);
static void ngx_http_flowdash_fold_add_byte(
    ngx_http_flowdash_fold_bytes_t *bytes, uint32_t byte);


ngx_int_t
ngx_http_flowdash_fold_compare(ngx_str_t *a, ngx_str_t *b)
{
    u_char    *p, *q, *last_p, *last_q;
    uint32_t   c, d;
    uint64_t   v, w;

    p = a->data;
    last_p = p + a->len;

    q = b->data;
    last_q = q + b->len;

    while (last_p - p >= 8 && last_q - q >= 8) {

        ngx_memcpy(&v, p, 8);
        ngx_memcpy(&w, q, 8);

        if (((v | w) & ngx_http_flowdash_fold_each(0x80))
            || ngx_http_flowdash_fold_ascii(v)
               != ngx_http_flowdash_fold_ascii(w))
        {
            break;
        }

        p += 8;
        q += 8;
    }

    while (p < last_p && q < last_q) {

        if (*p < 0x80 && *q < 0x80) {
            c = ngx_tolower(*p);
            d = ngx_tolower(*q);

            p++;
            q++;

        } else {
            c = ngx_http_flowdash_fold_next(&p, last_p);
            d = ngx_http_flowdash_fold_next(&q, last_q);
        }

        if (c != d) {
            return (c < d) ? -1 : 1;
        }
    }

    return (p < last_p) - (q < last_q);
}


/* most names are ASCII: eight bytes at once, until there are others */

uint64_t
ngx_http_flowdash_fold_keyed_hash(ngx_str_t *s)
{
    u_char                    *p, *last;
    uint64_t                   word;
    ngx_http_flowdash_hash_t   h, copy;

    ngx_http_flowdash_hash_begin(&h);

    p = s->data;
    last = p + s->len;

    for ( /* void */ ; last - p >= 8; p += 8) {

        word = ngx_http_flowdash_hash_load(p);

        if (word & ngx_http_flowdash_fold_each(0x80)) {
            goto other;
        }

        ngx_http_flowdash_hash_word(&h, ngx_http_flowdash_fold_ascii(word));
    }

    word = ngx_http_flowdash_hash_rest(last, last - p, s->len);

    if (word & ngx_http_flowdash_fold_each(0x80)) {
        goto other;
    }

    /* a zero byte folds to itself */

    return ngx_http_flowdash_hash_end(&h, ngx_http_flowdash_fold_ascii(word),
                                      s->len);

other:

    /* a state whose address is taken would not be in registers above */

    copy = h;

    return ngx_http_flowdash_fold_hash_from(s, p, &copy);
}


/* the same from "p" on, a multiple of eight bytes, where "h" is the state */

static uint64_t
ngx_http_flowdash_fold_hash_from(ngx_str_t *s, u_char *p,
    ngx_http_flowdash_hash_t *h)
{
    u_char                          *last;
    ngx_http_flowdash_fold_bytes_t   bytes;

    bytes.hash = *h;
    bytes.word = 0;
    bytes.len = p - s->data;

    last = s->data + s->len;

    while (p < last) {
        ngx_http_flowdash_fold_add(&bytes,
                                   ngx_http_flowdash_fold_next(&p, last));
    }

    return ngx_http_flowdash_hash_end(&bytes.hash, bytes.word, bytes.len);
}


/* the letters among eight bytes of ASCII in lower case */

static ngx_inline uint64_t
ngx_http_flowdash_fold_ascii(uint64_t word)
{
    uint64_t  from_a, over_z;

    from_a = word + ngx_http_flowdash_fold_each(0x80 - 'A');
    over_z = word + ngx_http_flowdash_fold_each(0x80 - 'Z' - 1);

    /* the highest bit of each such byte becomes 0x20 */

    return word | (from_a & ~over_z & ngx_http_flowdash_fold_each(0x80)) >> 2;
}


/*
 * What is not ASCII takes three bytes, of which the first one tells: so no two
 * strings that differ have the same bytes.
 */

static void
ngx_http_flowdash_fold_add(ngx_http_flowdash_fold_bytes_t *bytes, uint32_t c)
{
    if (c >= 0x80) {
        ngx_http_flowdash_fold_add_byte(bytes, 0x80 | c >> 16);
        ngx_http_flowdash_fold_add_byte(bytes, c >> 8 & 0xff);
        ngx_http_flowdash_fold_add_byte(bytes, c & 0xff);
        return;
    }

    ngx_http_flowdash_fold_add_byte(bytes, c);
}


static void
ngx_http_flowdash_fold_add_byte(ngx_http_flowdash_fold_bytes_t *bytes,
    uint32_t byte)
{
    bytes->word |= (uint64_t) byte << 8 * (bytes->len++ % 8);

    if (bytes->len % 8 == 0) {
        ngx_http_flowdash_hash_word(&bytes->hash, bytes->word);
        bytes->word = 0;
    }
}


/* returns the next character, folded, and moves "p" behind it */

static uint32_t
ngx_http_flowdash_fold_next(u_char **p, u_char *last)
{
    u_char    *start;
    uint32_t   c;

    start = *p;

    if (*start < 0x80) {
        *p = start + 1;
        return ngx_tolower(*start);
    }

    c = ngx_utf8_decode(p, last - start);

    if (c > 0x10ffff) {
        *p = start + 1;
        return NGX_HTTP_FLOWDASH_FOLD_BYTE + *start;
    }

    return ngx_http_flowdash_fold_char(c);
}


static uint32_t
ngx_http_flowdash_fold_char(uint32_t c)
{
    ngx_uint_t                             i, left, right;
    const ngx_http_flowdash_fold_range_t  *range;

    left = 0;
    right = sizeof(ngx_http_flowdash_fold_table)
            / sizeof(ngx_http_flowdash_fold_table[0]);

    while (left < right) {

        i = (left + right) / 2;
        range = &ngx_http_flowdash_fold_table[i];

        if (c < range->first) {
            right = i;

        } else if (c > range->last) {
            left = i + 1;

        } else {
            return ((c - range->first) % range->step) ? c : c + range->delta;
        }
    }

    return c;
}
