
#ifndef _NGX_HTTP_FLOWDASH_ONCE_RESPONSE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ONCE_RESPONSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a header; nginx points to some of them: "place" says by which pointer */

typedef struct {
    ngx_uint_t   place;
    ngx_str_t    name;
    ngx_str_t    value;
} ngx_http_flowdash_once_header_t;


/* a response as the content handler gave it */

typedef struct {
    ngx_uint_t   status;
    off_t        content_length;    /* -1: not known */
    time_t       last_modified;     /* -1: not known */
    size_t       content_type_len;  /* without parameters */
    ngx_str_t    content_type;
    ngx_str_t    charset;
    ngx_array_t  headers;           /* of ..._once_header_t */
    ngx_str_t    body;
} ngx_http_flowdash_once_response_t;


/* Returns how many bytes ngx_http_flowdash_once_response_write() writes. */
size_t ngx_http_flowdash_once_response_length(
    ngx_http_flowdash_once_response_t *response);

/* Writes a response as one text at "p", and returns its end. */
u_char *ngx_http_flowdash_once_response_write(u_char *p,
    ngx_http_flowdash_once_response_t *response);

/*
 * Reads a response, which points into the text.  Returns NGX_OK, NGX_DECLINED
 * if the text is not a response, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_once_response_read(ngx_str_t *text,
    ngx_http_flowdash_once_response_t *response, ngx_pool_t *pool);

/*
 * Tells whether a header is part of a response that is kept: not one that is
 * only about the connection, nginx or this moment.
 */
ngx_uint_t ngx_http_flowdash_once_response_keeps(ngx_str_t *name);


#endif /* _NGX_HTTP_FLOWDASH_ONCE_RESPONSE_H_INCLUDED_ */
