
/*
 * UTF-8, control characters, media types, and other small questions about
 * text.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_text_plain.h>


static uint64_t ngx_http_flowdash_text_lower(uint64_t word);


/* in each byte of a word */

#define ngx_http_flowdash_text_each(c)  ((c) * UINT64_C(0x0101010101010101))


ngx_uint_t
ngx_http_flowdash_text_similar(u_char *p, const char *text, size_t len)
{
    uint64_t  a, b;

    for ( /* void */ ; len >= 8; len -= 8) {

        ngx_memcpy(&a, p, 8);
        ngx_memcpy(&b, text, 8);

        if (a != b && ngx_http_flowdash_text_lower(a)
                      != ngx_http_flowdash_text_lower(b))
        {
            return 0;
        }

        p += 8;
        text += 8;
    }

    for ( /* void */ ; len; len--) {

        if (*p != (u_char) *text
            && ngx_tolower(*p) != ngx_tolower((u_char) *text))
        {
            return 0;
        }

        p++;
        text++;
    }

    return 1;
}


/* the letters of ASCII among eight bytes in lower case */

static uint64_t
ngx_http_flowdash_text_lower(uint64_t word)
{
    uint64_t  low, letters;

    low = word & ngx_http_flowdash_text_each(0x7f);

    /* the highest bit of a byte: from "A", not over "Z", and ASCII */

    letters = (low + ngx_http_flowdash_text_each(0x80 - 'A'))
              & ~(low + ngx_http_flowdash_text_each(0x80 - 'Z' - 1))
              & ~word & ngx_http_flowdash_text_each(0x80);

    return word | letters >> 2;
}


u_char *
ngx_http_flowdash_text_check_utf8(ngx_str_t *s)
{
    u_char  *p, *last;
    size_t   len;

    p = s->data;
    last = p + s->len;

    for ( ;; ) {

        p = ngx_http_flowdash_text_plain_ascii(p, last);

        /* where one character is not ASCII, the next often is not either */

        do {
            if (p == last) {
                return NULL;
            }

            len = ngx_http_flowdash_text_utf8_length(p, last);

            if (len == 0) {
                return p;
            }

            p += len;

        } while (len > 1);
    }
}


u_char *
ngx_http_flowdash_text_find(ngx_str_t *s, ngx_uint_t classes)
{
    u_char      *p, *last;
    ngx_uint_t   class;

    p = s->data;
    last = p + s->len;

    for ( ;; ) {

        p = ngx_http_flowdash_text_plain(p, last);

        do {
            if (p == last) {
                return NULL;
            }

            class = ngx_http_flowdash_text_class(*p);

            if (class & classes) {
                return p;
            }

            p++;

        } while (class);
    }
}


u_char *
ngx_http_flowdash_text_unescape(u_char *dst, u_char *p, u_char *last,
    ngx_uint_t form)
{
    u_char     c;
    ngx_int_t  escaped;

    for ( ;; ) {

        p = ngx_http_flowdash_text_plain_unescape(&dst, p, last, form);

        for ( ;; ) {
            if (p == last) {
                return dst;
            }

            c = *p++;

            if (c == '%') {
                break;
            }

            *dst++ = (form && c == '+') ? ' ' : c;
        }

        escaped = (last - p >= 2) ? ngx_hextoi(p, 2) : NGX_ERROR;

        if (escaped == NGX_ERROR) {
            return NULL;
        }

        *dst++ = (u_char) escaped;
        p += 2;
    }
}


void
ngx_http_flowdash_text_trim(ngx_str_t *s)
{
    while (s->len && ngx_http_flowdash_text_is_blank(s->data[0])) {
        s->data++;
        s->len--;
    }

    while (s->len && ngx_http_flowdash_text_is_blank(s->data[s->len - 1])) {
        s->len--;
    }
}


ngx_uint_t
ngx_http_flowdash_text_is_json_type(ngx_str_t *type)
{
    u_char     *end;
    ngx_str_t   name;

    if (ngx_http_flowdash_text_is(type, "application/json")) {
        return 1;
    }

    name = *type;

    end = name.len ? memchr(name.data, ';', name.len) : NULL;

    if (end) {
        name.len = end - name.data;
    }

    while (name.len
           && ngx_http_flowdash_text_is_blank(name.data[name.len - 1]))
    {
        name.len--;
    }

    return ngx_http_flowdash_text_is_json_name(&name);
}


ngx_uint_t
ngx_http_flowdash_text_is_json_name(ngx_str_t *name)
{
    u_char  *last;

    if (ngx_http_flowdash_text_is(name, "application/json")
        || ngx_http_flowdash_text_is(name, "text/json"))
    {
        return 1;
    }

    last = name->data + name->len;

    return name->len > sizeof("+json") - 1
           && ngx_strlchr(name->data, last, '/') != NULL
           && ngx_strncasecmp(last - 5, (u_char *) "+json", 5) == 0;
}


ngx_uint_t
ngx_http_flowdash_text_is_utf8_name(ngx_str_t *charset)
{
    return ngx_http_flowdash_text_is(charset, "utf-8")
           || ngx_http_flowdash_text_is(charset, "utf8");
}


ngx_uint_t
ngx_http_flowdash_text_equal(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || ngx_memcmp(a->data, b->data, a->len) == 0);
}


size_t
ngx_http_flowdash_text_multiparameter(ngx_str_t *name)
{
    u_char  *p, *last;

    last = name->data + name->len;

    if (name->len == 0) {
        return 0;
    }

    p = memchr(name->data, '(', name->len);

    if (p == NULL || memchr(p, ')', last - p) == NULL) {
        return 0;
    }

    return p - name->data;
}


ngx_uint_t
ngx_http_flowdash_text_is_variable(ngx_str_t *s, ngx_str_t *name)
{
    u_char  c;
    size_t  n;

    if (s->len != name->len) {
        return 0;
    }

    for (n = 0; n < s->len; n++) {
        c = ngx_tolower(s->data[n]);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) {
            c = '_';
        }

        if (c != name->data[n]) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_http_flowdash_text_contains(ngx_str_t *s, ngx_str_t *text)
{
    u_char  *p, *last;

    if (text->len == 0) {
        return 1;
    }

    if (s->len < text->len) {
        return 0;
    }

    p = s->data;
    last = p + s->len - text->len + 1;

    while ((p = memchr(p, text->data[0], last - p))) {

        if (ngx_memcmp(p, text->data, text->len) == 0) {
            return 1;
        }

        p++;
    }

    return 0;
}


u_char *
ngx_http_flowdash_text_variable_end(u_char *p, u_char *last)
{
    if (++p < last && *p == '{') {
        while (p < last && *p++ != '}') { /* void */ }

    } else if (p < last && *p >= '1' && *p <= '9') {

        /* a capture has one digit */

        p++;

    } else {
        while (p < last
               && ((*p >= '0' && *p <= '9') || *p == '_'
                   || (ngx_tolower(*p) >= 'a' && ngx_tolower(*p) <= 'z')))
        {
            p++;
        }
    }

    return p;
}
