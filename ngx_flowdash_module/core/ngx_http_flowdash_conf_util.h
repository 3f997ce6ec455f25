
#ifndef _NGX_HTTP_FLOWDASH_CONF_UTIL_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_UTIL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* where a directive is written */

typedef struct {
    ngx_str_t                       file;
    ngx_uint_t                      line;
    unsigned                        warned:1;  /* once for all that inherit */
} ngx_http_flowdash_place_t;


/* where the directives of a level are written; NULL: nowhere */

typedef struct {
    ngx_http_flowdash_place_t      *action;
    ngx_http_flowdash_place_t      *step;      /* of an action: the first */
    ngx_http_flowdash_place_t      *after;     /* the first */
    ngx_http_flowdash_place_t      *timeout;
    ngx_http_flowdash_place_t      *connect_timeout;
    ngx_http_flowdash_place_t      *retry;
    ngx_http_flowdash_place_t      *certificate;
    ngx_http_flowdash_place_t      *certificate_key;
} ngx_http_flowdash_places_t;


/* a PEM file: certificates, or a key */

typedef struct {
    ngx_str_t                       name;
    ngx_str_t                       content;
} ngx_http_flowdash_pem_t;


/* Returns the place of the directive that is being read, or NULL on error. */
ngx_http_flowdash_place_t *ngx_http_flowdash_conf_place(ngx_conf_t *cf);

/* Logs why a directive's value is wrong, and returns NGX_CONF_ERROR. */
char *ngx_http_flowdash_conf_refuse(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason);

/*
 * The same for a value that has no variables, of a list without commas: says
 * so if the value looks like one that has them.
 */
char *ngx_http_flowdash_conf_refuse_literal(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason);

/* Logs what is dangerous about a directive's value. */
void ngx_http_flowdash_conf_warn(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason);

/* Tells whether a text has what would be a variable, if it was evaluated. */
ngx_uint_t ngx_http_flowdash_conf_has_variable(ngx_str_t *text);

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
 * The same for a file with a secret, of up to 4k: makes "name" a full path,
 * and warns of a file that all users can read.
 */
ngx_int_t ngx_http_flowdash_conf_read_private(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *name, ngx_str_t *content);

/* The same, and drops white space around the secret. */
ngx_int_t ngx_http_flowdash_conf_read_secret(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *name, ngx_str_t *content);

/*
 * Warns of a file with a secret that all users can read: its directories let
 * them in, and it is not one that a container's runtime has mounted.
 */
void ngx_http_flowdash_conf_warn_readable(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name, ngx_file_info_t *fi);


#endif /* _NGX_HTTP_FLOWDASH_CONF_UTIL_H_INCLUDED_ */
