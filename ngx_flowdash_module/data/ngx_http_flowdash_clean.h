
#ifndef _NGX_HTTP_FLOWDASH_CLEAN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CLEAN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a line under construction */

typedef struct {
    ngx_str_t    *text;
    size_t        size;
    unsigned      space:1;     /* add one before the next text */
    unsigned      cut:1;       /* the line is full */
} ngx_http_flowdash_clean_t;


/*
 * Makes one line of a text: "clean" gets at most "size" bytes from the pool.
 * It is empty if the text is not UTF-8.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_clean(ngx_pool_t *pool, ngx_str_t *text,
    size_t size, ngx_str_t *clean);

/*
 * Begins an empty line of at most "size" bytes.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_clean_begin(ngx_http_flowdash_clean_t *cl,
    ngx_pool_t *pool, size_t size, ngx_str_t *text);

/*
 * Adds a text.  White space becomes one space; characters that move the cursor
 * or change the direction of writing are dropped.  Text that is not UTF-8 adds
 * nothing.
 */
void ngx_http_flowdash_clean_add(ngx_http_flowdash_clean_t *cl,
    ngx_str_t *text);

/* Ends the line, with an ellipsis if it was cut. */
void ngx_http_flowdash_clean_end(ngx_http_flowdash_clean_t *cl);

/*
 * Leaves user info, query and fragment out of a URL (RFC 3986): "begin" and
 * "end" are what is before and behind the user info.  Nothing of it is left
 * either where the URL is not well-formed.
 */
void ngx_http_flowdash_clean_url(ngx_str_t *url, ngx_str_t *begin,
    ngx_str_t *end);


#endif /* _NGX_HTTP_FLOWDASH_CLEAN_H_INCLUDED_ */
