
/*
 * The MACs of a record's lines.
 *
 * OpenSSL 3 takes longer to set up an HMAC than to compute it.  So HMAC
 * (RFC 2104) is two digests, whose contexts have found SHA-256 once, and are
 * kept as they are after the key: a copy of each begins there.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record_mac.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>


#define NGX_HTTP_FLOWDASH_RECORD_MAC_BLOCK  64
#define NGX_HTTP_FLOWDASH_RECORD_MAC_SUM    32


typedef struct {
    EVP_MD_CTX  *start;                   /* of a digest */
    EVP_MD_CTX  *inner;                   /* of HMAC's two, after the key */
    EVP_MD_CTX  *outer;
    EVP_MD_CTX  *work;

    u_char       key[NGX_HTTP_FLOWDASH_RECORD_MAC_BLOCK];
} ngx_http_flowdash_record_mac_ctx_t;


static ngx_int_t ngx_http_flowdash_record_mac_hmac(ngx_str_t *key,
    ngx_str_t *before, ngx_str_t *json, u_char *sum);
static ngx_int_t ngx_http_flowdash_record_mac_init(void);
static ngx_int_t ngx_http_flowdash_record_mac_key(ngx_str_t *key);
static ngx_int_t ngx_http_flowdash_record_mac_pad(EVP_MD_CTX *ctx,
    u_char *block, u_char octet);
static ngx_int_t ngx_http_flowdash_record_mac_digest(EVP_MD_CTX *start,
    ngx_str_t *before, ngx_str_t *json, u_char *sum);


static ngx_http_flowdash_record_mac_ctx_t  ngx_http_flowdash_record_mac_ctx;


ngx_int_t
ngx_http_flowdash_record_mac(ngx_http_flowdash_record_mac_t *mac,
    ngx_str_t *json, u_char *hex)
{
    ngx_int_t  rc;
    ngx_str_t  before;

    before.len = sizeof(mac->last);
    before.data = mac->last;

    rc = ngx_http_flowdash_record_mac_init();

    if (rc == NGX_OK) {
        rc = mac->key.len
             ? ngx_http_flowdash_record_mac_hmac(&mac->key, &before, json,
                                                 mac->next)
             : ngx_http_flowdash_record_mac_digest(
                                       ngx_http_flowdash_record_mac_ctx.start,
                                       &before, json, mac->next);
    }

    if (rc != NGX_OK) {
        ERR_clear_error();
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(hex, mac->next, sizeof(mac->next));

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_mac_hmac(ngx_str_t *key, ngx_str_t *before,
    ngx_str_t *json, u_char *sum)
{
    ngx_str_t                            inner;
    ngx_http_flowdash_record_mac_ctx_t  *ctx;

    ctx = &ngx_http_flowdash_record_mac_ctx;

    inner.len = NGX_HTTP_FLOWDASH_RECORD_MAC_SUM;
    inner.data = sum;

    if (ngx_http_flowdash_record_mac_key(key) != NGX_OK
        || ngx_http_flowdash_record_mac_digest(ctx->inner, before, json, sum)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_record_mac_digest(ctx->outer, &inner, NULL, sum);
}


/* makes the contexts, with a key of zeros, if there are none */

static ngx_int_t
ngx_http_flowdash_record_mac_init(void)
{
    ngx_http_flowdash_record_mac_ctx_t  *ctx;

    ctx = &ngx_http_flowdash_record_mac_ctx;

    if (ctx->start) {
        return NGX_OK;
    }

    ctx->start = EVP_MD_CTX_new();
    ctx->inner = EVP_MD_CTX_new();
    ctx->outer = EVP_MD_CTX_new();
    ctx->work = EVP_MD_CTX_new();

    if (ctx->start == NULL || ctx->inner == NULL || ctx->outer == NULL
        || ctx->work == NULL
        || EVP_DigestInit_ex(ctx->start, EVP_sha256(), NULL) != 1
        || ngx_http_flowdash_record_mac_pad(ctx->inner, ctx->key, 0x36)
           != NGX_OK
        || ngx_http_flowdash_record_mac_pad(ctx->outer, ctx->key, 0x5c)
           != NGX_OK)
    {
        ngx_http_flowdash_record_mac_free();
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* makes them those of the key, if they are not */

static ngx_int_t
ngx_http_flowdash_record_mac_key(ngx_str_t *key)
{
    u_char                               block[
                                           NGX_HTTP_FLOWDASH_RECORD_MAC_BLOCK];
    ngx_http_flowdash_record_mac_ctx_t  *ctx;

    ctx = &ngx_http_flowdash_record_mac_ctx;

    ngx_memzero(block, sizeof(block));

    if (key->len <= sizeof(block)) {
        ngx_memcpy(block, key->data, key->len);

    } else if (ngx_http_flowdash_record_mac_digest(ctx->start, key, NULL,
                                                   block)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_memcmp(block, ctx->key, sizeof(block)) == 0) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_record_mac_pad(ctx->inner, block, 0x36) != NGX_OK
        || ngx_http_flowdash_record_mac_pad(ctx->outer, block, 0x5c) != NGX_OK)
    {
        ngx_http_flowdash_record_mac_free();
        return NGX_ERROR;
    }

    ngx_memcpy(ctx->key, block, sizeof(block));

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_mac_pad(EVP_MD_CTX *ctx, u_char *block, u_char octet)
{
    u_char      pad[NGX_HTTP_FLOWDASH_RECORD_MAC_BLOCK];
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < sizeof(pad); i++) {
        pad[i] = block[i] ^ octet;
    }

    rc = (EVP_MD_CTX_copy_ex(ctx, ngx_http_flowdash_record_mac_ctx.start) == 1
          && EVP_DigestUpdate(ctx, pad, sizeof(pad)) == 1)
         ? NGX_OK : NGX_ERROR;

    OPENSSL_cleanse(pad, sizeof(pad));

    return rc;
}


void
ngx_http_flowdash_record_mac_free(void)
{
    ngx_http_flowdash_record_mac_ctx_t  *ctx;

    ctx = &ngx_http_flowdash_record_mac_ctx;

    EVP_MD_CTX_free(ctx->start);
    EVP_MD_CTX_free(ctx->inner);
    EVP_MD_CTX_free(ctx->outer);
    EVP_MD_CTX_free(ctx->work);

    ctx->start = NULL;
    ctx->inner = NULL;
    ctx->outer = NULL;
    ctx->work = NULL;

    ngx_explicit_memzero(ctx->key, sizeof(ctx->key));
}


/* SHA-256 of what "start" has had and of the two; "json" may be NULL */

static ngx_int_t
ngx_http_flowdash_record_mac_digest(EVP_MD_CTX *start, ngx_str_t *before,
    ngx_str_t *json, u_char *sum)
{
    EVP_MD_CTX  *ctx;

    ctx = ngx_http_flowdash_record_mac_ctx.work;

    if (EVP_MD_CTX_copy_ex(ctx, start) != 1
        || EVP_DigestUpdate(ctx, before->data, before->len) != 1
        || (json && EVP_DigestUpdate(ctx, json->data, json->len) != 1)
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
