
#ifndef _NGX_HTTP_FLOWDASH_OVERRIDES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OVERRIDES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash_json_pointer.h>


/* the overrides of a request while its body is read */

typedef struct {
    ngx_http_flowdash_method_t   method;
    ngx_pool_t                  *pool;
} ngx_http_flowdash_overrides_json_t;


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
 * Lets "json", which is going to be read from the body of a POST, look for
 * "_method"; "in_json" must live as long.
 */
void ngx_http_flowdash_overrides_json_begin(ngx_http_request_t *r,
    ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_overrides_json_t *in_json,
    ngx_http_flowdash_method_t *m);

/*
 * Adds what was found in it, once it has turned out to be good.  Returns
 * NGX_OK, or NGX_DECLINED if apps could find one where this has not looked.
 */
ngx_int_t ngx_http_flowdash_overrides_json_end(ngx_http_request_t *r,
    ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_overrides_json_t *in_json,
    ngx_http_flowdash_method_t *m);


#endif /* _NGX_HTTP_FLOWDASH_OVERRIDES_H_INCLUDED_ */
