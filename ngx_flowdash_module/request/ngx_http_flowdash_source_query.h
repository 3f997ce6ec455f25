
#ifndef _NGX_HTTP_FLOWDASH_SOURCE_QUERY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SOURCE_QUERY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Tells whether the whole JSON body is the task.  The query has other
 * arguments then, such as filters.
 */
ngx_uint_t ngx_http_flowdash_source_query_is_other(
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Judges the task's fields in the query beside those in the body: apps read
 * one or the other.  A query that is none of the task's is no source any more.
 * Returns NGX_OK, with ctx->refusal_status set if they contradict each other,
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_query_judge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_SOURCE_QUERY_H_INCLUDED_ */
