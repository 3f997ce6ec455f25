
#ifndef _NGX_HTTP_FLOWDASH_CONF_WHOLE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_WHOLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/* The directives "flowdash_undo" and "flowdash_after". */
char *ngx_http_flowdash_conf_undo(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_after(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Checks that the headers of an undo, an after-step, or a step with an undo
 * leave the module the ones by which endpoints know them.  Its values are
 * merged.  Returns NGX_CONF_OK, or NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_whole_headers(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);

/*
 * Adds an action, whose values are merged, to those of the main configuration,
 * and notes where it is configured if it has undos or after-steps.  Returns
 * NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_flowdash_conf_whole_action(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_WHOLE_H_INCLUDED_ */
