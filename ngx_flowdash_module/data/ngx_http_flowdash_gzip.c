
/*
 * Decodes gzip into one piece of memory, up to a limit, and a limited amount
 * at a time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_gzip.h>


/*
 * How much one call reads and writes.  Input takes time even if it decodes to
 * nothing: a dozen bytes can be a block whose tables must be built.
 */
#define NGX_HTTP_FLOWDASH_GZIP_INPUT   65536
#define NGX_HTTP_FLOWDASH_GZIP_OUTPUT  1048576

#define NGX_HTTP_FLOWDASH_GZIP_START   16384


static ngx_int_t ngx_http_flowdash_gzip_inflate(ngx_http_flowdash_gzip_t *gz,
    size_t *room);
static ngx_int_t ngx_http_flowdash_gzip_grow(ngx_http_flowdash_gzip_t *gz);
static ngx_int_t ngx_http_flowdash_gzip_refuse(ngx_http_flowdash_gzip_t *gz,
    const char *error);
static void ngx_http_flowdash_gzip_close(void *data);


ngx_http_flowdash_gzip_t *
ngx_http_flowdash_gzip_create(ngx_pool_t *pool, size_t max)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_flowdash_gzip_t  *gz;

    gz = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_gzip_t));
    if (gz == NULL) {
        return NULL;
    }

    gz->pool = pool;
    gz->max = max;

    cln = ngx_pool_cleanup_add(pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_flowdash_gzip_close;
    cln->data = gz;

    /* 16: gzip, and not zlib's own format */

    if (inflateInit2(&gz->stream, MAX_WBITS + 16) != Z_OK) {
        return NULL;
    }

    gz->open = 1;

    return gz;
}


ngx_int_t
ngx_http_flowdash_gzip_read(ngx_http_flowdash_gzip_t *gz, u_char *p,
    size_t len)
{
    size_t     room;
    ngx_int_t  rc;

    if (gz->error) {
        return NGX_DECLINED;
    }

    if (len) {
        gz->pos = p;
        gz->last = p + len;
    }

    if (!gz->done) {
        gz->stream.next_in = gz->pos;
        gz->stream.avail_in = ngx_min(gz->last - gz->pos,
                                      NGX_HTTP_FLOWDASH_GZIP_INPUT);
        room = NGX_HTTP_FLOWDASH_GZIP_OUTPUT;

        do {
            rc = ngx_http_flowdash_gzip_inflate(gz, &room);
        } while (rc == NGX_OK && room);

        gz->pos = gz->stream.next_in;

        if (rc == NGX_DECLINED || rc == NGX_ERROR) {
            return rc;
        }

        /*
         * If zlib has read everything and holds back output, this comes with
         * the next piece.  There is one, since the checksum is missing.
         */

        if (!gz->done && gz->pos != gz->last) {
            return NGX_AGAIN;
        }
    }

    /* some apps would read a second member, others would not */

    if (gz->pos != gz->last) {
        return ngx_http_flowdash_gzip_refuse(gz, "data after the gzip data");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_gzip_end(ngx_http_flowdash_gzip_t *gz, ngx_str_t *text)
{
    ngx_str_null(text);

    if (gz->error) {
        return NGX_DECLINED;
    }

    if (!gz->done) {
        return ngx_http_flowdash_gzip_refuse(gz, "gzip data is truncated");
    }

    text->data = gz->data;
    text->len = gz->len;

    return NGX_OK;
}


/*
 * Decodes into the free memory.  Returns NGX_OK if more output may follow,
 * NGX_DONE if not, NGX_DECLINED or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_gzip_inflate(ngx_http_flowdash_gzip_t *gz, size_t *room)
{
    int     rc;
    u_char  over;
    size_t  n;

    if (gz->len == gz->size && gz->size < gz->max
        && ngx_http_flowdash_gzip_grow(gz) != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = ngx_min(gz->size - gz->len, *room);

    if (n) {
        gz->stream.next_out = gz->data + gz->len;

    } else {

        /* the memory is full: see whether another byte follows */

        gz->stream.next_out = &over;
        n = 1;
    }

    gz->stream.avail_out = n;

    rc = inflate(&gz->stream, Z_NO_FLUSH);

    n -= gz->stream.avail_out;

    if (n > gz->size - gz->len) {
        gz->large = 1;
        return ngx_http_flowdash_gzip_refuse(gz,
                                   "larger than allowed when decoded");
    }

    gz->len += n;
    *room -= n;

    switch (rc) {

    case Z_STREAM_END:
        gz->done = 1;
        ngx_http_flowdash_gzip_close(gz);
        return NGX_DONE;

    case Z_OK:
    case Z_BUF_ERROR:    /* no input left, and no output held back */
        return gz->stream.avail_out ? NGX_DONE : NGX_OK;

    case Z_MEM_ERROR:
        return NGX_ERROR;

    default:
        return ngx_http_flowdash_gzip_refuse(gz, "not gzip, or damaged");
    }
}


static ngx_int_t
ngx_http_flowdash_gzip_grow(ngx_http_flowdash_gzip_t *gz)
{
    size_t   size;
    u_char  *data;

    if (gz->size > gz->max / 2) {
        size = gz->max;

    } else {
        size = gz->size ? gz->size * 2 : NGX_HTTP_FLOWDASH_GZIP_START;
        size = ngx_min(size, gz->max);
    }

    data = ngx_pnalloc(gz->pool, size);
    if (data == NULL) {
        return NGX_ERROR;
    }

    if (gz->data) {
        ngx_memcpy(data, gz->data, gz->len);
        ngx_pfree(gz->pool, gz->data);
    }

    gz->data = data;
    gz->size = size;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_gzip_refuse(ngx_http_flowdash_gzip_t *gz, const char *error)
{
    ngx_http_flowdash_gzip_close(gz);

    if (gz->data) {
        ngx_pfree(gz->pool, gz->data);
        gz->data = NULL;
    }

    gz->error = error;

    return NGX_DECLINED;
}


static void
ngx_http_flowdash_gzip_close(void *data)
{
    ngx_http_flowdash_gzip_t *gz = data;

    if (gz->open) {
        gz->open = 0;
        (void) inflateEnd(&gz->stream);
    }
}
