
#ifndef _NGX_HTTP_FLOWDASH_WHOLE_STEP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_WHOLE_STEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


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


#endif /* _NGX_HTTP_FLOWDASH_WHOLE_STEP_H_INCLUDED_ */
