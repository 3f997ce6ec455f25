
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
#include <ngx_http_flowdash_multipart_delimiter.h>
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
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last, size_t *len);
static ngx_int_t ngx_http_flowdash_multipart_check_line(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last);
static ngx_int_t ngx_http_flowdash_multipart_content(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last, size_t *len);
static ngx_int_t ngx_http_flowdash_multipart_finish(
    ngx_http_flowdash_multipart_t *mp, off_t start);
static ngx_int_t ngx_http_flowdash_multipart_text(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *text);


ngx_http_flowdash_multipart_t *
ngx_http_flowdash_multipart_create(ngx_http_flowdash_form_t *form)
{
    ngx_http_flowdash_multipart_t  *mp;

    mp = ngx_pcalloc(form->pool, sizeof(ngx_http_flowdash_multipart_t));
    if (mp == NULL) {
        return NULL;
    }

    mp->form = form;
    form->empty = 1;

    if (ngx_http_flowdash_multipart_delimiter_init(mp) != NGX_OK) {
        return NULL;
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
            rc = ngx_http_flowdash_multipart_headers(mp, p, last, &n);
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


/* takes a line of a part's headers, or what the piece has of it */

static ngx_int_t
ngx_http_flowdash_multipart_headers(ngx_http_flowdash_multipart_t *mp,
    u_char *p, u_char *last, size_t *len)
{
    u_char                             *end;
    ngx_http_flowdash_multipart_buf_t  *b;

    b = &mp->headers;

    end = memchr(p, LF, last - p);
    last = end ? end + 1 : last;

    if (ngx_http_flowdash_multipart_check_line(mp, p, last) != NGX_OK) {
        return NGX_DECLINED;
    }

    *len = last - p;

    if (ngx_http_flowdash_multipart_state_append(mp, b, p, *len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (end == NULL || (b->len > 2 && b->data[b->len - 3] != LF)) {
        return NGX_OK;
    }

    /* an empty line */

    b->len -= 2;

    mp->value = mp->offset + *len;
    mp->matched = 0;
    mp->recent[0] = CR;
    mp->recent[1] = LF;
    mp->content.len = 0;
    mp->state = NGX_HTTP_FLOWDASH_MULTIPART_IN_CONTENT;

    return ngx_http_flowdash_multipart_part_begin(mp);
}


/* returns NGX_OK, or NGX_DECLINED with form->verdict set */

static ngx_int_t
ngx_http_flowdash_multipart_check_line(ngx_http_flowdash_multipart_t *mp,
    u_char *p, u_char *last)
{
    off_t                               offset;
    size_t                              left;
    ngx_str_t                           text;
    ngx_uint_t                          cr;
    ngx_http_flowdash_multipart_buf_t  *b;

    b = &mp->headers;

    left = NGX_HTTP_FLOWDASH_MULTIPART_HEADERS - b->len;
    cr = (b->len && b->data[b->len - 1] == CR);

    text.data = p;
    text.len = last - p;

    if (text.len >= 2 && text.len <= left && !cr
        && last[-1] == LF && last[-2] == CR)
    {
        text.len -= 2;

        if (ngx_http_flowdash_text_find(&text, NGX_HTTP_FLOWDASH_TEXT_C0
                                               |NGX_HTTP_FLOWDASH_TEXT_LINE
                                               |NGX_HTTP_FLOWDASH_TEXT_DEL)
            == NULL)
        {
            return NGX_OK;
        }
    }

    /* another line, or what is wrong with this one */

    for (offset = mp->offset; p < last; p++, offset++) {

        if (left-- == 0) {
            return ngx_http_flowdash_form_refuse(mp->form,
                       NGX_HTTP_FLOWDASH_FORM_LARGE, offset,
                       "a part has headers that are too large");
        }

        if (cr != (*p == LF)) {
            return ngx_http_flowdash_form_refuse(mp->form,
                       NGX_HTTP_FLOWDASH_FORM_MALFORMED, offset,
                       "a lone CR or LF in the headers of a part");
        }

        if (ngx_http_flowdash_text_class(*p)
            & (NGX_HTTP_FLOWDASH_TEXT_C0|NGX_HTTP_FLOWDASH_TEXT_DEL))
        {
            return ngx_http_flowdash_form_refuse(mp->form,
                       NGX_HTTP_FLOWDASH_FORM_MALFORMED, offset,
                       "a control character in the headers of a part");
        }

        cr = (*p == CR);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_multipart_content(ngx_http_flowdash_multipart_t *mp,
    u_char *p, u_char *last, size_t *len)
{
    u_char     *end, c;
    size_t      n;
    ngx_int_t   rc;

    end = ngx_http_flowdash_multipart_delimiter_find(mp, p, last);
    n = end - p;

    c = ngx_http_flowdash_multipart_delimiter_back(mp, p, end, 2);
    mp->recent[1] = ngx_http_flowdash_multipart_delimiter_back(mp, p, end, 1);
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
