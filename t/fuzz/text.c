
/*
 * Text from outside that is shown, and URLs of which no secret may be: one
 * line of limited length, and nothing before the host or behind the path.
 */


#include "fuzz.h"

#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_clean.h>


static uint32_t
character(u_char *p, size_t n)
{
    size_t    i;
    uint32_t  c;

    c = (n == 1) ? *p : *p & (0xff >> (n + 1));

    for (i = 1; i < n; i++) {
        c = c << 6 | (p[i] & 0x3f);
    }

    return c;
}


/* whether a terminal or a browser would do anything but show it */

static ngx_uint_t
is_harmless(ngx_str_t *s)
{
    size_t    i, n;
    uint32_t  c;

    for (i = 0; i < s->len; i += n) {
        n = fuzz_utf8(s->data + i, s->data + s->len);
        c = n ? character(s->data + i, n) : 0;

        if (c < 0x20 || (c >= 0x7f && c < 0xa0)
            || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e)
            || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff)
        {
            return 0;
        }
    }

    return 1;
}


static void
check_clean(ngx_pool_t *pool, ngx_str_t *text, size_t size)
{
    ngx_str_t  clean, again;

    fuzz_check(ngx_http_flowdash_clean(pool, text, size, &clean) == NGX_OK,
               "there is memory");

    fuzz_check(clean.len <= size, "not more than may be");
    fuzz_check(is_harmless(&clean), "it is harmless");
    fuzz_check(fuzz_is_utf8(text) || clean.len == 0, "only UTF-8 is shown");

    fuzz_check(ngx_http_flowdash_clean(pool, &clean, size + 3, &again)
               == NGX_OK && fuzz_is(&clean, &again), "what is clean stays");

    if (text->len && text->len <= size - 3 && is_harmless(text)
        && text->data[0] != ' ' && text->data[text->len - 1] != ' '
        && !fuzz_has(text, "  ") && !fuzz_has(text, "\xd8\x9c")
        && !fuzz_has(text, "\xf3\xa0"))
    {
        fuzz_check(fuzz_is(text, &clean), "what is harmless stays");
    }
}


static void
check_url(ngx_str_t *url)
{
    ngx_str_t  begin, end;

    ngx_http_flowdash_clean_url(url, &begin, &end);

    fuzz_check(begin.data >= url->data && end.data >= begin.data + begin.len
               && end.data + end.len <= url->data + url->len,
               "both are parts of the URL");
    fuzz_check(!fuzz_has(&end, "@") && !fuzz_has(&end, "?")
               && !fuzz_has(&end, "#") && !fuzz_has(&begin, "@"),
               "no user info, query or fragment");
}


static void
check_unescape(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char     *end;
    ngx_str_t   dst, same, back;

    dst = fuzz_copy(pool, text->data, text->len);
    end = ngx_http_flowdash_text_unescape(dst.data, text->data,
                                          text->data + text->len, 0);

    same = fuzz_copy(pool, text->data, text->len);

    if (end == NULL) {
        fuzz_check(fuzz_has(text, "%"), "all but a percent sign is itself");
        fuzz_check(ngx_http_flowdash_text_unescape(same.data, same.data,
                                                   same.data + same.len, 0)
                   == NULL, "the same in place");
        return;
    }

    dst.len = end - dst.data;

    end = ngx_http_flowdash_text_unescape(same.data, same.data,
                                          same.data + same.len, 0);

    fuzz_check(end == same.data + dst.len
               && memcmp(same.data, dst.data, dst.len) == 0,
               "the same in place");

    back.data = fuzz_alloc(pool, 3 * dst.len);
    end = (u_char *) ngx_escape_uri(back.data, dst.data, dst.len,
                                    NGX_ESCAPE_URI_COMPONENT);

    fuzz_check(ngx_http_flowdash_text_unescape(back.data, back.data, end, 1)
               == back.data + dst.len
               && memcmp(back.data, dst.data, dst.len) == 0,
               "what is escaped is itself again");
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    u_char        *bad;
    ngx_str_t      settings, url, text;
    fuzz_input_t   in;

    fuzz_begin(&in, data, size);

    settings = fuzz_text(&in);
    url = fuzz_text(&in);
    text = fuzz_rest(&in);

    bad = ngx_http_flowdash_text_check_utf8(&text);

    fuzz_check((bad == NULL) == fuzz_is_utf8(&text), "UTF-8 is UTF-8");
    fuzz_check(bad == NULL || (bad >= text.data
                               && bad < text.data + text.len),
               "the place of what is none");

    check_clean(in.pool, &text, fuzz_setting(&settings, 0, 200) + 4);
    check_url(&url);
    check_url(&text);
    check_unescape(in.pool, &text);
    check_unescape(in.pool, &url);

    return fuzz_end(&in);
}
