
/*
 * Signatures without nginx: keys that are taken and such that are refused,
 * random and damaged ones, signatures against another implementation, and an
 * OpenSSL that fails.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tap.h"


static ngx_int_t  test_pkeys;           /* that are not freed */


static EVP_PKEY *
test_new_key(int type, ENGINE *engine, const unsigned char *key, size_t len)
{
    if (test_openssl_fails()) {
        return NULL;
    }

    test_pkeys++;

    return EVP_PKEY_new_raw_private_key(type, engine, key, len);
}


static void
test_free_key(EVP_PKEY *pkey)
{
    test_pkeys -= (pkey != NULL);
    EVP_PKEY_free(pkey);
}


static int
test_init(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pctx, const EVP_MD *type,
    ENGINE *engine, EVP_PKEY *pkey)
{
    return test_openssl_fails() ? 0 : EVP_DigestSignInit(ctx, pctx, type,
                                                         engine, pkey);
}


static int
test_update(EVP_MD_CTX *ctx, const void *data, size_t len)
{
    return test_openssl_fails() ? 0 : EVP_DigestSignUpdate(ctx, data, len);
}


static int
test_final(EVP_MD_CTX *ctx, unsigned char *mac, size_t *len)
{
    return test_openssl_fails() ? 0 : EVP_DigestSignFinal(ctx, mac, len);
}


#undef  EVP_DigestSignUpdate            /* a macro in OpenSSL 1.1.1 */
#define EVP_MD_CTX_new                test_context_new
#define EVP_MD_CTX_free               test_context_free
#define EVP_PKEY_new_raw_private_key  test_new_key
#define EVP_PKEY_free                 test_free_key
#define EVP_DigestSignInit            test_init
#define EVP_DigestSignUpdate          test_update
#define EVP_DigestSignFinal           test_final
#define ngx_pnalloc                   test_pnalloc
#define ngx_pool_cleanup_add          test_cleanup_add
#include "ngx_http_flowdash_slices.c"
#include "ngx_http_flowdash_sign.c"
#undef EVP_MD_CTX_new
#undef EVP_MD_CTX_free
#undef EVP_PKEY_new_raw_private_key
#undef EVP_PKEY_free
#undef EVP_DigestSignInit
#undef EVP_DigestSignUpdate
#undef EVP_DigestSignFinal
#undef ngx_pnalloc
#undef ngx_pool_cleanup_add


/* bytes 0, 1, 2 ... in base64 */

#define K23  "AAECAwQFBgcICQoLDA0ODxAREhMUFRY"
#define K24  K23 "X"
#define K63  K24 "GBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+"
#define K64  K63 "Pw"

#define K    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

#define WRONG_START    "a key starts with \"whsec_\""
#define WRONG_PADDING  "the padding of the key's base64 is wrong"
#define WRONG_BASE64   "after \"whsec_\", a key must be in standard base64"
#define TOO_SHORT      "the key has fewer than 24 bytes"
#define TOO_LONG       "the key has more than 64 bytes"

#define VECTOR       "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define VECTOR_K64   "v1,LZ5zuwHTqQH3VM8ERUusjzVQq1FXzemvpR8Mk7Ivp5c="
#define VECTOR_VOID  "v1,T3z5rJ4LptMRbnlmZGMmf7ECMSX0oVoTywKv/Pde5/c="


typedef struct {
    const char  *text;
    size_t       len;          /* of the key, if it is one */
    const char  *error;
} test_case_t;


static test_case_t  cases[] = {
    { "whsec_" K, 24, NULL },
    { "whsec_" K24, 24, NULL },
    { "whsec_" K24 "GA==", 25, NULL },
    { "whsec_" K24 "GA", 25, NULL },
    { "whsec_" K24 "GBk=", 26, NULL },
    { "whsec_" K24 "GBk", 26, NULL },
    { "whsec_" K24 "GBka", 27, NULL },
    { "whsec_" K63, 63, NULL },
    { "whsec_" K64, 64, NULL },
    { "whsec_" K64 "==", 64, NULL },
    { "whsec_++++////++++////++++////++++////", 24, NULL },

    { "", 0, WRONG_START },
    { "w", 0, WRONG_START },
    { "whsec", 0, WRONG_START },
    { K, 0, WRONG_START },
    { "WHSEC_" K, 0, WRONG_START },
    { " whsec_" K, 0, WRONG_START },
    { "whsk_" K, 0, WRONG_START },
    { "$key", 0, WRONG_START },

    { "whsec_", 0, TOO_SHORT },
    { "whsec_AA", 0, TOO_SHORT },
    { "whsec_" K23, 0, TOO_SHORT },
    { "whsec_" K23 "=", 0, TOO_SHORT },
    { "whsec_" K64 "==" K, 0, WRONG_PADDING },
    { "whsec_" K63 "P0A=", 0, TOO_LONG },
    { "whsec_" K63 "P0A", 0, TOO_LONG },
    { "whsec_" K63 "P0BB", 0, TOO_LONG },
    { "whsec_" K64 K64 K64, 0, TOO_LONG },

    { "whsec_=", 0, WRONG_PADDING },
    { "whsec_====", 0, WRONG_PADDING },
    { "whsec_" K24 "=", 0, WRONG_PADDING },
    { "whsec_" K24 "==", 0, WRONG_PADDING },
    { "whsec_" K24 "====", 0, WRONG_PADDING },
    { "whsec_" K24 "G===", 0, WRONG_PADDING },
    { "whsec_" K24 "GA=", 0, WRONG_PADDING },
    { "whsec_" K24 "GBk==", 0, WRONG_PADDING },
    { "whsec_" K24 "GA==GA==", 0, WRONG_PADDING },
    { "whsec_" K24 "=GBk", 0, WRONG_PADDING },
    { "whsec_=" K24, 0, WRONG_PADDING },

    { "whsec_" K24 "G", 0, WRONG_BASE64 },
    { "whsec_----____----____----____----____", 0, WRONG_BASE64 },
    { "whsec_" K " ", 0, WRONG_BASE64 },
    { "whsec_ " K, 0, WRONG_BASE64 },
    { "whsec_" K "\n", 0, WRONG_BASE64 },
    { "whsec_" K " whsec_" K, 0, WRONG_BASE64 },
    { "whsec_" K24 ".BkA", 0, WRONG_BASE64 },
    { "whsec_" K24 "GBk\xc3", 0, WRONG_BASE64 },
};


/* eight bytes of the text are in the message: fewer may be so by chance */

static ngx_uint_t
shows(const char *said, ngx_str_t *text)
{
    size_t  i;

    for (i = 6; i + 8 <= text->len; i++) {
        if (memmem(said, strlen(said), text->data + i, 8)) {
            return 1;
        }
    }

    return 0;
}


static void
test_decode(test_case_t *t)
{
    size_t       i, len;
    u_char      *key;
    ngx_int_t    rc;
    ngx_str_t    text;
    ngx_uint_t   good;
    const char  *error;

    text = exactly(t->text, ngx_strlen(t->text));
    key = malloc(NGX_HTTP_FLOWDASH_SIGN_KEY_MAX);
    error = NULL;

    rc = ngx_http_flowdash_sign_decode(&text, key, &len, &error);

    if (t->error) {
        good = (rc == NGX_DECLINED && error && strcmp(error, t->error) == 0);

    } else {
        good = (rc == NGX_OK && len == t->len);

        if (good && strstr(t->text, K24)) {
            for (i = 0; i < len; i++) {
                good &= (key[i] == i);
            }
        }
    }

    ok(good, show(t->error ? "no key" : "a key", t->text));

    free(text.data);
    free(key);
}


static size_t
encode(u_char *dst, u_char *key, size_t len)
{
    ngx_memcpy(dst, "whsec_", 6);

    return 6 + EVP_EncodeBlock(dst + 6, key, (int) len);
}


/* a random key comes back, with padding or without */

static ngx_uint_t
random_key(void)
{
    size_t       i, len, text_len, key_len;
    u_char       bytes[100], text[200], *key;
    ngx_int_t    rc;
    ngx_str_t    s;
    ngx_uint_t   good;
    const char  *error;

    len = dice(100);

    for (i = 0; i < len; i++) {
        bytes[i] = dice(256);
    }

    text_len = encode(text, bytes, len);

    if (dice(2)) {
        while (text[text_len - 1] == '=') {
            text_len--;
        }
    }

    s = exactly(text, text_len);
    key = malloc(NGX_HTTP_FLOWDASH_SIGN_KEY_MAX);

    rc = ngx_http_flowdash_sign_decode(&s, key, &key_len, &error);

    good = (len >= 24 && len <= 64)
           ? (rc == NGX_OK && key_len == len
              && ngx_memcmp(key, bytes, len) == 0)
           : (rc == NGX_DECLINED && !shows(error, &s));

    free(s.data);
    free(key);

    return good;
}


/* the rules once more, as differently as they can be said */

static ngx_uint_t
is_valid(const char *s, size_t len)
{
    size_t       n;
    const char  *base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "abcdefghijklmnopqrstuvwxyz0123456789+/";

    if (strlen(s) != len || strncmp(s, "whsec_", 6) != 0) {
        return 0;
    }

    s += 6;
    n = strspn(s, base64);
    s += n;

    return n % 4 != 1 && n * 6 / 8 >= 24 && n * 6 / 8 <= 64
           && (*s == '\0' || (n % 4 == 2 && strcmp(s, "==") == 0)
               || (n % 4 == 3 && strcmp(s, "=") == 0));
}


static ngx_uint_t
damaged_key(void)
{
    size_t       i, n, at, len, key_len;
    u_char       text[300], again[300], *key;
    ngx_int_t    rc;
    ngx_str_t    s;
    ngx_uint_t   good;
    const char  *error;

    for (i = 0; i < 64; i++) {
        again[i] = dice(256);
    }

    len = encode(text, again, 20 + dice(45));

    for (i = dice(4); i; i--) {
        at = dice(4) ? dice(len) : len - 1 - dice(3);
        n = dice(10);

        if (n < 3) {
            ngx_memmove(text + at, text + at + 1, len - at - 1);
            len--;

        } else if (n < 6) {
            ngx_memmove(text + at + 1, text + at, len - at);
            text[at] = "==-_ +/A"[dice(8)];
            len++;

        } else if (n == 6) {
            text[at] = dice(256);

        } else {
            text[at] = "==+/Zz09"[dice(8)];
        }
    }

    text[len] = '\0';

    s = exactly(text, len);
    key = malloc(NGX_HTTP_FLOWDASH_SIGN_KEY_MAX);
    error = NULL;

    rc = ngx_http_flowdash_sign_decode(&s, key, &key_len, &error);
    good = (rc == (is_valid((char *) text, len) ? NGX_OK : NGX_DECLINED));

    if (rc == NGX_OK) {

        /* the last character may have bits that nobody reads */

        n = encode(again, key, key_len);
        good &= (ngx_memcmp(again, text, 6 + key_len * 8 / 6) == 0
                 && len <= n && n <= len + 2);

    } else {
        good &= (error && !shows(error, &s));
    }

    free(s.data);
    free(key);

    return good;
}


static ngx_int_t
add(ngx_array_t *keys, const char *text)
{
    u_char       key[NGX_HTTP_FLOWDASH_SIGN_KEY_MAX];
    size_t       len;
    ngx_str_t    s;
    const char  *error;

    s.data = (u_char *) text;
    s.len = ngx_strlen(text);

    if (ngx_http_flowdash_sign_decode(&s, key, &len, &error) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_sign_add(keys, key, len, keys->pool);
}


/* a body in several slices, the first of which is as long as chance has it */

static ngx_http_flowdash_slices_t *
slices(ngx_str_t *body)
{
    static ngx_str_t                   slice[2];
    static ngx_http_flowdash_slices_t  body_slices;

    slice[0].data = body->data;
    slice[0].len = body->len ? dice(body->len) : 0;
    slice[1].data = body->data + slice[0].len;
    slice[1].len = body->len - slice[0].len;

    body_slices.elts = slice;
    body_slices.nelts = 2;
    body_slices.len = body->len;

    return &body_slices;
}


static void
test_vectors(void)
{
    ngx_str_t     id = ngx_string("msg_p5jXN8AQM9LWM0D4loKWxJek");
    ngx_str_t     timestamp = ngx_string("1614265330");
    ngx_str_t     body = ngx_string("{\"test\": 2432232314}");
    ngx_str_t     none = ngx_null_string, signature;
    ngx_int_t     rc;
    ngx_pool_t   *pool;
    ngx_array_t  *keys;

    pool = ngx_create_pool(1024, &test_log);

    /* of one, so that the second makes it move */

    keys = ngx_array_create(pool, 1, sizeof(ngx_http_flowdash_sign_key_t));

    ok(add(keys, "whsec_" K) == NGX_OK, "a key is added");

    rc = ngx_http_flowdash_sign(keys, &id, &timestamp, slices(&body), &signature,
                                pool);
    ok(rc == NGX_OK && is_text(&signature, VECTOR),
       "Standard Webhooks' vector");

    rc = ngx_http_flowdash_sign(keys, &none, &none, slices(&none), &signature, pool);
    ok(rc == NGX_OK && is_text(&signature, VECTOR_VOID),
       "nothing can be signed");

    ok(add(keys, "whsec_" K64) == NGX_OK, "another key is added");

    rc = ngx_http_flowdash_sign(keys, &id, &timestamp, slices(&body), &signature,
                                pool);
    ok(rc == NGX_OK && is_text(&signature, VECTOR " " VECTOR_K64),
       "a signature for each key, in their order");

    ok(test_pkeys == 2, "keys live as long as the pool");

    ngx_destroy_pool(pool);

    ok(test_pkeys == 0 && test_contexts == 0 && ERR_peek_error() == 0,
       "and then no more");
}


/* against HMAC() over one piece of memory */

static ngx_uint_t
random_signature(void)
{
    u_char         key[4][64], mac[32], *p, *w;
    size_t         len[4], i, j, n;
    ngx_str_t      id, timestamp, body, signature;
    ngx_uint_t     good;
    ngx_pool_t    *pool;
    ngx_array_t   *keys;
    static u_char  bytes[100000], wanted[1024];

    pool = ngx_create_pool(1024, &test_log);
    keys = ngx_array_create(pool, 1, sizeof(ngx_http_flowdash_sign_key_t));
    n = dice(4) + 1;
    good = 1;

    for (i = 0; i < n; i++) {
        len[i] = 24 + dice(41);

        for (j = 0; j < len[i]; j++) {
            key[i][j] = dice(256);
        }

        good &= (ngx_http_flowdash_sign_add(keys, key[i], len[i], pool)
                 == NGX_OK);
    }

    p = bytes + sprintf((char *) bytes, "%08lx.", random());
    id = exactly(bytes, p - bytes - 1);

    timestamp = exactly("1614265330", 10);
    p = ngx_cpymem(p, "1614265330.", 11);

    i = dice(50) ? dice(1000) : dice(90000);
    memset(p, (int) dice(256), i);
    body = exactly(p, i);
    p += i;

    good &= (ngx_http_flowdash_sign(keys, &id, &timestamp, slices(&body), &signature,
                                    pool) == NGX_OK);

    w = wanted;

    for (i = 0; i < n; i++) {
        HMAC(EVP_sha256(), key[i], (int) len[i], bytes, p - bytes, mac, NULL);
        w += sprintf((char *) w, "%sv1,", i ? " " : "");
        w += EVP_EncodeBlock(w, mac, sizeof(mac));
    }

    good &= is_text(&signature, (char *) wanted);

    free(id.data);
    free(timestamp.data);
    free(body.data);
    ngx_destroy_pool(pool);

    return good && test_contexts == 0 && test_pkeys == 0;
}


/* with something failing at call number n: whether all was in order */

static ngx_uint_t
sign_fails(ngx_int_t n, ngx_uint_t *succeeded)
{
    ngx_int_t     rc;
    ngx_str_t     s = ngx_string("abc"), signature;
    ngx_uint_t    good;
    ngx_pool_t   *pool;
    ngx_array_t  *keys;

    pool = ngx_create_pool(1024, &test_log);
    keys = ngx_array_create(pool, 2, sizeof(ngx_http_flowdash_sign_key_t));

    test_budget = n;

    rc = add(keys, "whsec_" K);

    if (rc == NGX_OK) {
        rc = add(keys, "whsec_" K64);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_sign(keys, &s, &s, slices(&s), &signature, pool);
        good = (rc == NGX_OK ? signature.len == 95 : signature.len == 0);

    } else {
        good = 1;
    }

    *succeeded = (rc == NGX_OK);
    test_budget = -1;

    good &= ((rc == NGX_OK || rc == NGX_ERROR) && ERR_peek_error() == 0);

    ngx_destroy_pool(pool);

    return good && test_contexts == 0 && test_pkeys == 0;
}


int
main(void)
{
    ngx_int_t   n;
    ngx_uint_t  i, rounds, keys, damaged, signatures, good, succeeded;

    rounds = test_begin(20000);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_decode(&cases[i]);
    }

    test_vectors();

    good = 1;

    for (n = 0, succeeded = 0; n < 100 && !succeeded; n++) {
        good &= sign_fails(n, &succeeded);
    }

    ok(good && n == 24, "what fails is an error, and all is freed");

    keys = 0;
    damaged = 0;
    signatures = 0;

    for (i = 0; i < rounds; i++) {
        keys += random_key();
        damaged += damaged_key();
        signatures += i % 20 ? 1 : random_signature();
    }

    ok(keys == rounds, "random keys come back, if they have the right size");
    ok(damaged == rounds, "damaged keys are judged by the rules");
    ok(signatures == rounds, "signatures are those of another HMAC");

    return test_end();
}
