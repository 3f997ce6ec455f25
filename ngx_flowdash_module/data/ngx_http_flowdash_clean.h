
#ifndef _NGX_HTTP_FLOWDASH_CLEAN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CLEAN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* one line that is being put together */

typedef struct {
    ngx_str_t    *text;
    size_t        size;
    unsigned      space:1;     /* one is due */
    unsigned      cut:1;       /* there was no room for all of it */
} ngx_http_flowdash_clean_t;


/*
 * Makes one line of a text: "clean" has at most "size" bytes of memory from
 * the pool, and is empty if the text is not UTF-8.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_clean(ngx_pool_t *pool, ngx_str_t *text,
    size_t size, ngx_str_t *clean);

/*
 * Begins a line of at most "size" bytes, which is empty as yet.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_clean_begin(ngx_http_flowdash_clean_t *cl,
    ngx_pool_t *pool, size_t size, ngx_str_t *text);

/*
 * Adds a text: white space becomes a space, and whatever could move the cursor
 * or turn the direction of writing is left out.  Text that is not UTF-8 adds
 * nothing.
 */
void ngx_http_flowdash_clean_add(ngx_http_flowdash_clean_t *cl,
    ngx_str_t *text);

/* Ends the line, with an ellipsis if it was cut. */
void ngx_http_flowdash_clean_end(ngx_http_flowdash_clean_t *cl);


#endif /* _NGX_HTTP_FLOWDASH_CLEAN_H_INCLUDED_ */
