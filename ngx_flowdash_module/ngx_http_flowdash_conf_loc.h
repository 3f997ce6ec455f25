
#ifndef _NGX_HTTP_FLOWDASH_CONF_LOC_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_LOC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Returns a location's configuration in which nothing is set, or NULL if
 * memory runs out.
 */
void *ngx_http_flowdash_conf_loc_create(ngx_conf_t *cf);

/*
 * Gives a location what it inherits, or the defaults, and checks what can only
 * be judged then.  Returns NGX_CONF_OK, or NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_loc_merge(ngx_conf_t *cf, void *parent,
    void *child);


#endif /* _NGX_HTTP_FLOWDASH_CONF_LOC_H_INCLUDED_ */
