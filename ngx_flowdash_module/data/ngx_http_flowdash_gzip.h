
#ifndef _NGX_HTTP_FLOWDASH_GZIP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_GZIP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <zlib.h>


typedef struct {
    ngx_pool_t      *pool;
    z_stream         stream;

    u_char          *pos;       /* the unread rest of the piece */
    u_char          *last;

    u_char          *data;      /* decoded */
    size_t           len;
    size_t           size;      /* allocated */
    size_t           max;

    unsigned         open:1;    /* zlib has memory */
    unsigned         done:1;    /* the end came, with the right checksum */
    unsigned         large:1;   /* refused because it decodes to too much */

    /* after a refusal: what is wrong, for the log */

    const char      *error;
} ngx_http_flowdash_gzip_t;


/*
 * Makes a decoder for one gzip member (RFC 1952) of at most "max" decoded
 * bytes.  Returns NULL on error.
 */
ngx_http_flowdash_gzip_t *ngx_http_flowdash_gzip_create(ngx_pool_t *pool,
    size_t max);

/*
 * Decodes the next piece, of any length.  Returns NGX_OK, NGX_DECLINED with
 * gz->error set, NGX_ERROR if memory ran out, or NGX_AGAIN when it
 * is time to yield to other requests: then the piece must stay where it is,
 * and the next call, with the length 0, continues with it.
 */
ngx_int_t ngx_http_flowdash_gzip_read(ngx_http_flowdash_gzip_t *gz, u_char *p,
    size_t len);

/*
 * Must be called once, after the last piece.  Returns NGX_OK with the decoded
 * text in memory of the pool, or NGX_DECLINED with gz->error set.
 */
ngx_int_t ngx_http_flowdash_gzip_end(ngx_http_flowdash_gzip_t *gz,
    ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_GZIP_H_INCLUDED_ */
