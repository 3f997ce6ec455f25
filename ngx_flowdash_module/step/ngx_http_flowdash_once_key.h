
#ifndef _NGX_HTTP_FLOWDASH_ONCE_KEY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ONCE_KEY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_once_table.h>
#include <ngx_http_flowdash.h>


/*
 * Makes the key of a request to an action with flowdash_once, of its user and
 * "text", the value of the directive; and a digest of the request itself.
 * Both are ..._ONCE_TABLE_DIGEST hex digits.  Returns NGX_OK; NGX_DECLINED if
 * flowdash_once has no effect, because the text is empty or the user has no
 * id; NGX_ABORT if the request must be refused, with "result" ..._NO_USER, or
 * ..._MISMATCH if the text is ambiguous; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_once_key(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *text, u_char *key,
    u_char *request, ngx_http_flowdash_once_result_e *result);


#endif /* _NGX_HTTP_FLOWDASH_ONCE_KEY_H_INCLUDED_ */
