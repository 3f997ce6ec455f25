
/*
 * JSON by yajl: runs the parser so that it survives a lack of memory, decodes
 * and writes strings, and checks what yajl does not.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json_plain.h>
#include <ngx_http_flowdash_json_unescape.h>
#include <ngx_http_flowdash_json.h>


static void *ngx_http_flowdash_json_malloc(void *data, size_t size);
static void *ngx_http_flowdash_json_realloc(void *data, void *p, size_t size);
static void ngx_http_flowdash_json_free(void *data, void *p);
static ngx_inline ngx_uint_t ngx_http_flowdash_json_is_plain(u_char *p);
static u_char *ngx_http_flowdash_json_escape(u_char *p, u_char c);


/* by how many octets each one is longer in a string */

static const u_char  ngx_http_flowdash_json_more[256] = {
    5, 5, 5, 5, 5, 5, 5, 5, 1, 1, 1, 5, 1, 1, 5, 5,    /* \b \t \n \f \r */
    5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    /* " */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0     /* \ */
};


/* fewer octets are looked at one by one */

#define NGX_HTTP_FLOWDASH_JSON_STEP  16

/* where one octet is not plain, the next one often is not either */

#define ngx_http_flowdash_json_is_other(c)                                    \
    ((c) >= 0x80 || ngx_http_flowdash_json_more[c])


ngx_int_t
ngx_http_flowdash_json_decode(ngx_str_t *text, ngx_str_t *value,
    ngx_pool_t *pool)
{
    u_char     *p, *last;
    ngx_str_t   string;

    if (text->len < 2 || text->data[0] != '"') {
        return NGX_DECLINED;
    }

    p = text->data + 1;
    last = text->data + text->len - 1;

    string.data = p;
    string.len = last - p;

    if (memchr(p, '\\', last - p)) {

        string.data = ngx_pnalloc(pool, last - p);
        if (string.data == NULL) {
            return NGX_ERROR;
        }

        string.len = ngx_http_flowdash_json_unescape(string.data, p, last)
                     - string.data;
    }

    *value = string;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_json_scalar(ngx_str_t *value, ngx_str_t *text,
    ngx_pool_t *pool)
{
    switch (value->data[0]) {

    case '{':
    case '[':
        return NGX_DECLINED;

    case '"':
        if (ngx_http_flowdash_json_lone_surrogate(value)) {
            return NGX_DECLINED;
        }

        return ngx_http_flowdash_json_decode(value, text, pool);

    case 'n':
        ngx_str_null(text);
        return NGX_OK;

    default:
        *text = *value;
        return NGX_OK;
    }
}


ngx_int_t
ngx_http_flowdash_json_run(ngx_http_flowdash_json_memory_t *memory,
    const yajl_callbacks *callbacks, void *data, yajl_handle *yajl,
    ngx_str_t *text, size_t *offset, ngx_log_t *log)
{
    yajl_handle       handle;
    yajl_status       status;
    yajl_alloc_funcs  alloc;

    memory->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE / 4, log);
    if (memory->pool == NULL) {
        return NGX_ERROR;
    }

    if (setjmp(memory->exhausted) != 0) {
        ngx_destroy_pool(memory->pool);
        return NGX_ERROR;
    }

    alloc.malloc = ngx_http_flowdash_json_malloc;
    alloc.realloc = ngx_http_flowdash_json_realloc;
    alloc.free = ngx_http_flowdash_json_free;
    alloc.ctx = memory;

    handle = yajl_alloc(callbacks, &alloc, data);
    *yajl = handle;

    status = yajl_parse(handle, text->data, text->len);
    *offset = yajl_get_bytes_consumed(handle);

    if (status == yajl_status_ok) {

        /*
         * A line feed ends a number, which may be the last callback: yajl now
         * counts the bytes of this one.  It is an error in a string; without
         * it, yajl ignores one that begins behind the value and does not end.
         */

        *yajl = NULL;
        *offset = text->len;

        status = yajl_parse(handle, (u_char *) "\n", 1);

        if (status == yajl_status_ok) {
            status = yajl_complete_parse(handle);
        }
    }

    /* the pool frees all that yajl has allocated */

    ngx_destroy_pool(memory->pool);

    return (status == yajl_status_ok) ? NGX_OK : NGX_DECLINED;
}


static void *
ngx_http_flowdash_json_malloc(void *data, size_t size)
{
    ngx_http_flowdash_json_memory_t *memory = data;

    size_t  *p;

    /* realloc() needs the size, which is stored in front */

    p = ngx_palloc(memory->pool, sizeof(size_t) + size);
    if (p == NULL) {
        longjmp(memory->exhausted, 1);
    }

    *p = size;

    return p + 1;
}


static void *
ngx_http_flowdash_json_realloc(void *data, void *p, size_t size)
{
    void    *new;
    size_t  *old;

    new = ngx_http_flowdash_json_malloc(data, size);

    if (p) {
        old = (size_t *) p - 1;
        ngx_memcpy(new, p, ngx_min(*old, size));
        ngx_http_flowdash_json_free(data, p);
    }

    return new;
}


static void
ngx_http_flowdash_json_free(void *data, void *p)
{
    ngx_http_flowdash_json_memory_t *memory = data;

    if (p) {
        (void) ngx_pfree(memory->pool, (size_t *) p - 1);
    }
}


ngx_uint_t
ngx_http_flowdash_json_lone_surrogate(ngx_str_t *spelling)
{
    u_char      *p, *last;
    ngx_int_t    code;
    ngx_uint_t   high;

    high = 0;
    last = spelling->data + spelling->len;

    for (p = spelling->data; p < last; p++) {

        if (*p != '\\') {
            if (high) {
                return 1;
            }

            continue;
        }

        if (*++p != 'u') {
            if (high) {
                return 1;
            }

            continue;
        }

        code = ngx_hextoi(p + 1, 4);
        p += 4;

        if (high != ((code & 0xfc00) == 0xdc00)) {
            return 1;
        }

        high = ((code & 0xfc00) == 0xd800);
    }

    return high;
}


u_char *
ngx_http_flowdash_json_skip(u_char *p, u_char c)
{
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || *p == c) {
        p++;
    }

    return p;
}


size_t
ngx_http_flowdash_json_string_length(ngx_str_t *s)
{
    u_char  *p, *last, all;
    size_t   len;

    all = 0;
    len = s->len + 2;

    p = s->data;
    last = p + s->len;

    while (last - p >= NGX_HTTP_FLOWDASH_JSON_STEP) {

        p = ngx_http_flowdash_json_plain(p, last);

        while (p < last && ngx_http_flowdash_json_is_other(*p)) {
            len += ngx_http_flowdash_json_more[*p];
            all |= *p++;
        }
    }

    for ( /* void */ ; p < last; p++) {
        len += ngx_http_flowdash_json_more[*p];
        all |= *p;
    }

    return ((all & 0x80) && ngx_http_flowdash_text_check_utf8(s)) ? 0 : len;
}


u_char *
ngx_http_flowdash_json_write_string(u_char *p, ngx_str_t *s)
{
    u_char  *q, *next, *last;

    *p++ = '"';

    q = s->data;
    last = q + s->len;

    while (last - q >= NGX_HTTP_FLOWDASH_JSON_STEP) {

        next = ngx_http_flowdash_json_plain(q, last);
        p = ngx_cpymem(p, q, next - q);

        for (q = next; q < last && ngx_http_flowdash_json_is_other(*q); q++) {

            if (*q >= 0x80) {
                *p++ = *q;

            } else {
                p = ngx_http_flowdash_json_escape(p, *q);
            }
        }
    }

    for ( /* void */ ; q < last; q++) {

        if (ngx_http_flowdash_json_more[*q]) {
            p = ngx_http_flowdash_json_escape(p, *q);

        } else {
            *p++ = *q;
        }
    }

    *p++ = '"';

    return p;
}


u_char *
ngx_http_flowdash_json_write_ascii(u_char *p, ngx_str_t *s)
{
    size_t   n;
    u_char  *q, *last;

    *p++ = '"';

    q = s->data;
    last = q + s->len;

    while (last - q >= NGX_HTTP_FLOWDASH_JSON_STEP) {

        q = ngx_http_flowdash_json_plain_copy(&p, q, last);

        if (q == last || (*q != '"' && *q != '\\')) {
            break;
        }

        *p++ = '\\';
        *p++ = *q++;
    }

    while (q < last) {

        n = last - q;

        if (n >= 8) {
            n = 8;

            if (ngx_http_flowdash_json_is_plain(q)) {
                p = ngx_cpymem(p, q, 8);
                q += 8;
                continue;
            }
        }

        for ( /* void */ ; n; n--, q++) {

            if (*q < ' ' || *q > '~') {
                return NULL;
            }

            if (*q == '"' || *q == '\\') {
                *p++ = '\\';
            }

            *p++ = *q;
        }
    }

    *p++ = '"';

    return p;
}


/* none of eight octets needs to be looked at: all at once, in one word */

static ngx_inline ngx_uint_t
ngx_http_flowdash_json_is_plain(u_char *p)
{
    uint64_t  w, ones;

    ngx_memcpy(&w, p, sizeof(w));

    ones = 0x0101010101010101;

    /* the highest bit of an octet: above 0x7f, below ' ', '"', or '\\' */

    return ((w | (w - ' ' * ones) | ((w ^ ('"' * ones)) - ones)
             | ((w ^ ('\\' * ones)) - ones))
            & (0x80 * ones)) == 0;
}


static u_char *
ngx_http_flowdash_json_escape(u_char *p, u_char c)
{
    *p++ = '\\';

    switch (c) {

    case '\b':
        *p++ = 'b';
        return p;

    case '\t':
        *p++ = 't';
        return p;

    case '\n':
        *p++ = 'n';
        return p;

    case '\f':
        *p++ = 'f';
        return p;

    case '\r':
        *p++ = 'r';
        return p;

    case '"':
    case '\\':
        *p++ = c;
        return p;

    default:
        return ngx_sprintf(p, "u00%02Xd", c);
    }
}


u_char *
ngx_http_flowdash_json_check_text(ngx_str_t *text)
{
    u_char  *bad;

    bad = ngx_http_flowdash_text_find(text, NGX_HTTP_FLOWDASH_TEXT_C0);

    return bad ? bad : ngx_http_flowdash_text_check_utf8(text);
}
