
#ifndef _NGX_HTTP_FLOWDASH_RENDER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RENDER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_record.h>


/*
 * Renders the call of an undo or an after-step, by the request's task as it is
 * now.  "step" is the flowdash_undo or flowdash_after; "name" is that of the
 * step that is undone, or of the after-step; "key" is the key of the step that
 * is undone, or NULL.  All is allocated from the pool, which outlives the
 * request.  Returns NGX_OK, with delivery->error set if there is no call that
 * could be made; NGX_DECLINED if its flowdash_if says that there is none; or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_render(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_step_t *step,
    ngx_str_t *name, ngx_str_t *key, ngx_pool_t *pool,
    ngx_http_flowdash_delivery_t *delivery);


#endif /* _NGX_HTTP_FLOWDASH_RENDER_H_INCLUDED_ */
