
/*
 * multipart/form-data: delimiters and contents.  The parsers of apps differ in
 * what they accept and how they read it.  This refuses whatever they might
 * read in different ways.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_name.h>
#include <ngx_http_flowdash_form_index.h>
#include <ngx_http_flowdash_form_rules.h>
#include <ngx_http_flowdash_multipart_state.h>
#include <ngx_http_flowdash_multipart_part.h>
#include <ngx_http_flowdash_multipart.h>


#define NGX_HTTP_FLOWDASH_MULTIPART_HEADERS   16384  /* of a part */
#define NGX_HTTP_FLOWDASH_MULTIPART_CHARSET   64     /* in "_charset_" */
#define NGX_HTTP_FLOWDASH_MULTIPART_METHOD    64     /* in "_method" */


static ngx_int_t ngx_http_flowdash_multipart_opening(
    ngx_http_flowdash_multipart_t *mp, u_char c);
static ngx_int_t ngx_http_flowdash_multipart_after_delimiter(
    ngx_http_flowdash_multipart_t *mp, u_char c);
static ngx_int_t ngx_http_flowdash_multipart_headers(
    ngx_http_flowdash_multipart_t *mp, u_char c);
static ngx_int_t ngx_http_flowdash_multipart_content(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last, size_t *len);
static u_char *ngx_http_flowdash_multipart_find(
    ngx_http_flowdash_multipart_t *mp, u_char *first, u_char *last);
static u_char ngx_http_flowdash_multipart_back(
    ngx_http_flowdash_multipart_t *mp, u_char *first, u_char *p, size_t n);
static ngx_int_t ngx_http_flowdash_multipart_finish(
    ngx_http_flowdash_multipart_t *mp, off_t start);
static ngx_int_t ngx_http_flowdash_multipart_text(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *text);


ngx_http_flowdash_multipart_t *
ngx_http_flowdash_multipart_create(ngx_http_flowdash_form_t *form)
{
    u_char                         *d, *borders;
    size_t                          i, n;
    ngx_http_flowdash_multipart_t  *mp;

    mp = ngx_pcalloc(form->pool, sizeof(ngx_http_flowdash_multipart_t));
    if (mp == NULL) {
        return NULL;
    }

    mp->form = form;
    form->empty = 1;

    mp->delimiter.len = sizeof("--") - 1 + form->boundary.len;

    d = ngx_pnalloc(form->pool, mp->delimiter.len);
    if (d == NULL) {
        return NULL;
    }

    mp->delimiter.data = d;

    d[0] = '-';
    d[1] = '-';
    ngx_memcpy(d + 2, form->boundary.data, form->boundary.len);

    /*
     * Knuth, Morris, Pratt: borders[N] is how many bytes at the end of the
     * delimiter's first N bytes are also its beginning.
     */

    borders = ngx_pcalloc(form->pool, mp->delimiter.len + 1);
    if (borders == NULL) {
        return NULL;
    }

    mp->borders = borders;

    for (i = 1; i < mp->delimiter.len; i++) {
        n = borders[i];

        while (n && d[i] != d[n]) {
            n = borders[n];
        }

        borders[i + 1] = (u_char) (n + (d[i] == d[n]));
    }

    return mp;
}


ngx_int_t
ngx_http_flowdash_multipart_read(ngx_http_flowdash_multipart_t *mp, u_char *p,
    size_t len)
{
    u_char     *last;
    size_t      n;
    ngx_int_t   rc;

    if (mp->form->verdict) {
        return NGX_DECLINED;
    }

    last = p + len;

    while (p < last) {

        n = 1;

        switch (mp->state) {

        case NGX_HTTP_FLOWDASH_MULTIPART_IN_CONTENT:
            rc = ngx_http_flowdash_multipart_content(mp, p, last, &n);
            break;

        case NGX_HTTP_FLOWDASH_MULTIPART_IN_HEADERS:
            rc = ngx_http_flowdash_multipart_headers(mp, *p);
            break;

        case NGX_HTTP_FLOWDASH_MULTIPART_START:
        case NGX_HTTP_FLOWDASH_MULTIPART_START_LF:
        case NGX_HTTP_FLOWDASH_MULTIPART_OPENING:
            rc = ngx_http_flowdash_multipart_opening(mp, *p);
            break;

        default:
            rc = ngx_http_flowdash_multipart_after_delimiter(mp, *p);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        mp->offset += n;
        p += n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_multipart_end(ngx_http_flowdash_multipart_t *mp)
{
    if (mp->form->verdict) {
        return NGX_DECLINED;
    }

    if (mp->state != NGX_HTTP_FLOWDASH_MULTIPART_CLOSED) {
        return ngx_http_flowdash_multipart_state_malformed(mp,
                   "the closing delimiter is missing");
    }

    return ngx_http_flowdash_form_name_end(mp->form);
}


/* the form begins with an optional empty line and a delimiter */

static ngx_int_t
ngx_http_flowdash_multipart_opening(ngx_http_flowdash_multipart_t *mp,
    u_char c)
{
    if (mp->state == NGX_HTTP_FLOWDASH_MULTIPART_START && c == CR) {
        mp->state = NGX_HTTP_FLOWDASH_MULTIPART_START_LF;
        return NGX_OK;
    }

    if (mp->state == NGX_HTTP_FLOWDASH_MULTIPART_START_LF) {

        if (c == LF) {
            mp->state = NGX_HTTP_FLOWDASH_MULTIPART_OPENING;
            return NGX_OK;
        }

    } else if (c == mp->delimiter.data[mp->matched]) {

        if (mp->matched == 0) {
            mp->start = mp->offset;
        }

        mp->state = NGX_HTTP_FLOWDASH_MULTIPART_OPENING;

        if (++mp->matched == mp->delimiter.len) {
            mp->state = NGX_HTTP_FLOWDASH_MULTIPART_AFTER_DELIMITER;
        }

        return NGX_OK;
    }

    return ngx_http_flowdash_multipart_state_malformed(mp,
               "no delimiter at the beginning");
}


static ngx_int_t
ngx_http_flowdash_multipart_after_delimiter(ngx_http_flowdash_multipart_t *mp,
    u_char c)
{
    ngx_http_flowdash_form_t  *form;

    form = mp->form;

    if (mp->state == NGX_HTTP_FLOWDASH_MULTIPART_CLOSED) {

        if (c == ' ' || c == '\t' || c == CR || c == LF) {
            return NGX_OK;
        }

        return ngx_http_flowdash_multipart_state_malformed(mp,
                   "something after the closing delimiter");
    }

    if (mp->state == NGX_HTTP_FLOWDASH_MULTIPART_AFTER_DELIMITER_CR
        && c == LF)
    {
        form->empty = 0;
        form->offset = mp->start;
        mp->headers.len = 0;
        mp->state = NGX_HTTP_FLOWDASH_MULTIPART_IN_HEADERS;
        return NGX_OK;
    }

    if (mp->state == NGX_HTTP_FLOWDASH_MULTIPART_AFTER_DELIMITER_DASH
        && c == '-')
    {
        form->tail = form->empty ? mp->start : mp->start - 2;
        mp->state = NGX_HTTP_FLOWDASH_MULTIPART_CLOSED;
        return NGX_OK;
    }

    if (mp->state == NGX_HTTP_FLOWDASH_MULTIPART_AFTER_DELIMITER) {

        if (c == CR) {
            mp->state = NGX_HTTP_FLOWDASH_MULTIPART_AFTER_DELIMITER_CR;
            return NGX_OK;
        }

        if (c == '-') {
            mp->state = NGX_HTTP_FLOWDASH_MULTIPART_AFTER_DELIMITER_DASH;
            return NGX_OK;
        }
    }

    /*
     * RFC 2046 allows white space here.  But to Rack such a line is content,
     * and to PHP it ends a part without beginning another.
     */

    return ngx_http_flowdash_multipart_state_malformed(mp,
               "a line that begins with the delimiter");
}


static ngx_int_t
ngx_http_flowdash_multipart_headers(ngx_http_flowdash_multipart_t *mp,
    u_char c)
{
    ngx_uint_t                          cr;
    ngx_http_flowdash_multipart_buf_t  *b;

    b = &mp->headers;

    if (b->len == NGX_HTTP_FLOWDASH_MULTIPART_HEADERS) {
        return ngx_http_flowdash_form_refuse(mp->form,
                                             NGX_HTTP_FLOWDASH_FORM_LARGE,
                                             mp->offset,
                                             "a part has headers that are too "
                                             "large");
    }

    cr = (b->len && b->data[b->len - 1] == CR);

    if (cr != (c == LF)) {
        return ngx_http_flowdash_multipart_state_malformed(mp,
                   "a lone CR or LF in the headers of a part");
    }

    if (ngx_http_flowdash_text_class(c)
        & (NGX_HTTP_FLOWDASH_TEXT_C0|NGX_HTTP_FLOWDASH_TEXT_DEL))
    {
        return ngx_http_flowdash_multipart_state_malformed(mp,
                   "a control character in the headers of a part");
    }

    if (ngx_http_flowdash_multipart_state_append(mp, b, &c, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    if (c != LF || (b->len > 2 && b->data[b->len - 3] != LF)) {
        return NGX_OK;
    }

    /* an empty line */

    b->len -= 2;

    mp->value = mp->offset + 1;
    mp->matched = 0;
    mp->recent[0] = CR;
    mp->recent[1] = LF;
    mp->content.len = 0;
    mp->state = NGX_HTTP_FLOWDASH_MULTIPART_IN_CONTENT;

    return ngx_http_flowdash_multipart_part_begin(mp);
}


static ngx_int_t
ngx_http_flowdash_multipart_content(ngx_http_flowdash_multipart_t *mp,
    u_char *p, u_char *last, size_t *len)
{
    u_char     *end, c;
    size_t      n;
    ngx_int_t   rc;

    end = ngx_http_flowdash_multipart_find(mp, p, last);
    n = end - p;

    c = ngx_http_flowdash_multipart_back(mp, p, end, 2);
    mp->recent[1] = ngx_http_flowdash_multipart_back(mp, p, end, 1);
    mp->recent[0] = c;

    if (mp->charset || mp->method || (mp->pair && !mp->pair->file)) {

        /* for simplicity, this includes the delimiter at the end */

        rc = mp->pair ? ngx_http_flowdash_form_charge(mp->form, n) : NGX_OK;

        if (rc != NGX_OK) {
            return rc;
        }

        if (ngx_http_flowdash_multipart_state_append(mp, &mp->content, p, n)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (mp->charset
            && mp->content.len > NGX_HTTP_FLOWDASH_MULTIPART_CHARSET + 2
                                 + mp->delimiter.len)
        {
            return ngx_http_flowdash_multipart_state_refuse(mp,
                       NGX_HTTP_FLOWDASH_FORM_CHARSET,
                       "a \"_charset_\" other than UTF-8");
        }

        if (mp->method
            && mp->content.len > NGX_HTTP_FLOWDASH_MULTIPART_METHOD + 2
                                 + mp->delimiter.len)
        {
            return ngx_http_flowdash_multipart_state_refuse(mp,
                       NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                       "a \"_method\" that is not a method");
        }
    }

    *len = n;

    if (mp->matched < mp->delimiter.len) {
        return NGX_OK;
    }

    return ngx_http_flowdash_multipart_finish(mp, mp->offset + n
                                                  - mp->delimiter.len);
}


/*
 * Finds the delimiter, also where no line end precedes it: Rack up to 2.2
 * reads such a one as a delimiter, and Werkzeug does so after a bare CR.
 */

static u_char *
ngx_http_flowdash_multipart_find(ngx_http_flowdash_multipart_t *mp,
    u_char *first, u_char *last)
{
    u_char  *p;

    p = first;

    while (p < last) {

        if (mp->matched == 0) {
            p = memchr(p, '-', last - p);

            if (p == NULL) {
                return last;
            }

            mp->before[0] = ngx_http_flowdash_multipart_back(mp, first, p, 2);
            mp->before[1] = ngx_http_flowdash_multipart_back(mp, first, p, 1);

            mp->matched = 1;
            p++;

            continue;
        }

        if (*p != mp->delimiter.data[mp->matched]) {

            /* what still matches follows a part of the delimiter */

            mp->matched = mp->borders[mp->matched];
            mp->before[1] = '-';

            continue;
        }

        p++;

        if (++mp->matched == mp->delimiter.len) {
            break;
        }
    }

    return p;
}


/* returns the Nth byte before "p", which may be in the previous piece */

static u_char
ngx_http_flowdash_multipart_back(ngx_http_flowdash_multipart_t *mp,
    u_char *first, u_char *p, size_t n)
{
    size_t  len;

    len = p - first;

    return (len >= n) ? *(p - n) : mp->recent[2 - (n - len)];
}


/* at the end of a delimiter that starts at "start" */

static ngx_int_t
ngx_http_flowdash_multipart_finish(ngx_http_flowdash_multipart_t *mp,
    off_t start)
{
    off_t                           last;
    ngx_int_t                       rc;
    ngx_str_t                       text;
    const char                     *error;
    ngx_http_flowdash_form_pair_t  *pair;

    error = NULL;

    if (start == mp->value) {
        error = "a part without content";

    } else if (mp->before[1] != LF) {
        error = "a delimiter in the middle of a line";

    } else if (mp->before[0] != CR) {
        error = "a delimiter after a bare line feed";
    }

    if (error) {
        return ngx_http_flowdash_form_refuse(mp->form,
                                             NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                             start, error);
    }

    last = start - 2;

    if (mp->length != -1 && mp->length != last - mp->value) {
        return ngx_http_flowdash_form_refuse_rule(mp->form,
                   NGX_HTTP_FLOWDASH_STRICT_PARTS, mp->start,
                   "a part whose length is not its Content-Length");
    }

    text.data = mp->content.data;
    text.len = (size_t) (last - mp->value);

    if (mp->charset && !ngx_http_flowdash_text_is_utf8_name(&text)) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_CHARSET,
                   "a \"_charset_\" other than UTF-8");
    }

    if (mp->method) {
        ngx_http_flowdash_method_value(mp->form->method, &text);
    }

    pair = mp->pair;

    if (pair) {
        pair->last = last;

        rc = ngx_http_flowdash_multipart_text(mp, &text);

        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_flowdash_form_index_add(mp->form, pair, &mp->field);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    mp->start = start;
    mp->state = NGX_HTTP_FLOWDASH_MULTIPART_AFTER_DELIMITER;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_multipart_text(ngx_http_flowdash_multipart_t *mp,
    ngx_str_t *text)
{
    const char                     *error;
    ngx_http_flowdash_form_pair_t  *pair;

    pair = mp->pair;

    if (pair->file) {

        /* to Go, this is no file */

        if (pair->text.len == 0 && text->len) {
            return ngx_http_flowdash_multipart_state_refuse(mp,
                       NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                       "a part has an empty filename, but content");
        }

        return NGX_OK;
    }

    if (ngx_http_flowdash_text_check_utf8(text)) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part has a value that is not UTF-8");
    }

    if (mp->ascii
        && ngx_http_flowdash_text_find(text, NGX_HTTP_FLOWDASH_TEXT_HIGH))
    {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_CHARSET,
                   "a part has a value that is not ASCII, in a charset other "
                   "than UTF-8");
    }

    error = ngx_http_flowdash_form_rules_value(mp->form, text);

    if (error) {
        return ngx_http_flowdash_form_refuse_rule(mp->form, mp->form->rule,
                                                  mp->start, error);
    }

    pair->text = *text;

    /* the next part reuses a small buffer */

    if (mp->content.size > mp->form->pool->max) {
        ngx_memzero(&mp->content, sizeof(ngx_http_flowdash_multipart_buf_t));
        return NGX_OK;
    }

    return ngx_http_flowdash_multipart_state_copy(mp, &pair->text);
}
