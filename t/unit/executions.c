
/*
 * The ring of the last executions, without nginx's workers: what is found and
 * what is not, rounds, writers that were interrupted or stalled until a newer
 * execution had their place, and workers that died.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/wait.h>

#include "tap.h"


#include "ngx_http_flowdash_metrics.c"
#include "ngx_http_flowdash_execution_view.c"
#include "ngx_http_flowdash_executions.c"


#define TEST_SIZE  10


typedef struct {
    ngx_http_flowdash_zone_t       *zone;
    ngx_http_flowdash_execution_t   found;
} test_t;


static test_t
make(ngx_uint_t n)
{
    test_t  test;

    ngx_memzero(&test, sizeof(test_t));

    test.zone = calloc(1, sizeof(ngx_http_flowdash_zone_t));
    test.zone->size = 1;
    test.zone->executions = ngx_http_flowdash_executions_create(
                          calloc(1, ngx_http_flowdash_executions_size(n)), n);

    ngx_memzero(&ngx_http_flowdash_executions_life,
                sizeof(ngx_http_flowdash_executions_life_t));
    ngx_http_flowdash_executions_own(test.zone->executions);

    return test;
}


static void
end(test_t *test)
{
    free(test->zone->executions);
    free(test->zone);
}


static ngx_str_t
name_of(u_char *buf, ngx_uint_t n)
{
    ngx_str_t  name;

    name.data = buf;
    name.len = sprintf((char *) buf, "%032u", (unsigned) n);

    return name;
}


static ngx_atomic_uint_t
begin(test_t *test, ngx_uint_t n)
{
    u_char     buf[64];
    ngx_str_t  id, action;

    id = name_of(buf, n);
    ngx_str_set(&action, "Finish");

    return ngx_http_flowdash_executions_begin(test->zone->executions, &id,
                                              &action);
}


static void
step(test_t *test, ngx_atomic_uint_t number, ngx_uint_t i, ngx_uint_t status)
{
    ngx_http_flowdash_execution_step_t  s;

    ngx_memzero(&s, sizeof(ngx_http_flowdash_execution_step_t));

    s.counters = test->zone->table;
    s.result = NGX_HTTP_FLOWDASH_EXECUTION_STEP_OK;
    s.calls = 1000;
    s.status = status;
    s.time = 4000000000;

    ngx_http_flowdash_executions_step(test->zone, number, i, &s);
}


static void
ended(test_t *test, ngx_atomic_uint_t number, ngx_uint_t status)
{
    ngx_http_flowdash_execution_end_t  e;

    e.outcome = NGX_HTTP_FLOWDASH_EXECUTION_FAILED;
    e.reason = 15;
    e.status = 599;
    e.app_status = status;
    e.time = 3999999999;

    ngx_http_flowdash_executions_end(test->zone->executions, number, &e);
}


static ngx_uint_t
find(test_t *test, ngx_uint_t n)
{
    u_char     buf[64];
    ngx_str_t  id;

    id = name_of(buf, n);

    return ngx_http_flowdash_executions_find(test->zone, &id, &test->found)
           == NGX_OK
           && test->found.id.len == id.len
           && ngx_memcmp(test->found.id.data, id.data, id.len) == 0
           && test->found.action.len == 6;
}


/* all that is stored is read, to the largest numbers */

static ngx_uint_t
values(void)
{
    test_t             test;
    ngx_uint_t         good;
    ngx_atomic_uint_t  number;

    test = make(TEST_SIZE);
    number = begin(&test, 1);

    good = find(&test, 1)
           && test.found.phase == NGX_HTTP_FLOWDASH_EXECUTION_STEPS
           && test.found.end.outcome == NGX_HTTP_FLOWDASH_EXECUTION_NONE
           && test.found.nsteps == 0 && test.found.nkept == 0
           && test.found.pid == ngx_pid;

    step(&test, number, 0, 200);
    step(&test, number, 1, 599);

    ngx_http_flowdash_executions_passed(test.zone->executions, number);

    good = good && find(&test, 1)
           && test.found.phase == NGX_HTTP_FLOWDASH_EXECUTION_APP
           && test.found.nsteps == 2 && test.found.nkept == 2
           && test.found.steps[1].counters == test.zone->table
           && test.found.steps[1].calls == 255
           && test.found.steps[1].status == 599
           && test.found.steps[1].time == 4000000000;

    ended(&test, number, 302);

    good = good && find(&test, 1)
           && test.found.phase == NGX_HTTP_FLOWDASH_EXECUTION_ENDED
           && test.found.end.outcome == NGX_HTTP_FLOWDASH_EXECUTION_FAILED
           && test.found.end.reason == 15
           && test.found.end.status == 599
           && test.found.end.app_status == 302
           && test.found.end.time == 3999999999
           && test.found.nsteps == 2;

    /* more steps than have room, and one whose name has none */

    step(&test, number, NGX_HTTP_FLOWDASH_EXECUTIONS_STEPS + 3, 200);
    test.zone->size = 0;

    good = good && find(&test, 1) && test.found.nkept == 2
           && test.found.nsteps == NGX_HTTP_FLOWDASH_EXECUTIONS_STEPS + 4
           && test.found.steps[1].counters == NULL;

    end(&test);

    return good;
}


/* ids that cannot be kept */

static ngx_uint_t
ids(void)
{
    test_t      test;
    ngx_str_t   id;
    ngx_uint_t  good;
    u_char      buf[NGX_HTTP_FLOWDASH_EXECUTIONS_ID + 1];

    test = make(TEST_SIZE);

    ngx_memset(buf, 'a', sizeof(buf));
    id.data = buf;
    id.len = sizeof(buf);

    good = ngx_http_flowdash_executions_begin(test.zone->executions, &id, &id)
           == 0;

    id.len = 0;
    good = good
           && ngx_http_flowdash_executions_begin(test.zone->executions, &id,
                                                 &id)
              == 0
           && ngx_http_flowdash_executions_find(test.zone, &id, &test.found)
              == NGX_DECLINED;

    id.len = NGX_HTTP_FLOWDASH_EXECUTIONS_ID;
    good = good
           && ngx_http_flowdash_executions_begin(test.zone->executions, &id,
                                                 &id)
           && ngx_http_flowdash_executions_find(test.zone, &id, &test.found)
              == NGX_OK;

    id.len--;
    good = good
           && ngx_http_flowdash_executions_find(test.zone, &id, &test.found)
              == NGX_DECLINED;

    end(&test);

    return good;
}


/* the last ones are found, and of the same id the last one */

static ngx_uint_t
rounds(ngx_uint_t n)
{
    test_t      test;
    ngx_uint_t  i, good;

    test = make(TEST_SIZE);
    good = 1;

    for (i = 0; i < n; i++) {
        ended(&test, begin(&test, i), i % 500 + 100);
    }

    for (i = 0; i < n + 5; i++) {
        good = good
               && find(&test, i) == (i < n && i + TEST_SIZE >= n)
               && (i >= n || i + TEST_SIZE < n
                   || test.found.end.app_status == i % 500 + 100);
    }

    ended(&test, begin(&test, n - 1), 999);

    good = good && find(&test, n - 1) && test.found.end.app_status == 999;

    end(&test);

    return good;
}


/* a writer died before its entry was complete: it is not found */

static ngx_uint_t
interrupted(void)
{
    test_t                                test;
    ngx_uint_t                            good;
    ngx_atomic_uint_t                     number;
    ngx_http_flowdash_execution_entry_t  *entry;

    test = make(1);
    number = begin(&test, 1);
    entry = test.zone->executions->table;

    entry->version--;
    good = !find(&test, 1);

    entry->version++;
    entry->action[0] ^= 1;
    good = good && !find(&test, 1);

    /* the next one takes its place */

    entry->version = number - 1;
    number = begin(&test, 2);

    good = good && find(&test, 2) && !find(&test, 1);

    /* an older one does not take the place of a newer one */

    test.zone->executions->n = 0;
    good = good && begin(&test, 3) == 0;
    test.zone->executions->n = 2;

    good = good && find(&test, 2);

    end(&test);

    return good;
}


/*
 * A worker that continues when a newer execution has the place: what it stores
 * is not taken for the newer one's, even if it had looked just before.
 */

static ngx_uint_t
stalled(void)
{
    test_t                                test;
    ngx_uint_t                            good;
    ngx_atomic_uint_t                     old, new;
    ngx_http_flowdash_execution_entry_t  *entry;

    test = make(1);
    entry = test.zone->executions->table;

    old = begin(&test, 1);
    new = begin(&test, 2);

    step(&test, new, 0, 201);
    step(&test, old, 0, 500);
    ngx_http_flowdash_executions_passed(test.zone->executions, old);
    ended(&test, old, 500);

    good = find(&test, 2) && test.found.steps[0].status == 201
           && test.found.phase == NGX_HTTP_FLOWDASH_EXECUTION_STEPS;

    entry->version = old;
    step(&test, old, 0, 500);
    ended(&test, old, 500);
    entry->version = new;

    good = good && find(&test, 2) && test.found.nkept == 0
           && test.found.phase == NGX_HTTP_FLOWDASH_EXECUTION_STEPS
           && test.found.end.app_status == 0;

    step(&test, new, 0, 202);
    ended(&test, new, 302);

    good = good && find(&test, 2) && test.found.steps[0].status == 202
           && test.found.end.app_status == 302;

    end(&test);

    return good;
}


/* what is sent of it, which is known even if its worker has died */

static ngx_uint_t
deliveries(void)
{
    test_t                                    test;
    u_char                                    buf[64];
    ngx_str_t                                 id;
    ngx_uint_t                                good;
    ngx_http_flowdash_execution_deliveries_t  d;

    test = make(TEST_SIZE);

    (void) begin(&test, 1);
    ended(&test, begin(&test, 2), 302);

    d.outcome = NGX_HTTP_FLOWDASH_EXECUTION_REFUSED;
    d.waiting = 4095;
    d.done = 5000;
    d.dead = 0;

    id = name_of(buf, 1);
    ngx_http_flowdash_executions_deliveries(test.zone->executions, &id, &d);

    id = name_of(buf, 3);
    ngx_http_flowdash_executions_deliveries(test.zone->executions, &id, &d);

    good = find(&test, 1) && test.found.deliveries.outcome == d.outcome
           && test.found.deliveries.waiting == 4095
           && test.found.deliveries.done == 4095
           && test.found.deliveries.dead == 0
           && test.found.end.outcome == NGX_HTTP_FLOWDASH_EXECUTION_NONE;

    /* its worker is another one now */

    ngx_http_flowdash_executions_life.pid = 0;
    ngx_http_flowdash_executions_own(test.zone->executions);

    good = good && find(&test, 1)
           && test.found.phase == NGX_HTTP_FLOWDASH_EXECUTION_LOST
           && test.found.end.outcome == d.outcome;

    /* what is known of another one is not changed by that */

    id = name_of(buf, 2);
    ngx_http_flowdash_executions_deliveries(test.zone->executions, &id, &d);

    good = good && find(&test, 2)
           && test.found.end.outcome == NGX_HTTP_FLOWDASH_EXECUTION_FAILED;

    end(&test);

    return good;
}


/* what a dead worker had is unknown, also when its place has another one */

static ngx_uint_t
lost(ngx_uint_t successor)
{
    pid_t       pid;
    test_t      test;
    ngx_uint_t  good;

    test = make(TEST_SIZE);

    ended(&test, begin(&test, 1), 302);

    pid = fork();

    if (pid == 0) {
        _exit(0);
    }

    (void) waitpid(pid, NULL, 0);

    ngx_pid = successor ? getpid() : pid;
    (void) begin(&test, 2);
    ngx_pid = getpid();

    if (successor) {
        good = find(&test, 2)
               && test.found.phase == NGX_HTTP_FLOWDASH_EXECUTION_STEPS;

        /* a worker knows that it is the one */

        ngx_http_flowdash_executions_own(test.zone->executions);

        good = good && find(&test, 2)
               && test.found.phase == NGX_HTTP_FLOWDASH_EXECUTION_STEPS;

        ngx_http_flowdash_executions_life.pid = 0;
        ngx_http_flowdash_executions_own(test.zone->executions);

    } else {
        good = 1;
    }

    good = good && find(&test, 2)
           && test.found.phase == NGX_HTTP_FLOWDASH_EXECUTION_LOST
           && test.found.end.outcome == NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN
           && find(&test, 1)
           && test.found.phase == NGX_HTTP_FLOWDASH_EXECUTION_ENDED;

    end(&test);

    return good;
}


int
main(void)
{
    (void) test_begin(1);

    ngx_pid = getpid();
    ngx_time_init();

    ok(sizeof(ngx_http_flowdash_execution_entry_t) <= 512,
       "an entry has at most 512 bytes");
    ok(values(), "what is stored is read");
    ok(ids(), "ids that are too long, or empty");
    ok(rounds(1) && rounds(TEST_SIZE) && rounds(TEST_SIZE + 1),
       "as many as are kept");
    ok(rounds(70000 * TEST_SIZE / 100), "many");
    ok(interrupted(), "executions whose writers were interrupted");
    ok(stalled(), "executions into which a stalled writer stores");
    ok(deliveries(), "what is sent");
    ok(lost(0), "a worker that died");
    ok(lost(1), "a worker that has a successor");

    return test_end();
}
