
/*
 * What the unit tests share: their TAP, chance, copies of just the size, what
 * can be made to fail, and a log that is kept.  Each test is one program and
 * includes this once, hence the variables; the functions are inline because
 * no test needs all of them, and the compiler would complain.
 *
 * A test with rounds has as many as FLOWDASH_ROUNDS in the environment says;
 * FLOWDASH_SEED is the seed of its chance.
 */


#ifndef _TEST_TAP_H_INCLUDED_
#define _TEST_TAP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <openssl/err.h>
#include <openssl/evp.h>


static ngx_uint_t  test_count;
static ngx_uint_t  test_failed;

static ngx_int_t   test_budget = -1;    /* calls that succeed; -1: all */
static ngx_int_t   test_contexts;       /* of digests, that are not freed */

static ngx_log_t   test_log;            /* silent before test_log_keep() */
static u_char      test_logged[4096];   /* with a null behind it */
static size_t      test_logged_len;
static ngx_uint_t  test_logged_level;   /* of the last message; 0: none */


/*
 * Does what nginx's main() would have done before a pool is made, and seeds
 * random().  Returns the number of rounds, "rounds" unless the environment
 * says another.
 */

static ngx_inline ngx_uint_t
test_begin(ngx_uint_t rounds)
{
    char  *env;

    ngx_pagesize = 4096;

    env = getenv("FLOWDASH_SEED");
    srandom(env ? (unsigned) atoi(env) : 1);

    env = getenv("FLOWDASH_ROUNDS");

    return env ? (ngx_uint_t) atoi(env) : rounds;
}


/* prints TAP's line for one test */

static ngx_inline void
ok(ngx_uint_t good, const char *name)
{
    test_count++;
    test_failed += !good;
    printf("%sok %u - %s\n", good ? "" : "not ", (unsigned) test_count, name);
}


/* prints TAP's plan, when all is counted; returns main()'s status */

static ngx_inline int
test_end(void)
{
    printf("1..%u\n", (unsigned) test_count);

    return test_failed != 0;
}


/*
 * Returns a test's name that shows its input: what a terminal or TAP would
 * take for something else is escaped.  It lasts until the next call.
 */

static ngx_inline const char *
show(const char *what, const char *s)
{
    char         *p;
    static char   text[128];

    p = text + snprintf(text, sizeof(text), "%s: ", what);

    for ( /* void */ ; *s && p < text + sizeof(text) - 5; s++) {
        if (*s < 0x20 || *s > 0x7e || *s == '#') {
            p += snprintf(p, 5, "\\x%02x", (unsigned char) *s);

        } else {
            *p++ = *s;
        }
    }

    *p = '\0';

    return text;
}


/* returns a number below "n" */

static ngx_inline size_t
dice(size_t n)
{
    return (size_t) random() % n;
}


/*
 * Returns a copy in memory of just its size, so that a sanitizer sees what is
 * read around it.  The caller frees its data.
 */

static ngx_inline ngx_str_t
exactly(const void *data, size_t len)
{
    ngx_str_t  s;

    s.len = len;
    s.data = malloc(len ? len : 1);
    ngx_memcpy(s.data, data, len);

    return s;
}


/* returns 1 if "s" has these bytes, and as many; NULL will do for none */

static ngx_inline ngx_uint_t
is(ngx_str_t *s, const void *wanted, size_t len)
{
    return s->len == len
           && (len == 0 || ngx_memcmp(s->data, wanted, len) == 0);
}


/* the same for a text */

static ngx_inline ngx_uint_t
is_text(ngx_str_t *s, const char *wanted)
{
    return is(s, wanted, strlen(wanted));
}


/*
 * Returns 1 in a call that must fail.  A test sets "test_budget" to 0, 1, 2
 * and so on, until what it tries has succeeded: so each call was once the
 * first one to fail.  All behind it fail, too.
 */

static ngx_inline ngx_uint_t
test_fails(void)
{
    if (test_budget == 0) {
        return 1;
    }

    if (test_budget > 0) {
        test_budget--;
    }

    return 0;
}


/* as test_fails(), but leaves an error in the queue, as OpenSSL does */

static ngx_inline ngx_uint_t
test_openssl_fails(void)
{
    if (!test_fails()) {
        return 0;
    }

    ERR_put_error(ERR_LIB_EVP, 0, ERR_R_MALLOC_FAILURE, __FILE__, __LINE__);

    return 1;
}


/*
 * Stand for the functions that they call, and fail as told: a test #defines
 * the names to these around its #include of a .c file.
 */

static ngx_inline void *
test_pnalloc(ngx_pool_t *pool, size_t size)
{
    return test_fails() ? NULL : ngx_pnalloc(pool, size);
}


static ngx_inline ngx_pool_cleanup_t *
test_cleanup_add(ngx_pool_t *pool, size_t size)
{
    return test_fails() ? NULL : ngx_pool_cleanup_add(pool, size);
}


static ngx_inline EVP_MD_CTX *
test_context_new(void)
{
    if (test_openssl_fails()) {
        return NULL;
    }

    test_contexts++;

    return EVP_MD_CTX_new();
}


static ngx_inline void
test_context_free(EVP_MD_CTX *ctx)
{
    test_contexts -= (ctx != NULL);
    EVP_MD_CTX_free(ctx);
}


/* stands for nginx's error log; what is too much is cut */

static ngx_inline void
test_log_write(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    test_logged_level = level;
    len = ngx_min(len, sizeof(test_logged) - 1 - test_logged_len);
    ngx_memcpy(test_logged + test_logged_len, buf, len);
    test_logged_len += len;
    test_logged[test_logged_len] = '\0';
}


/* forgets what was logged */

static ngx_inline void
test_log_clear(void)
{
    test_logged_len = 0;
    test_logged[0] = '\0';
    test_logged_level = 0;
}


/* from here on, warnings and worse go to test_logged, and nowhere else */

static ngx_inline void
test_log_keep(void)
{
    static ngx_open_file_t  file;

    ngx_use_stderr = 0;
    ngx_time_init();
    (void) ngx_strerror_init();

    test_log.file = &file;
    test_log.writer = test_log_write;
    test_log.log_level = NGX_LOG_WARN;
}


#endif /* _TEST_TAP_H_INCLUDED_ */
