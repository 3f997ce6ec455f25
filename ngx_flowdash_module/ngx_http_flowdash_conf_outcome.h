
#ifndef _NGX_HTTP_FLOWDASH_CONF_OUTCOME_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_OUTCOME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_settings.h>


/* The directives "flowdash_success" and "flowdash_outcome". */
char *ngx_http_flowdash_conf_success(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_outcome(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Inherits both: the one that is written nearer decides. */
void ngx_http_flowdash_conf_outcome_merge(ngx_http_flowdash_loc_conf_t *prev,
    ngx_http_flowdash_loc_conf_t *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_OUTCOME_H_INCLUDED_ */
