
#ifndef _NGX_HTTP_FLOWDASH_EXTRACT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EXTRACT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Extracts the values of flowdash_extract from a request that has been read,
 * into ctx->extracted.  Returns NGX_OK, with ctx->refusal_status set if some
 * apps could read another value, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_extract(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Tells whether a JSON body is a batch: an array, to whose elements the
 * pointers apply, because something is extracted from the body.
 */
ngx_uint_t ngx_http_flowdash_extract_is_batch(
    ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_EXTRACT_H_INCLUDED_ */
