
#ifndef _NGX_HTTP_FLOWDASH_BATCH_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_BATCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* Tells whether the request that has been read is a batch. */
ngx_uint_t ngx_http_flowdash_batch_is_here(ngx_http_flowdash_ctx_t *ctx);

/*
 * Judges a batch, whose elements are bodies of their own.  Returns NGX_OK if
 * none of them is an action; NGX_DECLINED with ctx->refusal_status set, and
 * with the name of the action in ctx->action if it is known; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_batch(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_BATCH_H_INCLUDED_ */
