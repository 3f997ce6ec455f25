
#ifndef _NGX_HTTP_FLOWDASH_CONF_SIGN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_SIGN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The directive "flowdash_sign_key": sets an ngx_array_t * at cmd->offset, to
 * NULL for "off".
 */
char *ngx_http_flowdash_conf_sign(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_SIGN_H_INCLUDED_ */
