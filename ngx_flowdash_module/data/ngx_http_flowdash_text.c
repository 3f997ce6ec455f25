
/*
 * UTF-8, control characters, media types, and other small questions about
 * text.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>


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


u_char *
ngx_http_flowdash_text_find(ngx_str_t *s, ngx_uint_t classes)
{
    u_char  *p, *last;

    last = s->data + s->len;

    for (p = s->data; p < last; p++) {
        if (ngx_http_flowdash_text_class(*p) & classes) {
            return p;
        }
    }

    return NULL;
}


u_char *
ngx_http_flowdash_text_unescape(u_char *dst, u_char *p, u_char *last,
    ngx_uint_t form)
{
    ngx_int_t  c;

    for ( /* void */ ; p < last; p++) {

        if (*p != '%') {
            *dst++ = (form && *p == '+') ? ' ' : *p;
            continue;
        }

        c = (last - p >= 3) ? ngx_hextoi(p + 1, 2) : NGX_ERROR;

        if (c == NGX_ERROR) {
            return NULL;
        }

        *dst++ = (u_char) c;
        p += 2;
    }

    return dst;
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

    name = *type;

    end = ngx_strlchr(name.data, name.data + name.len, ';');

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
    u_char  *p;
    size_t   left;

    for (p = s->data, left = s->len; left >= text->len; p++, left--) {
        if (ngx_memcmp(p, text->data, text->len) == 0) {
            return 1;
        }
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
