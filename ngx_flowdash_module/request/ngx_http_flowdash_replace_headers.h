
#ifndef _NGX_HTTP_FLOWDASH_REPLACE_HEADERS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_REPLACE_HEADERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* Sets the Content-Type to JSON's.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_replace_headers_set_json(ngx_http_request_t *r);

/* Variables about the body and the query are evaluated anew. */
void ngx_http_flowdash_replace_headers_invalidate_variables(
    ngx_http_request_t *r);

/*
 * Makes a GET request without a body of the client's.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_replace_headers_discard_body(
    ngx_http_request_t *r);

/*
 * Makes the headers and variables fit a replaced body; "decoded" if it no
 * longer has a Content-Encoding.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_replace_headers(ngx_http_request_t *r,
    ngx_uint_t decoded);


#endif /* _NGX_HTTP_FLOWDASH_REPLACE_HEADERS_H_INCLUDED_ */
