
/*
 * The name of a file in multipart/form-data: filename, or filename* (RFC
 * 8187).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart_state.h>
#include <ngx_http_flowdash_multipart_filename.h>


static ngx_int_t ngx_http_flowdash_multipart_filename_both(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *ext, ngx_str_t *text);
static const char *ngx_http_flowdash_multipart_filename_words(
    ngx_str_t *filename);
static ngx_uint_t ngx_http_flowdash_multipart_filename_reference(u_char *p,
    u_char *last);
static ngx_int_t ngx_http_flowdash_multipart_filename_ext(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *value, ngx_str_t *text);


/* HTML's named character references that need no semicolon: a closed list */

static const char  *ngx_http_flowdash_multipart_filename_references[] = {
    "AElig", "AMP", "Aacute", "Acirc", "Agrave", "Aring", "Atilde", "Auml",
    "COPY", "Ccedil", "ETH", "Eacute", "Ecirc", "Egrave", "Euml", "GT",
    "Iacute", "Icirc", "Igrave", "Iuml", "LT", "Ntilde", "Oacute", "Ocirc",
    "Ograve", "Oslash", "Otilde", "Ouml", "QUOT", "REG", "THORN", "Uacute",
    "Ucirc", "Ugrave", "Uuml", "Yacute", "aacute", "acirc", "acute", "aelig",
    "agrave", "amp", "aring", "atilde", "auml", "brvbar", "ccedil", "cedil",
    "cent", "copy", "curren", "deg", "divide", "eacute", "ecirc", "egrave",
    "eth", "euml", "frac12", "frac14", "frac34", "gt", "iacute", "icirc",
    "iexcl", "igrave", "iquest", "iuml", "laquo", "lt", "macr", "micro",
    "middot", "nbsp", "not", "ntilde", "oacute", "ocirc", "ograve", "ordf",
    "ordm", "oslash", "otilde", "ouml", "para", "plusmn", "pound", "quot",
    "raquo", "reg", "sect", "shy", "sup1", "sup2", "sup3", "szlig", "thorn",
    "times", "uacute", "ucirc", "ugrave", "uml", "uuml", "yacute", "yen",
    "yuml",
    NULL
};


ngx_int_t
ngx_http_flowdash_multipart_filename(ngx_http_flowdash_multipart_t *mp,
    ngx_str_t *filename, ngx_str_t *filename_ext, ngx_str_t *text)
{
    u_char      *p, *last, *dst;
    ngx_int_t    rc;
    const char  *error;

    if (filename->data == NULL) {
        rc = ngx_http_flowdash_multipart_filename_ext(mp, filename_ext, text);
        if (rc != NGX_OK) {
            return rc;
        }

    } else {
        *text = *filename;

        if (ngx_http_flowdash_multipart_state_copy(mp, text) != NGX_OK) {
            return NGX_ERROR;
        }

        /* browsers escape these three characters and no others */

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

    if (mp->form->strict & NGX_HTTP_FLOWDASH_STRICT_WORDS) {
        error = ngx_http_flowdash_multipart_filename_words(filename->data
                                                           ? filename : text);

        if (error) {
            return ngx_http_flowdash_form_refuse_rule(mp->form,
                                              NGX_HTTP_FLOWDASH_STRICT_WORDS,
                                              mp->start, error);
        }
    }

    if (filename->data && filename_ext->data
        && (mp->form->strict & NGX_HTTP_FLOWDASH_STRICT_PARTS))
    {
        return ngx_http_flowdash_multipart_filename_both(mp, filename_ext,
                                                         text);
    }

    return NGX_OK;
}


/* some apps take filename, some filename* */

static ngx_int_t
ngx_http_flowdash_multipart_filename_both(ngx_http_flowdash_multipart_t *mp,
    ngx_str_t *ext, ngx_str_t *text)
{
    ngx_int_t  rc;
    ngx_str_t  other;

    rc = ngx_http_flowdash_multipart_filename_ext(mp, ext, &other);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!ngx_http_flowdash_text_equal(&other, text)) {
        return ngx_http_flowdash_form_refuse_rule(mp->form,
                   NGX_HTTP_FLOWDASH_STRICT_PARTS, mp->start,
                   "a part has a filename* that differs from its filename");
    }

    return NGX_OK;
}


/*
 * Returns what some apps read in another way, or NULL.  Rack decodes %XX,
 * undici and formidable some of these, Tomcat encoded words (RFC 2047), and
 * Django character references.  Many remove a path, Tomcat spaces, and undici
 * a byte order mark.
 */

static const char *
ngx_http_flowdash_multipart_filename_words(ngx_str_t *filename)
{
    u_char  *p, *last;

    p = filename->data;
    last = p + filename->len;

    if (filename->len
        && (*p == ' ' || last[-1] == ' '
            || (filename->len >= 3
                && ngx_memcmp(p, "\xef\xbb\xbf", 3) == 0)))
    {
        return "a part has a filename with a space or a byte order mark "
               "around it";
    }

    if ((filename->len == 1 && *p == '.')
        || (filename->len == 2 && p[0] == '.' && p[1] == '.'))
    {
        return "a part has \".\" or \"..\" as its filename";
    }

    for ( /* void */ ; p < last; p++) {

        if (*p == '/' || *p == '\\') {
            return "a part has a path in its filename";
        }

        if ((*p == '%' && last - p >= 3 && ngx_hextoi(p + 1, 2) != NGX_ERROR)
            || (*p == '&'
                && ngx_http_flowdash_multipart_filename_reference(p + 1, last))
            || (*p == '=' && last - p >= 2 && p[1] == '?'))
        {
            return "a part has an encoded filename";
        }
    }

    return NULL;
}


/*
 * Tells whether a character reference, as in HTML, follows the "&".  The scan
 * ends at the next "&": many of them cost no more than other characters.
 */

static ngx_uint_t
ngx_http_flowdash_multipart_filename_reference(u_char *p, u_char *last)
{
    u_char       *end, c;
    size_t        len;
    const char  **name;

    if (p == last) {
        return 0;
    }

    if (*p == '#') {
        return 1;
    }

    for (name = ngx_http_flowdash_multipart_filename_references;
         *name;
         name++)
    {
        if (*p != (u_char) **name) {
            continue;
        }

        len = ngx_strlen(*name);

        if ((size_t) (last - p) >= len && ngx_memcmp(p, *name, len) == 0) {
            return 1;
        }
    }

    for (end = p; end < last; end++) {

        c = ngx_tolower(*end);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) {
            break;
        }
    }

    return end > p && end < last && *end == ';';
}


/* RFC 8187: charset'language'value */

static ngx_int_t
ngx_http_flowdash_multipart_filename_ext(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *value, ngx_str_t *text)
{
    u_char     *p, *last, *end;
    ngx_str_t   charset;

    p = value->data;
    last = p + value->len;

    charset.data = p;
    charset.len = ngx_strlchr(p, last, '\'') - p;

    if (!ngx_http_flowdash_text_is(&charset, "utf-8")) {
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

    end = ngx_http_flowdash_text_unescape(text->data, p, last, 0);

    if (end == NULL) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part has a malformed filename*");
    }

    text->len = end - text->data;

    return NGX_OK;
}
