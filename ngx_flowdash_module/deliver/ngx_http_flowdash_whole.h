
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
