
#ifndef _NGX_HTTP_FLOWDASH_SIGN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SIGN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_slices.h>

#include <openssl/evp.h>


#define NGX_HTTP_FLOWDASH_SIGN_KEY_MIN  24
#define NGX_HTTP_FLOWDASH_SIGN_KEY_MAX  64


typedef struct {
    EVP_PKEY      *pkey;
} ngx_http_flowdash_sign_key_t;


/*
 * Decodes a key, written as "whsec_" and base64, into at most ..._KEY_MAX
 * bytes at "key".  Returns NGX_OK, or NGX_DECLINED with "error" set, which
 * does not show the key.
 */
ngx_int_t ngx_http_flowdash_sign_decode(ngx_str_t *text, u_char *key,
    size_t *len, const char **error);

/*
 * Adds a decoded key to the keys (ngx_http_flowdash_sign_key_t).  It lives as
 * long as the pool.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_sign_add(ngx_array_t *keys, u_char *key,
    size_t len, ngx_pool_t *pool);

/*
 * Signs a call: sets "signature" to the value of the header webhook-signature,
 * which has one signature for each key.  The id must not contain a ".".
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_sign(ngx_array_t *keys, ngx_str_t *id,
    ngx_str_t *timestamp, ngx_http_flowdash_slices_t *body,
    ngx_str_t *signature, ngx_pool_t *pool);


#endif /* _NGX_HTTP_FLOWDASH_SIGN_H_INCLUDED_ */
