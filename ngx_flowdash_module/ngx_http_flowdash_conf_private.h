
#ifndef _NGX_HTTP_FLOWDASH_CONF_PRIVATE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_PRIVATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Tells whether a location has a "return" or a "rewrite", which can answer
 * without a content handler.
 */
ngx_uint_t ngx_http_flowdash_conf_private_rewrites(ngx_conf_t *cf,
    void **loc_conf);

/* Tells whether a location has any directive of nginx's rewrite module. */
ngx_uint_t ngx_http_flowdash_conf_private_has_codes(ngx_conf_t *cf,
    void **loc_conf);

/*
 * Tells whether a location, whose values are merged, has "try_files" or
 * "dav_methods", which can do without a content handler as well.
 */
ngx_uint_t ngx_http_flowdash_conf_private_files(ngx_conf_t *cf,
    void **loc_conf);

/* Tells whether a location, whose values are merged, has "image_filter". */
ngx_uint_t ngx_http_flowdash_conf_private_image(ngx_conf_t *cf,
    void **loc_conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_PRIVATE_H_INCLUDED_ */
