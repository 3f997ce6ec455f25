
#ifndef _NGX_HTTP_FLOWDASH_CONF_TASK_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_TASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The directives "flowdash_task" and "flowdash_task_from"; conf_set() is both
 * "flowdash_set" and "flowdash_set_json".
 */
char *ngx_http_flowdash_conf_task(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_task_from(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_TASK_H_INCLUDED_ */
