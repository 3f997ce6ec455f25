
#ifndef _NGX_HTTP_FLOWDASH_NAMED_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_NAMED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Adds the variable that error pages evaluate, before the configuration is
 * read.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_named_add(ngx_conf_t *cf);

/*
 * Changes the error pages of one location, or of a server, once its values are
 * merged.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_named_merge(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf);


#endif /* _NGX_HTTP_FLOWDASH_NAMED_H_INCLUDED_ */
