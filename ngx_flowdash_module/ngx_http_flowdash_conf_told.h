
#ifndef _NGX_HTTP_FLOWDASH_CONF_TOLD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_TOLD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/* The directives flowdash_pass_field and flowdash_hide_field. */
char *ngx_http_flowdash_conf_pass_field(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_hide_field(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Adds the hidden fields of the level above, unless there is "none".  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_conf_told_merge(ngx_http_flowdash_loc_conf_t *prev,
    ngx_http_flowdash_loc_conf_t *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_TOLD_H_INCLUDED_ */
