
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
 * Names a directive that stands in a step without flowdash_call, where it
 * means nothing.  Returns NULL if there is none.
 */
const char *ngx_http_flowdash_conf_call_only(
    ngx_http_flowdash_loc_conf_t *conf);

/*
 * What can only be said of a step with flowdash_call when its inheritance is
 * known.  Returns NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_flowdash_conf_call_check(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_CALL_H_INCLUDED_ */
