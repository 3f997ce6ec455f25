
/*
 * Text from outside that becomes one line: what is dropped of a terminal's
 * control sequences, also of one that the end of the text cuts off.  And URLs
 * without their secrets.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_clean.c"


#define TEST_SIZE  64
#define TEST_LONG  20


typedef struct {
    const char  *text;
    const char  *wanted;
} test_text_t;


static test_text_t  texts[] = {
    { "", "" },
    { "a", "a" },
    { " a\t\r\n b ", "a b" },
    { "a\x01" "b\x7f" "c", "abc" },
    { "a\xff", "" },

    { "a\x1b[1mb", "ab" },
    { "a\x1b[1;31mb", "ab" },
    { "a\x1b(Bb", "ab" },
    { "a\x1b]0;title\x07" "b", "ab" },
    { "a\x1b]0;title\x1b\\b", "ab" },
    { "a\xc2\x9b" "1mb", "ab" },
    { "a\xc2\x9d" "title\xc2\x9c" "b", "ab" },

    /* at the end of the text */

    { "a\x1b", "a" },
    { "a\x1b[", "a" },
    { "a\x1b[1", "a" },
    { "a\x1b[1;", "a" },
    { "a\x1b(", "a" },
    { "a\xc2\x9b", "a" },
    { "a\xc2\x9b" "1", "a" },
};


static test_text_t  urls[] = {
    { "", "" },
    { "?secret", "" },
    { "/a/b?secret", "/a/b" },
    { "/a/b#secret", "/a/b" },
    { "/a#secret?secret", "/a" },
    { "http://h:80/a", "http://h:80/a" },
    { "http://h", "http://h" },
    { "http://", "http://" },
    { "//h/a//b", "//h/a//b" },
    { "http://secret@h/a", "http://h/a" },
    { "http://me:secret@h", "http://h" },
    { "http://me:secret@secret@h/a", "http://h/a" },
    { "http://@h/a", "http://h/a" },
    { "http://secret@", "http://" },

    { "secret@h", "h" }, { "me:secret@h//a", "h//a" },
    { "a/secret@h//b", "" },
    { "http:/secret@h/", "" },
    { "http://secret/secret@h/", "http://" },
    { "http://h/a@b", "http://" },
    { "/r/http://secret@h/", "/r/http://h/" }
};


/* what a random text is made of */

static const char  *pieces[] = {
    "\x1b", "[", "]", "(", "1", ";", "m", "a", " ", "\n", "\x07", "\\",
    "\xc2\x9b", "\xc2\x9d", "\xc2\x9c", "\xe2\x80\xae", "\xc3\xa9"
};


static ngx_pool_t  *test_pool;


/* "text" has memory of its own, so that a look behind its end is seen */

static ngx_int_t
clean(const char *text, size_t len, size_t size, ngx_str_t *line)
{
    ngx_int_t  rc;
    ngx_str_t  s;

    s = exactly(text, len);
    rc = ngx_http_flowdash_clean(test_pool, &s, size, line);
    free(s.data);

    return rc;
}


static ngx_uint_t
url_is(const char *text, const char *wanted)
{
    ngx_str_t   url, begin, end;
    ngx_uint_t  good;

    url = exactly(text, strlen(text));

    ngx_http_flowdash_clean_url(&url, &begin, &end);

    good = (begin.len + end.len == strlen(wanted)
            && ngx_memcmp(begin.data, wanted, begin.len) == 0
            && ngx_memcmp(end.data, wanted + begin.len, end.len) == 0);

    free(url.data);

    return good;
}


static ngx_uint_t
is_line(ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < 0x20 || s->data[i] == 0x7f) {
            return 0;
        }
    }

    return ngx_http_flowdash_text_check_utf8(s) == NULL;
}


static ngx_uint_t
random_texts(ngx_uint_t rounds)
{
    char        text[4 * TEST_LONG + 1];
    ngx_str_t   line;
    ngx_uint_t  i, n;

    for (i = 0; i < rounds; i++) {

        text[0] = '\0';

        for (n = dice(TEST_LONG); n; n--) {
            strcat(text, pieces[dice(sizeof(pieces) / sizeof(pieces[0]))]);
        }

        if (clean(text, strlen(text), 3 + dice(TEST_SIZE), &line) != NGX_OK
            || !is_line(&line))
        {
            printf("# %s\n", show("text", text));
            return 0;
        }

        ngx_reset_pool(test_pool);
    }

    return 1;
}


int
main(void)
{
    ngx_str_t   line;
    ngx_uint_t  i, rounds;

    rounds = test_begin(20000);
    test_pool = ngx_create_pool(4096, &test_log);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ok(clean(texts[i].text, strlen(texts[i].text), TEST_SIZE, &line)
           == NGX_OK
           && is_text(&line, texts[i].wanted), show("text", texts[i].text));
    }

    ok(clean("abcdef", 6, 6, &line) == NGX_OK
       && is_text(&line, "abc\xe2\x80\xa6"), "too long: an ellipsis");
    ok(clean("abc", 3, 6, &line) == NGX_OK && is_text(&line, "abc"),
       "just as long as it may be");

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        ok(url_is(urls[i].text, urls[i].wanted), show("URL", urls[i].text));
    }

    ok(random_texts(rounds), "random texts become lines");

    ngx_destroy_pool(test_pool);

    return test_end();
}
