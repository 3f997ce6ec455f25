
/*
 * Decodes JSON strings that are known to be valid.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json_unescape.h>


static size_t ngx_http_flowdash_json_unescape_piece(u_char **p, u_char *last,
    u_char *buf, u_char **piece);
static uint32_t ngx_http_flowdash_json_unescape_code(u_char **p, u_char *last);
static size_t ngx_http_flowdash_json_unescape_encode(u_char *dst,
    uint32_t code);


u_char *
ngx_http_flowdash_json_unescape(u_char *dst, u_char *p, u_char *last)
{
    size_t   len;
    u_char  *piece, buf[4];

    while (p < last) {
        len = ngx_http_flowdash_json_unescape_piece(&p, last, buf, &piece);
        dst = ngx_cpymem(dst, piece, len);
    }

    return dst;
}


ngx_uint_t
ngx_http_flowdash_json_unescape_is(ngx_str_t *spelling, ngx_str_t *name)
{
    size_t   len, rest;
    u_char  *p, *last, *n, *piece, buf[4];

    p = spelling->data + 1;
    last = spelling->data + spelling->len - 1;

    n = name->data;
    rest = name->len;

    while (p < last) {

        len = ngx_http_flowdash_json_unescape_piece(&p, last, buf, &piece);

        if (len > rest || ngx_memcmp(n, piece, len) != 0) {
            return 0;
        }

        n += len;
        rest -= len;
    }

    return rest == 0;
}


/*
 * The next bytes of a valid string: those before an escape, or those of one,
 * which "buf" gets.  Moves "p" behind them, and returns their number.
 */

static size_t
ngx_http_flowdash_json_unescape_piece(u_char **p, u_char *last, u_char *buf,
    u_char **piece)
{
    u_char  *end;

    static const char  escapes[] = "bfnrt", means[] = "\b\f\n\r\t";
    const char        *escape;

    if (**p != '\\') {
        *piece = *p;

        end = memchr(*p, '\\', last - *p);
        *p = end ? end : last;

        return *p - *piece;
    }

    *piece = buf;

    if ((*p)[1] == 'u') {
        return ngx_http_flowdash_json_unescape_encode(buf,
                               ngx_http_flowdash_json_unescape_code(p, last));
    }

    escape = ngx_strchr(escapes, (*p)[1]);
    buf[0] = escape ? (u_char) means[escape - escapes] : (*p)[1];
    *p += 2;

    return 1;
}


/* the character of the escape, or of two, at "p" */

static uint32_t
ngx_http_flowdash_json_unescape_code(u_char **p, u_char *last)
{
    uint32_t   code;
    ngx_int_t  low;

    code = (uint32_t) ngx_hextoi(*p + 2, 4);
    *p += 6;

    if ((code & 0xfc00) != 0xd800) {
        return code;
    }

    if (last - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {

        low = ngx_hextoi(*p + 2, 4);

        if ((low & ~0x3ff) == 0xdc00) {
            *p += 6;
            return 0x10000 + ((code & 0x3ff) << 10) + (uint32_t) (low & 0x3ff);
        }
    }

    return '?';
}


static size_t
ngx_http_flowdash_json_unescape_encode(u_char *dst, uint32_t code)
{
    if (code < 0x80) {
        dst[0] = (u_char) code;
        return 1;
    }

    if (code < 0x800) {
        dst[0] = (u_char) (0xc0 | code >> 6);
        dst[1] = (u_char) (0x80 | (code & 0x3f));
        return 2;
    }

    if (code < 0x10000) {
        dst[0] = (u_char) (0xe0 | code >> 12);
        dst[1] = (u_char) (0x80 | (code >> 6 & 0x3f));
        dst[2] = (u_char) (0x80 | (code & 0x3f));
        return 3;
    }

    dst[0] = (u_char) (0xf0 | code >> 18);
    dst[1] = (u_char) (0x80 | (code >> 12 & 0x3f));
    dst[2] = (u_char) (0x80 | (code >> 6 & 0x3f));
    dst[3] = (u_char) (0x80 | (code & 0x3f));

    return 4;
}
