
/*
 * Writes text and values as parts of a JSON text that fits anywhere.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json_embed.h>


static size_t ngx_http_flowdash_json_embed_valid(u_char *dst, u_char *p,
    u_char *last);
static size_t ngx_http_flowdash_json_embed_char(u_char *dst, u_char *p,
    u_char *last, size_t *used);
static size_t ngx_http_flowdash_json_embed_code(u_char *dst, ngx_uint_t code);
static size_t ngx_http_flowdash_json_embed_short(u_char *dst, u_char c);


/* where to write after "n" bytes */

#define ngx_http_flowdash_json_embed_at(dst, n)  ((dst) ? (dst) + (n) : NULL)


size_t
ngx_http_flowdash_json_embed_text(u_char *dst, ngx_str_t *text)
{
    u_char     *bad, *last;
    size_t      n;
    ngx_str_t   rest;

    n = 0;
    rest = *text;
    last = text->data + text->len;

    for ( ;; ) {
        bad = ngx_http_flowdash_text_check_utf8(&rest);

        n += ngx_http_flowdash_json_embed_valid(
                                      ngx_http_flowdash_json_embed_at(dst, n),
                                      rest.data, bad ? bad : last);

        if (bad == NULL) {
            return n;
        }

        n += ngx_http_flowdash_json_embed_code(
                                      ngx_http_flowdash_json_embed_at(dst, n),
                                      0xfffd);

        rest.data = bad + 1;
        rest.len = last - rest.data;
    }
}


static size_t
ngx_http_flowdash_json_embed_valid(u_char *dst, u_char *p, u_char *last)
{
    u_char  *at;
    size_t   n, used;

    n = 0;

    while (p < last) {

        at = ngx_http_flowdash_json_embed_at(dst, n);

        if (*p == '"' || *p == '\\') {
            n += ngx_http_flowdash_json_embed_short(at, *p++);
            continue;
        }

        n += ngx_http_flowdash_json_embed_char(at, p, last, &used);
        p += used;
    }

    return n;
}


size_t
ngx_http_flowdash_json_embed_value(u_char *dst, ngx_str_t *json)
{
    u_char      *p, *last;
    size_t       n, used;
    ngx_uint_t   string;

    n = 0;
    string = 0;
    p = json->data;
    last = p + json->len;

    while (p < last) {

        if (!string
            && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        {
            p++;
            continue;
        }

        if (*p == '"') {
            string = !string;

        } else if (*p == '\\' && last - p > 1) {

            /* the next byte may be a quote, which ends no string */

            if (dst) {
                dst[n] = *p;
            }

            n++;
            p++;
        }

        n += ngx_http_flowdash_json_embed_char(
                                      ngx_http_flowdash_json_embed_at(dst, n),
                                      p, last, &used);
        p += used;
    }

    return n;
}


/* "used" is how many bytes it has read */

static size_t
ngx_http_flowdash_json_embed_char(u_char *dst, u_char *p, u_char *last,
    size_t *used)
{
    *used = 1;

    switch (*p) {

    case '\b':
        return ngx_http_flowdash_json_embed_short(dst, 'b');

    case '\t':
        return ngx_http_flowdash_json_embed_short(dst, 't');

    case '\n':
        return ngx_http_flowdash_json_embed_short(dst, 'n');

    case '\f':
        return ngx_http_flowdash_json_embed_short(dst, 'f');

    case '\r':
        return ngx_http_flowdash_json_embed_short(dst, 'r');

    case '<':
    case '>':
    case '&':
    case 0x7f:
        return ngx_http_flowdash_json_embed_code(dst, *p);

    default:
        break;
    }

    if (*p < 0x20) {
        return ngx_http_flowdash_json_embed_code(dst, *p);
    }

    /* U+2028 and U+2029 end a line in JavaScript */

    if (last - p >= 3 && p[0] == 0xe2 && p[1] == 0x80
        && (p[2] == 0xa8 || p[2] == 0xa9))
    {
        *used = 3;
        return ngx_http_flowdash_json_embed_code(dst, 0x2000 + p[2] - 0x80);
    }

    if (dst) {
        *dst = *p;
    }

    return 1;
}


static size_t
ngx_http_flowdash_json_embed_code(u_char *dst, ngx_uint_t code)
{
    ngx_int_t  shift;

    static u_char  hex[] = "0123456789abcdef";

    if (dst) {
        *dst++ = '\\';
        *dst++ = 'u';

        for (shift = 12; shift >= 0; shift -= 4) {
            *dst++ = hex[(code >> shift) & 0xf];
        }
    }

    return sizeof("\\u0000") - 1;
}


static size_t
ngx_http_flowdash_json_embed_short(u_char *dst, u_char c)
{
    if (dst) {
        dst[0] = '\\';
        dst[1] = c;
    }

    return 2;
}
