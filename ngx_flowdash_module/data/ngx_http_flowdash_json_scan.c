
/*
 * Reads JSON once: grammar, UTF-8 and control characters together.  yajl says
 * the same about every text, and where a text is not JSON, even of the place;
 * it is asked where there is time, and by t/fuzz/scan.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_plain.h>
#include <ngx_http_flowdash_json_scan.h>


#define ngx_http_flowdash_json_scan_is_digit(c)  ((c) >= '0' && (c) <= '9')

#define ngx_http_flowdash_json_scan_is_space(c)                               \
    ((c) == ' ' || (c) == '\n' || (c) == '\r' || (c) == '\t')

#define ngx_http_flowdash_json_scan_is_mark(c)                                \
    ((c) == '{' || (c) == '}' || (c) == '[' || (c) == ']'                     \
     || (c) == ',' || (c) == ':')


static ngx_http_flowdash_json_scan_e ngx_http_flowdash_json_scan_value(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_http_flowdash_json_scan_e ngx_http_flowdash_json_scan_scalar(
    ngx_http_flowdash_json_scan_t *scan, u_char c);
static ngx_http_flowdash_json_scan_e ngx_http_flowdash_json_scan_behind(
    ngx_http_flowdash_json_scan_t *scan, u_char last);
static ngx_http_flowdash_json_scan_e ngx_http_flowdash_json_scan_name(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_http_flowdash_json_scan_e ngx_http_flowdash_json_scan_wrong(
    ngx_http_flowdash_json_scan_t *scan, ngx_uint_t before);
static u_char *ngx_http_flowdash_json_scan_token(
    ngx_http_flowdash_json_scan_t *scan, u_char *p);
static u_char *ngx_http_flowdash_json_scan_string(
    ngx_http_flowdash_json_scan_t *scan, u_char *p);
static u_char *ngx_http_flowdash_json_scan_escape(
    ngx_http_flowdash_json_scan_t *scan, u_char *p);
static u_char *ngx_http_flowdash_json_scan_number(
    ngx_http_flowdash_json_scan_t *scan, u_char *p);
static u_char *ngx_http_flowdash_json_scan_digits(
    ngx_http_flowdash_json_scan_t *scan, u_char *p);
static u_char *ngx_http_flowdash_json_scan_literal(
    ngx_http_flowdash_json_scan_t *scan, u_char *p, const char *literal);
static u_char *ngx_http_flowdash_json_scan_fail(
    ngx_http_flowdash_json_scan_t *scan, u_char *p);


/* skips white space; returns the next byte, or 0 at the end of the text */

static ngx_inline u_char
ngx_http_flowdash_json_scan_next(ngx_http_flowdash_json_scan_t *scan)
{
    u_char  *p, *last;

    p = scan->pos;
    last = scan->text.data + scan->text.len;

    /* most tokens follow each other directly */

    while (p < last && *p <= ' ' && ngx_http_flowdash_json_scan_is_space(*p)) {
        p++;
    }

    scan->pos = p;

    return (p < last) ? *p : '\0';
}


/* calls a function for the token that ends at "end" */

static ngx_inline ngx_http_flowdash_json_scan_e
ngx_http_flowdash_json_scan_call(ngx_http_flowdash_json_scan_t *scan,
    ngx_http_flowdash_json_scan_pt function, u_char *end)
{
    ngx_int_t  rc;

    scan->start = scan->pos;
    scan->end = end;
    scan->pos = end;

    rc = function(scan);

    if (rc == NGX_OK) {
        return NGX_HTTP_FLOWDASH_JSON_SCAN_OK;
    }

    scan->offset = end - scan->text.data;

    return (rc == NGX_DECLINED) ? NGX_HTTP_FLOWDASH_JSON_SCAN_STOPPED
                                : NGX_HTTP_FLOWDASH_JSON_SCAN_ERROR;
}


ngx_http_flowdash_json_scan_e
ngx_http_flowdash_json_scan(ngx_http_flowdash_json_scan_t *scan)
{
    u_char                         *bad;
    ngx_str_t                       rest;
    ngx_http_flowdash_json_scan_e   verdict;

    scan->pos = scan->text.data;
    scan->escaped = 0;
    scan->half = 0;

    verdict = ngx_http_flowdash_json_scan_value(scan);

    if (verdict == NGX_HTTP_FLOWDASH_JSON_SCAN_OK
        || verdict == NGX_HTTP_FLOWDASH_JSON_SCAN_ERROR)
    {
        return verdict;
    }

    rest.data = scan->pos;
    rest.len = scan->text.data + scan->text.len - scan->pos;

    bad = ngx_http_flowdash_json_check_text(&rest);

    if (bad) {
        scan->offset = bad - scan->text.data;
        return NGX_HTTP_FLOWDASH_JSON_SCAN_BYTE;
    }

    return verdict;
}


static ngx_http_flowdash_json_scan_e
ngx_http_flowdash_json_scan_value(ngx_http_flowdash_json_scan_t *scan)
{
    u_char                          c, last[NGX_HTTP_FLOWDASH_JSON_DEPTH + 1];
    ngx_uint_t                      depth;
    ngx_http_flowdash_json_scan_e   verdict;

    depth = 0;
    last[0] = '\0';

value:

    c = ngx_http_flowdash_json_scan_next(scan);

    if (c == '{' || c == '[') {

        if (depth == NGX_HTTP_FLOWDASH_JSON_DEPTH) {
            scan->offset = ++scan->pos - scan->text.data;
            return NGX_HTTP_FLOWDASH_JSON_SCAN_DEEP;
        }

        last[++depth] = c + 2;    /* "}" or "]" */

        verdict = ngx_http_flowdash_json_scan_call(scan, scan->events->start,
                                                   scan->pos + 1);
        if (verdict) {
            return verdict;
        }

        if (ngx_http_flowdash_json_scan_next(scan) != last[depth]) {

            if (c == '{') {
                goto name;
            }

            goto value;
        }

    } else {

        verdict = ngx_http_flowdash_json_scan_scalar(scan, c);
        if (verdict) {
            return verdict;
        }
    }

    for ( ;; ) {

        c = ngx_http_flowdash_json_scan_next(scan);

        if (c != last[depth] || depth == 0) {
            break;
        }

        depth--;

        verdict = ngx_http_flowdash_json_scan_call(scan, scan->events->end,
                                                   scan->pos + 1);
        if (verdict) {
            return verdict;
        }
    }

    if (c != ',' || depth == 0) {
        return ngx_http_flowdash_json_scan_behind(scan, last[depth]);
    }

    scan->pos++;

    if (last[depth] == ']') {
        goto value;
    }

name:

    verdict = ngx_http_flowdash_json_scan_name(scan);
    if (verdict) {
        return verdict;
    }

    goto value;
}


/* a value that begins with "c", and is no array or object */

static ngx_inline ngx_http_flowdash_json_scan_e
ngx_http_flowdash_json_scan_scalar(ngx_http_flowdash_json_scan_t *scan,
    u_char c)
{
    u_char  *end;

    if (c == '\0' || ngx_http_flowdash_json_scan_is_mark(c)) {
        return ngx_http_flowdash_json_scan_wrong(scan, 0);
    }

    end = ngx_http_flowdash_json_scan_token(scan, scan->pos);

    if (end == NULL) {
        return NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED;
    }

    return ngx_http_flowdash_json_scan_call(scan, scan->events->scalar, end);
}


/*
 * What is behind a value is no comma, and does not end what the value is in;
 * "last" would end that.
 */

static ngx_http_flowdash_json_scan_e
ngx_http_flowdash_json_scan_behind(ngx_http_flowdash_json_scan_t *scan,
    u_char last)
{
    if (last == '\0' && scan->pos == scan->text.data + scan->text.len) {
        return NGX_HTTP_FLOWDASH_JSON_SCAN_OK;
    }

    return ngx_http_flowdash_json_scan_wrong(scan, last == '}');
}


static ngx_http_flowdash_json_scan_e
ngx_http_flowdash_json_scan_name(ngx_http_flowdash_json_scan_t *scan)
{
    u_char                         *end;
    ngx_http_flowdash_json_scan_e   verdict;

    if (ngx_http_flowdash_json_scan_next(scan) != '"') {
        return ngx_http_flowdash_json_scan_wrong(scan, 0);
    }

    end = ngx_http_flowdash_json_scan_string(scan, scan->pos);

    if (end == NULL) {
        return NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED;
    }

    verdict = ngx_http_flowdash_json_scan_call(scan, scan->events->name, end);

    if (verdict) {
        return verdict;
    }

    if (ngx_http_flowdash_json_scan_next(scan) != ':') {
        return ngx_http_flowdash_json_scan_wrong(scan, 0);
    }

    scan->pos++;

    return NGX_HTTP_FLOWDASH_JSON_SCAN_OK;
}


/*
 * The next token is none that may be here.  As with yajl, the place is that
 * after it, or what is wrong in it; or, where an object should continue or
 * end, the one before it, less the quotes of a string.
 */

static ngx_http_flowdash_json_scan_e
ngx_http_flowdash_json_scan_wrong(ngx_http_flowdash_json_scan_t *scan,
    ngx_uint_t before)
{
    u_char  *p, *end, *last;

    p = scan->pos;
    last = scan->text.data + scan->text.len;

    if (p == last) {
        (void) ngx_http_flowdash_json_scan_fail(scan, last);
        return NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED;
    }

    end = ngx_http_flowdash_json_scan_token(scan, p);

    if (end == NULL) {
        return NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED;
    }

    if (before && *p == '"') {
        end = p + 2;

    } else if (before
               && (end < last
                   || !ngx_http_flowdash_json_scan_is_digit(end[-1])))
    {
        /* only its end shows that a number is one */

        end = p;
    }

    (void) ngx_http_flowdash_json_scan_fail(scan, end);

    return NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED;
}


/* returns the end of the token at "p", or NULL with scan->offset set */

static u_char *
ngx_http_flowdash_json_scan_token(ngx_http_flowdash_json_scan_t *scan,
    u_char *p)
{
    switch (*p) {

    case '"':
        return ngx_http_flowdash_json_scan_string(scan, p);

    case 't':
        return ngx_http_flowdash_json_scan_literal(scan, p, "true");

    case 'f':
        return ngx_http_flowdash_json_scan_literal(scan, p, "false");

    case 'n':
        return ngx_http_flowdash_json_scan_literal(scan, p, "null");

    case '/':
        return ngx_http_flowdash_json_scan_fail(scan, p);

    default:
        break;
    }

    if (*p == '-' || ngx_http_flowdash_json_scan_is_digit(*p)) {
        return ngx_http_flowdash_json_scan_number(scan, p);
    }

    if (ngx_http_flowdash_json_scan_is_mark(*p)) {
        return p + 1;
    }

    return ngx_http_flowdash_json_scan_fail(scan, p + 1);
}


static u_char *
ngx_http_flowdash_json_scan_string(ngx_http_flowdash_json_scan_t *scan,
    u_char *p)
{
    size_t   len;
    u_char  *last;

    scan->escaped = 0;
    scan->half = 0;

    last = scan->text.data + scan->text.len;

    for (p++; p < last; /* void */) {

        p = ngx_http_flowdash_json_plain(p, last);

        if (p == last) {
            break;
        }

        if (*p == '"') {
            return p + 1;
        }

        if (*p == '\\') {

            p = ngx_http_flowdash_json_scan_escape(scan, p + 1);

            if (p == NULL) {
                return NULL;
            }

            continue;
        }

        /* text in other alphabets has many of these in a row */

        do {
            len = ngx_http_flowdash_text_utf8_length(p, last);

            if (len == 0 || *p < 0x80) {
                return ngx_http_flowdash_json_scan_fail(scan, p);
            }

            p += len;

        } while (p < last && *p >= 0x80);
    }

    return ngx_http_flowdash_json_scan_fail(scan, last);
}


/* returns the end of the escape whose backslash is before "p", or NULL */

static u_char *
ngx_http_flowdash_json_scan_escape(ngx_http_flowdash_json_scan_t *scan,
    u_char *p)
{
    u_char      *last;
    ngx_int_t    code;
    ngx_uint_t   i;

    scan->escaped = 1;

    last = scan->text.data + scan->text.len;

    if (p == last) {
        return ngx_http_flowdash_json_scan_fail(scan, p);
    }

    if (*p != 'u') {
        return (*p && ngx_strchr("\"\\/bfnrt", *p))
               ? p + 1 : ngx_http_flowdash_json_scan_fail(scan, p);
    }

    p++;
    code = 0;

    for (i = 0; i < 4; i++, p++) {

        if (p == last || ngx_hextoi(p, 1) == NGX_ERROR) {
            return ngx_http_flowdash_json_scan_fail(scan, p);
        }

        code = code << 4 | ngx_hextoi(p, 1);
    }

    if ((code & 0xf800) != 0xd800) {
        return p;
    }

    if (code < 0xdc00
        && last - p >= 6 && p[0] == '\\' && p[1] == 'u'
        && (ngx_hextoi(p + 2, 4) & ~0x3ff) == 0xdc00)
    {
        return p + 6;
    }

    scan->half = 1;

    return p;
}


static u_char *
ngx_http_flowdash_json_scan_number(ngx_http_flowdash_json_scan_t *scan,
    u_char *p)
{
    u_char  *last;

    last = scan->text.data + scan->text.len;

    if (*p == '-') {
        p++;
    }

    if (p < last && *p == '0') {
        p++;

    } else {
        p = ngx_http_flowdash_json_scan_digits(scan, p);
    }

    if (p && p < last && *p == '.') {
        p = ngx_http_flowdash_json_scan_digits(scan, p + 1);
    }

    if (p && p < last && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < last && (*p == '+' || *p == '-')) {
            p++;
        }

        p = ngx_http_flowdash_json_scan_digits(scan, p);
    }

    return p;
}


/* there must be one at least */

static u_char *
ngx_http_flowdash_json_scan_digits(ngx_http_flowdash_json_scan_t *scan,
    u_char *p)
{
    u_char  *last;

    last = scan->text.data + scan->text.len;

    if (p == last || !ngx_http_flowdash_json_scan_is_digit(*p)) {
        return ngx_http_flowdash_json_scan_fail(scan, p);
    }

    while (p < last && ngx_http_flowdash_json_scan_is_digit(*p)) {
        p++;
    }

    return p;
}


static u_char *
ngx_http_flowdash_json_scan_literal(ngx_http_flowdash_json_scan_t *scan,
    u_char *p, const char *literal)
{
    u_char  *last;

    last = scan->text.data + scan->text.len;

    for ( /* void */ ; *literal; literal++, p++) {
        if (p == last || *p != (u_char) *literal) {
            return ngx_http_flowdash_json_scan_fail(scan, p);
        }
    }

    return p;
}


/* always returns NULL */

static u_char *
ngx_http_flowdash_json_scan_fail(ngx_http_flowdash_json_scan_t *scan,
    u_char *p)
{
    scan->offset = p - scan->text.data;

    return NULL;
}
