
#ifndef _NGX_HTTP_FLOWDASH_CONF_EXTRACT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_EXTRACT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* The directive "flowdash_extract". */
char *ngx_http_flowdash_conf_extract(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Inherits those of the level above whose variables are not extracted again.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_conf_extract_merge(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *prev, ngx_http_flowdash_loc_conf_t *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_EXTRACT_H_INCLUDED_ */
