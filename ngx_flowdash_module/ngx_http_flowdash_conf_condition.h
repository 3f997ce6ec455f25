
#ifndef _NGX_HTTP_FLOWDASH_CONF_CONDITION_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_CONDITION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* The directives "flowdash_if" and "flowdash_dry_run". */
char *ngx_http_flowdash_conf_if(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_dry_run(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Returns whether one of the variables in a value is sent by the client. */
ngx_uint_t ngx_http_flowdash_conf_condition_clients(ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_CONF_CONDITION_H_INCLUDED_ */
