
/*
 * What the fuzzers share.  Each is one program of libFuzzer's, and includes
 * this once, hence the variables; the functions are inline because no fuzzer
 * needs all of them, and the compiler would complain.
 *
 * An input is a row of texts with a byte 0xff between them, which is in none
 * that is UTF-8: so a corpus can be read, and libFuzzer cuts and joins it.
 */


#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_http_flowdash_strict.h>


#define FUZZ_END  0xff


/* a property that does not hold ends the program, and libFuzzer tells of it */

#define fuzz_check(holds, what)                                               \
    if (!(holds)) fuzz_fail(__FILE__, __LINE__, what)


typedef struct {
    const u_char  *pos;
    const u_char  *last;
    ngx_pool_t    *pool;
} fuzz_input_t;


static ngx_log_t   fuzz_log;
static ngx_str_t   fuzz_none = ngx_string("");
static ngx_str_t   fuzz_context;    /* shown when a property does not hold */


/* the linker puts the second in place of the first, which becomes "real" */

void __real___ubsan_handle_pointer_overflow(void *where, uintptr_t base,
    uintptr_t result);
void __wrap___ubsan_handle_pointer_overflow(void *where, uintptr_t base,
    uintptr_t result);

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u_char *data, size_t size);


static inline void
fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%.*s%s:%d: does not hold: %s\n",
            (int) fuzz_context.len, (char *) fuzz_context.data, file, line,
            what);
    abort();
}


static inline void
fuzz_show(const char *what, ngx_str_t *s)
{
    fprintf(stderr, "%s: \"%.*s\"\n", what, (int) s->len, (char *) s->data);
}


/* what must not fail here: the pool has the memory that there is */

static inline void *
fuzz_alloc(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = ngx_palloc(pool, size ? size : 1);
    fuzz_check(p, "there is memory");

    return p;
}


static inline void *
fuzz_zero(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = fuzz_alloc(pool, size);
    ngx_memzero(p, size);

    return p;
}


/* begins with an input; the pool goes with fuzz_end() */

static inline void
fuzz_begin(fuzz_input_t *in, const u_char *data, size_t size)
{
    in->pos = data;
    in->last = data + size;
    in->pool = ngx_create_pool(4096, &fuzz_log);

    fuzz_check(in->pool, "there is memory");
}


static inline int
fuzz_end(fuzz_input_t *in)
{
    ngx_destroy_pool(in->pool);

    return 0;
}


/* a copy in memory of just its size, so that what is read beyond it is seen */

static inline ngx_str_t
fuzz_copy(ngx_pool_t *pool, const u_char *p, size_t len)
{
    ngx_str_t  s;

    s.len = len;
    s.data = fuzz_alloc(pool, len);
    ngx_memcpy(s.data, p, len);

    return s;
}


/* the next text, or what is left if there is no end */

static inline ngx_str_t
fuzz_text(fuzz_input_t *in)
{
    ngx_str_t      s;
    const u_char  *end;

    end = in->pos < in->last ? memchr(in->pos, FUZZ_END, in->last - in->pos)
                             : NULL;

    if (end == NULL) {
        end = in->last;
    }

    s = fuzz_copy(in->pool, in->pos, end - in->pos);

    in->pos = end < in->last ? end + 1 : end;

    return s;
}


static inline ngx_str_t
fuzz_rest(fuzz_input_t *in)
{
    ngx_str_t  s;

    s = fuzz_copy(in->pool, in->pos, in->last - in->pos);
    in->pos = in->last;

    return s;
}


/* the byte at "i" of the settings, or the default */

static inline u_char
fuzz_setting(ngx_str_t *settings, size_t i, u_char otherwise)
{
    return i < settings->len ? settings->data[i] : otherwise;
}


/* '-': no rule of flowdash_strict; '+': all; otherwise all but one of them */

static inline ngx_uint_t
fuzz_strict(u_char c)
{
    if (c == '-') {
        return NGX_HTTP_FLOWDASH_STRICT_NONE;
    }

    if (c == '+') {
        return NGX_HTTP_FLOWDASH_STRICT_ALL;
    }

    return NGX_HTTP_FLOWDASH_STRICT_ALL & ~((ngx_uint_t) 1 << (c % 13));
}


static inline ngx_uint_t
fuzz_is(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


static inline ngx_uint_t
fuzz_has(ngx_str_t *s, const char *text)
{
    return memmem(s->data, s->len, text, strlen(text)) != NULL;
}


/* the length of the character of UTF-8 at "p" (RFC 3629), or 0 */

static inline size_t
fuzz_utf8(const u_char *p, const u_char *last)
{
    size_t    i, n;
    uint32_t  c;

    if (*p < 0x80) {
        return 1;
    }

    n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;

    if (*p < 0xc2 || *p > 0xf4 || (size_t) (last - p) < n) {
        return 0;
    }

    c = *p & (0xff >> (n + 1));

    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        c = c << 6 | (p[i] & 0x3f);
    }

    if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff))
        || (c >= 0xd800 && c <= 0xdfff))
    {
        return 0;
    }

    return n;
}


static inline ngx_uint_t
fuzz_is_utf8(ngx_str_t *s)
{
    size_t  i, n;

    for (i = 0; i < s->len; i += n) {
        n = fuzz_utf8(s->data + i, s->data + s->len);
        if (n == 0) {
            return 0;
        }
    }

    return 1;
}


/* the tokens of a JSON pointer (RFC 6901); NULL if it is none */

static inline ngx_array_t *
fuzz_pointer(ngx_pool_t *pool, ngx_str_t *text)
{
    size_t        i;
    u_char        c;
    ngx_str_t    *token;
    ngx_array_t  *pointer;

    pointer = ngx_array_create(pool, 2, sizeof(ngx_str_t));
    fuzz_check(pointer, "there is memory");

    if (!fuzz_is_utf8(text) || (text->len && text->data[0] != '/')) {
        return NULL;
    }

    token = NULL;

    for (i = 0; i < text->len; i++) {

        c = text->data[i];

        if (c == '/') {
            token = ngx_array_push(pointer);
            fuzz_check(token, "there is memory");

            token->data = fuzz_alloc(pool, text->len);
            token->len = 0;
            continue;
        }

        if (c == '~') {
            i++;

            if (i == text->len
                || (text->data[i] != '0' && text->data[i] != '1'))
            {
                return NULL;
            }

            c = text->data[i] == '0' ? '~' : '/';
        }

        token->data[token->len++] = c;
    }

    return pointer;
}


/* nginx's empty string has no address: its end is NULL and 0 bytes */

void
__wrap___ubsan_handle_pointer_overflow(void *where, uintptr_t base,
    uintptr_t result)
{
    if (base || result) {
        __real___ubsan_handle_pointer_overflow(where, base, result);
        abort();
    }
}


/* nginx.h has its own */

#ifndef FUZZ_NGINX

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;

    ngx_pagesize = 4096;
    ngx_cacheline_size = 64;

    return 0;
}

#endif


#endif /* _FUZZ_H_INCLUDED_ */
