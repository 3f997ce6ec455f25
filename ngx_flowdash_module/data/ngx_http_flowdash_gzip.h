
#ifndef _NGX_HTTP_FLOWDASH_GZIP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_GZIP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <zlib.h>


typedef struct {
    ngx_pool_t      *pool;
    z_stream         stream;

    u_char          *pos;       /* of the piece, what is unread */
    u_char          *last;

    u_char          *data;      /* decoded */
    size_t           len;
    size_t           size;      /* allocated */
    size_t           max;

    unsigned         open:1;    /* zlib holds memory */
    unsigned         done:1;    /* the end was seen, and is right */
    unsigned         large:1;   /* refused for its decoded size */

    /* after a refusal: what was wrong, for the log */

    const char      *error;
} ngx_http_flowdash_gzip_t;


/*
 * Makes a decoder for one gzip member (RFC 1952) which decodes to "max" bytes
 * at most.  Returns NULL on error.
 */
ngx_http_flowdash_gzip_t *ngx_http_flowdash_gzip_create(ngx_pool_t *pool,
    size_t max);

/*
 * Decodes the next piece, of any length.  Returns NGX_OK, NGX_DECLINED with
 * gz->error set, NGX_ERROR if memory ran out, or NGX_AGAIN when this was
 * enough for one turn: then the piece must stay where it is, and the next
 * call, with the length 0, goes on with it.
 */
ngx_int_t ngx_http_flowdash_gzip_read(ngx_http_flowdash_gzip_t *gz, u_char *p,
    size_t len);

/*
 * Called once, when there are no more pieces.  Returns NGX_OK with the decoded
 * text in memory of the pool, or NGX_DECLINED with gz->error set.
 */
ngx_int_t ngx_http_flowdash_gzip_end(ngx_http_flowdash_gzip_t *gz,
    ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_GZIP_H_INCLUDED_ */
