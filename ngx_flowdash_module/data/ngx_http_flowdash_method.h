
#ifndef _NGX_HTTP_FLOWDASH_METHOD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_METHOD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the longest method that can be listed, in bytes */
#define NGX_HTTP_FLOWDASH_METHOD_MAX  32


/*
 * The method of a request, and the methods by which it asks the app to
 * override it: in headers, and as "_method" in the query or in a form.
 */

typedef struct {
    ngx_array_t  *methods;     /* of ngx_str_t; NULL: all but OPTIONS */
    size_t        len;         /* of the first override; 0: there is none */
    u_char        override[NGX_HTTP_FLOWDASH_METHOD_MAX + 1];
    unsigned      listed:1;    /* one of them is in "methods" */
    unsigned      unsafe:1;    /* one is neither GET, HEAD nor OPTIONS */
    unsigned      unlisted:1;  /* one is unsafe and not in "methods"; a POST
                                  may just wait for its override */
    unsigned      differ:1;    /* two overrides are not the same */
} ngx_http_flowdash_method_t;


/* Begins with the request's own method. */
void ngx_http_flowdash_method_init(ngx_http_flowdash_method_t *m,
    ngx_array_t *methods, ngx_str_t *own);

/* Adds a header of the request, if it is an override. */
void ngx_http_flowdash_method_header(ngx_http_flowdash_method_t *m,
    ngx_str_t *name, ngx_str_t *value);

/* Adds each "_method" in a query or in a urlencoded form. */
void ngx_http_flowdash_method_pairs(ngx_http_flowdash_method_t *m,
    ngx_str_t *text);

/* Adds the value of a "_method" that is not encoded. */
void ngx_http_flowdash_method_value(ngx_http_flowdash_method_t *m,
    ngx_str_t *value);

/* Tells whether an app could take a name that is not encoded for "_method". */
ngx_uint_t ngx_http_flowdash_method_is_name(ngx_str_t *name);

/* Tells whether flowdash_methods lists a method; "methods" as above. */
ngx_uint_t ngx_http_flowdash_method_is_listed(ngx_array_t *methods,
    ngx_str_t *method);

/* Tells whether an app could take a header for an override. */
ngx_uint_t ngx_http_flowdash_method_is_header(ngx_str_t *name);


#endif /* _NGX_HTTP_FLOWDASH_METHOD_H_INCLUDED_ */
