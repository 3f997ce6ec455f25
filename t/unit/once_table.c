
/*
 * The keys of flowdash_once: one execution for each, in a worker that lives;
 * and responses that are whole, or not there.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


#include "ngx_http_flowdash_once_table.c"


#define TEST_SIZE  (32 * 1024)


static ngx_http_flowdash_once_table_t   table;
static ngx_http_flowdash_once_lookup_t  lookups[1000];


static ngx_http_flowdash_once_result_e
test_begin_request(ngx_uint_t n, ngx_uint_t request, ngx_msec_t now)
{
    u_char                            text[80];
    ngx_http_flowdash_once_lookup_t  *lookup;

    lookup = &lookups[n];

    ngx_sprintf(text, "%064ui", n);
    ngx_memcpy(lookup->key, text, NGX_HTTP_FLOWDASH_ID_DIGEST_LEN);

    ngx_sprintf(text, "%064ui", request);
    ngx_memcpy(lookup->request, text, NGX_HTTP_FLOWDASH_ID_DIGEST_LEN);

    ngx_str_set(&lookup->id, "an-id");
    lookup->time = 5000;

    return ngx_http_flowdash_once_table_begin(&table, lookup, now);
}


static void
test_ended(ngx_uint_t n, const char *response, ngx_msec_t now)
{
    ngx_str_t  s;

    s.data = (u_char *) response;
    s.len = ngx_strlen(response);

    ngx_http_flowdash_once_table_end(&table, &lookups[n], &s, now);
}


/* whether the response of a key that has been found is this one */

static ngx_uint_t
test_has(ngx_uint_t n, const char *response)
{
    u_char     *p, buf[NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST];
    ngx_int_t   rc;
    ngx_str_t   s, id;

    s.len = lookups[n].entry->len;
    p = malloc(s.len + 1);
    s.data = p;
    id.data = buf;

    rc = ngx_http_flowdash_once_table_copy(&table, &lookups[n], &s, &id);

    rc = rc == NGX_OK && s.len == ngx_strlen(response)
         && ngx_memcmp(p, response, s.len) == 0
         && id.len == 5 && ngx_memcmp(buf, "an-id", 5) == 0;

    free(p);

    return rc;
}


static void
test_life(void)
{
    ok(test_begin_request(1, 1, 1000) == NGX_HTTP_FLOWDASH_ONCE_FIRST,
       "the first one runs");
    ok(test_begin_request(1, 1, 1001) == NGX_HTTP_FLOWDASH_ONCE_RUNNING,
       "the second one waits");
    ok(test_begin_request(1, 2, 1001) == NGX_HTTP_FLOWDASH_ONCE_MISMATCH,
       "another request does not");
    ok(test_begin_request(2, 1, 1001) == NGX_HTTP_FLOWDASH_ONCE_FIRST,
       "another key runs");
    ok(test_begin_request(1, 1, 100000) == NGX_HTTP_FLOWDASH_ONCE_RUNNING,
       "however long it takes");

    test_ended(1, "one", 100000);
    ok(test_begin_request(1, 1, 104999) == NGX_HTTP_FLOWDASH_ONCE_REPLAYED,
       "its response is kept");
    ok(test_has(1, "one"), "and is whole");
    ok(test_begin_request(1, 2, 104999) == NGX_HTTP_FLOWDASH_ONCE_MISMATCH,
       "for no other request");
    ok(test_begin_request(1, 1, 99000) == NGX_HTTP_FLOWDASH_ONCE_REPLAYED,
       "another worker's clock is behind");
    ok(test_begin_request(1, 1, 105000) == NGX_HTTP_FLOWDASH_ONCE_FIRST,
       "when its time is over, it runs again");
    ok(!test_has(1, "one"), "the response is gone");

    ngx_http_flowdash_once_table_release(&table, &lookups[1]);
    ok(test_begin_request(1, 3, 105001) == NGX_HTTP_FLOWDASH_ONCE_FIRST,
       "a key that is released is free");

    test_ended(1, "", 105001);
    ok(test_begin_request(1, 3, 105002) == NGX_HTTP_FLOWDASH_ONCE_DONE,
       "that it has ended is known without a response");
}


/* who has lost a key does not change what its next owner has */

static void
test_lost(void)
{
    ngx_http_flowdash_once_lookup_t  old;

    (void) test_begin_request(3, 1, 1000);
    old = lookups[3];

    ngx_http_flowdash_once_table_release(&table, &old);
    (void) test_begin_request(3, 1, 1000);

    ngx_http_flowdash_once_table_release(&table, &old);
    ok(test_begin_request(3, 1, 1000) == NGX_HTTP_FLOWDASH_ONCE_RUNNING,
       "a key is not released twice");

    test_ended(3, "three", 1000);
    (void) test_begin_request(3, 1, 1000);
    ngx_http_flowdash_once_table_release(&table, &lookups[3]);
    ok(test_begin_request(3, 1, 1000) == NGX_HTTP_FLOWDASH_ONCE_REPLAYED,
       "nor after it has ended");
}


static void
test_death(void)
{
    ngx_pid_t  pid;

    (void) test_begin_request(4, 1, 1000);

    /* another worker has got its slot, and even its pid */

    ngx_http_flowdash_once_table_join(&table);
    ok(test_begin_request(4, 1, 2000) == NGX_HTTP_FLOWDASH_ONCE_UNKNOWN,
       "what a dead worker ran is not known");
    ok(test_begin_request(4, 2, 2000) == NGX_HTTP_FLOWDASH_ONCE_MISMATCH,
       "the key is still that request's");
    ok(test_begin_request(4, 1, 6999) == NGX_HTTP_FLOWDASH_ONCE_UNKNOWN,
       "and does not run again");

    test_ended(4, "four", 6999);
    ok(test_begin_request(4, 1, 6999) == NGX_HTTP_FLOWDASH_ONCE_UNKNOWN,
       "nor can it end");
    ok(test_begin_request(4, 1, 7000) == NGX_HTTP_FLOWDASH_ONCE_FIRST,
       "until its time is over");

    /* nobody has its slot */

    pid = fork();

    if (pid == 0) {
        _exit(0);
    }

    (void) waitpid(pid, NULL, 0);

    table.workers[ngx_process_slot].pid = pid;
    ok(test_begin_request(4, 1, 7001) == NGX_HTTP_FLOWDASH_ONCE_UNKNOWN,
       "a process that does not exist");
    ngx_http_flowdash_once_table_join(&table);
}


static void
test_room(void)
{
    ngx_uint_t  i, n, first, none, kept;

    n = table.size;
    ngx_memzero(table.entries, n * sizeof(ngx_http_flowdash_once_entry_t));

    first = 0;
    none = 0;

    for (i = 0; i < 2 * n; i++) {

        switch (test_begin_request(100 + i, 1, 1000)) {

        case NGX_HTTP_FLOWDASH_ONCE_FIRST:
            first++;
            break;

        case NGX_HTTP_FLOWDASH_ONCE_NO_ROOM:
            none++;
            break;

        default:
            break;
        }
    }

    ok(n == 128, "128 keys in 32k");
    ok(first == n && none == n, "it is full, and nothing is pushed out");

    for (i = 0; i < 2 * n; i++) {
        if (lookups[100 + i].entry) {
            test_ended(100 + i, "ended", 1000 + i);
        }
    }

    ok(test_begin_request(1, 1, 2000) == NGX_HTTP_FLOWDASH_ONCE_FIRST,
       "one that has ended makes room");

    kept = 0;

    for (i = 0; i < 2 * n; i++) {
        if (lookups[100 + i].entry
            && test_begin_request(100 + i, 1, 2000)
               == NGX_HTTP_FLOWDASH_ONCE_REPLAYED)
        {
            kept++;
        }
    }

    ok(kept == n - 1, "just one");
}


/* responses of all lengths, one over the other */

static void
test_responses(ngx_uint_t rounds)
{
    char        text[66 * 1024];
    size_t      len;
    ngx_uint_t  i, n, bad, lost;

    ngx_memzero(table.entries,
                table.size * sizeof(ngx_http_flowdash_once_entry_t));
    bad = 0;
    lost = 0;

    for (i = 0; i < rounds; i++) {
        n = i % 20;

        (void) test_begin_request(n, i, 100000 * i);

        len = (size_t) random() % sizeof(text);
        ngx_memset(text, 'a' + n, len);
        text[len ? len - 1 : 0] = '\0';
        test_ended(n, text, 100000 * i);

        if (len > 1 && !test_has(n, text)) {
            bad++;
        }

        /* an older one is whole, or gone */

        n = (i + 20 - (ngx_uint_t) random() % 4) % 20;

        if (lookups[n].entry && lookups[n].entry->len) {
            len = lookups[n].entry->len;
            ngx_memset(text, 'a' + n, len);
            text[len] = '\0';

            if (!ngx_http_flowdash_once_table_has_response(&table,
                                                           lookups[n].entry))
            {
                lost++;

            } else if (!test_has(n, text)) {
                bad++;
            }
        }
    }

    ok(bad == 0, "a response is whole");
    ok(lost, "or overwritten by newer ones");
}


int
main(void)
{
    u_char      *memory;
    ngx_uint_t   rounds;

    rounds = test_begin(2000);

    ngx_pid = getpid();

    memory = malloc(ngx_http_flowdash_once_table_size(TEST_SIZE));

    ngx_http_flowdash_once_table_init(&table, memory, TEST_SIZE);
    ngx_http_flowdash_once_table_join(&table);

    test_life();
    test_lost();
    test_death();
    test_room();
    test_responses(rounds);

    ok(ngx_strcmp(ngx_http_flowdash_once_table_name(
                      NGX_HTTP_FLOWDASH_ONCE_NO_USER), "no_user")
       == 0, "the last result has its name");
    ok(ngx_http_flowdash_once_table_size((size_t) 1 << 30)
       == ngx_http_flowdash_once_table_size(16 * 1024 * 1024),
       "a large zone has no more than 65,536 keys");

    free(memory);

    return test_end();
}
