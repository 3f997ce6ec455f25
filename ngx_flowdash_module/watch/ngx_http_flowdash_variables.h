
#ifndef _NGX_HTTP_FLOWDASH_VARIABLES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_VARIABLES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* Adds the module's variables.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_variables_add(ngx_conf_t *cf);

/*
 * Finds one of these variables by its name, the prefixes among them by the
 * name of any variable that begins with it.  Returns NULL if there is none.
 */
ngx_http_variable_t *ngx_http_flowdash_variables_find(ngx_str_t *name);

/*
 * Finds the field of $flowdash_task_NAME, and notes in the evaluation what is
 * to be known of it.  "name" is the last part of the variable's name.  Returns
 * the field, perhaps in "room", or NULL if there is none.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_variables_field(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_str_t *name,
    ngx_http_flowdash_field_t *room);

/* The same for $flowdash_stored_NAME. */
ngx_http_flowdash_field_t *ngx_http_flowdash_variables_stored(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_str_t *name,
    ngx_http_flowdash_field_t *room);

/*
 * Gives a variable its value.  One from outside may have control characters,
 * of which proxy_set_header and add_header would make further headers.  Such a
 * value is escaped as in JSON.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_variable_set(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_variable_value_t *v, ngx_str_t *s);

/*
 * Notes that a variable could not be evaluated, so that no directive takes it
 * for an empty one.  Returns NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_variable_failed(ngx_http_flowdash_ctx_t *ctx);

/* Logs that a variable is read before its value can be known: "what" is. */
void ngx_http_flowdash_variables_too_early(ngx_http_request_t *r,
    ngx_str_t *name, const char *what);


#endif /* _NGX_HTTP_FLOWDASH_VARIABLES_H_INCLUDED_ */
