
#ifndef _NGX_HTTP_FLOWDASH_CONF_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* The directives "flowdash_NAME", see docs/directives.md. */
char *ngx_http_flowdash_conf_action(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_user(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_set_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_accept(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_pass_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_languages(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Adds the name and the value of a directive to an array of ..._param_t, which
 * is created if it is NGX_CONF_UNSET_PTR.  Each name may be set once;
 * "caseless" ignores its case.  Returns NGX_CONF_OK, or NGX_CONF_ERROR, which
 * is logged.
 */
char *ngx_http_flowdash_conf_param(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t **params, ngx_uint_t caseless);

/*
 * Checks the name of a field.  Returns NGX_CONF_OK, or NGX_CONF_ERROR, which
 * is logged.
 */
char *ngx_http_flowdash_conf_field_name(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name);

/*
 * Slots for times and sizes that must be positive: an ngx_msec_t and a size_t
 * at cmd->offset.
 */
char *ngx_http_flowdash_conf_time(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Reads the arguments of a directive as names of fields, into an array of
 * ngx_str_t that it creates.  Returns NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_flowdash_conf_field_names(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t **fields);


#endif /* _NGX_HTTP_FLOWDASH_CONF_H_INCLUDED_ */
