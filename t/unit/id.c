
/*
 * The ids of executions, calls and traces, without nginx: values that clients
 * may send, random and damaged ones, digests, and an OpenSSL that fails.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "tap.h"


static ngx_int_t  test_randoms;         /* how often OpenSSL is asked */


static int
test_init(EVP_MD_CTX *ctx, const EVP_MD *md, ENGINE *engine)
{
    return test_openssl_fails() ? 0 : EVP_DigestInit_ex(ctx, md, engine);
}


static int
test_update(EVP_MD_CTX *ctx, const void *data, size_t len)
{
    return test_openssl_fails() ? 0 : EVP_DigestUpdate(ctx, data, len);
}


static int
test_final(EVP_MD_CTX *ctx, unsigned char *md, unsigned int *len)
{
    return test_openssl_fails() ? 0 : EVP_DigestFinal_ex(ctx, md, len);
}


static int
test_digest(const void *data, size_t len, unsigned char *md,
    unsigned int *md_len, const EVP_MD *type, ENGINE *engine)
{
    return test_openssl_fails() ? 0 : EVP_Digest(data, len, md, md_len, type,
                                                 engine);
}


static int
test_random(unsigned char *buf, int len)
{
    test_randoms++;

    return test_openssl_fails() ? -1 : RAND_bytes(buf, len);
}


#define EVP_MD_CTX_new      test_context_new
#define EVP_MD_CTX_free     test_context_free
#define EVP_DigestInit_ex   test_init
#define EVP_DigestUpdate    test_update
#define EVP_DigestFinal_ex  test_final
#define EVP_Digest          test_digest
#define RAND_bytes          test_random
#define ngx_pnalloc         test_pnalloc
#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_id.c"
#undef EVP_MD_CTX_new
#undef EVP_MD_CTX_free
#undef EVP_DigestInit_ex
#undef EVP_DigestUpdate
#undef EVP_DigestFinal_ex
#undef EVP_Digest
#undef RAND_bytes
#undef ngx_pnalloc


#define HEX     "0123456789abcdef"
#define TRACE   "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT  "00f067aa0ba902b7"
#define ZERO    "00000000000000000000000000000000"

#define A15     "aaaaaaaaaaaaaaa"
#define A64     A15 A15 A15 A15 "aaaa"
#define A255    A64 A64 A64 A15 A15 A15 A15 "aaa"


typedef struct {
    const char  *header;
    const char  *wanted;       /* NULL: it is not valid */
} test_case_t;


static test_case_t  keys[] = {
    { "a", "a" },
    { "8e03978e-40d5-43dd-bc93-6894a57f9324",
      "8e03978e-40d5-43dd-bc93-6894a57f9324" },
    { "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
      "8e03978e-40d5-43dd-bc93-6894a57f9324" },
    { "\"a\"", "a" },
    { " a", "a" },
    { "a \t", "a" },
    { "\t \"a\" ", "a" },
    { "\" a \"", " a " },
    { "\"a, b; c\"", "a, b; c" },
    { "\" \"", " " },
    { "\"a\\\"b\\\\c\"", "a\"b\\c" },
    { "\"\\\\\"", "\\" },
    { "\"\\\"\"", "\"" },
    { "\"!~\"", "!~" },
    { "!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~",
      "!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~" },
    { A255, A255 },
    { "\"" A255 "\"", A255 },
    { "\"" A64 A64 A64 "\\\\\"", A64 A64 A64 "\\" },
    { "", NULL },
    { " ", NULL },
    { "\"", NULL },
    { "\"\"", NULL },
    { "\"a", NULL },
    { "a\"", NULL },
    { "a\"b", NULL },
    { "\"a\"b", NULL },
    { "\"a\" b", NULL },
    { "\"a\"\"", NULL },
    { "\"a\";b=1", NULL },
    { "\"a\", \"b\"", NULL },
    { "\"a\\\"", NULL },
    { "\"a\\", NULL },
    { "\"a\\b\"", NULL },
    { "\"a\\\n\"", NULL },
    { "\"a\x1f\"", NULL },
    { "\"a\tb\"", NULL },
    { "\"\x7f\"", NULL },
    { "\"\xc3\xa9\"", NULL },
    { "a b", NULL },
    { "a\tb", NULL },
    { "a,b", NULL },
    { "a;b", NULL },
    { "a\\b", NULL },
    { "a\x7f", NULL },
    { "\x01" "a", NULL },
    { "\xc3\xa9", NULL },
    { "a" A255, NULL },
    { "\"a" A255 "\"", NULL },
    { "\"\\\\" A255 "\"", NULL },
};


static test_case_t  traces[] = {
    { "00-" TRACE "-" PARENT "-00", TRACE "00" },
    { "00-" TRACE "-" PARENT "-01", TRACE "01" },
    { "00-" TRACE "-" PARENT "-ff", TRACE "ff" },
    { "01-" TRACE "-" PARENT "-00", TRACE "00" },
    { "01-" TRACE "-" PARENT "-01", TRACE "01" },
    { "cc-" TRACE "-" PARENT "-ff", TRACE "01" },
    { "fe-" TRACE "-" PARENT "-fa", TRACE "00" },
    { "cc-" TRACE "-" PARENT "-0b-", TRACE "01" },
    { "cc-" TRACE "-" PARENT "-02-what the future will be like",
      TRACE "00" },
    { "", NULL },
    { "00", NULL },
    { "00-" TRACE "-" PARENT "-0", NULL },
    { "00-" TRACE "-" PARENT "-011", NULL },
    { "00-" TRACE "-" PARENT "-01-", NULL },
    { "00-" TRACE "-" PARENT "-01 ", NULL },
    { " 00-" TRACE "-" PARENT "-01", NULL },
    { "00-" TRACE "-" PARENT "-01,00-" TRACE "-" PARENT "-01", NULL },
    { "ff-" TRACE "-" PARENT "-01", NULL },
    { "ff-" TRACE "-" PARENT "-01-a", NULL },
    { "cc-" TRACE "-" PARENT "-0", NULL },
    { "cc-" TRACE "-" PARENT "-01.a", NULL },
    { "cc-" TRACE "-" PARENT "-011", NULL },
    { "0g-" TRACE "-" PARENT "-01", NULL },
    { "CC-" TRACE "-" PARENT "-01", NULL },
    { "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", NULL },
    { "00-" TRACE "-00F067AA0BA902B7-01", NULL },
    { "00-" TRACE "-" PARENT "-0A", NULL },
    { "00-" TRACE "-" PARENT "-0g", NULL },
    { "g0-" TRACE "-" PARENT "-01", NULL },
    { "00-" TRACE "-" PARENT "-g0", NULL },
    { "00-g" TRACE "-" PARENT "-01", NULL },
    { "00-gbf92f3577b34da6a3ce929d0e0e4736-" PARENT "-01", NULL },
    { "00-4bf92f3577b34da6a3ce929d0e0e473g-" PARENT "-01", NULL },
    { "00-" TRACE "-g0f067aa0ba902b7-01", NULL },
    { "00-" TRACE "-00f067aa0ba902bg-01", NULL },
    { "00-" ZERO "-" PARENT "-01", NULL },
    { "00-" TRACE "-0000000000000000-01", NULL },
    { "00_" TRACE "-" PARENT "-01", NULL },
    { "00-" TRACE "_" PARENT "-01", NULL },
    { "00-" TRACE "-" PARENT "_01", NULL },
};


static void
test_key(test_case_t *t)
{
    ngx_int_t    rc;
    ngx_str_t    header, key;
    ngx_uint_t   good;
    ngx_pool_t  *pool;

    pool = ngx_create_pool(1024, &test_log);
    header = exactly(t->header, ngx_strlen(t->header));

    rc = ngx_http_flowdash_id_key(&header, &key, pool);

    if (t->wanted) {
        good = (rc == NGX_OK && is_text(&key, t->wanted));

    } else {
        good = (rc == NGX_DECLINED && key.len == 0 && key.data == NULL);
    }

    ok(good, show(t->wanted ? "a key" : "no key", t->header));

    free(header.data);
    ngx_destroy_pool(pool);
}


/* a string of RFC 8941 */

static u_char *
quote(u_char *p, u_char *key, size_t len)
{
    *p++ = '"';

    while (len--) {
        if (*key == '"' || *key == '\\') {
            *p++ = '\\';
        }

        *p++ = *key++;
    }

    *p++ = '"';

    return p;
}


/* what could be a key comes back, up to its size */

static ngx_uint_t
random_key(void)
{
    u_char       text[300], quoted[602];
    size_t       i, len;
    ngx_int_t    rc, bare_rc, wanted, bare_wanted;
    ngx_str_t    header, bare, key, bare_key;
    ngx_uint_t   good;
    ngx_pool_t  *pool;

    len = dice(dice(4) ? 10 : 300);
    wanted = (len == 0 || len > 255) ? NGX_DECLINED : NGX_OK;
    bare_wanted = wanted;

    for (i = 0; i < len; i++) {
        text[i] = dice(300) ? 0x21 + dice(0x5e) : dice(256);

        if (text[i] < 0x20 || text[i] >= 0x7f) {
            wanted = NGX_DECLINED;
        }

        if (text[i] <= 0x20 || text[i] >= 0x7f
            || strchr("\"\\,;", text[i]) != NULL)
        {
            bare_wanted = NGX_DECLINED;
        }
    }

    /* else it is another text */

    if (len && (strchr(" \t\"", text[0]) || strchr(" \t", text[len - 1]))) {
        return 1;
    }

    pool = ngx_create_pool(1024, &test_log);
    header = exactly(quoted, quote(quoted, text, len) - quoted);
    bare = exactly(text, len);

    rc = ngx_http_flowdash_id_key(&header, &key, pool);
    bare_rc = ngx_http_flowdash_id_key(&bare, &bare_key, pool);

    good = (rc == wanted && bare_rc == bare_wanted
            && is(&key, text, rc == NGX_OK ? len : 0)
            && is(&bare_key, text, bare_rc == NGX_OK ? len : 0));

    free(header.data);
    free(bare.data);
    ngx_destroy_pool(pool);

    return good;
}


/* whatever comes: what is taken is a key, and the same one when quoted */

static ngx_uint_t
damaged_key(void)
{
    u_char        text[600], quoted[600];
    size_t        i, len, at;
    ngx_int_t     rc;
    ngx_str_t     header, again, key, same;
    ngx_uint_t    good;
    ngx_pool_t   *pool;
    test_case_t  *t;

    t = &keys[dice(sizeof(keys) / sizeof(keys[0]))];
    len = ngx_strlen(t->header);
    ngx_memcpy(text, t->header, len);

    for (i = dice(4); i; i--) {
        at = dice(len + 1);

        if (len && dice(3) == 0) {
            at = dice(len);
            ngx_memmove(text + at, text + at + 1, len - at - 1);
            len--;
            continue;
        }

        ngx_memmove(text + at + 1, text + at, len - at);
        text[at] = dice(2) ? (u_char) "\"\\;, \t=a"[dice(8)] : dice(256);
        len++;
    }

    pool = ngx_create_pool(1024, &test_log);
    header = exactly(text, len);

    rc = ngx_http_flowdash_id_key(&header, &key, pool);

    if (rc == NGX_OK) {
        again = exactly(quoted, quote(quoted, key.data, key.len) - quoted);

        good = (key.len >= 1 && key.len <= 255
                && ngx_http_flowdash_id_key(&again, &same, pool) == NGX_OK
                && is(&same, key.data, key.len));

        for (i = 0; i < key.len; i++) {
            good &= (key.data[i] >= 0x20 && key.data[i] <= 0x7e);
        }

        free(again.data);

    } else {
        good = (rc == NGX_DECLINED && key.len == 0 && key.data == NULL);
    }

    free(header.data);
    ngx_destroy_pool(pool);

    return good;
}


/* "strings" ends with NULL */

static ngx_uint_t
digest_is(const char **strings, const char *wanted)
{
    u_char                         hex[NGX_HTTP_FLOWDASH_ID_DIGEST_LEN];
    ngx_int_t                      rc;
    ngx_str_t                      s;
    ngx_http_flowdash_id_digest_t  digest;

    rc = ngx_http_flowdash_id_digest_init(&digest);

    for ( /* void */ ; *strings && rc == NGX_OK; strings++) {
        s = exactly(*strings, ngx_strlen(*strings));
        rc = ngx_http_flowdash_id_digest_add(&digest, &s);
        free(s.data);
    }

    if (rc != NGX_OK
        || ngx_http_flowdash_id_digest_final(&digest, hex) != NGX_OK)
    {
        return 0;
    }

    return ngx_memcmp(hex, wanted, sizeof(hex)) == 0 && test_contexts == 0;
}


static void
test_digests(void)
{
    static char  text[0x12345 + 1];
    const char  *large[] = { text, NULL };
    const char  *none[] = { NULL };
    const char  *empty[] = { "", NULL };
    const char  *one[] = { "abc", NULL };
    const char  *two[] = { "ab", "c", NULL };
    const char  *some[] = { "8e03978e", "localhost", "POST",
                            "/tasks/1/finish", "Finish", "id", "abc123",
                            NULL };

    memset(text, 'a', sizeof(text) - 1);

    /* from another implementation */

    ok(digest_is(none, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca4"
                       "95991b7852b855"), "of no strings");
    ok(digest_is(empty, "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5"
                        "b2328de0e83dfc"), "of an empty string");
    ok(digest_is(one, "c3494ca1a2cf8eeb8a11ded316fb55b83c3bbbedb6313cd50415"
                      "251e5d09e12f"), "of a string");
    ok(!digest_is(two, "c3494ca1a2cf8eeb8a11ded316fb55b83c3bbbedb6313cd5041"
                       "5251e5d09e12f"), "of the same in two strings");
    ok(digest_is(large, "136942aefbb6b36c0002f56914b5894a3374dcf7f773d"
                        "765834779ae92ec4465"), "of a large string");
    ok(digest_is(some, "f7271349be20d096907fc4f3d0f039af53016c3e005551322ac"
                       "767a200354faf"), "of what an execution has");
}


/* against the bytes as the digest should see them */

static ngx_uint_t
random_digest(void)
{
    u_char                         *p, sum[32], hex[64], wanted[64];
    size_t                          len;
    ngx_str_t                       s;
    ngx_uint_t                      i;
    ngx_http_flowdash_id_digest_t   digest;
    static u_char                   bytes[5 * (8 + 70000)];

    p = bytes;
    (void) ngx_http_flowdash_id_digest_init(&digest);

    for (i = dice(6); i; i--) {
        len = dice(100) ? dice(300) : dice(70000);

        ngx_memzero(p, 5);
        p[5] = (u_char) (len >> 16);
        p[6] = (u_char) (len >> 8);
        p[7] = (u_char) len;
        p += 8;

        memset(p, (int) dice(256), len);
        s = exactly(p, len);
        p += len;

        (void) ngx_http_flowdash_id_digest_add(&digest, &s);
        free(s.data);
    }

    EVP_Digest(bytes, p - bytes, sum, NULL, EVP_sha256(), NULL);
    (void) ngx_hex_dump(wanted, sum, sizeof(sum));

    return ngx_http_flowdash_id_digest_final(&digest, hex) == NGX_OK
           && ngx_memcmp(hex, wanted, sizeof(hex)) == 0
           && test_contexts == 0;
}


static ngx_uint_t
step_is(const char *name, const char *wanted)
{
    u_char      *hex;
    ngx_str_t    s;
    ngx_uint_t   good;

    s = exactly(name, ngx_strlen(name));
    hex = malloc(NGX_HTTP_FLOWDASH_ID_STEP_LEN);

    good = (ngx_http_flowdash_id_step(&s, hex) == NGX_OK
            && ngx_memcmp(hex, wanted, NGX_HTTP_FLOWDASH_ID_STEP_LEN) == 0);

    free(s.data);
    free(hex);

    return good;
}


static ngx_uint_t
delivery_is(const char *kind, const char *name, const char *wanted)
{
    u_char      *hex;
    ngx_str_t    s;
    ngx_uint_t   good;

    s = exactly(name, ngx_strlen(name));
    hex = malloc(NGX_HTTP_FLOWDASH_ID_STEP_LEN);

    good = (ngx_http_flowdash_id_delivery(kind, &s, hex) == NGX_OK
            && ngx_memcmp(hex, wanted, NGX_HTTP_FLOWDASH_ID_STEP_LEN) == 0);

    free(s.data);
    free(hex);

    return good;
}


static void
test_trace(test_case_t *t)
{
    ngx_int_t                     rc;
    ngx_str_t                     header;
    ngx_uint_t                    good;
    ngx_http_flowdash_id_trace_t  trace, before;

    memset(&before, 0xdd, sizeof(before));
    trace = before;

    header = exactly(t->header, ngx_strlen(t->header));

    rc = ngx_http_flowdash_id_trace_parse(&header, &trace);

    if (t->wanted) {
        good = (rc == NGX_OK && ngx_memcmp(trace.id, t->wanted, 32) == 0
                && ngx_memcmp(trace.flags, t->wanted + 32, 2) == 0);

    } else {
        good = (rc == NGX_DECLINED
                && ngx_memcmp(&trace, &before, sizeof(trace)) == 0);
    }

    ok(good, show(t->wanted ? "a trace" : "no trace", t->header));

    free(header.data);
}


/* the rules once more, as differently as they can be said */

static ngx_uint_t
trace_is_valid(const char *s, size_t len)
{
    return strlen(s) == len && len >= 55
           && strspn(s, HEX) == 2 && s[2] == '-'
           && strspn(s + 3, HEX) == 32 && s[35] == '-'
           && strspn(s + 36, HEX) == 16 && s[52] == '-'
           && strspn(s + 53, HEX) == 2
           && strspn(s + 3, "0") < 32 && strspn(s + 36, "0") < 16
           && strncmp(s, "ff", 2) != 0
           && (len == 55 || (s[55] == '-' && strncmp(s, "00", 2) != 0));
}


static ngx_uint_t
damaged_trace(void)
{
    char                          text[300];
    size_t                        i, n, len, at;
    ngx_int_t                     rc;
    ngx_str_t                     header;
    ngx_uint_t                    good, valid;
    test_case_t                  *t;
    ngx_http_flowdash_id_trace_t  trace;

    t = &traces[dice(sizeof(traces) / sizeof(traces[0]))];
    len = ngx_strlen(t->header);
    ngx_memcpy(text, t->header, len);

    for (i = dice(3); i && len; i--) {
        at = dice(len);
        n = dice(10);

        if (n < 2) {
            text[at] = (char) (dice(255) + 1);

        } else if (n < 8) {
            text[at] = "0123456789abcdef-F"[dice(18)];

        } else if (n == 8) {
            len = at;

        } else {
            text[len++] = '-';
        }
    }

    text[len] = '\0';
    header = exactly(text, len);

    rc = ngx_http_flowdash_id_trace_parse(&header, &trace);
    valid = trace_is_valid(text, len);
    good = (rc == (valid ? NGX_OK : NGX_DECLINED));

    if (rc == NGX_OK) {
        good &= ngx_memcmp(trace.id, text + 3, 32) == 0;
        n = strtoul(text + 53, NULL, 16);
        n &= strncmp(text, "00", 2) == 0 ? 0xff : 1;
        snprintf(text, sizeof(text), "%02x", (unsigned) n);
        good &= ngx_memcmp(trace.flags, text, 2) == 0;
    }

    free(header.data);

    return good;
}


static void
test_traceparent(void)
{
    u_char                        *buf, *other;
    ngx_str_t                      s;
    ngx_uint_t                     good;
    ngx_http_flowdash_id_trace_t   trace, same, next;

    buf = malloc(NGX_HTTP_FLOWDASH_ID_TRACEPARENT_LEN);
    other = malloc(NGX_HTTP_FLOWDASH_ID_TRACEPARENT_LEN);

    good = (ngx_http_flowdash_id_trace_begin(&trace) == NGX_OK
            && ngx_http_flowdash_id_trace_begin(&next) == NGX_OK);

    ok(good && ngx_memcmp(trace.id, next.id, 32) != 0
       && ngx_memcmp(trace.flags, "01", 2) == 0, "each trace has its id");

    s.data = buf;
    s.len = ngx_http_flowdash_id_traceparent(buf, &trace) - buf;

    ok(s.len == NGX_HTTP_FLOWDASH_ID_TRACEPARENT_LEN
       && ngx_memcmp(buf, "00-", 3) == 0
       && ngx_http_flowdash_id_trace_parse(&s, &same) == NGX_OK
       && ngx_memcmp(&same, &trace, sizeof(trace)) == 0,
       "a trace is sent on as it is");

    (void) ngx_http_flowdash_id_traceparent(other, &trace);

    ok(ngx_memcmp(buf, other, 36) == 0
       && ngx_memcmp(buf + 36, other + 36, 16) != 0
       && ngx_memcmp(buf + 52, other + 52, 3) == 0,
       "each call has its parent id");

    free(buf);
    free(other);
}


/* ids are made of random bytes that are asked for once for many */

static void
test_executions(void)
{
    u_char        *hex;
    ngx_str_t      s;
    ngx_uint_t     i, n, good;
    static u_char  seen[1000][NGX_HTTP_FLOWDASH_ID_EXECUTION_LEN];

    hex = malloc(NGX_HTTP_FLOWDASH_ID_EXECUTION_LEN);
    s.data = hex;
    s.len = NGX_HTTP_FLOWDASH_ID_EXECUTION_LEN;

    test_randoms = 0;
    good = 1;

    for (i = 0; i < 1000; i++) {
        good &= (ngx_http_flowdash_id_execution(hex) == NGX_OK
                 && s.len == 32
                 && ngx_http_flowdash_id_is_hex(hex, s.len));

        for (n = 0; n < i; n++) {
            good &= !is(&s, seen[n], s.len);
        }

        ngx_memcpy(seen[i], hex, s.len);
    }

    ok(good, "each execution has its id");
    ok(test_randoms >= 15 && test_randoms <= 17,
       "random bytes are asked for 1024 at a time");

    test_randoms = 0;
    ngx_pid++;

    good = (ngx_http_flowdash_id_execution(hex) == NGX_OK
            && ngx_http_flowdash_id_execution(hex) == NGX_OK);

    ok(good && test_randoms == 1, "each process has its own");

    free(hex);
}


/* with OpenSSL failing at call number n: whether all went well */

static ngx_uint_t
digest_fails(ngx_int_t n, ngx_uint_t *succeeded)
{
    u_char                         hex[NGX_HTTP_FLOWDASH_ID_DIGEST_LEN];
    ngx_int_t                      init, add, final;
    ngx_str_t                      s = ngx_string("abc");
    ngx_http_flowdash_id_digest_t  digest;

    test_budget = n;

    init = ngx_http_flowdash_id_digest_init(&digest);
    (void) ngx_http_flowdash_id_digest_add(&digest, &s);
    add = ngx_http_flowdash_id_digest_add(&digest, &s);
    final = ngx_http_flowdash_id_digest_final(&digest, hex);

    test_budget = -1;

    *succeeded = (final == NGX_OK);

    /* who looks at the last result only will see that something failed */

    return (init == NGX_OK || add != NGX_OK)
           && (add == NGX_OK || final != NGX_OK)
           && ngx_http_flowdash_id_digest_final(&digest, hex) == NGX_ERROR
           && test_contexts == 0 && ERR_peek_error() == 0;
}


static void
test_failures(void)
{
    u_char                         buf[64];
    ngx_int_t                      n;
    ngx_str_t                      s = ngx_string("\"a\\\"\""), key;
    ngx_uint_t                     good, succeeded;
    ngx_pool_t                    *pool;
    ngx_http_flowdash_id_trace_t   trace;
    ngx_http_flowdash_id_digest_t  digest;

    good = 1;

    for (n = 0, succeeded = 0; n < 100 && !succeeded; n++) {
        good &= digest_fails(n, &succeeded);
    }

    ok(good && n == 8, "a digest that fails is an error, and is freed");

    good = (ngx_http_flowdash_id_digest_init(&digest) == NGX_OK);
    ngx_http_flowdash_id_digest_free(&digest);
    ngx_http_flowdash_id_digest_free(&digest);

    ok(good && test_contexts == 0, "a digest that is given up is freed");

    test_budget = 0;

    ok(ngx_http_flowdash_id_step(&s, buf) == NGX_ERROR
       && ERR_peek_error() == 0, "a step's digest that fails");

    good = 1;

    for (n = 0; n < 7; n++) {
        test_budget = n;
        good &= (ngx_http_flowdash_id_delivery("undo", &s, buf) == NGX_ERROR);
    }

    test_budget = n + 1;

    ok(good && ngx_http_flowdash_id_delivery("undo", &s, buf) == NGX_OK
       && ERR_peek_error() == 0 && test_contexts == 0,
       "an undo's digest that fails");

    test_budget = 0;

    /* none are left of those that another process asked for */

    ngx_pid++;

    ok(ngx_http_flowdash_id_execution(buf) == NGX_ERROR
       && ERR_peek_error() == 0, "no random bytes for an execution");
    ok(ngx_http_flowdash_id_trace_begin(&trace) == NGX_ERROR
       && ERR_peek_error() == 0, "no random bytes for a trace");

    ngx_memset(&trace, '1', sizeof(trace));

    ok(ngx_http_flowdash_id_traceparent(buf, &trace) == NULL
       && ERR_peek_error() == 0, "no random bytes for a parent id");

    pool = ngx_create_pool(1024, &test_log);

    ok(ngx_http_flowdash_id_key(&s, &key, pool) == NGX_ERROR && key.len == 0,
       "no memory for a key with escapes");

    ngx_destroy_pool(pool);
    test_budget = -1;
}


int
main(void)
{
    ngx_uint_t  i, rounds, random_keys, damaged_keys, damaged_traces;
    ngx_uint_t  digests;

    rounds = test_begin(20000);

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        test_key(&keys[i]);
    }

    for (i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
        test_trace(&traces[i]);
    }

    test_digests();

    ok(step_is("Update CRM", "72fca5077366f964"), "a step");
    ok(step_is("", "e3b0c44298fc1c14"), "a step without a name");
    ok(step_is("Gr\xc3\xbc\xc3\x9f" "e", "f83e039796c6453a"),
       "a step in UTF-8");

    ok(delivery_is("undo", "CRM", "59ec6223a564dd1d"), "the undo of a step");
    ok(delivery_is("after", "CRM", "8aae904b08349a4e"), "an after-step");

    test_traceparent();
    test_executions();
    test_failures();

    random_keys = 0;
    damaged_keys = 0;
    damaged_traces = 0;
    digests = 0;

    for (i = 0; i < rounds; i++) {
        random_keys += random_key();
        damaged_keys += damaged_key();
        damaged_traces += damaged_trace();
        digests += i % 20 ? 1 : random_digest();
    }

    ok(random_keys == rounds, "random keys come back, quoted and bare");
    ok(damaged_keys == rounds, "of damaged keys, what is taken is a key");
    ok(damaged_traces == rounds, "damaged traces are judged by the rules");
    ok(digests == rounds, "digests are of lengths and strings");

    return test_end();
}
