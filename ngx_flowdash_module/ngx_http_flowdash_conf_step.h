
#ifndef _NGX_HTTP_FLOWDASH_CONF_STEP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_STEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/* The directives "flowdash_step" and "flowdash_optional". */
char *ngx_http_flowdash_conf_step(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_optional(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Checks a location or step whose values are merged: whether the action and
 * its steps fit together.  Returns NGX_CONF_OK, or NGX_CONF_ERROR, which is
 * logged.
 */
char *ngx_http_flowdash_conf_step_merged(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_STEP_H_INCLUDED_ */
