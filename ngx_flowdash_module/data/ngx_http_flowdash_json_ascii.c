
/*
 * JSON strings in ASCII, for the values of headers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json_ascii.h>


size_t
ngx_http_flowdash_json_ascii_length(ngx_str_t *s)
{
    size_t      len;
    ngx_uint_t  i;

    /* four bytes of UTF-8 become two escapes, two or three become one */

    len = sizeof("\"\"") - 1;

    for (i = 0; i < s->len; i++) {
        len += (s->data[i] >= 0x20 && s->data[i] < 0x7f) ? 2 : 6;
    }

    return len;
}


u_char *
ngx_http_flowdash_json_ascii_write(u_char *p, ngx_str_t *s)
{
    u_char    *c, *at, *last;
    uint32_t   code;

    c = s->data;
    last = c + s->len;

    *p++ = '"';

    while (c < last) {

        at = c;
        code = (*c < 0x80) ? *c++ : ngx_utf8_decode(&c, last - c);

        if (code > 0x10ffff) {

            /* not UTF-8 */

            c = at + 1;
            code = 0xfffd;
        }

        if (code >= 0x20 && code < 0x7f) {

            if (code == '"' || code == '\\') {
                *p++ = '\\';
            }

            *p++ = (u_char) code;

        } else if (code < 0x10000) {
            p = ngx_sprintf(p, "\\u%04xD", code);

        } else {
            code -= 0x10000;
            p = ngx_sprintf(p, "\\u%04xD\\u%04xD", 0xd800 + (code >> 10),
                            0xdc00 + (code & 0x3ff));
        }
    }

    *p++ = '"';

    return p;
}
