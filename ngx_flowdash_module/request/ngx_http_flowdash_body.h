
#ifndef _NGX_HTTP_FLOWDASH_BODY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef enum {
    NGX_HTTP_FLOWDASH_UNKNOWN = 0,
    NGX_HTTP_FLOWDASH_JSON,
    NGX_HTTP_FLOWDASH_URLENCODED,
    NGX_HTTP_FLOWDASH_MULTIPART
} ngx_http_flowdash_type_e;


/* what the request's headers say of its body */

typedef struct {
    ngx_http_flowdash_type_e        type;
    ngx_str_t                       boundary;
    const char                     *error;     /* it cannot be read */
    ngx_uint_t                      status;    /* and what the client gets */
    unsigned                        gzip:1;
} ngx_http_flowdash_media_t;


/* how far a body has been read */

typedef struct {
    ngx_chain_t                    *cl;
    off_t                           offset;    /* in its buffer */
    u_char                         *buf;
    size_t                          turn;      /* read of files */
    unsigned                        begun:1;
} ngx_http_flowdash_pieces_t;


/*
 * The client's body as one piece of memory; its length is 0 without a body.
 * Returns NGX_OK, NGX_ERROR, or NGX_HTTP_INTERNAL_SERVER_ERROR when reading
 * the file failed in which nginx has kept it.
 */
ngx_int_t ngx_http_flowdash_body_read(ngx_http_request_t *r, ngx_str_t *text);

/* The length of the client's body, in bytes. */
off_t ngx_http_flowdash_body_length(ngx_http_request_t *r);

/*
 * The body's next piece, which is valid until the next call.  Returns NGX_OK,
 * NGX_DONE behind the last one, NGX_AGAIN when other requests should have a
 * turn, or as ngx_http_flowdash_body_read().
 */
ngx_int_t ngx_http_flowdash_body_piece(ngx_http_request_t *r,
    ngx_http_flowdash_pieces_t *pieces, ngx_str_t *piece);

/*
 * Tells how the body can be read by its Content-Type and Content-Encoding; if
 * it cannot, media->error and media->status say why.
 */
void ngx_http_flowdash_body_media(ngx_http_request_t *r, ngx_uint_t decode,
    ngx_http_flowdash_media_t *media);


#endif /* _NGX_HTTP_FLOWDASH_BODY_H_INCLUDED_ */
