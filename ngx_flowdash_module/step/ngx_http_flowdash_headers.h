
#ifndef _NGX_HTTP_FLOWDASH_HEADERS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_HEADERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* Tells whether flowdash_set_header sets a header, even to an empty value. */
ngx_uint_t ngx_http_flowdash_headers_is_set(
    ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *name);

/*
 * Creates ex->headers, which all calls of a step send, with the default ones.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_headers_default(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf);

/*
 * Adds the headers of flowdash_set_header.  Returns NGX_OK, NGX_DECLINED with
 * ex->error set if a value cannot be sent, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_headers_set(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf);


#endif /* _NGX_HTTP_FLOWDASH_HEADERS_H_INCLUDED_ */
