
#ifndef _NGX_HTTP_FLOWDASH_VALUE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_VALUE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Evaluates a value of a flowdash_ directive against the client's request.
 * Control characters in the module's own variables are escaped as in JSON, so
 * that they make no header or line of the log.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_value(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_http_flowdash_value_t *value);

/* The same with the control characters as they are, for JSON to escape. */
ngx_int_t ngx_http_flowdash_value_raw(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_http_flowdash_value_t *value);

/*
 * Tells whether a value is neither empty nor "0".  Returns NGX_OK,
 * NGX_DECLINED if it is, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_value_test(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_http_flowdash_value_t *value);

/*
 * Values of the variables for another view of the request: none, but for
 * those that were set by directives, and the id.  Returns NULL on error.
 */
ngx_http_variable_value_t *ngx_http_flowdash_value_copy_variables(
    ngx_http_request_t *r);


#endif /* _NGX_HTTP_FLOWDASH_VALUE_H_INCLUDED_ */
