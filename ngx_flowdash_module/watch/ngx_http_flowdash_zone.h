
#ifndef _NGX_HTTP_FLOWDASH_ZONE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* The directive "flowdash_zone". */
char *ngx_http_flowdash_zone_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_FLOWDASH_ZONE_H_INCLUDED_ */
