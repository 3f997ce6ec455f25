
#ifndef _NGX_HTTP_FLOWDASH_WHOLE_BEGIN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_WHOLE_BEGIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Begins the record, before the first step.  Returns NGX_OK; NGX_DECLINED if
 * there is no room for it, which is logged: nothing may be called; or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_whole_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Returns the room that must be left when the app is called, octets; each
 * after-step is told so many of the task.
 */
size_t ngx_http_flowdash_whole_end_size(ngx_http_flowdash_ctx_t *ctx,
    size_t told);

/* Copies a string to a pool.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_whole_copy(ngx_pool_t *pool, ngx_str_t *dst,
    ngx_str_t *src);


#endif /* _NGX_HTTP_FLOWDASH_WHOLE_BEGIN_H_INCLUDED_ */
