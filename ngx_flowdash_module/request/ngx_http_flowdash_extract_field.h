
#ifndef _NGX_HTTP_FLOWDASH_EXTRACT_FIELD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EXTRACT_FIELD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Gets a value from a field of the task, as it is now, or of the stored one.
 * Returns NGX_OK; NGX_DECLINED with the error and the rule, or 0, if some apps
 * could read another value; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_extract_field(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_extract_t *extract,
    ngx_http_flowdash_extracted_t *value, const char **error,
    ngx_uint_t *rule);

/*
 * Checks what is to be extracted from the stored task, and from the task that
 * it is now a part of.  Returns NGX_OK, NGX_DECLINED with ex->error set, or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_extract_field_check_stored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);

/*
 * Gets the value of the "n"th flowdash_extract of the location; those of body
 * and query were extracted when the request was read.  What cannot be told is
 * ambiguous.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_extract_field_get(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t n,
    ngx_http_flowdash_extracted_t *extracted);


#endif /* _NGX_HTTP_FLOWDASH_EXTRACT_FIELD_H_INCLUDED_ */
