
/*
 * multipart/form-data.  Pure functions over bytes; no request is needed or
 * known.  Readers of applications differ in what they accept and in what they
 * take it for: whatever is not read in one way by all of them is refused.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart.h>


#define NGX_HTTP_FLOWDASH_MULTIPART_BOUNDARY  70     /* RFC 2046, 5.1.1 */
#define NGX_HTTP_FLOWDASH_MULTIPART_HEADERS   16384  /* of a part */
#define NGX_HTTP_FLOWDASH_MULTIPART_CHARSET   64     /* in "_charset_" */
#define NGX_HTTP_FLOWDASH_MULTIPART_NODE      128    /* a pair in the index */


typedef enum {
    NGX_HTTP_FLOWDASH_MULTIPART_START = 0,
    NGX_HTTP_FLOWDASH_MULTIPART_START_LF,
    NGX_HTTP_FLOWDASH_MULTIPART_OPENING,     /* in the first delimiter */
    NGX_HTTP_FLOWDASH_MULTIPART_BEHIND,      /* a delimiter */
    NGX_HTTP_FLOWDASH_MULTIPART_BEHIND_CR,
    NGX_HTTP_FLOWDASH_MULTIPART_BEHIND_DASH,
    NGX_HTTP_FLOWDASH_MULTIPART_IN_HEADERS,
    NGX_HTTP_FLOWDASH_MULTIPART_IN_CONTENT,
    NGX_HTTP_FLOWDASH_MULTIPART_CLOSED
} ngx_http_flowdash_multipart_state_e;


typedef struct {
    u_char                               *data;
    size_t                                len;
    size_t                                size;
} ngx_http_flowdash_multipart_buf_t;


/* what the headers of a part say, as places in their buffer */

typedef struct {
    ngx_str_t                             disposition;
    ngx_str_t                             type;
    ngx_str_t                             encoding;  /* -Transfer- */
    ngx_str_t                             coding;    /* Content-Encoding */

    ngx_str_t                             name;
    ngx_str_t                             filename;
    ngx_str_t                             filename_ext;  /* filename* */

    ngx_uint_t                            file;     /* unsigned  file:1; */
} ngx_http_flowdash_multipart_part_t;


typedef struct {
    ngx_str_t                             name;
    ngx_str_t                             value;
    ngx_uint_t                            quoted;   /* unsigned  quoted:1; */
} ngx_http_flowdash_multipart_param_t;


struct ngx_http_flowdash_multipart_s {
    ngx_http_flowdash_form_t             *form;
    ngx_http_flowdash_multipart_state_e   state;
    off_t                                 offset;

    ngx_str_t                             delimiter;  /* "--" boundary */
    u_char                               *borders;
    size_t                                matched;    /* of the delimiter */
    u_char                                before[2];  /* what has matched */
    u_char                                recent[2];  /* bytes of content */

    ngx_http_flowdash_multipart_buf_t     headers;
    ngx_http_flowdash_multipart_buf_t     content;

    /* the part being read */

    off_t                                 start;
    off_t                                 value;
    ngx_http_flowdash_form_pair_t        *pair;     /* if it is the task's */
    ngx_str_t                             field;
    unsigned                              charset:1;
};


static ngx_int_t ngx_http_flowdash_multipart_media_check_boundary(
    ngx_http_flowdash_multipart_param_t *param, const char **error);
static ngx_uint_t ngx_http_flowdash_multipart_media_count(u_char *p,
    u_char *last,
    const char *text);

static ngx_int_t ngx_http_flowdash_multipart_opening(
    ngx_http_flowdash_multipart_t *mp, u_char c);
static ngx_int_t ngx_http_flowdash_multipart_after_delimiter(
    ngx_http_flowdash_multipart_t *mp, u_char c);

static ngx_int_t ngx_http_flowdash_multipart_headers(
    ngx_http_flowdash_multipart_t *mp, u_char c);
static ngx_int_t ngx_http_flowdash_multipart_part_begin(
    ngx_http_flowdash_multipart_t *mp);
static ngx_int_t ngx_http_flowdash_multipart_part_parse(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part);
static ngx_uint_t ngx_http_flowdash_multipart_part_has_delimiter(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last);
static ngx_int_t ngx_http_flowdash_multipart_part_header(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part, u_char *p, u_char *last);
static ngx_int_t ngx_http_flowdash_multipart_part_disposition(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part);
static const char *ngx_http_flowdash_multipart_part_disposition_param(
    ngx_http_flowdash_multipart_part_t *part,
    ngx_http_flowdash_multipart_param_t *param);
static ngx_int_t ngx_http_flowdash_multipart_part_type(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *type);
static ngx_int_t ngx_http_flowdash_multipart_part_encoding(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part);
static ngx_int_t ngx_http_flowdash_multipart_part_check_field(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part);
static ngx_int_t ngx_http_flowdash_multipart_part_keep(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part,
    ngx_http_flowdash_form_pair_t *named);
static ngx_int_t ngx_http_flowdash_multipart_part_filename(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_multipart_part_filename_ext(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *value, ngx_str_t *text);

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

static ngx_int_t ngx_http_flowdash_multipart_media_param(u_char **pos,
    u_char *last,
    ngx_http_flowdash_multipart_param_t *param);
static ngx_uint_t ngx_http_flowdash_multipart_media_nested(ngx_str_t *value);
static ngx_uint_t ngx_http_flowdash_multipart_is(ngx_str_t *s,
    const char *text);
static ngx_uint_t ngx_http_flowdash_multipart_media_is_token(ngx_str_t *s);
static u_char *ngx_http_flowdash_multipart_media_skip_token(u_char *p,
    u_char *last);
static u_char *ngx_http_flowdash_multipart_media_skip_blank(u_char *p,
    u_char *last);
static ngx_int_t ngx_http_flowdash_multipart_state_copy(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *s);
static ngx_int_t ngx_http_flowdash_multipart_state_append(
    ngx_http_flowdash_multipart_t *mp, ngx_http_flowdash_multipart_buf_t *b,
    u_char *p, size_t len);
static ngx_int_t ngx_http_flowdash_multipart_state_malformed(
    ngx_http_flowdash_multipart_t *mp, const char *error);
static ngx_int_t ngx_http_flowdash_multipart_state_refuse(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_form_verdict_e verdict, const char *error);


ngx_http_flowdash_form_verdict_e
ngx_http_flowdash_multipart_media(ngx_str_t *type, ngx_str_t *name)
{
    u_char                               *p, *last;
    ngx_int_t                             rc;
    ngx_uint_t                            seen, read;
    ngx_http_flowdash_multipart_param_t   param;

    last = type->data + type->len;

    p = ngx_http_flowdash_multipart_media_skip_token(type->data, last);

    if (p > type->data && p < last && *p == '/') {
        p = ngx_http_flowdash_multipart_media_skip_token(p + 1, last);
    }

    name->data = type->data;
    name->len = p - type->data;

    /* some readers search for it, or take "charset*" or "charset =" for it */

    seen = ngx_http_flowdash_multipart_media_count(p, last, "charset");
    read = 0;

    for ( ;; ) {
        rc = ngx_http_flowdash_multipart_media_param(&p, last, &param);

        if (rc != NGX_OK) {
            break;
        }

        read += (ngx_http_flowdash_multipart_is(&param.name, "charset")
                 && ngx_http_flowdash_text_is_utf8_name(&param.value));
    }

    if (seen > 1 || seen != read) {
        return NGX_HTTP_FLOWDASH_FORM_CHARSET;
    }

    return (rc == NGX_DONE) ? NGX_HTTP_FLOWDASH_FORM_OK
                            : NGX_HTTP_FLOWDASH_FORM_MALFORMED;
}


ngx_int_t
ngx_http_flowdash_multipart_media_boundary(ngx_str_t *type,
    ngx_str_t *boundary,
    const char **error)
{
    u_char                               *p, *last;
    ngx_int_t                             rc;
    ngx_http_flowdash_multipart_param_t   param;

    last = type->data + type->len;

    for (p = type->data; p < last; p++) {
        if ((*p < 0x20 && *p != '\t') || *p > 0x7e) {
            *error = "the Content-Type has a byte that is no character";
            return NGX_DECLINED;
        }
    }

    /* some readers search for it, wherever it is */

    if (ngx_http_flowdash_multipart_media_count(type->data, last, "boundary=")
        + ngx_http_flowdash_multipart_media_count(type->data, last,
                                                  "boundary*")
        > 1)
    {
        *error = "the Content-Type has more than one boundary";
        return NGX_DECLINED;
    }

    ngx_str_null(boundary);

    p = type->data + sizeof("multipart/form-data") - 1;

    for ( ;; ) {
        rc = ngx_http_flowdash_multipart_media_param(&p, last, &param);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_DECLINED) {
            *error = "the Content-Type has malformed parameters";
            return NGX_DECLINED;
        }

        if (!ngx_http_flowdash_multipart_is(&param.name, "boundary")) {
            continue;
        }

        if (ngx_http_flowdash_multipart_media_check_boundary(&param, error)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        *boundary = param.value;

        /* PHP takes what follows the first "=" behind the first "boundary" */

        if (ngx_http_flowdash_multipart_media_count(type->data,
                                                    param.name.data,
                                                    "boundary")
            || (ngx_strncmp(param.name.data, "boundary", param.name.len) != 0
                && ngx_http_flowdash_multipart_media_count(param.value.data,
                                                           last,
                                                           "boundary")))
        {
            *error = "the Content-Type has another \"boundary\"";
            return NGX_DECLINED;
        }
    }

    if (boundary->data == NULL) {
        *error = "the Content-Type has no boundary";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_multipart_media_check_boundary(
    ngx_http_flowdash_multipart_param_t *param, const char **error)
{
    u_char      c;
    size_t      i;
    ngx_str_t  *value;

    value = &param->value;

    if (value->len == 0) {
        *error = "the boundary is empty";
        return NGX_DECLINED;
    }

    if (value->len > NGX_HTTP_FLOWDASH_MULTIPART_BOUNDARY) {
        *error = "the boundary is too long";
        return NGX_DECLINED;
    }

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if ((c >= '0' && c <= '9')
            || (c >= 'A' && c <= 'Z')
            || (c >= 'a' && c <= 'z')
            || memchr("'()+_-./:=?", c, sizeof("'()+_-./:=?") - 1))
        {
            continue;
        }

        *error = "the boundary has a character that it must not have";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_multipart_media_count(u_char *p, u_char *last,
    const char *text)
{
    size_t      len;
    ngx_uint_t  n;

    len = ngx_strlen(text);
    n = 0;

    for ( /* void */ ; (size_t) (last - p) >= len; p++) {
        n += (ngx_strncasecmp(p, (u_char *) text, len) == 0);
    }

    return n;
}


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
     * Knuth, Morris, Pratt: of the first N bytes of the delimiter, how many
     * at their end are its beginning as well.
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

    return NGX_OK;
}


/* the beginning: an optional empty line, and a delimiter */

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
            mp->state = NGX_HTTP_FLOWDASH_MULTIPART_BEHIND;
        }

        return NGX_OK;
    }

    return ngx_http_flowdash_multipart_state_malformed(mp,
               "no delimiter at its beginning");
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
                   "something behind the closing delimiter");
    }

    if (mp->state == NGX_HTTP_FLOWDASH_MULTIPART_BEHIND_CR && c == LF) {
        form->empty = 0;
        form->offset = mp->start;
        mp->headers.len = 0;
        mp->state = NGX_HTTP_FLOWDASH_MULTIPART_IN_HEADERS;
        return NGX_OK;
    }

    if (mp->state == NGX_HTTP_FLOWDASH_MULTIPART_BEHIND_DASH && c == '-') {
        form->tail = form->empty ? mp->start : mp->start - 2;
        mp->state = NGX_HTTP_FLOWDASH_MULTIPART_CLOSED;
        return NGX_OK;
    }

    if (mp->state == NGX_HTTP_FLOWDASH_MULTIPART_BEHIND) {

        if (c == CR) {
            mp->state = NGX_HTTP_FLOWDASH_MULTIPART_BEHIND_CR;
            return NGX_OK;
        }

        if (c == '-') {
            mp->state = NGX_HTTP_FLOWDASH_MULTIPART_BEHIND_DASH;
            return NGX_OK;
        }
    }

    /*
     * RFC 2046 allows for white space, but to Rack such a line is content,
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
                                             "a part has too large headers");
    }

    cr = (b->len && b->data[b->len - 1] == CR);

    if (cr != (c == LF)) {
        return ngx_http_flowdash_multipart_state_malformed(mp,
                   "half of a line end in the headers of a part");
    }

    if ((c < 0x20 && c != '\t' && c != CR && c != LF) || c == 0x7f) {
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
ngx_http_flowdash_multipart_part_begin(ngx_http_flowdash_multipart_t *mp)
{
    ngx_int_t                           rc;
    ngx_http_flowdash_form_pair_t       named;
    ngx_http_flowdash_multipart_part_t  part;

    ngx_memzero(&part, sizeof(ngx_http_flowdash_multipart_part_t));

    rc = ngx_http_flowdash_multipart_part_parse(mp, &part);

    if (rc != NGX_OK) {
        return rc;
    }

    mp->pair = NULL;
    mp->charset = (!part.file && part.name.len == sizeof("_charset_") - 1
                   && ngx_memcmp(part.name.data, "_charset_", part.name.len)
                      == 0);

    ngx_memzero(&named, sizeof(ngx_http_flowdash_form_pair_t));

    named.name = part.name;
    named.file = part.file;
    named.start = mp->start;
    named.value = mp->value;

    rc = ngx_http_flowdash_form_name(mp->form, &named, &mp->field);

    if (rc == NGX_DONE) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_flowdash_multipart_part_check_field(mp, &part);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_flowdash_multipart_part_keep(mp, &part, &named);
}


static ngx_int_t
ngx_http_flowdash_multipart_part_parse(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part)
{
    u_char     *p, *last, *end;
    ngx_int_t   rc;

    p = mp->headers.data;
    last = p + mp->headers.len;

    /* Rack searches for it, wherever it is */

    if (ngx_http_flowdash_multipart_media_count(p, last, "content-disposition")
        != 1)
    {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part has not exactly one Content-Disposition");
    }

    /* Busboy ends the part there, wherever it is */

    if (ngx_http_flowdash_multipart_part_has_delimiter(mp, p, last)) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a delimiter in the headers of a part");
    }

    for ( /* void */ ; p < last; p = end + 2) {

        end = ngx_strlchr(p, last, CR);

        rc = ngx_http_flowdash_multipart_part_header(mp, part, p, end);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = ngx_http_flowdash_multipart_part_disposition(mp, part);

    if (rc != NGX_OK) {
        return rc;
    }

    /* commons-fileupload looks for other parts in there */

    if (ngx_http_flowdash_multipart_media_count(part->type.data,
                                              part->type.data + part->type.len,
                                              "multipart/mixed"))
    {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part that consists of parts");
    }

    if (part->file) {
        return NGX_OK;
    }

    if (part->type.data) {
        rc = ngx_http_flowdash_multipart_part_type(mp, &part->type);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_flowdash_multipart_part_encoding(mp, part);
}


static ngx_uint_t
ngx_http_flowdash_multipart_part_has_delimiter(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last)
{
    size_t  len;

    len = mp->delimiter.len;

    for ( /* void */ ; (size_t) (last - p) >= len; p++) {
        if (ngx_memcmp(p, mp->delimiter.data, len) == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_flowdash_multipart_part_header(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part, u_char *p, u_char *last)
{
    ngx_str_t  name, value, *header;

    if (*p == ' ' || *p == '\t') {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part has a folded header");
    }

    name.data = p;
    p = ngx_http_flowdash_multipart_media_skip_token(p, last);
    name.len = p - name.data;

    if (name.len == 0 || p == last || *p != ':') {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part has a header without a proper name");
    }

    p = ngx_http_flowdash_multipart_media_skip_blank(p + 1, last);

    while (last > p && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    value.data = p;
    value.len = last - p;

    if (ngx_http_flowdash_multipart_is(&name, "content-disposition")) {
        header = &part->disposition;

    } else if (ngx_http_flowdash_multipart_is(&name, "content-type")) {
        header = &part->type;

    } else if (ngx_http_flowdash_multipart_is(&name,
                                              "content-transfer-encoding"))
    {
        header = &part->encoding;

    } else if (ngx_http_flowdash_multipart_is(&name, "content-encoding")) {
        header = &part->coding;

    } else {
        return NGX_OK;
    }

    if (header->data) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part has a header twice");
    }

    *header = value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_multipart_part_disposition(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part)
{
    u_char                               *p, *last;
    ngx_int_t                             rc;
    ngx_str_t                             type;
    const char                           *error;
    ngx_http_flowdash_multipart_param_t   param;

    error = NULL;

    last = part->disposition.data + part->disposition.len;
    p = ngx_http_flowdash_multipart_media_skip_token(part->disposition.data,
                                                     last);

    type.data = part->disposition.data;
    type.len = p - type.data;

    if (!ngx_http_flowdash_multipart_is(&type, "form-data")) {
        error = "a part has a Content-Disposition other than form-data";
    }

    while (error == NULL) {
        rc = ngx_http_flowdash_multipart_media_param(&p, last, &param);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_DECLINED) {
            error = "a part has a malformed Content-Disposition";
            break;
        }

        error = ngx_http_flowdash_multipart_part_disposition_param(part,
                                                                   &param);
    }

    if (error == NULL && part->name.len == 0) {
        error = "a part has no name";
    }

    if (error) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED, error);
    }

    part->file = (part->filename.data || part->filename_ext.data);

    return NGX_OK;
}


/* returns what is wrong with it, or NULL */

static const char *
ngx_http_flowdash_multipart_part_disposition_param(
    ngx_http_flowdash_multipart_part_t *part,
    ngx_http_flowdash_multipart_param_t *param)
{
    u_char      *last;
    ngx_str_t   *slot;
    ngx_uint_t   quotes;

    last = param->value.data + param->value.len;

    if (param->quoted
        ? ngx_http_flowdash_multipart_media_nested(&param->value)
        : !ngx_http_flowdash_multipart_media_is_token(&param->value))
    {
        return "a part has an ambiguous Content-Disposition";
    }

    /* PHP takes "'" for a quote too */

    quotes = param->quoted ? 0 :
             ngx_http_flowdash_multipart_media_count(param->value.data, last,
                                                     "'");

    if (ngx_http_flowdash_multipart_is(&param->name, "filename*")) {

        if (param->quoted || quotes != 2) {
            return "a part has a malformed filename*";
        }

        slot = &part->filename_ext;

    } else if (memchr(param->name.data, '*', param->name.len) || quotes) {
        /* pieces of a name (RFC 2231) are put together by some */

        return "a part has an ambiguous parameter";

    } else if (ngx_http_flowdash_multipart_is(&param->name, "name")) {

        if (memchr(param->value.data, '\\', param->value.len)) {
            return "a part has a backslash in its name";
        }

        slot = &part->name;

    } else if (ngx_http_flowdash_multipart_is(&param->name, "filename")) {
        slot = &part->filename;

    } else {
        return NULL;
    }

    if (slot->data) {
        return "a part has a name or filename twice";
    }

    *slot = param->value;

    return NULL;
}


/* the Content-Type of a part that is no file */

static ngx_int_t
ngx_http_flowdash_multipart_part_type(ngx_http_flowdash_multipart_t *mp,
    ngx_str_t *type)
{
    ngx_str_t                         name;
    ngx_http_flowdash_form_verdict_e  verdict;

    verdict = ngx_http_flowdash_multipart_media(type, &name);

    if (verdict == NGX_HTTP_FLOWDASH_FORM_OK) {
        return NGX_OK;
    }

    return ngx_http_flowdash_multipart_state_refuse(mp, verdict,
               verdict == NGX_HTTP_FLOWDASH_FORM_CHARSET
               ? "a part has a charset other than UTF-8"
               : "a part has a malformed Content-Type");
}


static ngx_int_t
ngx_http_flowdash_multipart_part_encoding(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part)
{
    if (part->encoding.data
        && !ngx_http_flowdash_multipart_is(&part->encoding, "7bit")
        && !ngx_http_flowdash_multipart_is(&part->encoding, "8bit")
        && !ngx_http_flowdash_multipart_is(&part->encoding, "binary"))
    {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_CHARSET,
                   "a part has a Content-Transfer-Encoding");
    }

    if (part->coding.data
        && !ngx_http_flowdash_multipart_is(&part->coding, "identity"))
    {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_CHARSET,
                   "a part has a Content-Encoding");
    }

    return NGX_OK;
}


/* what counts only in parts of the task */

static ngx_int_t
ngx_http_flowdash_multipart_part_check_field(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part)
{
    size_t  len;

    if (part->file) {

        if (ngx_http_flowdash_text_check_utf8(&part->type)) {
            return ngx_http_flowdash_multipart_state_refuse(mp,
                       NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                       "a part has a Content-Type that is not UTF-8");
        }

        return ngx_http_flowdash_multipart_part_encoding(mp, part);
    }

    /* busboy makes a file of it */

    len = sizeof("application/octet-stream") - 1;

    if (part->type.len >= len
        && ngx_strncasecmp(part->type.data,
                           (u_char *) "application/octet-stream", len)
           == 0)
    {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part has the type of a file, but no filename");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_multipart_part_keep(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part,
    ngx_http_flowdash_form_pair_t *named)
{
    u_char                         *old;
    size_t                          size;
    ngx_int_t                       rc;
    ngx_http_flowdash_form_pair_t  *pair;

    size = sizeof(ngx_http_flowdash_form_pair_t)
           + NGX_HTTP_FLOWDASH_MULTIPART_NODE + part->name.len;

    if (part->file) {
        size += part->filename.len + part->filename_ext.len + part->type.len;
    }

    rc = ngx_http_flowdash_form_charge(mp->form, size);

    if (rc != NGX_OK) {
        return rc;
    }

    pair = ngx_palloc(mp->form->pool, sizeof(ngx_http_flowdash_form_pair_t));
    if (pair == NULL) {
        return NGX_ERROR;
    }

    *pair = *named;
    old = part->name.data;

    if (ngx_http_flowdash_multipart_state_copy(mp, &pair->name) != NGX_OK) {
        return NGX_ERROR;
    }

    /* both are places in the name */

    pair->path.data = pair->name.data + (pair->path.data - old);
    mp->field.data = pair->name.data + (mp->field.data - old);

    if (part->file) {
        pair->type = part->type;

        if (ngx_http_flowdash_multipart_state_copy(mp,
                                                   &pair->type) != NGX_OK) {
            return NGX_ERROR;
        }

        rc = ngx_http_flowdash_multipart_part_filename(mp, part, &pair->text);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    mp->pair = pair;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_multipart_part_filename(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part, ngx_str_t *text)
{
    u_char     *p, *last, *dst;
    ngx_int_t   rc;

    if (part->filename.data == NULL) {
        rc = ngx_http_flowdash_multipart_part_filename_ext(mp,
                                                           &part->filename_ext,
                                                           text);
        if (rc != NGX_OK) {
            return rc;
        }

    } else {
        *text = part->filename;

        if (ngx_http_flowdash_multipart_state_copy(mp, text) != NGX_OK) {
            return NGX_ERROR;
        }

        /* browsers escape these three, and nothing else */

        last = text->data + text->len;
        dst = text->data;

        for (p = text->data; p < last; p++) {

            if (last - p >= 3
                && (ngx_strncasecmp(p, (u_char *) "%22", 3) == 0
                    || ngx_strncasecmp(p, (u_char *) "%0d", 3) == 0
                    || ngx_strncasecmp(p, (u_char *) "%0a", 3) == 0))
            {
                *dst++ = (u_char) ngx_hextoi(p + 1, 2);
                p += 2;
                continue;
            }

            *dst++ = *p;
        }

        text->len = dst - text->data;
    }

    if (ngx_http_flowdash_text_check_utf8(text)) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part has a filename that is not UTF-8");
    }

    return NGX_OK;
}


/* RFC 8187: charset'language'value */

static ngx_int_t
ngx_http_flowdash_multipart_part_filename_ext(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *value, ngx_str_t *text)
{
    u_char     *p, *last, *dst;
    ngx_int_t   c;
    ngx_str_t   charset;

    p = value->data;
    last = p + value->len;

    charset.data = p;
    charset.len = ngx_strlchr(p, last, '\'') - p;

    if (!ngx_http_flowdash_multipart_is(&charset, "utf-8")) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_CHARSET,
                   "a part has a filename* that is not UTF-8");
    }

    p = ngx_strlchr(p + charset.len + 1, last, '\'') + 1;

    text->data = p;
    text->len = last - p;

    if (ngx_http_flowdash_multipart_state_copy(mp, text) != NGX_OK) {
        return NGX_ERROR;
    }

    dst = text->data;

    for ( /* void */ ; p < last; p++) {

        if (*p != '%') {
            *dst++ = *p;
            continue;
        }

        c = (last - p >= 3) ? ngx_hextoi(p + 1, 2) : NGX_ERROR;

        if (c == NGX_ERROR) {
            return ngx_http_flowdash_multipart_state_refuse(mp,
                       NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                       "a part has a malformed filename*");
        }

        *dst++ = (u_char) c;
        p += 2;
    }

    text->len = dst - text->data;

    return NGX_OK;
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

    if (mp->charset || (mp->pair && !mp->pair->file)) {

        /* the delimiter at its end is held too, for simplicity */

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
    }

    *len = n;

    if (mp->matched < mp->delimiter.len) {
        return NGX_OK;
    }

    return ngx_http_flowdash_multipart_finish(mp, mp->offset + n
                                                  - mp->delimiter.len);
}


/*
 * Finds the delimiter.  Where the boundary occurs otherwise than behind a line
 * end, it is found too: Rack has taken that for a delimiter up to 2.2, and
 * Werkzeug does behind a bare CR.
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

            /* what may still match is behind a part of the delimiter */

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


/* the Nth byte back from "p", which may have been in the piece before */

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
        error = "a delimiter inside of a line";

    } else if (mp->before[0] != CR) {
        error = "a delimiter behind a bare line feed";
    }

    if (error) {
        return ngx_http_flowdash_form_refuse(mp->form,
                                             NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                             start, error);
    }

    last = start - 2;

    text.data = mp->content.data;
    text.len = (size_t) (last - mp->value);

    if (mp->charset && !ngx_http_flowdash_text_is_utf8_name(&text)) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_CHARSET,
                   "a \"_charset_\" other than UTF-8");
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
    mp->state = NGX_HTTP_FLOWDASH_MULTIPART_BEHIND;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_multipart_text(ngx_http_flowdash_multipart_t *mp,
    ngx_str_t *text)
{
    ngx_http_flowdash_form_pair_t  *pair;

    pair = mp->pair;

    if (pair->file) {

        /* to Go's reader it is no file then */

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

    pair->text = *text;

    /* a small buffer serves the next part */

    if (mp->content.size > mp->form->pool->max) {
        ngx_memzero(&mp->content, sizeof(ngx_http_flowdash_multipart_buf_t));
        return NGX_OK;
    }

    return ngx_http_flowdash_multipart_state_copy(mp, &pair->text);
}


/*
 * Reads the next of parameters, each with ";" in front; there may be a ";"
 * behind the last.  Returns NGX_OK, NGX_DONE if there are no more, or
 * NGX_DECLINED.
 */

static ngx_int_t
ngx_http_flowdash_multipart_media_param(u_char **pos, u_char *last,
    ngx_http_flowdash_multipart_param_t *param)
{
    u_char  *p;

    p = ngx_http_flowdash_multipart_media_skip_blank(*pos, last);

    if (p == last) {
        return NGX_DONE;
    }

    if (*p++ != ';') {
        return NGX_DECLINED;
    }

    p = ngx_http_flowdash_multipart_media_skip_blank(p, last);

    if (p == last) {
        *pos = p;
        return NGX_DONE;
    }

    param->name.data = p;
    p = ngx_http_flowdash_multipart_media_skip_token(p, last);
    param->name.len = p - param->name.data;

    if (param->name.len == 0 || p == last || *p++ != '=') {
        return NGX_DECLINED;
    }

    param->quoted = (p < last && *p == '"');
    p += param->quoted;

    param->value.data = p;

    while (p < last && *p != '"') {

        if (!param->quoted && (*p == ';' || *p == ' ' || *p == '\t')) {
            break;
        }

        /* some take this for an escaped character, some for two */

        if (*p == '\\' && last - p >= 2 && (p[1] == '"' || p[1] == '\\')) {
            return NGX_DECLINED;
        }

        p++;
    }

    param->value.len = p - param->value.data;

    if (param->quoted != (p < last && *p == '"')) {
        return NGX_DECLINED;
    }

    *pos = p + param->quoted;

    return NGX_OK;
}


/*
 * Tells whether in a quoted value there is what Rack, searching with a regular
 * expression, has taken for the name.
 */

static ngx_uint_t
ngx_http_flowdash_multipart_media_nested(ngx_str_t *value)
{
    u_char  *p, *next, *last;

    last = value->data + value->len;

    for (p = value->data; p < last; p++) {

        if (*p != ';' && *p != ' ' && *p != '\t') {
            continue;
        }

        next = p + 1;

        if (last - next >= 4
            && ngx_strncasecmp(next, (u_char *) "file", 4) == 0)
        {
            next += 4;
        }

        if (last - next >= 5
            && ngx_strncasecmp(next, (u_char *) "name", 4) == 0
            && (next[4] == '=' || next[4] == '*'))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_multipart_is(ngx_str_t *s, const char *text)
{
    return s->len == ngx_strlen(text)
           && ngx_strncasecmp(s->data, (u_char *) text, s->len) == 0;
}


static ngx_uint_t
ngx_http_flowdash_multipart_media_is_token(ngx_str_t *s)
{
    u_char  *last;

    last = s->data + s->len;

    return s->len
           && ngx_http_flowdash_multipart_media_skip_token(s->data,
                                                           last) == last;
}


static u_char *
ngx_http_flowdash_multipart_media_skip_token(u_char *p, u_char *last)
{
    u_char  c;

    for ( /* void */ ; p < last; p++) {

        c = ngx_tolower(*p);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')
            && memchr("!#$%&'*+-.^_`|~", c, sizeof("!#$%&'*+-.^_`|~") - 1)
               == NULL)
        {
            break;
        }
    }

    return p;
}


static u_char *
ngx_http_flowdash_multipart_media_skip_blank(u_char *p, u_char *last)
{
    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    return p;
}


/* puts a string into the pool */

static ngx_int_t
ngx_http_flowdash_multipart_state_copy(ngx_http_flowdash_multipart_t *mp,
    ngx_str_t *s)
{
    u_char  *p;

    if (s->len == 0) {
        s->data = (u_char *) "";
        return NGX_OK;
    }

    p = ngx_pnalloc(mp->form->pool, s->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, s->data, s->len);
    s->data = p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_multipart_state_append(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_buf_t *b, u_char *p, size_t len)
{
    u_char  *data;
    size_t   size;

    if (b->size - b->len < len) {

        size = b->size ? b->size : 256;

        while (size - b->len < len) {
            size *= 2;
        }

        data = ngx_pnalloc(mp->form->pool, size);
        if (data == NULL) {
            return NGX_ERROR;
        }

        if (b->len) {
            ngx_memcpy(data, b->data, b->len);
        }

        if (b->size > mp->form->pool->max) {
            (void) ngx_pfree(mp->form->pool, b->data);
        }

        b->data = data;
        b->size = size;
    }

    ngx_memcpy(b->data + b->len, p, len);
    b->len += len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_multipart_state_malformed(ngx_http_flowdash_multipart_t *mp,
    const char *error)
{
    return ngx_http_flowdash_form_refuse(mp->form,
                                         NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                         mp->offset, error);
}


/* for what is wrong with a part as a whole */

static ngx_int_t
ngx_http_flowdash_multipart_state_refuse(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_form_verdict_e verdict, const char *error)
{
    return ngx_http_flowdash_form_refuse(mp->form, verdict, mp->start, error);
}
