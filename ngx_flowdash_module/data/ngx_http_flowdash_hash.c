
/*
 * SipHash-1-3, by Jean-Philippe Aumasson and Daniel J. Bernstein.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_hash.h>


static uint64_t    ngx_http_flowdash_hash_keys[2];
static ngx_uint_t  ngx_http_flowdash_hash_keyed;


static uint64_t ngx_http_flowdash_hash_string(ngx_http_flowdash_hash_t *h,
    ngx_str_t *s);


void
ngx_http_flowdash_hash_key(u_char *key)
{
    /* a single process begins again for each configuration */

    if (ngx_http_flowdash_hash_keyed) {
        return;
    }

    ngx_memcpy(ngx_http_flowdash_hash_keys, key,
               sizeof(ngx_http_flowdash_hash_keys));

    ngx_http_flowdash_hash_keyed = 1;
}


void
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


uint64_t
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


uint64_t
ngx_http_flowdash_hash(ngx_str_t *s)
{
    ngx_http_flowdash_hash_t  h;

    ngx_http_flowdash_hash_begin(&h);

    return ngx_http_flowdash_hash_string(&h, s);
}


uint64_t
ngx_http_flowdash_hash_in(const void *container, ngx_str_t *s)
{
    ngx_http_flowdash_hash_t  h;

    ngx_http_flowdash_hash_begin(&h);
    ngx_http_flowdash_hash_word(&h, (uint64_t) (uintptr_t) container);

    return ngx_http_flowdash_hash_string(&h, s);
}


static uint64_t
ngx_http_flowdash_hash_string(ngx_http_flowdash_hash_t *h, ngx_str_t *s)
{
    u_char    *p;
    size_t     rest;
    uint64_t   word;

    p = s->data;

    for (rest = s->len; rest >= 8; rest -= 8) {
        ngx_memcpy(&word, p, 8);
        ngx_http_flowdash_hash_word(h, word);
        p += 8;
    }

    word = 0;

    while (rest) {
        word = word << 8 | p[--rest];
    }

    return ngx_http_flowdash_hash_end(h, word, s->len);
}
