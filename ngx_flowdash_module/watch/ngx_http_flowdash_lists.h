
#ifndef _NGX_HTTP_FLOWDASH_LISTS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_LISTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * The values of the variables that list the steps which were run or skipped.
 * Each leaves "s" empty if there was no step, and returns NGX_OK or NGX_ERROR.
 */

/* $flowdash_step_name */
ngx_int_t ngx_http_flowdash_lists_names(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);

/*
 * $flowdash_skipped: the steps whose failure was tolerated.  As an app gets it
 * in a header, names are percent-encoded but for what is safe there, and
 * separated as a list of RFC 9110, 5.6.1.
 */
ngx_int_t ngx_http_flowdash_lists_skipped(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);

/* $flowdash_ignored: only of steps whose answers were ignored */
ngx_int_t ngx_http_flowdash_lists_ignored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);

/* $flowdash_step_status */
ngx_int_t ngx_http_flowdash_lists_statuses(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);

/* $flowdash_step_error */
ngx_int_t ngx_http_flowdash_lists_errors(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);

/* $flowdash_step_time */
ngx_int_t ngx_http_flowdash_lists_times(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s);


#endif /* _NGX_HTTP_FLOWDASH_LISTS_H_INCLUDED_ */
