
/*
 * A part of multipart/form-data: reads its headers, and decides whether it
 * belongs to the task.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_name.h>
#include <ngx_http_flowdash_multipart_media.h>
#include <ngx_http_flowdash_multipart_state.h>
#include <ngx_http_flowdash_multipart_filename.h>
#include <ngx_http_flowdash_multipart_grammar.h>
#include <ngx_http_flowdash_multipart_part.h>


/* an estimate of what a pair needs in the index */
#define NGX_HTTP_FLOWDASH_MULTIPART_NODE  128


/* what the headers of a part say; the strings lie in their buffer */

typedef struct {
    ngx_str_t                             disposition;
    ngx_str_t                             type;
    ngx_str_t                             encoding;  /* -Transfer- */
    ngx_str_t                             coding;    /* Content-Encoding */

    ngx_str_t                             name;
    ngx_str_t                             filename;
    ngx_str_t                             filename_ext;  /* filename* */

    unsigned                              file:1;
    unsigned                              whole:1;  /* see pair->whole */
} ngx_http_flowdash_multipart_part_t;


static ngx_int_t ngx_http_flowdash_multipart_part_parse(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part);
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
    ngx_http_flowdash_multipart_part_t *part,
    ngx_http_flowdash_form_pair_t *named);
static ngx_int_t ngx_http_flowdash_multipart_part_keep(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part,
    ngx_http_flowdash_form_pair_t *named);


ngx_int_t
ngx_http_flowdash_multipart_part_begin(ngx_http_flowdash_multipart_t *mp)
{
    ngx_int_t                           rc;
    ngx_http_flowdash_form_pair_t       named;
    ngx_http_flowdash_multipart_part_t  part;

    ngx_memzero(&part, sizeof(ngx_http_flowdash_multipart_part_t));

    if (ngx_http_flowdash_form_count(mp->form, mp->start) != NGX_OK) {
        return NGX_DECLINED;
    }

    mp->length = -1;
    mp->ascii = 0;

    if (mp->form->strict & NGX_HTTP_FLOWDASH_STRICT_PARTS) {
        rc = ngx_http_flowdash_multipart_grammar_part(mp);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = ngx_http_flowdash_multipart_part_parse(mp, &part);

    if (rc != NGX_OK) {
        return rc;
    }

    mp->pair = NULL;
    mp->charset = (!part.file && part.name.len == sizeof("_charset_") - 1
                   && ngx_memcmp(part.name.data, "_charset_", part.name.len)
                      == 0);

    /* to Go, an empty filename is none */

    mp->method = (mp->form->method
                  && (part.filename.len == 0 && part.filename_ext.len == 0)
                  && ngx_http_flowdash_method_is_name(&part.name));

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

    rc = ngx_http_flowdash_multipart_part_check_field(mp, &part, &named);

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
    ngx_str_t   headers;

    p = mp->headers.data;
    last = p + mp->headers.len;

    /* Rack searches for it anywhere */

    if (ngx_http_flowdash_multipart_media_count(p, last, "content-disposition")
        != 1)
    {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part does not have exactly one Content-Disposition");
    }

    /* Busboy ends the part there, even inside a header */

    headers.data = p;
    headers.len = mp->headers.len;

    if (ngx_http_flowdash_text_contains(&headers, &mp->delimiter)) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a delimiter in the headers of a part");
    }

    for ( /* void */ ; p < last; p = end + 2) {

        end = memchr(p, CR, last - p);

        rc = ngx_http_flowdash_multipart_part_header(mp, part, p, end);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    /* it may have been counted in the value of another header */

    if (part->disposition.data == NULL) {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                   "a part has no Content-Disposition");
    }

    rc = ngx_http_flowdash_multipart_part_disposition(mp, part);

    if (rc != NGX_OK) {
        return rc;
    }

    /* commons-fileupload looks for more parts inside */

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


static ngx_int_t
ngx_http_flowdash_multipart_part_header(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part, u_char *p, u_char *last)
{
    ngx_str_t  name, value, *header;

    if (ngx_http_flowdash_text_is_blank(*p)) {
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

    value.data = p + 1;
    value.len = last - value.data;
    ngx_http_flowdash_text_trim(&value);

    if (ngx_http_flowdash_text_is(&name, "content-disposition")) {
        header = &part->disposition;

    } else if (ngx_http_flowdash_text_is(&name, "content-type")) {
        header = &part->type;

    } else if (ngx_http_flowdash_text_is(&name,
                                         "content-transfer-encoding"))
    {
        header = &part->encoding;
        part->whole = 1;

    } else if (ngx_http_flowdash_text_is(&name, "content-encoding")) {
        header = &part->coding;

    } else {
        part->whole |= ngx_http_flowdash_text_is(&name, "content-length");
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

    if (!ngx_http_flowdash_text_is(&type, "form-data")) {
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


/* returns what is wrong with a parameter, or NULL */

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

    /* to PHP, "'" is a quote, too */

    quotes = param->quoted ? 0 :
             ngx_http_flowdash_multipart_media_count(param->value.data, last,
                                                     "'");

    if (ngx_http_flowdash_text_is(&param->name, "filename*")) {

        if (param->quoted || quotes != 2) {
            return "a part has a malformed filename*";
        }

        slot = &part->filename_ext;

    } else if (memchr(param->name.data, '*', param->name.len) || quotes) {
        /* some apps join the pieces of a split name (RFC 2231) */

        return "a part has an ambiguous parameter";

    } else if (ngx_http_flowdash_text_is(&param->name, "name")) {

        if (memchr(param->value.data, '\\', param->value.len)) {
            return "a part has a backslash in its name";
        }

        slot = &part->name;

    } else if (ngx_http_flowdash_text_is(&param->name, "filename")) {
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


/* checks the Content-Type of a part that is no file */

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

    if (ngx_http_flowdash_multipart_media_is_ascii(type)) {

        /* some clients say so as long as a text has no other characters */

        mp->ascii = 1;

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
        && !ngx_http_flowdash_text_is(&part->encoding, "7bit")
        && !ngx_http_flowdash_text_is(&part->encoding, "8bit")
        && !ngx_http_flowdash_text_is(&part->encoding, "binary"))
    {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_CHARSET,
                   "a part has a Content-Transfer-Encoding");
    }

    if (part->coding.data
        && !ngx_http_flowdash_text_is(&part->coding, "identity"))
    {
        return ngx_http_flowdash_multipart_state_refuse(mp,
                   NGX_HTTP_FLOWDASH_FORM_CHARSET,
                   "a part has a Content-Encoding");
    }

    return NGX_OK;
}


/* rules that apply only to parts of the task */

static ngx_int_t
ngx_http_flowdash_multipart_part_check_field(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_part_t *part,
    ngx_http_flowdash_form_pair_t *named)
{
    size_t  len;

    if (part->file) {

        /* to formidable, this is a value */

        if (part->type.len == 0
            && (mp->form->strict & NGX_HTTP_FLOWDASH_STRICT_TYPE))
        {
            return ngx_http_flowdash_form_refuse_rule(mp->form,
                       NGX_HTTP_FLOWDASH_STRICT_TYPE, mp->start,
                       "a part has a file without a Content-Type");
        }

        if (ngx_http_flowdash_text_check_utf8(&part->type)) {
            return ngx_http_flowdash_multipart_state_refuse(mp,
                       NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                       "a part has a Content-Type that is not UTF-8");
        }

        return ngx_http_flowdash_multipart_part_encoding(mp, part);
    }

    /* Busboy reads it as a file */

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

    /* formidable reads "binary" as Latin-1, unless there is a Content-Type */

    mp->ascii |= (part->encoding.data && part->type.data == NULL
                  && (mp->form->strict & NGX_HTTP_FLOWDASH_STRICT_PARTS));

    named->whole = (part->whole || mp->ascii);

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

    /* both lie in the name */

    pair->path.data = pair->name.data + (pair->path.data - old);
    mp->field.data = pair->name.data + (mp->field.data - old);

    if (part->file) {
        pair->type = part->type;

        if (ngx_http_flowdash_multipart_state_copy(mp,
                                                   &pair->type) != NGX_OK) {
            return NGX_ERROR;
        }

        rc = ngx_http_flowdash_multipart_filename(mp, &part->filename,
                                                 &part->filename_ext,
                                                 &pair->text);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    mp->pair = pair;

    return NGX_OK;
}
