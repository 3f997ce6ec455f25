
#ifndef _NGX_HTTP_FLOWDASH_CONF_REQUEST_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_REQUEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* The directives "flowdash_NAME", see docs/directives.md. */
char *ngx_http_flowdash_conf_methods(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_guard(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_types(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_strict(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_max_fields(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_REQUEST_H_INCLUDED_ */
