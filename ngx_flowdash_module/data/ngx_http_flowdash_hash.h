
#ifndef _NGX_HTTP_FLOWDASH_HASH_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_HASH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * SipHash-1-3: a hash with a key, so that nobody outside can choose names that
 * collide.  It is given the text in words of 8 bytes.
 */

typedef struct {
    uint64_t                           v0;
    uint64_t                           v1;
    uint64_t                           v2;
    uint64_t                           v3;
} ngx_http_flowdash_hash_t;


/* of this process */

extern uint64_t  ngx_http_flowdash_hash_keys[2];


#define ngx_http_flowdash_hash_rotate(v, n)  (((v) << (n)) | ((v) >> (64 - n)))


/* Begins a text. */
static ngx_inline void
ngx_http_flowdash_hash_begin(ngx_http_flowdash_hash_t *h)
{
    uint64_t  k0, k1;

    k0 = ngx_http_flowdash_hash_keys[0];
    k1 = ngx_http_flowdash_hash_keys[1];

    /* "somepseudorandomlygeneratedbytes" */

    h->v0 = k0 ^ 0x736f6d6570736575;
    h->v1 = k1 ^ 0x646f72616e646f6d;
    h->v2 = k0 ^ 0x6c7967656e657261;
    h->v3 = k1 ^ 0x7465646279746573;
}


/* One round of SipHash. */
static ngx_inline void
ngx_http_flowdash_hash_round(ngx_http_flowdash_hash_t *h)
{
    h->v0 += h->v1;
    h->v1 = ngx_http_flowdash_hash_rotate(h->v1, 13) ^ h->v0;
    h->v0 = ngx_http_flowdash_hash_rotate(h->v0, 32);

    h->v2 += h->v3;
    h->v3 = ngx_http_flowdash_hash_rotate(h->v3, 16) ^ h->v2;

    h->v0 += h->v3;
    h->v3 = ngx_http_flowdash_hash_rotate(h->v3, 21) ^ h->v0;

    h->v2 += h->v1;
    h->v1 = ngx_http_flowdash_hash_rotate(h->v1, 17) ^ h->v2;
    h->v2 = ngx_http_flowdash_hash_rotate(h->v2, 32);
}


/* Adds 8 bytes to the text. */
static ngx_inline void
ngx_http_flowdash_hash_word(ngx_http_flowdash_hash_t *h, uint64_t word)
{
    h->v3 ^= word;
    ngx_http_flowdash_hash_round(h);
    h->v0 ^= word;
}


/*
 * Ends a text of "len" bytes.  "rest" has the bytes that are not in a word, at
 * most 7, and zeros.  Returns the hash.
 */
static ngx_inline uint64_t
ngx_http_flowdash_hash_end(ngx_http_flowdash_hash_t *h, uint64_t rest,
    size_t len)
{
    ngx_http_flowdash_hash_word(h, rest | (uint64_t) len << 56);

    h->v2 ^= 0xff;

    ngx_http_flowdash_hash_round(h);
    ngx_http_flowdash_hash_round(h);
    ngx_http_flowdash_hash_round(h);

    return h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
}


/*
 * Returns 8 bytes of a text as a word; the first is the lowest, whatever the
 * machine's order is.
 */
static ngx_inline uint64_t
ngx_http_flowdash_hash_load(u_char *p)
{
    uint64_t  word;

    ngx_memcpy(&word, p, 8);

#if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
    word = __builtin_bswap64(word);
#endif

    return word;
}


/*
 * Returns the last "n" bytes, fewer than 8, of a text of "len" that ends at
 * "last", as a word.
 */
static ngx_inline uint64_t
ngx_http_flowdash_hash_rest(u_char *last, size_t n, size_t len)
{
    uint64_t  word;

    if (n && len >= 8) {
        return ngx_http_flowdash_hash_load(last - 8) >> (64 - 8 * n);
    }

    word = 0;

    while (n) {
        word = word << 8 | *--last;
        n--;
    }

    return word;
}


/* Returns the hash of a string. */
uint64_t ngx_http_flowdash_hash(ngx_str_t *s);

/* The same for a string that is in a container: another one, another hash. */
uint64_t ngx_http_flowdash_hash_in(const void *container, ngx_str_t *s);

/*
 * Sets the key, 16 bytes: a process needs one of its own before it hashes what
 * comes from outside.  The first one stays, or what was hashed by it could not
 * be found any more.
 */
void ngx_http_flowdash_hash_key(u_char *key);


#endif /* _NGX_HTTP_FLOWDASH_HASH_H_INCLUDED_ */
