
/*
 * Whether a member of a JSON object has the value that a selector names.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_fold.h>
#include <ngx_http_flowdash_json_match.h>


#define NGX_HTTP_FLOWDASH_JSON_MATCH_DIGITS  64


static ngx_uint_t ngx_http_flowdash_json_match_number(ngx_str_t *text,
    double *number);
static ngx_int_t ngx_http_flowdash_json_match_next(u_char **p, u_char *last);
static ngx_int_t ngx_http_flowdash_json_match_ascii(uint32_t c);


ngx_http_flowdash_json_match_e
ngx_http_flowdash_json_match(ngx_str_t *text, ngx_str_t *wanted)
{
    double  a, b;

    if (ngx_http_flowdash_text_equal(text, wanted)) {
        return NGX_HTTP_FLOWDASH_JSON_SAME;
    }

    if (ngx_http_flowdash_fold_compare(text, wanted) == 0) {
        return NGX_HTTP_FLOWDASH_JSON_SIMILAR;
    }

    if (ngx_http_flowdash_json_match_number(wanted, &b)
        && ngx_http_flowdash_json_match_number(text, &a)
        && a >= b && a <= b)
    {
        return NGX_HTTP_FLOWDASH_JSON_SIMILAR;
    }

    return NGX_HTTP_FLOWDASH_JSON_OTHER;
}


/*
 * Reads the number at the beginning of a text, as apps do that want one: Ruby
 * and PHP make 7 of "7a", " 7" and "07", and Python 10 of "1_0".  What comes
 * late in a long number does not matter.
 */

static ngx_uint_t
ngx_http_flowdash_json_match_number(ngx_str_t *text, double *number)
{
    char        digits[NGX_HTTP_FLOWDASH_JSON_MATCH_DIGITS + 3], *end;
    u_char     *p, *last;
    ngx_int_t   c;
    ngx_uint_t  n;

    p = text->data;
    last = p + text->len;

    do {
        c = ngx_http_flowdash_json_match_next(&p, last);
    } while (c >= 0 && c <= ' ');

    digits[0] = '+';

    if (c == '+' || c == '-') {
        digits[0] = (char) c;
        c = ngx_http_flowdash_json_match_next(&p, last);
    }

    if (c < '0' || c > '9') {
        return 0;
    }

    while (c == '0') {
        c = ngx_http_flowdash_json_match_next(&p, last);
    }

    digits[1] = '0';
    n = 2;

    while (c >= 0 && n < NGX_HTTP_FLOWDASH_JSON_MATCH_DIGITS + 2) {

        if (c != '_') {
            digits[n++] = (char) c;
        }

        c = ngx_http_flowdash_json_match_next(&p, last);
    }

    digits[n] = '\0';

    *number = strtod(digits, &end);

    return 1;
}


/* returns an ASCII character, "?" instead of any other, or -1 at the end */

static ngx_int_t
ngx_http_flowdash_json_match_next(u_char **p, u_char *last)
{
    uint32_t  c;

    if (*p == last) {
        return -1;
    }

    if (**p < 0x80) {
        return *(*p)++;
    }

    c = ngx_utf8_decode(p, last - *p);

    if (c == 0xfffffffe) {

        /* it breaks off */

        return -1;
    }

    return ngx_http_flowdash_json_match_ascii(c);
}


/*
 * Python, Java and .NET read the digits of all scripts, and skip all white
 * space.  Each zero of Unicode 14.0 is followed by the other nine digits.
 */

static ngx_int_t
ngx_http_flowdash_json_match_ascii(uint32_t c)
{
    ngx_uint_t  i;

    static uint32_t  zeros[] = {
        0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66,
        0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50, 0x0ed0, 0x0f20,
        0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
        0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0,
        0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0,
        0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0,
        0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60,
        0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
        0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0
    };

    for (i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
        if (c >= zeros[i] && c < zeros[i] + 10) {
            return '0' + (ngx_int_t) (c - zeros[i]);
        }
    }

    if (c == 0x85 || c == 0xa0 || c == 0x1680
        || (c >= 0x2000 && c <= 0x200a)
        || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f
        || c == 0x3000 || c == 0xfeff)
    {
        return ' ';
    }

    return '?';
}
