
#ifndef _NGX_HTTP_FLOWDASH_CONF_BODY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* The directives flowdash_set_body and flowdash_set_from_answer. */
char *ngx_http_flowdash_conf_set_body(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_set_from_answer(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_BODY_H_INCLUDED_ */
