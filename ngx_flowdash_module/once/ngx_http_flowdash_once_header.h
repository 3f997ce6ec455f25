
#ifndef _NGX_HTTP_FLOWDASH_ONCE_HEADER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ONCE_HEADER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_once_response.h>


/*
 * Copies the header of the response that a request gets, as far as it is kept.
 * The texts stay where they are.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_once_header_take(ngx_http_request_t *r,
    ngx_http_flowdash_once_response_t *response);

/* Makes it the header of another request's.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_once_header_put(ngx_http_request_t *r,
    ngx_http_flowdash_once_response_t *response);


#endif /* _NGX_HTTP_FLOWDASH_ONCE_HEADER_H_INCLUDED_ */
