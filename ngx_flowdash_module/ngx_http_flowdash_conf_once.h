
#ifndef _NGX_HTTP_FLOWDASH_CONF_ONCE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_ONCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/* The directive "flowdash_once". */
char *ngx_http_flowdash_conf_once(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Checks that what the directive needs is there, when all has been read.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_conf_once_init(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_ONCE_H_INCLUDED_ */
