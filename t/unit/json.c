
/*
 * JSON strings as they are written: one octet of each kind in strings of many
 * lengths, of which 16 octets are passed at once.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_json_unescape.c"
#include "ngx_http_flowdash_json.c"


#define LONGEST  50


/* appends what the octet is in a string; returns the end */

static char *
spell(char *p, u_char c)
{
    size_t  i;

    static const char  escapes[] = "\"\"\\\\\bb\tt\nn\ff\rr";

    for (i = 0; i + 1 < sizeof(escapes); i += 2) {

        if ((u_char) escapes[i] == c) {
            *p++ = '\\';
            *p++ = escapes[i + 1];
            return p;
        }
    }

    if (c < 0x20) {
        return p + sprintf(p, "\\u%04X", c);
    }

    *p++ = (char) c;

    return p;
}


/* for what is printable, it must; the others are left to the way above */

static ngx_uint_t
writes_in_one_go(ngx_str_t *s, u_char c, const char *wanted, size_t len)
{
    u_char      *written, *end;
    ngx_uint_t   good;

    written = malloc(2 * s->len + 2);

    end = ngx_http_flowdash_json_write_ascii(written, s);

    good = end ? ((size_t) (end - written) == len
                  && memcmp(written, wanted, len) == 0)
               : (c < ' ' || c > '~');

    free(written);

    return good;
}


static ngx_uint_t
writes(u_char c, size_t len, size_t at, u_char other)
{
    char        *p, wanted[3 * LONGEST];
    u_char      *end, written[3 * LONGEST];
    size_t       i;
    ngx_str_t    s;
    ngx_uint_t   good;

    s.len = len;
    s.data = malloc(len);

    p = wanted;
    *p++ = '"';

    for (i = 0; i < len; i++) {
        s.data[i] = (i == at) ? c : other;
        p = spell(p, s.data[i]);
    }

    *p++ = '"';

    end = ngx_http_flowdash_json_write_string(written, &s);

    good = (end - written == p - wanted
            && memcmp(written, wanted, p - wanted) == 0);

    /* alone, what is not ASCII is not UTF-8 */

    good &= (ngx_http_flowdash_json_string_length(&s)
             == (c < 0x80 ? (size_t) (p - wanted) : 0));

    good &= writes_in_one_go(&s, c, wanted, p - wanted);

    free(s.data);

    return good;
}


int
main(void)
{
    size_t      len, at;
    ngx_uint_t  c, good;

    (void) test_begin(0);

    good = 1;

    for (len = 1; len <= LONGEST; len++) {
        for (at = 0; at < len; at++) {
            for (c = 0; c < 256; c++) {
                good &= writes((u_char) c, len, at, 'a');
                good &= writes((u_char) c, len, at, '"');
            }
        }
    }

    ok(good, "one octet in a string");

    return test_end();
}
