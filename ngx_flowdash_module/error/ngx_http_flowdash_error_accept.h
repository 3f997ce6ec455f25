
#ifndef _NGX_HTTP_FLOWDASH_ERROR_ACCEPT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_ACCEPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Tells whether the client prefers JSON to HTML (RFC 9110, 12.5.1).  A client
 * without a preference gets JSON if it sent JSON.
 */
ngx_uint_t ngx_http_flowdash_error_accept_prefers_json(ngx_http_request_t *r);


#endif /* _NGX_HTTP_FLOWDASH_ERROR_ACCEPT_H_INCLUDED_ */
