
#ifndef _NGX_HTTP_FLOWDASH_CONF_CALL_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_CALL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/*
 * The directives "flowdash_call", "flowdash_retry" and
 * "flowdash_http_version".
 */
char *ngx_http_flowdash_conf_call(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_retry(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_http_version(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Checks a step with flowdash_call whose inherited values are known.  Returns
 * NGX_CONF_OK, or NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_call_check(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_CALL_H_INCLUDED_ */
