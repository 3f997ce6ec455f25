
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


/* what the request's headers say about its body */

typedef struct {
    ngx_http_flowdash_type_e        type;
    ngx_str_t                       boundary;
    const char                     *error;     /* why it cannot be read */
    ngx_uint_t                      status;    /* of the refusal */
    unsigned                        gzip:1;
    unsigned                        ascii:1;   /* or it is not UTF-8 */
} ngx_http_flowdash_media_t;


/* a position in a body */

typedef struct {
    ngx_chain_t                    *cl;
    off_t                           offset;    /* in the buffer of "cl" */
    u_char                         *buf;
    size_t                          since_yield; /* bytes */
    unsigned                        begun:1;
} ngx_http_flowdash_pieces_t;


/*
 * Tells whether the request has a body, which may not have been read.  Over
 * HTTP/2 it may have no length.
 */
ngx_uint_t ngx_http_flowdash_body_exists(ngx_http_request_t *r);

/*
 * Leaves a body that nobody has read to the end of the connection: it does not
 * become the next request, and the client is not asked for it.
 */
void ngx_http_flowdash_body_leave(ngx_http_request_t *r);

/* Returns the length of the client's body in bytes, as far as it was read. */
off_t ngx_http_flowdash_body_length(ngx_http_request_t *r);

/*
 * Reads the next piece of the body, which is valid until the next call; what
 * is in a file goes to pieces->buf, 64k which are allocated if this is NULL.
 * Returns NGX_OK, NGX_DONE after the last piece, NGX_AGAIN when it is time to
 * yield to other requests, NGX_ERROR, or NGX_HTTP_INTERNAL_SERVER_ERROR if the
 * temporary file cannot be read.
 */
ngx_int_t ngx_http_flowdash_body_piece(ngx_http_request_t *r,
    ngx_http_flowdash_pieces_t *pieces, ngx_str_t *piece);

/*
 * Finds out from Content-Type and Content-Encoding how to read the body.  If
 * it cannot be read, media->error and media->status say why.  "decode" allows
 * gzip; "types" has the media types allowed (ngx_str_t), or is NULL.
 */
void ngx_http_flowdash_body_media(ngx_http_request_t *r, ngx_uint_t decode,
    ngx_array_t *types, ngx_http_flowdash_media_t *media);

/* Tells how a media type is read; NGX_HTTP_FLOWDASH_UNKNOWN: it cannot be. */
ngx_http_flowdash_type_e ngx_http_flowdash_body_type(ngx_str_t *name);

/*
 * Tells whether flowdash_types, which is NULL if it is not there, names the
 * type of a form.
 */
ngx_uint_t ngx_http_flowdash_body_may_be_form(ngx_array_t *types);


#endif /* _NGX_HTTP_FLOWDASH_BODY_H_INCLUDED_ */
