
#ifndef _NGX_HTTP_FLOWDASH_CONF_TASK_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_TASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/*
 * The directives "flowdash_task" and "flowdash_task_from"; conf_set() is both
 * "flowdash_set" and "flowdash_set_json".
 */
char *ngx_http_flowdash_conf_task(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_task_from(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Reads a pointer that may have selectors, for other directives, into an array
 * of ngx_http_flowdash_token_t, which it creates.  Returns NGX_CONF_OK or
 * NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_selectors(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *text, ngx_array_t **pointer);

/*
 * Reads the URI of a directive that fetches something from the same server.
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_from(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, ngx_http_flowdash_from_t *from);

/* The same for a JSON pointer (RFC 6901), which is decoded. */
char *ngx_http_flowdash_conf_pointer(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *text, ngx_array_t **pointer);


#endif /* _NGX_HTTP_FLOWDASH_CONF_TASK_H_INCLUDED_ */
