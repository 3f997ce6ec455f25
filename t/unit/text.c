
/*
 * Small questions about text: classes of bytes, UTF-8, escapes, blanks, media
 * types, and the walk over nginx's lists.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_list.h"
#include "ngx_http_flowdash_text.c"


/* each byte is in one class, or in none */

static ngx_uint_t
classes(void)
{
    u_char      byte;
    ngx_str_t   s;
    ngx_uint_t  c, wanted, class, good;

    good = 1;
    s.len = 1;
    s.data = &byte;

    for (c = 0; c < 256; c++) {

        byte = (u_char) c;

        wanted = c == '\t' ? NGX_HTTP_FLOWDASH_TEXT_TAB
                 : c == '\r' || c == '\n' ? NGX_HTTP_FLOWDASH_TEXT_LINE
                 : c < 0x20 ? NGX_HTTP_FLOWDASH_TEXT_C0
                 : c == 0x7f ? NGX_HTTP_FLOWDASH_TEXT_DEL
                 : c >= 0x80 ? NGX_HTTP_FLOWDASH_TEXT_HIGH : 0;

        good &= (ngx_http_flowdash_text_class(byte) == wanted);

        for (class = 1; class <= NGX_HTTP_FLOWDASH_TEXT_HIGH; class *= 2) {
            good &= (ngx_http_flowdash_text_find(&s, class)
                     == (class == wanted ? &byte : NULL));
        }
    }

    return good;
}


static ngx_uint_t
finds_the_first(void)
{
    ngx_str_t   s;
    ngx_uint_t  good;

    s = exactly("ab\tc\x7f", 5);

    good = ngx_http_flowdash_text_find(&s, NGX_HTTP_FLOWDASH_TEXT_CONTROL)
           == s.data + 2
           && ngx_http_flowdash_text_find(&s,
                                          NGX_HTTP_FLOWDASH_TEXT_CONTROL
                                          & ~NGX_HTTP_FLOWDASH_TEXT_TAB)
              == s.data + 4
           && ngx_http_flowdash_text_find(&s, NGX_HTTP_FLOWDASH_TEXT_HIGH)
              == NULL;

    free(s.data);

    return good;
}


/* what the bits say, unlike the table in the code */

static ngx_uint_t
is_utf8(u_char *p, size_t len)
{
    size_t    n, i;
    uint32_t  c;

    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    for ( /* void */ ; len; p += n, len -= n) {

        n = *p < 0x80 ? 1
            : (*p & 0xe0) == 0xc0 ? 2
            : (*p & 0xf0) == 0xe0 ? 3
            : (*p & 0xf8) == 0xf0 ? 4 : 0;

        if (n == 0 || n > len) {
            return 0;
        }

        c = (n == 1) ? *p : *p & (0x7f >> n);

        for (i = 1; i < n; i++) {

            if ((p[i] & 0xc0) != 0x80) {
                return 0;
            }

            c = c << 6 | (p[i] & 0x3f);
        }

        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
            return 0;
        }
    }

    return 1;
}


/* any byte, and up to three that are next to where something changes */

static ngx_uint_t
checks_utf8(size_t len)
{
    u_char      *p;
    ngx_str_t    s;
    ngx_uint_t   n, i, good;

    static const u_char  edge[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
                                    0xbf, 0xc0, 0xff };

    good = 1;
    s.len = len;
    s.data = malloc(len);

    for (n = 0; n < 256 * 1000; n++) {

        p = s.data;
        *p++ = (u_char) (n / 1000);

        for (i = n % 1000; p < s.data + len; i /= 10) {
            *p++ = edge[i % 10];
        }

        good &= ((ngx_http_flowdash_text_check_utf8(&s) == NULL)
                 == is_utf8(s.data, len));
    }

    free(s.data);

    return good;
}


/* in its own memory; "wanted" is NULL if it is malformed */

static ngx_uint_t
unescapes(const char *text, ngx_uint_t form, const char *wanted)
{
    u_char      *end;
    ngx_str_t    s;
    ngx_uint_t   good;

    s = exactly(text, strlen(text));

    end = ngx_http_flowdash_text_unescape(s.data, s.data, s.data + s.len,
                                          form);
    if (end) {
        s.len = end - s.data;
        good = (wanted && is_text(&s, wanted));

    } else {
        good = (wanted == NULL);
    }

    free(s.data);

    return good;
}


/*
 * One byte in texts of many lengths: what skips 16 bytes at once stops at it,
 * and only there.
 */

static ngx_uint_t
stops_at(u_char c, size_t len, size_t i)
{
    u_char      *end, other[64], decoded[64];
    ngx_str_t    s;
    ngx_uint_t   good, class;

    s.data = malloc(len);
    s.len = len;

    ngx_memset(s.data, 'a', len);
    s.data[i] = c;

    class = ngx_http_flowdash_text_class(c);

    good = (ngx_http_flowdash_text_find(&s, NGX_HTTP_FLOWDASH_TEXT_CONTROL)
            == ((class & NGX_HTTP_FLOWDASH_TEXT_CONTROL) ? s.data + i : NULL));
    good &= (ngx_http_flowdash_text_find(&s, NGX_HTTP_FLOWDASH_TEXT_C0)
             == ((class & NGX_HTTP_FLOWDASH_TEXT_C0) ? s.data + i : NULL));
    good &= (ngx_http_flowdash_text_find(&s, NGX_HTTP_FLOWDASH_TEXT_HIGH)
             == (c >= 0x80 ? s.data + i : NULL));
    good &= (ngx_http_flowdash_text_check_utf8(&s)
             == (c >= 0x80 ? s.data + i : NULL));

    good &= (ngx_http_flowdash_text_plain_pair(s.data, s.data + len)
             == (c > ' ' && c < 0x7f && memchr("\"#<>{", c, 5) == NULL));

    ngx_memcpy(other, s.data, len);
    other[i] = c ^ 0x20;

    good &= ngx_http_flowdash_text_similar(s.data, (char *) s.data, len);
    good &= (ngx_http_flowdash_text_similar(s.data, (char *) other, len)
             == ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')));

    ngx_memcpy(other, s.data, len);
    other[i] = (c == '+') ? ' ' : c;
    end = other + len;

    if (c == '%') {
        other[i] = 0xaa;
        end = (len - i > 2) ? end - 2 : NULL;
    }

    end = end ? decoded + (end - other) : NULL;

    good &= (ngx_http_flowdash_text_unescape(decoded, s.data, s.data + len, 1)
             == end);
    good &= (ngx_http_flowdash_text_unescape(s.data, s.data, s.data + len, 1)
             == (end ? s.data + (end - decoded) : NULL));

    if (end) {
        good &= (memcmp(decoded, other, end - decoded) == 0
                 && memcmp(s.data, other, end - decoded) == 0);
    }

    free(s.data);

    return good;
}


static ngx_uint_t
stops(void)
{
    size_t      len, i;
    ngx_uint_t  c, good;

    good = 1;

    for (len = 1; len <= 50; len++) {
        for (i = 0; i < len; i++) {
            for (c = 0; c < 256; c++) {
                good &= stops_at((u_char) c, len, i);
            }
        }
    }

    return good;
}


static ngx_uint_t
trims(const char *text, const char *wanted)
{
    ngx_str_t   s, trimmed;
    ngx_uint_t  good;

    s = exactly(text, strlen(text));
    trimmed = s;

    ngx_http_flowdash_text_trim(&trimmed);

    good = is_text(&trimmed, wanted);

    free(s.data);

    return good;
}


static ngx_uint_t
contains(const char *text, const char *part)
{
    ngx_str_t   s, t;
    ngx_uint_t  found;

    s = exactly(text, strlen(text));
    t = exactly(part, strlen(part));

    found = ngx_http_flowdash_text_contains(&s, &t);

    free(s.data);
    free(t.data);

    return found;
}


static ngx_uint_t
is_json(const char *type)
{
    ngx_str_t   s;
    ngx_uint_t  json;

    s = exactly(type, strlen(type));
    json = ngx_http_flowdash_text_is_json_type(&s);

    free(s.data);

    return json;
}


/* lists with several parts, the last of which may be empty */

static ngx_uint_t
walks(ngx_uint_t n)
{
    ngx_str_t        *s;
    ngx_list_t        list;
    ngx_uint_t        i, k;
    ngx_pool_t       *pool;
    ngx_list_part_t  *part;

    pool = ngx_create_pool(1024, &test_log);
    ngx_list_init(&list, pool, 3, sizeof(ngx_str_t));

    for (k = 0; k < n; k++) {
        s = ngx_list_push(&list);
        s->len = k;
    }

    if (list.part.next) {
        list.last->nelts = 0;
        n -= (n - 1) % 3 + 1;
    }

    i = 0;
    k = 0;
    part = &list.part;

    while ((s = ngx_http_flowdash_list_next(&part, &i, sizeof(ngx_str_t)))) {
        if (s->len != k++) {
            break;
        }
    }

    ngx_destroy_pool(pool);

    return s == NULL && k == n;
}


int
main(void)
{
    (void) test_begin(0);

    ok(classes(), "classes of bytes");
    ok(finds_the_first(), "the first byte of a class");

    ok(checks_utf8(1) && checks_utf8(2) && checks_utf8(3) && checks_utf8(4),
       "UTF-8");

    ok(unescapes("", 0, "") && unescapes("a+b", 0, "a+b")
       && unescapes("a+%2B+", 1, "a + ") && unescapes("%41%c3%A9", 0,
                                                      "A\xc3\xa9"),
       "escapes");
    ok(unescapes("%", 0, NULL) && unescapes("a%4", 1, NULL)
       && unescapes("%4g", 0, NULL) && unescapes("%%41", 1, NULL),
       "escapes that are none");

    ok(stops(), "one byte in long texts");

    ok(trims("", "") && trims(" \t ", "") && trims("a", "a")
       && trims("\t a b \t", "a b") && trims("\na ", "\na"), "blanks");

    ok(contains("abc", "abc") && contains("xabc", "abc")
       && contains("aabcx", "abc") && contains("", ""), "contained");
    ok(!contains("", "a") && !contains("ab", "abc")
       && !contains("abABC", "abc"), "not contained");

    ok(is_json("application/json") && is_json("TEXT/JSON")
       && is_json("application/json ; charset=utf-8")
       && is_json("application/problem+json\t;x") && is_json("a/b+JSON"),
       "media types of JSON");
    ok(!is_json("") && !is_json("json") && !is_json("+json")
       && !is_json("x+json") && !is_json("application/jsonp")
       && !is_json("application/json-seq") && !is_json(" application/json")
       && !is_json("text/html;a=application/json"), "other media types");

    ok(walks(0) && walks(1) && walks(3) && walks(4) && walks(9),
       "a walk over a list");

    return test_end();
}
