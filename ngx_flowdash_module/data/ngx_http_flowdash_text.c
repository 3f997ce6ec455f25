
/*
 * Text in UTF-8, media types and other small questions about bytes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>


static size_t ngx_http_flowdash_text_utf8_length(u_char *p, u_char *last);


u_char *
ngx_http_flowdash_text_check_utf8(ngx_str_t *s)
{
    u_char  *p, *last;
    size_t   len;

    last = s->data + s->len;

    for (p = s->data; p < last; p += len) {

        len = ngx_http_flowdash_text_utf8_length(p, last);

        if (len == 0) {
            return p;
        }
    }

    return NULL;
}


/*
 * The length of the character at "p", 0 if there is none.  Stricter than both
 * yajl and ngx_utf8_decode(): see Table 3-7 of the Unicode standard.
 */

static size_t
ngx_http_flowdash_text_utf8_length(u_char *p, u_char *last)
{
    u_char  c, low, high;
    size_t  len, i;

    c = *p;

    if (c < 0x80) {
        return 1;
    }

    if (c < 0xc2 || c > 0xf4) {
        return 0;
    }

    len = (c < 0xe0) ? 2 : (c < 0xf0) ? 3 : 4;

    if ((size_t) (last - p) < len) {
        return 0;
    }

    low = (c == 0xe0) ? 0xa0 : (c == 0xf0) ? 0x90 : 0x80;
    high = (c == 0xed) ? 0x9f : (c == 0xf4) ? 0x8f : 0xbf;

    if (p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < len; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }

    return len;
}


ngx_uint_t
ngx_http_flowdash_text_is_json_type(ngx_str_t *type)
{
    u_char  *p, *last;
    size_t   len;

    p = type->data;
    last = ngx_strlchr(p, p + type->len, ';');

    if (last == NULL) {
        last = p + type->len;
    }

    while (last > p && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    len = last - p;

    if (len == sizeof("application/json") - 1
        && ngx_strncasecmp(p, (u_char *) "application/json", len) == 0)
    {
        return 1;
    }

    if (len == sizeof("text/json") - 1
        && ngx_strncasecmp(p, (u_char *) "text/json", len) == 0)
    {
        return 1;
    }

    return len > sizeof("+json") - 1
           && ngx_strlchr(p, last, '/') != NULL
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


ngx_uint_t
ngx_http_flowdash_text_is(ngx_str_t *s, const char *text)
{
    return s->len == ngx_strlen(text)
           && ngx_strncasecmp(s->data, (u_char *) text, s->len) == 0;
}
