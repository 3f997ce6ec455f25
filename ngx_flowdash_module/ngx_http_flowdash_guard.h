
#ifndef _NGX_HTTP_FLOWDASH_GUARD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_GUARD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Judges a main request that is no action; ctx is its execution, or NULL.
 * Returns NGX_DECLINED to let it continue.  Otherwise it is refused: returns
 * what the phase handler returns then, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_guard(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_GUARD_H_INCLUDED_ */
