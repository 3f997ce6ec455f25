
#ifndef _NGX_HTTP_FLOWDASH_TEMPLATE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TEMPLATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what a part of a template is, and how its value is written there */

typedef enum {
    NGX_HTTP_FLOWDASH_TEMPLATE_TEXT = 0,  /* no variable: sent as it is */
    NGX_HTTP_FLOWDASH_TEMPLATE_JSON,      /* a complete JSON value */
    NGX_HTTP_FLOWDASH_TEMPLATE_STRING,    /* in a JSON string */
    NGX_HTTP_FLOWDASH_TEMPLATE_FORM       /* in the value of a form's pair */
} ngx_http_flowdash_template_place_e;


typedef struct {
    ngx_str_t                            text;   /* a variable with its "$" */
    ngx_http_flowdash_template_place_e   place;
} ngx_http_flowdash_template_part_t;


/* why a template is refused */

typedef struct {
    const char                          *reason;
    ngx_str_t                            near;     /* what is there */
} ngx_http_flowdash_template_error_t;


/*
 * Splits a template into text and variables, and checks that the result is
 * JSON whatever the values are: $flowdash_json_NAME stands outside of strings,
 * any other variable in a string, and none in the name of a member.  A line
 * break or a tab in a string is written as an escape.  "parts" is initialized
 * as an array of ngx_http_flowdash_template_part_t.  Returns NGX_OK;
 * NGX_DECLINED with "error" set; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_template_json(ngx_str_t *text, ngx_array_t *parts,
    ngx_http_flowdash_template_error_t *error, ngx_pool_t *pool);

/*
 * The same for application/x-www-form-urlencoded: a variable stands in the
 * value of a pair, and the text is encoded already.
 */
ngx_int_t ngx_http_flowdash_template_form(ngx_str_t *text, ngx_array_t *parts,
    ngx_http_flowdash_template_error_t *error, ngx_pool_t *pool);

/*
 * Writes a value as it has to be in its place.  If "dst" is NULL, it writes
 * nothing.  Returns the length.
 */
size_t ngx_http_flowdash_template_write(u_char *dst,
    ngx_http_flowdash_template_place_e place, ngx_str_t *value);


#endif /* _NGX_HTTP_FLOWDASH_TEMPLATE_H_INCLUDED_ */
