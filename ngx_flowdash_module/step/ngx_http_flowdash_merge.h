
#ifndef _NGX_HTTP_FLOWDASH_MERGE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MERGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash.h>


/*
 * Fails an exchange because its answer is not the JSON that it should be.
 * Returns as ngx_http_flowdash_exchange_fail_text().
 */
ngx_int_t ngx_http_flowdash_merge_invalid(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_json_verdict_e verdict);

/*
 * Merges the fields of a good answer into the task.  Returns NGX_OK,
 * NGX_DECLINED with ex->error set if the answer is invalid, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_merge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);


#endif /* _NGX_HTTP_FLOWDASH_MERGE_H_INCLUDED_ */
