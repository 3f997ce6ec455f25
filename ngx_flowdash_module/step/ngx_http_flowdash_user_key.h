
#ifndef _NGX_HTTP_FLOWDASH_USER_KEY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_USER_KEY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Returns the key under which the answer about the user is kept: a digest of
 * all that the answer may depend on, ..._ID_DIGEST_LEN hex digits in the
 * request's pool.  Returns NULL on error.
 */
u_char *ngx_http_flowdash_user_key(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *uri, ngx_str_t *args);


#endif /* _NGX_HTTP_FLOWDASH_USER_KEY_H_INCLUDED_ */
