
/*
 * The Content-Type of a request: its media type, charset and boundary; and the
 * parameters of any header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart_media.h>


#define NGX_HTTP_FLOWDASH_MULTIPART_BOUNDARY  70     /* RFC 2046, 5.1.1 */


static ngx_int_t ngx_http_flowdash_multipart_media_check_boundary(
    ngx_http_flowdash_multipart_param_t *param, const char **error);
static u_char *ngx_http_flowdash_multipart_media_skip_blank(u_char *p,
    u_char *last);


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

    /* some apps search for it, or also accept "charset*" or "charset =" */

    seen = ngx_http_flowdash_multipart_media_count(p, last, "charset");
    read = 0;

    for ( ;; ) {
        rc = ngx_http_flowdash_multipart_media_param(&p, last, &param);

        if (rc != NGX_OK) {
            break;
        }

        read += (ngx_http_flowdash_text_is(&param.name, "charset")
                 && ngx_http_flowdash_text_is_utf8_name(&param.value));
    }

    if (seen > 1 || seen != read) {
        return NGX_HTTP_FLOWDASH_FORM_CHARSET;
    }

    return (rc == NGX_DONE) ? NGX_HTTP_FLOWDASH_FORM_OK
                            : NGX_HTTP_FLOWDASH_FORM_MALFORMED;
}


ngx_uint_t
ngx_http_flowdash_multipart_media_is_ascii(ngx_str_t *type)
{
    u_char                               *p, *last;
    ngx_int_t                             rc;
    ngx_uint_t                            read;
    ngx_http_flowdash_multipart_param_t   param;

    last = type->data + type->len;
    p = ngx_strlchr(type->data, last, ';');
    read = 0;

    if (p == NULL
        || ngx_http_flowdash_multipart_media_count(p, last, "charset") != 1)
    {
        return 0;
    }

    while ((rc = ngx_http_flowdash_multipart_media_param(&p, last, &param))
           == NGX_OK)
    {
        read |= (ngx_http_flowdash_text_is(&param.name, "charset")
                 && (ngx_http_flowdash_text_is(&param.value, "iso-8859-1")
                     || ngx_http_flowdash_text_is(&param.value, "us-ascii")));
    }

    return rc == NGX_DONE && read;
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

    if (ngx_http_flowdash_text_find(type, NGX_HTTP_FLOWDASH_TEXT_HIGH
                                          |(NGX_HTTP_FLOWDASH_TEXT_CONTROL
                                            & ~NGX_HTTP_FLOWDASH_TEXT_TAB)))
    {
        *error = "the Content-Type has a control character, or a byte that is "
                 "not ASCII";
        return NGX_DECLINED;
    }

    /* some apps search for it anywhere */

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

        if (!ngx_http_flowdash_text_is(&param.name, "boundary")) {
            continue;
        }

        if (ngx_http_flowdash_multipart_media_check_boundary(&param, error)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        *boundary = param.value;

        /* PHP takes what follows the first "=" after the first "boundary" */

        if (ngx_http_flowdash_multipart_media_count(type->data,
                                                    param.name.data,
                                                    "boundary")
            || (ngx_strncmp(param.name.data, "boundary", param.name.len) != 0
                && ngx_http_flowdash_multipart_media_count(param.value.data,
                                                           last,
                                                           "boundary")))
        {
            *error = "the Content-Type has a second \"boundary\"";
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


ngx_uint_t
ngx_http_flowdash_multipart_media_count(u_char *p, u_char *last,
    const char *text)
{
    u_char      c;
    size_t      len;
    ngx_uint_t  n;

    /* the bit of a letter's case is set in all others that a text has, too */

    c = text[0];
    len = ngx_strlen(text);
    n = 0;

    for ( /* void */ ; (size_t) (last - p) >= len; p++) {
        n += ((*p | 0x20) == c
              && ngx_http_flowdash_text_similar(p, text, len));
    }

    return n;
}


ngx_int_t
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

        if (!param->quoted
            && (*p == ';' || ngx_http_flowdash_text_is_blank(*p)))
        {
            break;
        }

        /* one escaped character to some apps, two characters to others */

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


ngx_uint_t
ngx_http_flowdash_multipart_media_nested(ngx_str_t *value)
{
    u_char  *p, *next, *last;

    last = value->data + value->len;

    for (p = value->data; p < last; p++) {

        if (*p != ';' && !ngx_http_flowdash_text_is_blank(*p)) {
            continue;
        }

        next = p + 1;

        if (last - next >= 4
            && ngx_http_flowdash_text_similar(next, "file", 4))
        {
            next += 4;
        }

        if (last - next >= 5
            && ngx_http_flowdash_text_similar(next, "name", 4)
            && (next[4] == '=' || next[4] == '*'))
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_flowdash_multipart_media_is_token(ngx_str_t *s)
{
    u_char  *last;

    last = s->data + s->len;

    return s->len
           && ngx_http_flowdash_multipart_media_skip_token(s->data,
                                                           last) == last;
}


u_char *
ngx_http_flowdash_multipart_media_skip_token(u_char *p, u_char *last)
{
    /* letters, digits and !#$%&'*+-.^_`|~ */

    static uint32_t  token[] = {
        0x00000000,

                    /* ?>=< ;:98 7654 3210  /.-, +*)( '&%$ #"!  */
        0x03ff6cfa, /* 0000 0011 1111 1111  0110 1100 1111 1010 */

                    /* _^]\ [ZYX WVUT SRQP  ONML KJIH GFED CBA@ */
        0xc7fffffe, /* 1100 0111 1111 1111  1111 1111 1111 1110 */

                    /*  ~}| {zyx wvut srqp  onml kjih gfed cba` */
        0x57ffffff, /* 0101 0111 1111 1111  1111 1111 1111 1111 */

        0x00000000, 0x00000000, 0x00000000, 0x00000000
    };

    while (p < last && (token[*p >> 5] & (1U << (*p & 0x1f)))) {
        p++;
    }

    return p;
}


static u_char *
ngx_http_flowdash_multipart_media_skip_blank(u_char *p, u_char *last)
{
    while (p < last && ngx_http_flowdash_text_is_blank(*p)) {
        p++;
    }

    return p;
}
