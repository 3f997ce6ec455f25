
/*
 * Signs calls as Standard Webhooks specifies.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_sign.h>

#include <openssl/err.h>


#define NGX_HTTP_FLOWDASH_SIGN_MAC_LEN   32

/* the length of the longest key in base64, without padding */
#define NGX_HTTP_FLOWDASH_SIGN_TEXT_MAX                                       \
    ((NGX_HTTP_FLOWDASH_SIGN_KEY_MAX * 8 + 5) / 6)


static void ngx_http_flowdash_sign_free(void *data);
static u_char *ngx_http_flowdash_sign_one(EVP_MD_CTX *ctx, EVP_PKEY *pkey,
    ngx_str_t *id, ngx_str_t *timestamp, ngx_http_flowdash_slices_t *body,
    u_char *p);


ngx_int_t
ngx_http_flowdash_sign_decode(ngx_str_t *text, u_char *key, size_t *len,
    const char **error)
{
    u_char     *last;
    size_t      padding;
    ngx_str_t   src, dst;

    if (text->len < 6 || ngx_strncmp(text->data, "whsec_", 6) != 0) {
        *error = "a key starts with \"whsec_\"";
        return NGX_DECLINED;
    }

    src.data = text->data + 6;
    src.len = text->len - 6;

    last = src.data + src.len;

    for (padding = 0; src.len && last[-1] == '='; padding++) {
        last--;
        src.len--;
    }

    /* nginx's decoder ignores the padding and what follows it */

    if ((padding && (padding > 2 || (src.len + padding) % 4))
        || ngx_strlchr(src.data, last, '='))
    {
        *error = "the padding of the key's base64 is wrong";
        return NGX_DECLINED;
    }

    if (src.len > NGX_HTTP_FLOWDASH_SIGN_TEXT_MAX) {
        *error = "the key has more than 64 bytes";
        return NGX_DECLINED;
    }

    dst.data = key;

    if (src.len && ngx_decode_base64(&dst, &src) != NGX_OK) {
        *error = "after \"whsec_\", a key must be in standard base64";
        return NGX_DECLINED;
    }

    if (src.len == 0 || dst.len < NGX_HTTP_FLOWDASH_SIGN_KEY_MIN) {
        *error = "the key has fewer than 24 bytes";
        return NGX_DECLINED;
    }

    *len = dst.len;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_sign_add(ngx_array_t *keys, u_char *key, size_t len,
    ngx_pool_t *pool)
{
    ngx_pool_cleanup_t            *cln;
    ngx_http_flowdash_sign_key_t  *new;

    cln = ngx_pool_cleanup_add(pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    new = ngx_array_push(keys);
    if (new == NULL) {
        return NGX_ERROR;
    }

    new->pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, key, len);

    if (new->pkey == NULL) {
        ERR_clear_error();
        return NGX_ERROR;
    }

    cln->handler = ngx_http_flowdash_sign_free;
    cln->data = new->pkey;

    return NGX_OK;
}


static void
ngx_http_flowdash_sign_free(void *data)
{
    EVP_PKEY  *pkey = data;

    EVP_PKEY_free(pkey);
}


ngx_int_t
ngx_http_flowdash_sign(ngx_array_t *keys, ngx_str_t *id, ngx_str_t *timestamp,
    ngx_http_flowdash_slices_t *body, ngx_str_t *signature, ngx_pool_t *pool)
{
    size_t                         len;
    u_char                        *p;
    EVP_MD_CTX                    *ctx;
    ngx_uint_t                     i;
    ngx_http_flowdash_sign_key_t  *key;

    ngx_str_null(signature);

    len = sizeof(" v1,") - 1
          + ngx_base64_encoded_length(NGX_HTTP_FLOWDASH_SIGN_MAC_LEN);

    signature->data = ngx_pnalloc(pool, keys->nelts * len);
    if (signature->data == NULL) {
        return NGX_ERROR;
    }

    key = keys->elts;
    p = signature->data;

    for (i = 0; i < keys->nelts; i++) {

        if (i) {
            *p++ = ' ';
        }

        ctx = EVP_MD_CTX_new();
        if (ctx == NULL) {
            ERR_clear_error();
            return NGX_ERROR;
        }

        p = ngx_http_flowdash_sign_one(ctx, key[i].pkey, id, timestamp, body,
                                       p);
        EVP_MD_CTX_free(ctx);

        if (p == NULL) {
            ERR_clear_error();
            return NGX_ERROR;
        }
    }

    signature->len = p - signature->data;

    return NGX_OK;
}


static u_char *
ngx_http_flowdash_sign_one(EVP_MD_CTX *ctx, EVP_PKEY *pkey, ngx_str_t *id,
    ngx_str_t *timestamp, ngx_http_flowdash_slices_t *body, u_char *p)
{
    u_char      buf[NGX_HTTP_FLOWDASH_SIGN_MAC_LEN];
    size_t      len;
    ngx_str_t   mac, text;
    ngx_uint_t  i;

    len = sizeof(buf);

    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) != 1
        || EVP_DigestSignUpdate(ctx, id->data, id->len) != 1
        || EVP_DigestSignUpdate(ctx, ".", 1) != 1
        || EVP_DigestSignUpdate(ctx, timestamp->data, timestamp->len) != 1
        || EVP_DigestSignUpdate(ctx, ".", 1) != 1)
    {
        return NULL;
    }

    for (i = 0; i < body->nelts; i++) {
        if (EVP_DigestSignUpdate(ctx, body->elts[i].data, body->elts[i].len)
            != 1)
        {
            return NULL;
        }
    }

    if (EVP_DigestSignFinal(ctx, buf, &len) != 1) {
        return NULL;
    }

    mac.len = len;
    mac.data = buf;

    text.data = ngx_cpymem(p, "v1,", 3);

    ngx_encode_base64(&text, &mac);

    return text.data + text.len;
}
