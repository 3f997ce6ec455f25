
#ifndef _NGX_HTTP_FLOWDASH_ERROR_FIELDS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_FIELDS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_clean.h>


/* what is wrong with a field, or with the whole task; both are clean text */

typedef struct {
    ngx_str_t    name;         /* or empty */
    ngx_str_t    message;
    unsigned     pointer:1;    /* the name is a pointer, such as "#/due" */
} ngx_http_flowdash_error_field_t;


/*
 * Finds the errors in an endpoint's "errors", a valid JSON value: an array of
 * strings or of objects, or an object with an array of strings for each field.
 * "fields" becomes an array of at most 64, or NULL if there are none.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_error_fields(ngx_pool_t *pool, ngx_str_t *errors,
    ngx_array_t **fields);

/* Adds the errors to a line: "name: message; name: message". */
void ngx_http_flowdash_error_fields_add(ngx_http_flowdash_clean_t *line,
    ngx_array_t *fields);

/*
 * Makes a JSON array of the errors: objects with "field" or "pointer", and
 * "message".  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_error_fields_json(ngx_pool_t *pool,
    ngx_array_t *fields, ngx_str_t *json);


#endif /* _NGX_HTTP_FLOWDASH_ERROR_FIELDS_H_INCLUDED_ */
