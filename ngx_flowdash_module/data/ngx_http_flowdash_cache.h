
#ifndef _NGX_HTTP_FLOWDASH_CACHE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CACHE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_id.h>


/* the longest text that is kept, in bytes; an entry takes 2k with it */

#define NGX_HTTP_FLOWDASH_CACHE_TEXT  1960

/* a key has its place in one of several entries */

#define NGX_HTTP_FLOWDASH_CACHE_WAYS  8


/*
 * Short texts in shared memory, for a short time.  The entries are an array,
 * without pointers: if a worker dies while it writes one, this entry is not
 * ready, and nothing else is lost.
 */

typedef struct {
    volatile ngx_uint_t             ready;     /* 0: it has no text */
    ngx_msec_t                      stored;    /* as ngx_current_msec */
    size_t                          len;
    u_char                          key[NGX_HTTP_FLOWDASH_ID_DIGEST_LEN];
    u_char                          text[NGX_HTTP_FLOWDASH_CACHE_TEXT];
} ngx_http_flowdash_cache_entry_t;


typedef struct {
    ngx_uint_t                        sets;    /* of ..._WAYS entries */
    ngx_http_flowdash_cache_entry_t  *entries;
} ngx_http_flowdash_cache_t;


/*
 * Copies the text of a key, a digest in hex, to "text", which has room for
 * ..._CACHE_TEXT bytes.  A text that is as old as "max_age", in ms, or older
 * is not found.  The caller holds a lock.  Returns the text's length, or 0 if
 * there is none.
 */
size_t ngx_http_flowdash_cache_find(ngx_http_flowdash_cache_t *cache,
    u_char *key, ngx_msec_t now, ngx_msec_t max_age, u_char *text);

/*
 * Keeps a text, in place of the oldest one if there is no room.  The caller
 * holds a lock.  Returns NGX_OK, or NGX_DECLINED if the text is too long.
 */
ngx_int_t ngx_http_flowdash_cache_store(ngx_http_flowdash_cache_t *cache,
    u_char *key, ngx_msec_t now, ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_CACHE_H_INCLUDED_ */
