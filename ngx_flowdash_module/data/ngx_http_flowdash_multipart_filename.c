
/*
 * The name of a file in multipart/form-data: filename, or filename* (RFC
 * 8187).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart_state.h>
#include <ngx_http_flowdash_multipart_filename.h>


static ngx_int_t ngx_http_flowdash_multipart_filename_ext(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *value, ngx_str_t *text);


ngx_int_t
ngx_http_flowdash_multipart_filename(ngx_http_flowdash_multipart_t *mp,
    ngx_str_t *filename, ngx_str_t *filename_ext, ngx_str_t *text)
{
    u_char     *p, *last, *dst;
    ngx_int_t   rc;

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

    return NGX_OK;
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
