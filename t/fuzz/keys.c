
/*
 * Keys from clients and from files: an Idempotency-Key, a traceparent, a key
 * for signatures, and what is signed by it.  OpenSSL's own functions are the
 * model of base64 and HMAC.
 */


#include "fuzz.h"

#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash_sign.h>

#include <openssl/hmac.h>


/* RFC 8941: what a string is without its quotes; or the same, bare */

static ngx_int_t
model_key(ngx_pool_t *pool, ngx_str_t *header, ngx_str_t *key)
{
    u_char      c;
    size_t      i, last;
    ngx_str_t   s;

    s = *header;

    while (s.len && strchr(" \t", s.data[s.len - 1]) && s.data[s.len - 1]) {
        s.len--;
    }

    while (s.len && strchr(" \t", *s.data) && *s.data) {
        s.data++;
        s.len--;
    }

    key->data = fuzz_alloc(pool, s.len);
    key->len = 0;

    if (s.len == 0) {
        return NGX_DECLINED;
    }

    if (*s.data != '"') {

        for (i = 0; i < s.len; i++) {
            c = s.data[i];

            if (c <= ' ' || c >= 0x7f || strchr("\"\\,;", c)) {
                return NGX_DECLINED;
            }

            key->data[key->len++] = c;
        }

        return key->len <= 255 ? NGX_OK : NGX_DECLINED;
    }

    last = s.len - 1;

    for (i = 1; i < last; i++) {
        c = s.data[i];

        if (c == '"' || c < ' ' || c >= 0x7f) {
            return NGX_DECLINED;
        }

        if (c == '\\') {
            c = s.data[++i];

            if (i == last || (c != '"' && c != '\\')) {
                return NGX_DECLINED;
            }
        }

        key->data[key->len++] = c;
    }

    return last && s.data[last] == '"' && key->len && key->len <= 255
           ? NGX_OK : NGX_DECLINED;
}


static ngx_uint_t
model_hex(u_char *p, size_t len, ngx_uint_t *zero)
{
    *zero = 1;

    for ( /* void */ ; len; len--, p++) {
        if (*p == '\0' || strchr("0123456789abcdef", *p) == NULL) {
            return 0;
        }

        *zero &= (*p == '0');
    }

    return 1;
}


/* version-trace-parent-flags; a later version may have more behind it */

static ngx_int_t
model_trace(ngx_str_t *s)
{
    u_char      *p;
    ngx_uint_t   version, trace, parent, flags;

    p = s->data;

    if (s->len < 55 || p[2] != '-' || p[35] != '-' || p[52] != '-'
        || !model_hex(p, 2, &version) || !model_hex(p + 3, 32, &trace)
        || !model_hex(p + 36, 16, &parent) || !model_hex(p + 53, 2, &flags)
        || memcmp(p, "ff", 2) == 0 || trace || parent)
    {
        return NGX_DECLINED;
    }

    if (s->len > 55 && (version || p[55] != '-')) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* OpenSSL decodes only with padding, and counts it as bytes */

static ngx_int_t
model_secret(ngx_pool_t *pool, ngx_str_t *text, u_char *key, size_t *len)
{
    int      n;
    char     c;
    u_char  *padded;
    size_t   i, chars;

    if (text->len < 6 || memcmp(text->data, "whsec_", 6) != 0) {
        return NGX_DECLINED;
    }

    padded = fuzz_alloc(pool, text->len + 4);

    for (i = 6, chars = 0; i < text->len; i++) {
        c = (char) text->data[i];

        if (c == '=') {
            break;
        }

        if (!isalnum((u_char) c) && c != '+' && c != '/') {
            return NGX_DECLINED;
        }

        padded[chars++] = (u_char) c;
    }

    if (i < text->len
        && (text->len - i > 2 || (text->len - 6) % 4 || text->len - i
            != (4 - chars % 4) % 4))
    {
        return NGX_DECLINED;
    }

    for ( /* void */ ; i < text->len; i++) {
        if (text->data[i] != '=') {
            return NGX_DECLINED;
        }
    }

    *len = chars * 6 / 8;

    if (chars % 4 == 1 || chars == 0 || chars > 86 || *len < 24) {
        return NGX_DECLINED;
    }

    for (i = chars; i % 4; i++) {
        padded[i] = '=';
    }

    n = EVP_DecodeBlock(key, padded, (int) i);

    fuzz_check(n >= (int) *len, "OpenSSL decodes it");

    return NGX_OK;
}


static void
check_signature(ngx_pool_t *pool, u_char *secret, size_t len, ngx_str_t *id,
    ngx_str_t *body)
{
    u_char        mac[EVP_MAX_MD_SIZE], encoded[64], *text;
    unsigned      n;
    ngx_str_t     time, signature, wanted;
    ngx_array_t  *keys;

    ngx_http_flowdash_slices_t  slices;

    ngx_str_set(&time, "1614265330");

    fuzz_check(ngx_http_flowdash_slices_set(&slices, body, pool) == NGX_OK,
               "there is memory");

    keys = ngx_array_create(pool, 2, sizeof(ngx_http_flowdash_sign_key_t));
    fuzz_check(keys, "there is memory");

    fuzz_check(ngx_http_flowdash_sign_add(keys, secret, len, pool) == NGX_OK
               && ngx_http_flowdash_sign(keys, id, &time, &slices, &signature,
                                         pool)
                  == NGX_OK, "there is memory");

    wanted.data = fuzz_alloc(pool, id->len + body->len + 32);
    text = ngx_sprintf(wanted.data, "%V.%V.%V", id, &time, body);

    fuzz_check(HMAC(EVP_sha256(), secret, (int) len, wanted.data,
                    text - wanted.data, mac, &n), "OpenSSL signs");

    wanted.len = ngx_sprintf(wanted.data, "v1,") - wanted.data;

    fuzz_check(EVP_EncodeBlock(encoded, mac, (int) n) == 44
               && signature.len == 47
               && memcmp(signature.data, wanted.data, 3) == 0
               && memcmp(signature.data + 3, encoded, 44) == 0,
               "the signature is OpenSSL's");
}


static void
check_trace(ngx_str_t *text)
{
    u_char                        buf[55];
    ngx_int_t                     rc;
    ngx_str_t                     again;
    ngx_http_flowdash_id_trace_t  trace, other;

    memset(&trace, 'x', sizeof(trace));
    memset(&other, 'x', sizeof(other));

    rc = ngx_http_flowdash_id_trace_parse(text, &trace);

    fuzz_check(rc == model_trace(text), "a traceparent is one");

    if (rc != NGX_OK) {
        fuzz_check(memcmp(&trace, &other, sizeof(trace)) == 0,
                   "what is none leaves no trace");
        return;
    }

    fuzz_check(memcmp(trace.id, text->data + 3, 32) == 0, "the trace's id");
    fuzz_check(ngx_http_flowdash_id_traceparent(buf, &trace)
               == buf + sizeof(buf), "its length");

    again.data = buf;
    again.len = sizeof(buf);

    fuzz_check(ngx_http_flowdash_id_trace_parse(&again, &other) == NGX_OK
               && memcmp(other.id, trace.id, 32) == 0, "it is read again");
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    u_char        secret[NGX_HTTP_FLOWDASH_SIGN_KEY_MAX + 3];
    u_char        wanted[NGX_HTTP_FLOWDASH_SIGN_KEY_MAX + 3];
    size_t        len, n;
    ngx_int_t     rc;
    ngx_str_t     header, trace, text, key, model, body;
    const char   *error;
    fuzz_input_t  in;

    fuzz_begin(&in, data, size);

    header = fuzz_text(&in);
    trace = fuzz_text(&in);
    text = fuzz_text(&in);
    body = fuzz_rest(&in);

    rc = ngx_http_flowdash_id_key(&header, &key, in.pool);

    fuzz_check(rc == model_key(in.pool, &header, &model), "a key is one");
    fuzz_check(rc != NGX_OK || fuzz_is(&key, &model), "the key");

    check_trace(&trace);

    rc = ngx_http_flowdash_sign_decode(&text, secret, &len, &error);

    fuzz_check(rc == model_secret(in.pool, &text, wanted, &n), "a secret");

    if (rc == NGX_OK) {
        fuzz_check(len == n && memcmp(secret, wanted, n) == 0, "its bytes");
        check_signature(in.pool, secret, len, &header, &body);

    } else {
        fuzz_check(error && *error, "a refusal has a reason");
    }

    return fuzz_end(&in);
}
