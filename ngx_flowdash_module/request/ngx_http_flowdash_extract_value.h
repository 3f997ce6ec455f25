
#ifndef _NGX_HTTP_FLOWDASH_EXTRACT_VALUE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EXTRACT_VALUE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_json_select.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash.h>


/* what one of the places has at the pointer */

typedef struct {
    ngx_http_flowdash_extract_t    *extract;
    const char                     *what;      /* the place, for the log */
    ngx_str_t                       text;
    unsigned                        found:1;
    unsigned                        other:1;   /* it is not a scalar */
} ngx_http_flowdash_extract_value_t;


/* Words the place for the log.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_extract_value_what(ngx_http_request_t *r,
    ngx_http_flowdash_extract_value_t *value, const char *place);

/*
 * Creates a form of which just the value is read, or what a selector looks at.
 * Returns NULL on error.
 */
ngx_http_flowdash_form_t *ngx_http_flowdash_extract_value_create_form(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_extract_t *extract, ngx_str_t *boundary);

/*
 * Gets the value from such a form, which has been read, or refused.  Returns
 * NGX_OK, NGX_DECLINED with ctx->refusal_status set, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_extract_value_form(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_extract_value_t *value);

/*
 * Prepares "sel" to find the value in a JSON text.  "pointer" has
 * ngx_http_flowdash_token_t.
 */
void ngx_http_flowdash_extract_value_init(ngx_http_flowdash_ctx_t *ctx,
    ngx_str_t *text, ngx_array_t *pointer,
    ngx_http_flowdash_json_select_t *sel);

/* Gets what was found there.  Returns as the function for forms. */
ngx_int_t ngx_http_flowdash_extract_value_json(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_extract_value_t *value);

/*
 * Gets the text of a JSON value.  Returns NGX_OK; NGX_DECLINED with the error
 * and the rule, or 0, if some apps could read it differently; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_extract_value_scalar(ngx_http_request_t *r,
    ngx_uint_t strict, ngx_str_t *json,
    ngx_http_flowdash_extracted_t *extracted, const char **error,
    ngx_uint_t *rule);


#endif /* _NGX_HTTP_FLOWDASH_EXTRACT_VALUE_H_INCLUDED_ */
