
/*
 * Keys and ids of executions, calls and traces.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_id.h>

#include <openssl/err.h>
#include <openssl/rand.h>


#define NGX_HTTP_FLOWDASH_ID_SHA256_LEN  32
#define NGX_HTTP_FLOWDASH_ID_RANDOM      1024


static ngx_int_t ngx_http_flowdash_id_key_string(u_char *p, u_char *last,
    ngx_str_t *key, ngx_pool_t *pool);
static ngx_int_t ngx_http_flowdash_id_key_bare(u_char *p, u_char *last,
    ngx_str_t *key);
static ngx_uint_t ngx_http_flowdash_id_is_hex(u_char *p, size_t len);
static ngx_uint_t ngx_http_flowdash_id_is_zero(u_char *p, size_t len);
static void ngx_http_flowdash_id_digest_free(
    ngx_http_flowdash_id_digest_t *digest);


ngx_int_t
ngx_http_flowdash_id_key(ngx_str_t *header, ngx_str_t *key, ngx_pool_t *pool)
{
    u_char     *p, *last;
    ngx_str_t   value;

    ngx_str_null(key);

    /* nginx removes the blanks around a value in HTTP/1, not in HTTP/2 */

    value = *header;
    ngx_http_flowdash_text_trim(&value);

    if (value.len == 0) {
        return NGX_DECLINED;
    }

    p = value.data;
    last = p + value.len;

    if (*p == '"') {
        return ngx_http_flowdash_id_key_string(p + 1, last, key, pool);
    }

    return ngx_http_flowdash_id_key_bare(p, last, key);
}


/* "p" points after the opening quote */

static ngx_int_t
ngx_http_flowdash_id_key_string(u_char *p, u_char *last, ngx_str_t *key,
    ngx_pool_t *pool)
{
    u_char  *start, *dst;
    size_t   len, escapes;

    start = p;
    escapes = 0;

    while (p < last && *p != '"') {

        if (*p == '\\') {
            p++;
            escapes++;

            if (p == last || (*p != '"' && *p != '\\')) {
                return NGX_DECLINED;
            }
        }

        if (ngx_http_flowdash_text_class(*p)) {
            return NGX_DECLINED;
        }

        p++;
    }

    /* nothing may follow the closing quote */

    if (last - p != 1) {
        return NGX_DECLINED;
    }

    len = p - start - escapes;

    if (len == 0 || len > NGX_HTTP_FLOWDASH_ID_KEY_MAX) {
        return NGX_DECLINED;
    }

    if (escapes == 0) {
        key->len = len;
        key->data = start;
        return NGX_OK;
    }

    key->data = ngx_pnalloc(pool, len);
    if (key->data == NULL) {
        return NGX_ERROR;
    }

    key->len = len;

    for (dst = key->data; start < p; start++) {

        if (*start == '\\') {
            start++;
        }

        *dst++ = *start;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_id_key_bare(u_char *p, u_char *last, ngx_str_t *key)
{
    u_char  *start;

    if (last - p > NGX_HTTP_FLOWDASH_ID_KEY_MAX) {
        return NGX_DECLINED;
    }

    for (start = p; p < last; p++) {

        if (ngx_http_flowdash_text_class(*p)) {
            return NGX_DECLINED;
        }

        /* signs of a list, of parameters, of several words or of a string */

        switch (*p) {
        case ' ':
        case '"':
        case '\\':
        case ',':
        case ';':
            return NGX_DECLINED;
        }
    }

    key->len = last - start;
    key->data = start;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_id_digest_init(ngx_http_flowdash_id_digest_t *digest)
{
    digest->ctx = EVP_MD_CTX_new();

    if (digest->ctx == NULL
        || EVP_DigestInit_ex(digest->ctx, EVP_sha256(), NULL) != 1)
    {
        ERR_clear_error();
        ngx_http_flowdash_id_digest_free(digest);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_id_digest_add(ngx_http_flowdash_id_digest_t *digest,
    ngx_str_t *s)
{
    ngx_http_flowdash_slices_t  slices;

    slices.len = s->len;
    slices.elts = s;
    slices.nelts = 1;

    return ngx_http_flowdash_id_digest_add_slices(digest, &slices);
}


ngx_int_t
ngx_http_flowdash_id_digest_add_slices(ngx_http_flowdash_id_digest_t *digest,
    ngx_http_flowdash_slices_t *slices)
{
    u_char      len[8];
    uint64_t    n;
    ngx_uint_t  i;

    if (digest->ctx == NULL) {
        return NGX_ERROR;
    }

    n = slices->len;

    for (i = sizeof(len); i-- > 0; n >>= 8) {
        len[i] = (u_char) (n & 0xff);
    }

    if (EVP_DigestUpdate(digest->ctx, len, sizeof(len)) != 1) {
        goto failed;
    }

    for (i = 0; i < slices->nelts; i++) {

        if (EVP_DigestUpdate(digest->ctx, slices->elts[i].data,
                             slices->elts[i].len)
            != 1)
        {
            goto failed;
        }
    }

    return NGX_OK;

failed:

    ERR_clear_error();
    ngx_http_flowdash_id_digest_free(digest);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_flowdash_id_digest_final(ngx_http_flowdash_id_digest_t *digest,
    u_char *hex)
{
    u_char     sum[NGX_HTTP_FLOWDASH_ID_SHA256_LEN];
    ngx_int_t  rc;

    if (digest->ctx == NULL) {
        return NGX_ERROR;
    }

    if (EVP_DigestFinal_ex(digest->ctx, sum, NULL) == 1) {
        (void) ngx_hex_dump(hex, sum, sizeof(sum));
        rc = NGX_OK;

    } else {
        ERR_clear_error();
        rc = NGX_ERROR;
    }

    ngx_http_flowdash_id_digest_free(digest);

    return rc;
}


/* a digest that has failed or is complete holds no memory */

static void
ngx_http_flowdash_id_digest_free(ngx_http_flowdash_id_digest_t *digest)
{
    EVP_MD_CTX_free(digest->ctx);
    digest->ctx = NULL;
}


ngx_int_t
ngx_http_flowdash_id_step(ngx_str_t *name, u_char *hex)
{
    u_char  sum[NGX_HTTP_FLOWDASH_ID_SHA256_LEN];

    if (EVP_Digest(name->data, name->len, sum, NULL, EVP_sha256(), NULL)
        != 1)
    {
        ERR_clear_error();
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(hex, sum, NGX_HTTP_FLOWDASH_ID_STEP_LEN / 2);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_id_delivery(const char *kind, ngx_str_t *name, u_char *hex)
{
    ngx_str_t                      s;
    u_char                         sum[NGX_HTTP_FLOWDASH_ID_DIGEST_LEN];
    ngx_http_flowdash_id_digest_t  digest;

    if (ngx_http_flowdash_id_digest_init(&digest) != NGX_OK) {
        return NGX_ERROR;
    }

    s.data = (u_char *) kind;
    s.len = ngx_strlen(kind);

    ngx_http_flowdash_id_digest_add(&digest, &s);
    ngx_http_flowdash_id_digest_add(&digest, name);

    if (ngx_http_flowdash_id_digest_final(&digest, sum) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(hex, sum, NGX_HTTP_FLOWDASH_ID_STEP_LEN);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_id_trace_parse(ngx_str_t *traceparent,
    ngx_http_flowdash_id_trace_t *trace)
{
    u_char      *p;
    ngx_uint_t   known;

    /* version-trace_id-parent_id-flags */

    p = traceparent->data;

    if (traceparent->len < NGX_HTTP_FLOWDASH_ID_TRACEPARENT_LEN
        || p[2] != '-' || p[35] != '-' || p[52] != '-'
        || !ngx_http_flowdash_id_is_hex(p, 2)
        || !ngx_http_flowdash_id_is_hex(p + 3, 32)
        || !ngx_http_flowdash_id_is_hex(p + 36, 16)
        || !ngx_http_flowdash_id_is_hex(p + 53, 2))
    {
        return NGX_DECLINED;
    }

    if (ngx_strncmp(p, "ff", 2) == 0
        || ngx_http_flowdash_id_is_zero(p + 3, 32)
        || ngx_http_flowdash_id_is_zero(p + 36, 16))
    {
        return NGX_DECLINED;
    }

    known = ngx_http_flowdash_id_is_zero(p, 2);

    /* a later version may append more */

    if (traceparent->len > NGX_HTTP_FLOWDASH_ID_TRACEPARENT_LEN
        && (known || p[NGX_HTTP_FLOWDASH_ID_TRACEPARENT_LEN] != '-'))
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(trace->id, p + 3, 32);

    if (known) {
        ngx_memcpy(trace->flags, p + 53, 2);

    } else {

        /* "sampled" is the only flag whose meaning all versions share */

        trace->flags[0] = '0';
        trace->flags[1] = ngx_hextoi(p + 54, 1) & 1 ? '1' : '0';
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_id_is_hex(u_char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if ((p[i] < '0' || p[i] > '9') && (p[i] < 'a' || p[i] > 'f')) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_flowdash_id_is_zero(u_char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (p[i] != '0') {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_flowdash_id_trace_begin(ngx_http_flowdash_id_trace_t *trace)
{
    u_char  id[16];

    if (ngx_http_flowdash_id_random(id, sizeof(id)) != NGX_OK) {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(trace->id, id, sizeof(id));

    trace->flags[0] = '0';
    trace->flags[1] = '1';

    return NGX_OK;
}


u_char *
ngx_http_flowdash_id_traceparent(u_char *buf,
    ngx_http_flowdash_id_trace_t *trace)
{
    u_char  *p, parent[8];

    if (ngx_http_flowdash_id_random(parent, sizeof(parent)) != NGX_OK) {
        return NULL;
    }

    p = ngx_cpymem(buf, "00-", 3);
    p = ngx_cpymem(p, trace->id, sizeof(trace->id));
    *p++ = '-';
    p = ngx_hex_dump(p, parent, sizeof(parent));
    *p++ = '-';

    return ngx_cpymem(p, trace->flags, sizeof(trace->flags));
}


ngx_int_t
ngx_http_flowdash_id_execution(u_char *hex)
{
    u_char  id[16];

    if (ngx_http_flowdash_id_random(id, sizeof(id)) != NGX_OK) {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(hex, id, sizeof(id));

    return NGX_OK;
}


/*
 * OpenSSL calls getpid() each time, to notice a fork.  So this gets the bytes
 * for many ids at once.
 */

ngx_int_t
ngx_http_flowdash_id_random(u_char *p, size_t len)
{
    static u_char     bytes[NGX_HTTP_FLOWDASH_ID_RANDOM];
    static size_t     used = NGX_HTTP_FLOWDASH_ID_RANDOM;
    static ngx_pid_t  pid;

    if (used + len > sizeof(bytes) || pid != ngx_pid) {

        if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
            ERR_clear_error();
            return NGX_ERROR;
        }

        used = 0;
        pid = ngx_pid;
    }

    ngx_memcpy(p, bytes + used, len);
    used += len;

    return NGX_OK;
}
