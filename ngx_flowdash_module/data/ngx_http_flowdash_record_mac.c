
/*
 * The MACs of a record's lines.
 *
 * An execution has about ten lines, and OpenSSL 3 takes longer to set up an
 * HMAC than to compute it.  So one context, which has found SHA-256 once, is
 * used for all, and HMAC (RFC 2104) is two digests of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record_mac.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>


#define NGX_HTTP_FLOWDASH_RECORD_MAC_BLOCK  64
#define NGX_HTTP_FLOWDASH_RECORD_MAC_SUM    32


static ngx_int_t ngx_http_flowdash_record_mac_hmac(ngx_str_t *key,
    ngx_str_t *before, ngx_str_t *json, u_char *sum);
static ngx_int_t ngx_http_flowdash_record_mac_digest(ngx_str_t *pad,
    ngx_str_t *before, ngx_str_t *json, u_char *sum);


static EVP_MD_CTX  *ngx_http_flowdash_record_mac_ctx;


ngx_int_t
ngx_http_flowdash_record_mac(ngx_http_flowdash_record_mac_t *mac,
    ngx_str_t *json, u_char *hex)
{
    u_char     sum[NGX_HTTP_FLOWDASH_RECORD_MAC_SUM];
    ngx_int_t  rc;
    ngx_str_t  before;

    before.len = sizeof(mac->last);
    before.data = mac->last;

    rc = mac->key.len
         ? ngx_http_flowdash_record_mac_hmac(&mac->key, &before, json, sum)
         : ngx_http_flowdash_record_mac_digest(NULL, &before, json, sum);

    if (rc != NGX_OK) {
        ERR_clear_error();
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(hex, sum, sizeof(sum));

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_mac_hmac(ngx_str_t *key, ngx_str_t *before,
    ngx_str_t *json, u_char *sum)
{
    u_char      block[NGX_HTTP_FLOWDASH_RECORD_MAC_BLOCK];
    ngx_int_t   rc;
    ngx_str_t   pad, inner, none;
    ngx_uint_t  i;

    ngx_str_null(&none);
    ngx_memzero(block, sizeof(block));

    if (key->len <= sizeof(block)) {
        ngx_memcpy(block, key->data, key->len);

    } else if (ngx_http_flowdash_record_mac_digest(NULL, key, &none, block)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    pad.len = sizeof(block);
    pad.data = block;

    for (i = 0; i < sizeof(block); i++) {
        block[i] ^= 0x36;
    }

    rc = ngx_http_flowdash_record_mac_digest(&pad, before, json, sum);

    if (rc == NGX_OK) {

        for (i = 0; i < sizeof(block); i++) {
            block[i] ^= 0x36 ^ 0x5c;
        }

        inner.len = NGX_HTTP_FLOWDASH_RECORD_MAC_SUM;
        inner.data = sum;

        rc = ngx_http_flowdash_record_mac_digest(&pad, &inner, &none, sum);
    }

    OPENSSL_cleanse(block, sizeof(block));

    return rc;
}


/* SHA-256 of the three; "pad" may be NULL */

static ngx_int_t
ngx_http_flowdash_record_mac_digest(ngx_str_t *pad, ngx_str_t *before,
    ngx_str_t *json, u_char *sum)
{
    EVP_MD_CTX    *ctx;
    const EVP_MD  *md;

    md = NULL;
    ctx = ngx_http_flowdash_record_mac_ctx;

    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
        if (ctx == NULL) {
            return NGX_ERROR;
        }

        md = EVP_sha256();
    }

    /* without a digest, the one that it has */

    if (EVP_DigestInit_ex(ctx, md, NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        ngx_http_flowdash_record_mac_ctx = NULL;
        return NGX_ERROR;
    }

    ngx_http_flowdash_record_mac_ctx = ctx;

    if ((pad && EVP_DigestUpdate(ctx, pad->data, pad->len) != 1)
        || EVP_DigestUpdate(ctx, before->data, before->len) != 1
        || EVP_DigestUpdate(ctx, json->data, json->len) != 1
        || EVP_DigestFinal_ex(ctx, sum, NULL) != 1)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_record_mac_check(ngx_http_flowdash_record_mac_t *mac,
    ngx_str_t *json, u_char *hex)
{
    u_char  wanted[NGX_HTTP_FLOWDASH_RECORD_MAC_LEN];

    if (ngx_http_flowdash_record_mac(mac, json, wanted) != NGX_OK) {
        return NGX_ERROR;
    }

    return (CRYPTO_memcmp(wanted, hex, sizeof(wanted)) == 0) ? NGX_OK
                                                             : NGX_DECLINED;
}
