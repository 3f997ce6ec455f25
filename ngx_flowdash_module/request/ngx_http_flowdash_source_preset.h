
#ifndef _NGX_HTTP_FLOWDASH_SOURCE_PRESET_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SOURCE_PRESET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Sets the fields of flowdash_set and flowdash_set_json.  Returns NGX_OK,
 * NGX_DECLINED with "error" and perhaps ctx->refusal_status set, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_preset(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char **error);


#endif /* _NGX_HTTP_FLOWDASH_SOURCE_PRESET_H_INCLUDED_ */
