
#ifndef _NGX_HTTP_FLOWDASH_REPLACE_HEADERS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_REPLACE_HEADERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* Sets the Content-Type to application/json.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_replace_headers_set_json(ngx_http_request_t *r);

/*
 * Makes "traceparent" the only one of the request, without a tracestate.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_replace_headers_set_trace(ngx_http_request_t *r,
    ngx_str_t *traceparent);

/* Makes nginx evaluate variables about the body and the query again. */
void ngx_http_flowdash_replace_headers_invalidate_variables(
    ngx_http_request_t *r);

/*
 * Turns the client's request into a GET without a body.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_replace_headers_discard_body(
    ngx_http_request_t *r);

/*
 * Updates the headers and variables for a replaced body, whose length is in
 * r->headers_in.content_length_n.  "decoded" removes the Content-Encoding.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_replace_headers(ngx_http_request_t *r,
    ngx_uint_t decoded);


#endif /* _NGX_HTTP_FLOWDASH_REPLACE_HEADERS_H_INCLUDED_ */
