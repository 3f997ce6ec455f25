
#ifndef _NGX_HTTP_FLOWDASH_CONF_CONDITION_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_CONDITION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* The directives "flowdash_if" and "flowdash_dry_run". */
char *ngx_http_flowdash_conf_if(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_dry_run(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_CONDITION_H_INCLUDED_ */
