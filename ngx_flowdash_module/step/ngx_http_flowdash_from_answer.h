
#ifndef _NGX_HTTP_FLOWDASH_FROM_ANSWER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FROM_ANSWER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Adds the fields that flowdash_set_from_answer finds in a step's answer to
 * those of "answer"; these are forced.  A pointer that leads nowhere adds
 * nothing.  Returns NGX_OK, NGX_DECLINED with ex->error set
 * if a field is required, or the answer invalid; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_from_answer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_task_t *answer);

/*
 * The same for an answer that is not JSON: it "has" or "is" something, for the
 * log.  Returns NGX_OK, or NGX_DECLINED with ex->error set if a field is
 * required.
 */
ngx_int_t ngx_http_flowdash_from_answer_without(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, const char *what);


#endif /* _NGX_HTTP_FLOWDASH_FROM_ANSWER_H_INCLUDED_ */
