
#ifndef _NGX_HTTP_FLOWDASH_HASH_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_HASH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * SipHash-1-3: a hash with a key, so that nobody outside can choose names that
 * collide.  It is given the text in words of 8 bytes; the order of the bytes
 * in a word is the machine's, since no hash leaves the process.
 */

typedef struct {
    uint64_t                           v0;
    uint64_t                           v1;
    uint64_t                           v2;
    uint64_t                           v3;
} ngx_http_flowdash_hash_t;


#define ngx_http_flowdash_hash_rotate(v, n)  (((v) << (n)) | ((v) >> (64 - n)))


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


/* Begins a text. */
void ngx_http_flowdash_hash_begin(ngx_http_flowdash_hash_t *h);

/*
 * Ends a text of "len" bytes.  "rest" has the bytes that are not in a word, at
 * most 7, and zeros.  Returns the hash.
 */
uint64_t ngx_http_flowdash_hash_end(ngx_http_flowdash_hash_t *h, uint64_t rest,
    size_t len);

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
