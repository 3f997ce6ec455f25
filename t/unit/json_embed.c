
/*
 * Text and values as parts of a JSON text: what is escaped, what stays, and
 * that the length is the same with and without a place to write to.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_json_embed.c"
#include "ngx_http_flowdash_json_ascii.c"


typedef size_t (*embed_pt)(u_char *dst, ngx_str_t *s);


static ngx_uint_t
embeds(embed_pt embed, const char *from, size_t len, const char *to)
{
    size_t      n;
    ngx_str_t   s, written;
    ngx_uint_t  good;

    s = exactly(from, len);
    n = embed(NULL, &s);

    written.len = n;
    written.data = malloc(n ? n : 1);

    good = embed(written.data, &s) == n && is_text(&written, to);

    if (!good) {
        printf("# %.*s\n", (int) written.len, written.data);
    }

    free(written.data);
    free(s.data);

    return good;
}


static ngx_uint_t
text(const char *from, const char *to)
{
    return embeds(ngx_http_flowdash_json_embed_text, from, strlen(from), to);
}


static ngx_uint_t
value(const char *from, const char *to)
{
    return embeds(ngx_http_flowdash_json_embed_value, from, strlen(from), to);
}


/* in a header; the length is an upper bound */

static ngx_uint_t
ascii(const char *from, const char *to)
{
    size_t      n;
    ngx_str_t   s, written;
    ngx_uint_t  good;

    s = exactly(from, strlen(from));
    n = ngx_http_flowdash_json_ascii_length(&s);

    written.data = malloc(n);
    written.len = ngx_http_flowdash_json_ascii_write(written.data, &s)
                  - written.data;

    good = written.len <= n && is_text(&written, to);

    free(written.data);
    free(s.data);

    return good;
}


/* no byte of a text, valid or not, leaves what could end a string or a line */

static ngx_uint_t
is_harmless(ngx_uint_t rounds)
{
    size_t      i, n, len;
    u_char      from[32], *to;
    ngx_str_t   s, written;
    ngx_uint_t  good;

    good = 1;

    while (rounds--) {

        len = dice(sizeof(from));

        for (i = 0; i < len; i++) {
            from[i] = (u_char) dice(256);
        }

        s = exactly(from, len);
        n = ngx_http_flowdash_json_embed_text(NULL, &s);
        to = malloc(n ? n : 1);

        good &= (ngx_http_flowdash_json_embed_text(to, &s) == n);

        written.len = n;
        written.data = to;

        good &= (ngx_http_flowdash_text_check_utf8(&written) == NULL
                 && ngx_http_flowdash_text_find(&written,
                                            NGX_HTTP_FLOWDASH_TEXT_CONTROL)
                    == NULL);

        for (i = 0; i < n; i++) {

            if (to[i] == '\\') {
                i++;
                continue;
            }

            good &= (to[i] != '"' && to[i] != '<' && to[i] != '>'
                     && to[i] != '&');
        }

        good &= (i == n);

        free(to);
        free(s.data);
    }

    return good;
}


int
main(void)
{
    ngx_uint_t  rounds;

    rounds = test_begin(20000);

    ok(text("", "") && text("a", "a") && text("\xc3\xa9/'", "\xc3\xa9/'"),
       "text that stays");
    ok(text("a\"b\\", "a\\\"b\\\\"), "quotes and backslashes");
    ok(text("\b\t\n\f\r\x01\x1f\x7f", "\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f")
       && embeds(ngx_http_flowdash_json_embed_text, "a\0", 2, "a\\u0000"),
       "control characters");
    ok(text("</script>&", "\\u003c/script\\u003e\\u0026"), "HTML");
    ok(text("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xa7",
            "\\u2028\\u2029\xe2\x80\xa7"), "line separators");
    ok(text("a\xff" "b\xe2\x80", "a\\ufffdb\\ufffd\\ufffd")
       && text("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"), "what is no UTF-8");

    ok(value("10000.00", "10000.00") && value("1e400", "1e400")
       && value("\"\\u00e9\\/\"", "\"\\u00e9\\/\""), "values that stay");
    ok(value(" {\t\"a b\" :\r\n[ 1 , \" \" ] } ", "{\"a b\":[1,\" \"]}"),
       "white space between tokens");
    ok(value("\"\\\"\\\\\" ", "\"\\\"\\\\\"")
       && value("[\"\\\\\", \"a\\\" b\"]", "[\"\\\\\",\"a\\\" b\"]"),
       "escaped quotes");
    ok(value("{\"<&>\":\"\x7f\xe2\x80\xa8\"}",
             "{\"\\u003c\\u0026\\u003e\":\"\\u007f\\u2028\"}"),
       "HTML in names and strings");

    ok(ascii("", "\"\"") && ascii("a\"\\~", "\"a\\\"\\\\~\"")
       && ascii("\r\n\x7f", "\"\\u000d\\u000a\\u007f\""), "ASCII");
    ok(ascii("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
             "\"\\u00e9\\u20ac\\ud83d\\ude00\""), "more than ASCII");
    ok(ascii("\xff" "b\xe2\x80", "\"\\ufffdb\\ufffd\\ufffd\"")
       && ascii("\xf0\x9f\x98", "\"\\ufffd\\ufffd\\ufffd\""),
       "ASCII of what is no UTF-8");

    ok(is_harmless(rounds), "bytes of any kind");

    return test_end();
}
