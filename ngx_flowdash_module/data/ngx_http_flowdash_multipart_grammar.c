
/*
 * The rule "parts": the grammar of multipart/form-data that browsers and
 * common clients write, and that all known parsers read alike.  The reader in
 * multipart_part accepts more.  Parsers differ in the rest: in which of a
 * part's headers they look for its name, and in how they end it.  So the
 * grammar holds for every part, also for those that are not the task's to the
 * reader.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_rules.h>
#include <ngx_http_flowdash_multipart_media.h>
#include <ngx_http_flowdash_multipart_state.h>
#include <ngx_http_flowdash_multipart_grammar.h>


typedef const char *(*ngx_http_flowdash_multipart_grammar_pt)(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last);


typedef struct {
    const char                              *name;  /* lower case */
    ngx_http_flowdash_multipart_grammar_pt   judge;
} ngx_http_flowdash_multipart_grammar_header_t;


static const char *ngx_http_flowdash_multipart_grammar_header(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last,
    ngx_uint_t *seen);
static const char *ngx_http_flowdash_multipart_grammar_disposition(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last);
static ngx_uint_t ngx_http_flowdash_multipart_grammar_is_space(u_char *p,
    u_char *last);
static ngx_uint_t ngx_http_flowdash_multipart_grammar_bad_param(u_char *p,
    u_char *last);
static const char *ngx_http_flowdash_multipart_grammar_content_type(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last);
static const char *ngx_http_flowdash_multipart_grammar_length(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last);
static const char *ngx_http_flowdash_multipart_grammar_encoding(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last);
static u_char *ngx_http_flowdash_multipart_grammar_skip(u_char *p,
    u_char *last, const char *text);
static u_char *ngx_http_flowdash_multipart_grammar_quoted(u_char *p,
    u_char *last, ngx_str_t *value);
static ngx_uint_t ngx_http_flowdash_multipart_grammar_has_param(u_char *p,
    u_char *last);
static u_char *ngx_http_flowdash_multipart_grammar_param(u_char *p,
    u_char *last, ngx_uint_t *boundary, ngx_uint_t *charset,
    const char **error);


/* the bit of a header in "seen" is that of its place here */

static ngx_http_flowdash_multipart_grammar_header_t
    ngx_http_flowdash_multipart_grammar_headers[] =
{
    { "content-disposition: ",
      ngx_http_flowdash_multipart_grammar_disposition },
    { "content-type: ",
      ngx_http_flowdash_multipart_grammar_content_type },
    { "content-length: ",
      ngx_http_flowdash_multipart_grammar_length },
    { "content-transfer-encoding: ",
      ngx_http_flowdash_multipart_grammar_encoding },
    { NULL, NULL }
};


ngx_int_t
ngx_http_flowdash_multipart_grammar_part(ngx_http_flowdash_multipart_t *mp)
{
    u_char      *p, *last, *end;
    ngx_uint_t   seen;
    const char  *error;

    p = mp->headers.data;
    last = p + mp->headers.len;

    error = NULL;
    seen = 0;

    for ( /* void */ ; p < last && error == NULL; p = end + sizeof(CRLF) - 1) {

        end = memchr(p, CR, last - p);
        error = ngx_http_flowdash_multipart_grammar_header(mp, p, end, &seen);
    }

    if (error == NULL) {
        return NGX_OK;
    }

    return ngx_http_flowdash_form_refuse_rule(mp->form,
                                              NGX_HTTP_FLOWDASH_STRICT_PARTS,
                                              mp->start, error);
}


/* these return what is wrong, or NULL */

static const char *
ngx_http_flowdash_multipart_grammar_header(ngx_http_flowdash_multipart_t *mp,
    u_char *p, u_char *last, ngx_uint_t *seen)
{
    size_t                                         len;
    ngx_uint_t                                     bit;
    ngx_http_flowdash_multipart_grammar_header_t  *header;

    header = ngx_http_flowdash_multipart_grammar_headers;

    for (bit = 1; header->name; bit <<= 1, header++) {

        len = ngx_strlen(header->name);

        if ((size_t) (last - p) < len
            || !ngx_http_flowdash_text_similar(p, header->name, len))
        {
            continue;
        }

        if (*seen & bit) {
            return "a part has a header twice";
        }

        *seen |= bit;

        return header->judge(mp, p + len, last);
    }

    return "a part has a header that forms do not have, or an unusual one";
}


static const char *
ngx_http_flowdash_multipart_grammar_disposition(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last)
{
    ngx_str_t    name, filename, ext;
    const char  *unusual;

    unusual = "a part has an unusual Content-Disposition";

    p = ngx_http_flowdash_multipart_grammar_skip(p, last, "form-data; name=");

    if (p) {
        p = ngx_http_flowdash_multipart_grammar_quoted(p, last, &name);
    }

    if (p == NULL) {
        return unusual;
    }

    if (p == last) {
        return ngx_http_flowdash_multipart_grammar_name(&name);
    }

    p = ngx_http_flowdash_multipart_grammar_skip(p, last, "; filename=");

    if (p) {
        p = ngx_http_flowdash_multipart_grammar_quoted(p, last, &filename);
    }

    if (p == NULL) {
        return unusual;
    }

    if (p < last) {
        p = ngx_http_flowdash_multipart_grammar_skip(p, last, "; filename*=");

        if (p == NULL) {
            return unusual;
        }

        ext.data = p;
        ext.len = last - p;

        /* undici takes a language for a part of the name */

        if (ext.len < sizeof("UTF-8''") - 1
            || ngx_strncasecmp(p, (u_char *) "UTF-8''", sizeof("UTF-8''") - 1)
               != 0
            || !ngx_http_flowdash_multipart_media_is_token(&ext))
        {
            return unusual;
        }
    }

    return ngx_http_flowdash_multipart_grammar_name(&name);
}


/*
 * Django, PHP and Tomcat remove white space around a name, Netty ":" and ",",
 * too, and aiohttp slashes before it.
 */

const char *
ngx_http_flowdash_multipart_grammar_name(ngx_str_t *name)
{
    u_char  *p, *last;

    last = name->data + name->len;

    if (ngx_http_flowdash_multipart_grammar_is_space(name->data, last)) {
        return "a part has a name that begins with white space";
    }

    if (name->len
        && (memchr("/:,", name->data[0], sizeof("/:,") - 1)
            || last[-1] == ':' || last[-1] == ','))
    {
        return "a part has a name whose first or last character some apps cut "
               "off";
    }

    /* a space has three bytes at most */

    for (p = last - ngx_min(name->len, 3); p < last; p++) {
        if (ngx_http_flowdash_multipart_grammar_is_space(p, last)
            == (ngx_uint_t) (last - p))
        {
            return "a part has a name that ends with white space";
        }
    }

    return ngx_http_flowdash_multipart_grammar_key(name);
}


/*
 * Mojolicious ignores a part with ";" in its name, and parse-multipart-data
 * ends the name at "=".  undici decodes %22, and some clients write %5B for
 * "[".
 */

const char *
ngx_http_flowdash_multipart_grammar_key(ngx_str_t *key)
{
    u_char      *p, *last;
    ngx_uint_t   word;

    /* encoded words have a rule of their own */

    word = ngx_http_flowdash_form_rules_encoded_word(key);

    last = key->data + key->len;

    for (p = key->data; p < last; p++) {

        if (*p == ';') {
            return "a part has a semicolon in its name";
        }

        if (*p == '=' && !word) {
            return "a part has an equals sign in its name";
        }

        if (*p == '%' && last - p >= 3 && ngx_hextoi(p + 1, 2) != NGX_ERROR) {
            return "a part has an escape in its name";
        }
    }

    if (ngx_http_flowdash_multipart_grammar_has_param(key->data, last)) {
        return "a part has a parameter in its name";
    }

    return NULL;
}


/*
 * Returns how many bytes of white space "p" begins with: one character of
 * Unicode's White_Space, or a byte order mark; 0 if it is another character.
 */

static ngx_uint_t
ngx_http_flowdash_multipart_grammar_is_space(u_char *p, u_char *last)
{
    size_t  len;

    len = last - p;

    if (len && *p == ' ') {
        return 1;
    }

    if (len >= 2 && p[0] == 0xc2 && (p[1] == 0x85 || p[1] == 0xa0)) {
        return 2;
    }

    if (len < 3) {
        return 0;
    }

    switch (p[0] << 16 | p[1] << 8 | p[2]) {

    case 0xe19a80:                                         /* U+1680 */
    case 0xe280a8: case 0xe280a9: case 0xe280af:           /* U+2028.. */
    case 0xe2819f:                                         /* U+205F */
    case 0xe38080:                                         /* U+3000 */
    case 0xefbbbf:                                         /* U+FEFF */
        return 3;
    }

    /* U+2000 to U+200A */

    if (p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0x80 && p[2] <= 0x8a) {
        return 3;
    }

    return 0;
}


/* busboy takes a type with such a parameter for text/plain */

static ngx_uint_t
ngx_http_flowdash_multipart_grammar_bad_param(u_char *p, u_char *last)
{
    ngx_int_t                            rc;
    ngx_http_flowdash_multipart_param_t  param;

    do {
        rc = ngx_http_flowdash_multipart_media_param(&p, last, &param);

        if (rc == NGX_DECLINED || (rc == NGX_OK && param.value.len == 0)) {
            return 1;
        }

    } while (rc == NGX_OK);

    return 0;
}


/*
 * Mojolicious looks for "multipart" and "boundary" anywhere, and Rack for
 * "filename" in all headers.  WebOb reads a urlencoded part as a form.
 */

static const char *
ngx_http_flowdash_multipart_grammar_content_type(
    ngx_http_flowdash_multipart_t *mp, u_char *p, u_char *last)
{
    ngx_str_t                         type, name;
    ngx_http_flowdash_form_verdict_e  verdict;

    type.data = p;
    type.len = last - p;

    if (ngx_http_flowdash_text_find(&type, NGX_HTTP_FLOWDASH_TEXT_HIGH
                                           |NGX_HTTP_FLOWDASH_TEXT_CONTROL))
    {
        return "a part has an unusual Content-Type";
    }

    verdict = ngx_http_flowdash_multipart_media(&type, &name);

    if (verdict == NGX_HTTP_FLOWDASH_FORM_MALFORMED
        || memchr(name.data, '/', name.len) == NULL
        || name.data[name.len - 1] == '/'
        || ngx_http_flowdash_multipart_grammar_bad_param(name.data + name.len,
                                                         last)
        || last[-1] == ' ' || last[-1] == ';'
        || ngx_http_flowdash_multipart_media_count(p, last, " ;")
        || ngx_http_flowdash_multipart_media_count(p, last, "boundary")
        || ngx_http_flowdash_multipart_grammar_has_param(p, last))
    {
        return "a part has an unusual Content-Type";
    }

    if (ngx_strncasecmp(p, (u_char *) "multipart/", sizeof("multipart/") - 1)
        == 0
        || ngx_strncasecmp(p, (u_char *) "message/", sizeof("message/") - 1)
           == 0
        || ngx_http_flowdash_text_is(&name,
                                     "application/x-www-form-urlencoded"))
    {
        return "a part that consists of parts or fields";
    }

    return NULL;
}


static const char *
ngx_http_flowdash_multipart_grammar_length(ngx_http_flowdash_multipart_t *mp,
    u_char *p, u_char *last)
{
    mp->length = ngx_atoof(p, last - p);

    if (mp->length == NGX_ERROR || (*p == '0' && last - p > 1)) {
        return "a part has a malformed Content-Length";
    }

    return NULL;
}


static const char *
ngx_http_flowdash_multipart_grammar_encoding(ngx_http_flowdash_multipart_t *mp,
    u_char *p, u_char *last)
{
    if (ngx_http_flowdash_multipart_grammar_skip(p, last, "7bit") == last
        || ngx_http_flowdash_multipart_grammar_skip(p, last, "8bit") == last
        || ngx_http_flowdash_multipart_grammar_skip(p, last, "binary") == last)
    {
        return NULL;
    }

    return "a part has an unusual Content-Transfer-Encoding";
}


/* returns the end of a text at "p", or NULL if it is not there */

static u_char *
ngx_http_flowdash_multipart_grammar_skip(u_char *p, u_char *last,
    const char *text)
{
    size_t  len;

    len = ngx_strlen(text);

    return ((size_t) (last - p) >= len && ngx_memcmp(p, text, len) == 0)
           ? p + len : NULL;
}


/*
 * Returns the end of a quoted string, or NULL if there is none.  What looks
 * like another parameter in it is found by some parsers.
 */

static u_char *
ngx_http_flowdash_multipart_grammar_quoted(u_char *p, u_char *last,
    ngx_str_t *value)
{
    u_char  *end;

    if (p == last || *p++ != '"') {
        return NULL;
    }

    end = memchr(p, '"', last - p);

    if (end == NULL) {
        return NULL;
    }

    value->data = p;
    value->len = end - p;

    if (ngx_http_flowdash_text_find(value, NGX_HTTP_FLOWDASH_TEXT_CONTROL)
        || ngx_http_flowdash_multipart_grammar_has_param(p, end))
    {
        return NULL;
    }

    return end + 1;
}


/* tells whether a text has "name" or "filename" as a parameter */

static ngx_uint_t
ngx_http_flowdash_multipart_grammar_has_param(u_char *p, u_char *last)
{
    u_char  *next;

    for ( /* void */ ; last - p > 4; p++) {

        if ((*p | 0x20) != 'n'
            || !ngx_http_flowdash_text_similar(p, "name", 4))
        {
            continue;
        }

        next = p + 4;

        while (next < last && *next == ' ') {
            next++;
        }

        if (next < last && (*next == '=' || *next == '*')) {
            return 1;
        }
    }

    return 0;
}


const char *
ngx_http_flowdash_multipart_grammar_type(ngx_str_t *type)
{
    u_char      *p, *last;
    ngx_uint_t   boundary, charset;
    const char  *error;

    error = "the request's Content-Type has an unusual boundary, or another "
            "parameter";

    p = type->data + sizeof("multipart/form-data") - 1;
    last = type->data + type->len;

    boundary = 0;
    charset = 0;

    do {
        p = ngx_http_flowdash_multipart_grammar_param(p, last, &boundary,
                                                      &charset, &error);
    } while (p && p < last);

    if (p == NULL || boundary != 1 || charset > 1) {
        return error;
    }

    return NULL;
}


/* counts a parameter at "p"; returns its end, or NULL */

static u_char *
ngx_http_flowdash_multipart_grammar_param(u_char *p, u_char *last,
    ngx_uint_t *boundary, ngx_uint_t *charset, const char **error)
{
    u_char      *value;
    ngx_uint_t   quoted;

    p = ngx_http_flowdash_multipart_grammar_skip(p, last, ";");

    if (p == NULL) {
        return NULL;
    }

    p += (p < last && *p == ' ');

    value = ngx_http_flowdash_multipart_grammar_skip(p, last, "boundary=");

    if (value) {
        (*boundary)++;

    } else {
        value = ngx_http_flowdash_multipart_grammar_skip(p, last, "charset=");
        (*charset)++;
    }

    if (value == NULL || value == last) {
        return NULL;
    }

    quoted = (*value == '"');

    for (p = value + quoted; p < last && *p != ';' && *p != '"'; p++) {

        /* here it ends to parse-multipart-data, with quotes or without */

        if (*p == '=') {
            *error = "the request's Content-Type has a boundary with an "
                     "equals sign, where some apps end it";
            return NULL;
        }

        /* without quotes, it ends at some of these to Mojolicious */

        if (*p <= ' '
            || (!quoted && memchr("'(),/:?", *p, sizeof("'(),/:?") - 1)))
        {
            return NULL;
        }
    }

    return quoted ? ngx_http_flowdash_multipart_grammar_skip(p, last, "\"")
                  : p;
}
