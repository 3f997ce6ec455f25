
#ifndef _NGX_HTTP_FLOWDASH_SOURCE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SOURCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash.h>


/*
 * Starts to read the request's task; starts again when an internal redirect
 * leads to another action.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_create(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Merges the fields of the stored task, the body and the query into ctx->task;
 * later ones override earlier ones.  Returns NGX_OK, with ctx->refusal_status
 * set if they contradict each other, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_merge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Gives a field of the task the value of "new".  Returns NGX_OK, NGX_DECLINED
 * with "error" set if the request's form cannot carry it, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_set(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new, const char **error);

/*
 * Tells whether the request can carry the value of "new".  Returns as
 * ngx_http_flowdash_source_set(), or NGX_DONE if the value stays the same.
 */
ngx_int_t ngx_http_flowdash_source_check(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new, const char **error);

/*
 * Sets the fields of flowdash_set and flowdash_set_json.  Returns as
 * ngx_http_flowdash_source_set().
 */
ngx_int_t ngx_http_flowdash_source_preset(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char **error);

/*
 * Records why the task cannot be read, and the status for the client.  Returns
 * NGX_OK.
 */
ngx_int_t ngx_http_flowdash_source_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, const char *error);

/*
 * The same for a rule of flowdash_strict, which is added to the error.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_refuse_rule(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, ngx_uint_t rule,
    const char *error);


#endif /* _NGX_HTTP_FLOWDASH_SOURCE_H_INCLUDED_ */
