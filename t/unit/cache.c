
/*
 * Texts that are kept for a short time: found by their key until they are too
 * old, replaced when there is no room, and never half written.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


#include "ngx_http_flowdash_cache.c"


#define TEST_SETS  4


static ngx_http_flowdash_cache_entry_t  entries[TEST_SETS
                                               * NGX_HTTP_FLOWDASH_CACHE_WAYS];
static ngx_http_flowdash_cache_t        cache = { TEST_SETS, entries };


static void
test_key(u_char *key, ngx_uint_t n)
{
    u_char  text[NGX_HTTP_FLOWDASH_ID_DIGEST_LEN + 1];

    ngx_sprintf(text, "%064ui", n);
    ngx_memcpy(key, text, NGX_HTTP_FLOWDASH_ID_DIGEST_LEN);
}


static ngx_int_t
test_store(ngx_uint_t n, ngx_msec_t now, const char *text)
{
    u_char     key[NGX_HTTP_FLOWDASH_ID_DIGEST_LEN];
    ngx_str_t  s;

    test_key(key, n);

    s.data = (u_char *) text;
    s.len = ngx_strlen(text);

    return ngx_http_flowdash_cache_store(&cache, key, now, &s);
}


static ngx_uint_t
test_finds(ngx_uint_t n, ngx_msec_t now, ngx_msec_t max_age, const char *text)
{
    size_t  len;
    u_char  key[NGX_HTTP_FLOWDASH_ID_DIGEST_LEN];
    u_char  found[NGX_HTTP_FLOWDASH_CACHE_TEXT];

    test_key(key, n);

    len = ngx_http_flowdash_cache_find(&cache, key, now, max_age, found);

    return len == ngx_strlen(text) && ngx_memcmp(found, text, len) == 0;
}


static void
test_age(void)
{
    ok(test_finds(1, 1000, 5000, ""), "nothing is found at first");
    ok(test_store(1, 1000, "one") == NGX_OK, "a text is kept");
    ok(test_finds(1, 1000, 5000, "one"), "and found");
    ok(test_finds(2, 1000, 5000, ""), "not by another key");
    ok(test_finds(1, 5999, 5000, "one"), "as long as it is young enough");
    ok(test_finds(1, 6000, 5000, ""), "and not longer");
    ok(test_finds(1, 6000, 6000, "one"), "who asks says how long that is");
    ok(test_finds(1, 999, 5000, "one"), "another worker's clock is behind");
    ok(test_finds(1, (ngx_msec_t) -5000, 5000, ""), "but not so far");

    ok(test_store(1, 7000, "two") == NGX_OK, "a newer text");
    ok(test_finds(1, 7000, 5000, "two"), "takes its place");
}


static void
test_length(void)
{
    char  text[NGX_HTTP_FLOWDASH_CACHE_TEXT + 2];

    ngx_memset(text, 'x', sizeof(text));

    text[NGX_HTTP_FLOWDASH_CACHE_TEXT] = '\0';

    ok(test_store(3, 1000, text) == NGX_OK, "the longest text");
    ok(test_finds(3, 1000, 5000, text), "is whole");

    text[NGX_HTTP_FLOWDASH_CACHE_TEXT] = 'x';
    text[NGX_HTTP_FLOWDASH_CACHE_TEXT + 1] = '\0';

    ok(test_store(4, 1000, text) == NGX_DECLINED, "a longer one is refused");
    ok(test_finds(4, 1000, 5000, ""), "and not found");
}


/* as a worker leaves it that dies after its first, or before its last, byte */

static void
test_death(void)
{
    ngx_uint_t  i;

    (void) test_store(5, 1000, "five");

    for (i = 0; i < TEST_SETS * NGX_HTTP_FLOWDASH_CACHE_WAYS; i++) {
        entries[i].ready = 0;
    }

    ok(test_finds(5, 1000, 5000, ""), "what is half written is not found");
    ok(test_store(5, 1000, "five") == NGX_OK, "it can be written again");
    ok(test_finds(5, 1000, 5000, "five"), "and found");
}


static void
test_room(void)
{
    char        text[NGX_INT_T_LEN + 1];
    ngx_uint_t  i, found, last;

    for (i = 0; i < 1000; i++) {
        *ngx_sprintf((u_char *) text, "%ui", i) = '\0';
        (void) test_store(100 + i, 10000 + i, text);
    }

    found = 0;
    last = 0;

    for (i = 0; i < 1000; i++) {
        *ngx_sprintf((u_char *) text, "%ui", i) = '\0';

        if (test_finds(100 + i, 11000, 60000, text)) {
            found++;
            last += (i >= 1000 - TEST_SETS * NGX_HTTP_FLOWDASH_CACHE_WAYS / 2);
        }
    }

    ok(found == TEST_SETS * NGX_HTTP_FLOWDASH_CACHE_WAYS,
       "all the room is used, and no more");
    ok(last >= TEST_SETS * NGX_HTTP_FLOWDASH_CACHE_WAYS / 2 - 2,
       "by the last ones");
}


int
main(void)
{
    test_age();
    test_length();
    test_death();
    test_room();

    return test_end();
}
