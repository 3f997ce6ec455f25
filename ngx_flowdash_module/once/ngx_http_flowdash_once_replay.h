
#ifndef _NGX_HTTP_FLOWDASH_ONCE_REPLAY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ONCE_REPLAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Answers a request with the response that ngx_http_flowdash_once() has found.
 * Returns NGX_DONE or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_once_replay(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_ONCE_REPLAY_H_INCLUDED_ */
