
#ifndef _NGX_HTTP_FLOWDASH_CONF_UTIL_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_UTIL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* Logs why a directive's value is wrong, and returns NGX_CONF_ERROR. */
char *ngx_http_flowdash_conf_refuse(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason);

/* Compiles a value with variables.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_conf_value(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t *value);

/* The same for a new value.  Returns NULL on error. */
ngx_http_complex_value_t *ngx_http_flowdash_conf_create_value(ngx_conf_t *cf,
    ngx_str_t *text);

/*
 * Reads a whole file and adds a zero at its end.  Returns NGX_OK, or
 * NGX_ERROR, which is logged.
 */
ngx_int_t ngx_http_flowdash_conf_read_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *content);

/*
 * The same for a secret: makes "name" a full path, drops white space around
 * the secret, and warns of a file that all users can read.
 */
ngx_int_t ngx_http_flowdash_conf_read_secret(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *content);

/* Logs what is wrong with a step as a whole, and returns NGX_CONF_ERROR. */
char *ngx_http_flowdash_conf_step_refuse(ngx_conf_t *cf, ngx_str_t *step,
    const char *reason);


#endif /* _NGX_HTTP_FLOWDASH_CONF_UTIL_H_INCLUDED_ */
