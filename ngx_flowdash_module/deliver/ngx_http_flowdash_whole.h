
#ifndef _NGX_HTTP_FLOWDASH_WHOLE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_WHOLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * The record of an execution whose action has undos or after-steps, from its
 * first step to its outcome.  All functions do nothing, and return NGX_OK, for
 * other executions.
 */


/* Adds the filters that see responses, below those that are there. */
void ngx_http_flowdash_whole_init(void);

/*
 * Begins the record, before the first step.  Returns NGX_OK; NGX_DECLINED if
 * there is no room for it, which is logged: nothing may be called; or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_whole_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Records that a step is about to be called.  Returns NGX_OK; NGX_AGAIN if a
 * thread writes it: the request's phases run again when it has; NGX_DECLINED
 * if it cannot be recorded: the step must not be called; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_whole_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);

/*
 * Records how it has ended.  If that fails, neither another step with an undo
 * nor the app is called.
 */
void ngx_http_flowdash_whole_answer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);

/*
 * Records that the app is about to be called.  Returns as ..._whole_call()
 * does; NGX_DECLINED: it must not be called.
 */
ngx_int_t ngx_http_flowdash_whole_mark(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Records ctx->outcome, when the header of the response is about to be sent.
 * If a thread has to write it, the response is held back until it has.
 */
void ngx_http_flowdash_whole_outcome(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * The request ends: records the outcome if that is still to do, and gives the
 * record away as soon as it can be.
 */
void ngx_http_flowdash_whole_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_WHOLE_H_INCLUDED_ */
