
/*
 * SipHash-1-3, by Jean-Philippe Aumasson and Daniel J. Bernstein.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_hash.h>


uint64_t  ngx_http_flowdash_hash_keys[2];

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
    u_char  *p, *last;

    p = s->data;
    last = p + s->len;

    for ( /* void */ ; last - p >= 8; p += 8) {
        ngx_http_flowdash_hash_word(h, ngx_http_flowdash_hash_load(p));
    }

    return ngx_http_flowdash_hash_end(h,
                             ngx_http_flowdash_hash_rest(last, last - p,
                                                         s->len),
                             s->len);
}
