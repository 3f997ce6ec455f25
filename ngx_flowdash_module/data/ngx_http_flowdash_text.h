
#ifndef _NGX_HTTP_FLOWDASH_TEXT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* classes of bytes */

#define NGX_HTTP_FLOWDASH_TEXT_TAB      0x01
#define NGX_HTTP_FLOWDASH_TEXT_LINE     0x02    /* CR and LF */
#define NGX_HTTP_FLOWDASH_TEXT_C0       0x04    /* the others below 0x20 */
#define NGX_HTTP_FLOWDASH_TEXT_DEL      0x08    /* 0x7f */
#define NGX_HTTP_FLOWDASH_TEXT_HIGH     0x10    /* not ASCII */

#define NGX_HTTP_FLOWDASH_TEXT_CONTROL                                        \
    (NGX_HTTP_FLOWDASH_TEXT_TAB|NGX_HTTP_FLOWDASH_TEXT_LINE                   \
     |NGX_HTTP_FLOWDASH_TEXT_C0|NGX_HTTP_FLOWDASH_TEXT_DEL)

/* what the value of a header cannot have (RFC 9110, 5.5) */

#define NGX_HTTP_FLOWDASH_TEXT_NO_HEADER                                      \
    (NGX_HTTP_FLOWDASH_TEXT_LINE|NGX_HTTP_FLOWDASH_TEXT_C0                    \
     |NGX_HTTP_FLOWDASH_TEXT_DEL)


/* Tells whether "len" bytes are those of "text", ignoring case in ASCII. */
ngx_uint_t ngx_http_flowdash_text_similar(u_char *p, const char *text,
    size_t len);


#define ngx_http_flowdash_text_is_blank(c)  ((c) == ' ' || (c) == '\t')


/* Returns the class of a byte, or 0 for a printable character of ASCII. */
static ngx_inline ngx_uint_t
ngx_http_flowdash_text_class(u_char c)
{
    if (c >= 0x20 && c < 0x7f) {
        return 0;
    }

    if (c >= 0x7f) {
        return (c == 0x7f) ? NGX_HTTP_FLOWDASH_TEXT_DEL
                           : NGX_HTTP_FLOWDASH_TEXT_HIGH;
    }

    if (c == '\t') {
        return NGX_HTTP_FLOWDASH_TEXT_TAB;
    }

    return (c == CR || c == LF) ? NGX_HTTP_FLOWDASH_TEXT_LINE
                                : NGX_HTTP_FLOWDASH_TEXT_C0;
}


/*
 * Tells whether a name may begin with this byte: a letter, a digit, "_", "$",
 * "@", "-", or what is not ASCII.  Some apps leave out others, or they mean
 * something.
 */
static ngx_inline ngx_uint_t
ngx_http_flowdash_text_begins_name(u_char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9')
           || c == '_' || c == '$' || c == '@' || c == '-' || c >= 0x80;
}


/*
 * Returns the length of the character at "p", or 0 if it is malformed.  This
 * is stricter than yajl and ngx_utf8_decode(): see Table 3-7 of the Unicode
 * standard.
 */
static ngx_inline size_t
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


/* Tells whether a string is "text", ignoring case. */
static ngx_inline ngx_uint_t
ngx_http_flowdash_text_is(ngx_str_t *s, const char *text)
{
    size_t  len;

    len = ngx_strlen(text);

    /* most often, it is spelled so */

    return s->len == len
           && (ngx_memcmp(s->data, text, len) == 0
               || ngx_http_flowdash_text_similar(s->data, text, len));
}


/*
 * Finds the first byte that is in one of the classes, which are or-ed.
 * Returns NULL if there is none.
 */
u_char *ngx_http_flowdash_text_find(ngx_str_t *s, ngx_uint_t classes);

/*
 * Decodes %XX from "p" to "last" into "dst", which may be "p"; "form" tells
 * whether "+" is a space.  Returns the end of what it has written, or NULL if
 * a "%" does not start an escape.
 */
u_char *ngx_http_flowdash_text_unescape(u_char *dst, u_char *p, u_char *last,
    ngx_uint_t form);

/* Removes the spaces and tabs around a string. */
void ngx_http_flowdash_text_trim(ngx_str_t *s);

/*
 * Finds the first byte that is not valid UTF-8 (RFC 3629: nothing overlong, no
 * surrogates, nothing over U+10FFFF).  Returns NULL if there is none.
 */
u_char *ngx_http_flowdash_text_check_utf8(ngx_str_t *s);

/*
 * Tells whether the value of "_charset_", or of a charset parameter, is a name
 * of UTF-8.
 */
ngx_uint_t ngx_http_flowdash_text_is_utf8_name(ngx_str_t *charset);

/* Tells whether two strings have the same bytes. */
ngx_uint_t ngx_http_flowdash_text_equal(ngx_str_t *a, ngx_str_t *b);

/*
 * Rails makes the attribute "due_date" of the multiparameters "due_date(1i)",
 * "due_date(2i)" and so on.  Returns the length of the attribute's name if
 * "name" is such a multiparameter, otherwise 0.
 */
size_t ngx_http_flowdash_text_multiparameter(ngx_str_t *name);

/*
 * Tells whether a field's name is "name" in a variable's spelling: in lower
 * case, with "_" for all but a-z and 0-9.
 */
ngx_uint_t ngx_http_flowdash_text_is_variable(ngx_str_t *s, ngx_str_t *name);

/* Tells whether the bytes of "text" occur in a string. */
ngx_uint_t ngx_http_flowdash_text_contains(ngx_str_t *s, ngx_str_t *text);


/*
 * Tells whether a Content-Type (RFC 9110, 8.3) stands for JSON: it is
 * application/json, text/json, or has the suffix +json (RFC 6839).
 */
ngx_uint_t ngx_http_flowdash_text_is_json_type(ngx_str_t *type);

/* The same for a media type that has no parameters. */
ngx_uint_t ngx_http_flowdash_text_is_json_name(ngx_str_t *name);

/*
 * Returns the end of nginx's variable that starts at "p", where a dollar sign
 * is.  nginx may not accept it.
 */
u_char *ngx_http_flowdash_text_variable_end(u_char *p, u_char *last);


#endif /* _NGX_HTTP_FLOWDASH_TEXT_H_INCLUDED_ */
