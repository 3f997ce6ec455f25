
#ifndef _NGX_HTTP_FLOWDASH_OVERRIDES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OVERRIDES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_method.h>


/*
 * Finds the overrides of a request's method in its headers and its query.
 * "own" is the method itself, "methods" those of flowdash_methods.
 */
void ngx_http_flowdash_overrides(ngx_http_request_t *r, ngx_str_t *own,
    ngx_array_t *methods, ngx_http_flowdash_method_t *m);

/* Gets the method that the client has sent, whatever nginx makes of it. */
void ngx_http_flowdash_overrides_client(ngx_http_request_t *r, ngx_str_t *own);

/*
 * Tells whether the body could have a "_method" that apps look for: that of a
 * POST, unless its Content-Type is neither a form's nor JSON's.
 */
ngx_uint_t ngx_http_flowdash_overrides_in_body(ngx_http_request_t *r);

/*
 * Looks for "_method" in a POST's body of JSON.
 * Returns NGX_OK, NGX_DECLINED if its names cannot be read, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_overrides_json(ngx_http_request_t *r,
    ngx_str_t *text, ngx_http_flowdash_method_t *m);


#endif /* _NGX_HTTP_FLOWDASH_OVERRIDES_H_INCLUDED_ */
