
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
 * and PHP make 7 of "7a", " 7" and "07".  What comes late in a long number
 * does not matter.
 */

static ngx_uint_t
ngx_http_flowdash_json_match_number(ngx_str_t *text, double *number)
{
    char        digits[NGX_HTTP_FLOWDASH_JSON_MATCH_DIGITS + 2], *end;
    u_char     *p, *last;
    size_t      len;
    ngx_uint_t  minus;

    p = text->data;
    last = p + text->len;
    minus = 0;

    while (p < last && *p <= ' ') {
        p++;
    }

    if (p < last && (*p == '+' || *p == '-')) {
        minus = (*p == '-');
        p++;
    }

    while (last - p > 1 && *p == '0' && p[1] >= '0' && p[1] <= '9') {
        p++;
    }

    len = ngx_min(last - p, NGX_HTTP_FLOWDASH_JSON_MATCH_DIGITS);

    if (len == 0 || *p < '0' || *p > '9') {
        return 0;
    }

    digits[0] = minus ? '-' : '+';
    ngx_memcpy(digits + 1, p, len);
    digits[len + 1] = '\0';

    *number = strtod(digits, &end);

    return 1;
}
