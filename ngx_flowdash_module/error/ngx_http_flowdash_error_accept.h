
#ifndef _NGX_HTTP_FLOWDASH_ERROR_ACCEPT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_ACCEPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef void (*ngx_http_flowdash_error_accept_pt)(void *data,
    ngx_str_t *range, ngx_uint_t q);

/*
 * Calls the handler for each element of a header that says what the client
 * prefers, such as Accept, in all of its lines and in their order: the range
 * without parameters, and its quality in thousandths (RFC 9110, 12.4.2).
 */
void ngx_http_flowdash_error_accept_each(ngx_http_request_t *r,
    const char *header, ngx_http_flowdash_error_accept_pt handler, void *data);

/*
 * Tells whether the client prefers JSON to HTML (RFC 9110, 12.5.1).  A client
 * without a preference gets JSON if it sent JSON, or is a script of a page.
 */
ngx_uint_t ngx_http_flowdash_error_accept_prefers_json(ngx_http_request_t *r);

/*
 * Tells whether a browser makes the request to show what comes back: a form,
 * not a script.  A browser that does not say so wants HTML, and its scripts
 * mark their requests.
 */
ngx_uint_t ngx_http_flowdash_error_accept_navigates(ngx_http_request_t *r);


#endif /* _NGX_HTTP_FLOWDASH_ERROR_ACCEPT_H_INCLUDED_ */
