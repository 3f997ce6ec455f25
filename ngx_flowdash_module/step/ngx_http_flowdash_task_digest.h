
#ifndef _NGX_HTTP_FLOWDASH_TASK_DIGEST_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TASK_DIGEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* Adds $flowdash_task_digest.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_task_digest_add(ngx_conf_t *cf);

/*
 * Makes ctx->task_digest, unless it is there: the SHA-256 of the task as the
 * client has sent it, in hex.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_task_digest(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Makes slices of the task as the client has sent it, without the fields that
 * a step hides, in the request's pool.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_task_digest_slices(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_slices_t *task);


#endif /* _NGX_HTTP_FLOWDASH_TASK_DIGEST_H_INCLUDED_ */
