
#ifndef _NGX_HTTP_FLOWDASH_CONF_WARN_SECRET_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_WARN_SECRET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/*
 * Warns of a step with flowdash_call, whose values are merged, if it sends a
 * secret over http:// to another host, or does not verify an endpoint.
 */
void ngx_http_flowdash_conf_warn_secret(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);

/*
 * Warns of headers with keys, which an undo or an after-step would store until
 * it is called.  Its values are merged.
 */
void ngx_http_flowdash_conf_warn_secret_stored(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_WARN_SECRET_H_INCLUDED_ */
