
#ifndef _NGX_HTTP_FLOWDASH_CONF_SECRET_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_SECRET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* The directive "flowdash_secret". */
char *ngx_http_flowdash_conf_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_SECRET_H_INCLUDED_ */
