
#ifndef _NGX_HTTP_FLOWDASH_VALUE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_VALUE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Evaluates a value of a flowdash_ directive against the client's request.
 * Control characters in the module's own variables are escaped as in JSON, so
 * that they cannot add a header or a line of the log.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_value(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_http_flowdash_value_t *value);

/* The same without escaping, for a text that will be escaped as JSON. */
ngx_int_t ngx_http_flowdash_value_raw(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_http_flowdash_value_t *value);

/*
 * The same two for what is sent to the endpoint of a step, whose configuration
 * is "conf": in its variables, the task lacks the fields that the step is not
 * told.
 */
ngx_int_t ngx_http_flowdash_value_sent(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value);
ngx_int_t ngx_http_flowdash_value_sent_raw(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value);

/*
 * The same as ngx_http_flowdash_value_sent() for a header or the URL of such a
 * call, and for nothing else: the variables of flowdash_secret have their
 * values, or "***" in a dry run.  If value->secret is set then, the text must
 * not be shown.
 */
ngx_int_t ngx_http_flowdash_value_secret(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value);

/* The same as ngx_http_flowdash_value_sent_raw(), for the body of a call. */
ngx_int_t ngx_http_flowdash_value_secret_raw(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value);

/*
 * Evaluates a condition.  Returns NGX_OK if it is neither empty nor "0",
 * NGX_DECLINED if it is, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_value_test(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_http_flowdash_value_t *value);

/*
 * Evaluates the variable of an index in r->variables, which must not have a
 * value yet, as a part of "ev".  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_value_evaluate_variable(ngx_http_request_t *r,
    ngx_uint_t index, ngx_http_flowdash_evaluation_t *ev);

/*
 * Creates the values of variables for a subrequest or a second evaluation.
 * All are still to be evaluated, except $request_id and those that directives
 * have set.  Returns NULL on error.
 */
ngx_http_variable_value_t *ngx_http_flowdash_value_copy_variables(
    ngx_http_request_t *r);

#if (NGX_PCRE)

/*
 * Copies the captures of a request, so that an expression that is matched
 * later leaves them; NULL if it has none.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_value_copy_captures(ngx_http_request_t *r,
    int **copy);

#endif


#endif /* _NGX_HTTP_FLOWDASH_VALUE_H_INCLUDED_ */
