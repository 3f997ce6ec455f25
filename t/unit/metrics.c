
/*
 * The counters, without nginx's workers: the table while it fills up, names
 * that are cut, places that another worker has, histograms against exact
 * quantiles, rates from minute to minute, and the ring of failures.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <pthread.h>
#include <sys/wait.h>

#include "tap.h"


#include "ngx_http_flowdash_metrics.c"
#include "ngx_http_flowdash_recent.c"


#define TEST_SIZE     100
#define TEST_THREADS  4

#define TEST_A19  "aaaaaaaaaaaaaaaaaaa"
#define TEST_A95  TEST_A19 TEST_A19 TEST_A19 TEST_A19 TEST_A19


typedef struct {
    const char                    *name;
    size_t                         len;     /* of what is kept */
} test_cut_t;


typedef struct {
    ngx_http_flowdash_zone_t      *zone;
    ngx_http_flowdash_counters_t  *got[TEST_SIZE];
} test_thread_t;


static pthread_barrier_t   test_barrier;
static time_t              test_second;
static volatile ngx_time_t test_now;


static test_cut_t  cuts[] = {
    { "", 0 },
    { "a", 1 },
    { TEST_A95 "a", 96 },
    { TEST_A95 "aa", 96 },
    { TEST_A95 "\xc3\xa4", 95 },
    { TEST_A95 "\xe2\x82\xac", 95 },
    { TEST_A95 "\xf0\x9f\x98\x80", 95 },
    { "aa" "\xc3\xa4" TEST_A95, 96 },

    /* no UTF-8 at all: nothing is left, but nothing goes wrong */
    { "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
      "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
      "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
      "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
      "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
      "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
      0 }
};


static void
set_time(time_t second)
{
    test_second = second;
    test_now.sec = second;
    ngx_cached_time = &test_now;
}


static ngx_http_flowdash_zone_t *
make_zone(ngx_uint_t size)
{
    ngx_http_flowdash_zone_t  *zone;

    zone = calloc(1, offsetof(ngx_http_flowdash_zone_t, table)
                     + size * sizeof(ngx_http_flowdash_counters_t));
    zone->size = size;

    return zone;
}


/* the counters of names that have no null behind them */

static ngx_http_flowdash_counters_t *
get(ngx_http_flowdash_zone_t *zone, const char *action, const char *step)
{
    ngx_str_t                      names[2];
    ngx_http_flowdash_counters_t  *counters;

    names[0] = exactly(action, strlen(action));
    names[1] = exactly(step ? step : "", step ? strlen(step) : 0);

    counters = ngx_http_flowdash_metrics_get(zone, &names[0],
                                             step ? &names[1] : NULL);
    free(names[0].data);
    free(names[1].data);

    return counters;
}


/* whether they are these names' */

static ngx_uint_t
belong(ngx_http_flowdash_counters_t *counters, const char *action,
    const char *step)
{
    return counters
           && counters->action_len == strlen(action)
           && memcmp(counters->action, action, strlen(action)) == 0
           && counters->step_len == strlen(step)
           && memcmp(counters->step, step, strlen(step)) == 0;
}


/* each name finds its own, also when nothing more has room */

static ngx_uint_t
fill(ngx_uint_t size)
{
    char                           name[32];
    ngx_uint_t                     i, made, good;
    ngx_http_flowdash_zone_t      *zone;
    ngx_http_flowdash_counters_t  *counters[3 * TEST_SIZE];

    zone = make_zone(size);
    made = 0;
    good = 1;

    for (i = 0; i < 3 * size; i++) {
        sprintf(name, "action %u", (unsigned) i);

        counters[i] = get(zone, name, i % 2 ? "step" : NULL);
        made += (counters[i] != NULL);
    }

    for (i = 0; i < 3 * size; i++) {
        sprintf(name, "action %u", (unsigned) i);

        if (get(zone, name, i % 2 ? "step" : NULL) != counters[i]
            || (counters[i]
                && !belong(counters[i], name, i % 2 ? "step" : "")))
        {
            good = 0;
        }
    }

    good = good && made == zone->used && made <= size
           && (size > 64 ? made > size * 9 / 10 : made == size);

    free(zone);

    return good;
}


static ngx_uint_t
names(void)
{
    ngx_uint_t                     good;
    ngx_http_flowdash_zone_t      *zone;
    ngx_http_flowdash_counters_t  *a;

    zone = make_zone(TEST_SIZE);
    a = get(zone, "a", NULL);

    good = a == get(zone, "a", NULL)
           && a != get(zone, "a", "a")
           && a != get(zone, "", "a")
           && a != get(zone, "", NULL)
           && a != get(zone, "aa", NULL)
           && a != get(zone, "A", NULL)
           && get(zone, "a", "bc") != get(zone, "ab", "c")
           && get(zone, "a", "b") != get(zone, "b", "a")
           && zone->used == 10;

    free(zone);

    return good;
}


/* names that differ only in what is cut off are one; none is forgotten */

static ngx_uint_t
same_beginning(void)
{
    ngx_uint_t                 good;
    ngx_http_flowdash_zone_t  *zone;

    zone = make_zone(TEST_SIZE);

    good = get(zone, TEST_A95 "a", NULL) == get(zone, TEST_A95 "ab", NULL)
           && get(zone, TEST_A95 "a", NULL) == get(zone, TEST_A95 "ac", NULL)
           && get(zone, "x", TEST_A95 "ab") == get(zone, "x", TEST_A95 "ac")
           && get(zone, TEST_A95, NULL) != get(zone, TEST_A95 "a", NULL)
           && get(zone, TEST_A95, NULL)
              == get(zone, TEST_A95 "\xc3\xa4", NULL)
           && zone->used == 3;

    free(zone);

    return good;
}


/* entries whose hashes are the same */

static ngx_uint_t
collisions(void)
{
    uint32_t                       hash;
    ngx_uint_t                     i, good;
    ngx_str_t                      name[2];
    ngx_http_flowdash_zone_t      *zone;
    ngx_http_flowdash_counters_t  *entry;

    zone = make_zone(TEST_SIZE);
    good = 1;

    ngx_str_set(&name[0], "abc");
    ngx_str_null(&name[1]);
    hash = ngx_http_flowdash_metrics_hash(name);

    for (i = 0; i < 5; i++) {

        /* "b", "a", "ab", "abcd", and a step of the same action */

        entry = &zone->table[(hash + i) % TEST_SIZE];
        entry->hash = hash;
        entry->state = NGX_HTTP_FLOWDASH_METRICS_READY;
        entry->action_len = sprintf((char *) entry->action, "%s",
                                    i == 0 ? "b" : i == 1 ? "a"
                                    : i == 2 ? "ab" : i == 3 ? "abcd" : "abc");
        entry->step_len = (i == 4) ? sprintf((char *) entry->step, "s") : 0;
    }

    entry = get(zone, "abc", NULL);

    good = entry == &zone->table[(hash + 5) % TEST_SIZE]
           && belong(entry, "abc", "")
           && get(zone, "abc", NULL) == entry;

    free(zone);

    return good;
}


/* a worker has died while it made an entry: the next one is taken, for good */

static ngx_uint_t
died(void)
{
    uint32_t                       hash;
    ngx_str_t                      name[2];
    ngx_uint_t                     good;
    ngx_http_flowdash_zone_t      *zone;
    ngx_http_flowdash_counters_t  *entry;

    zone = make_zone(TEST_SIZE);

    ngx_str_set(&name[0], "abc");
    ngx_str_null(&name[1]);
    hash = ngx_http_flowdash_metrics_hash(name);

    entry = &zone->table[hash % TEST_SIZE];
    entry->state = NGX_HTTP_FLOWDASH_METRICS_MAKING;
    entry->hash = hash;
    entry->action_len = 3;
    ngx_memcpy(entry->action, "abc", 3);

    good = get(zone, "abc", NULL) == &zone->table[(hash + 1) % TEST_SIZE]
           && get(zone, "abc", NULL) == &zone->table[(hash + 1) % TEST_SIZE]
           && entry->state == NGX_HTTP_FLOWDASH_METRICS_LOST
           && ngx_http_flowdash_metrics_make(zone, entry, hash, name)
              == NGX_DECLINED;

    free(zone);

    return good;
}


static void *
race(void *data)
{
    test_thread_t *t = data;

    char        name[32];
    ngx_uint_t  i;

    pthread_barrier_wait(&test_barrier);

    for (i = 0; i < TEST_SIZE; i++) {
        sprintf(name, "%u", (unsigned) i);
        t->got[i] = get(t->zone, name, NULL);

        if (t->got[i]) {
            (void) ngx_atomic_fetch_add(&t->got[i]->started, 1);
        }
    }

    return NULL;
}


/* workers that make the same entries at once: there is one for each name */

static ngx_uint_t
races(ngx_uint_t rounds)
{
    pthread_t                  ids[TEST_THREADS];
    ngx_uint_t                 i, n, good;
    test_thread_t              t[TEST_THREADS];
    ngx_http_flowdash_zone_t  *zone;

    good = 1;
    pthread_barrier_init(&test_barrier, NULL, TEST_THREADS);

    for ( /* void */ ; rounds; rounds--) {
        zone = make_zone(4 * TEST_SIZE);

        for (n = 0; n < TEST_THREADS; n++) {
            t[n].zone = zone;
            pthread_create(&ids[n], NULL, race, &t[n]);
        }

        for (n = 0; n < TEST_THREADS; n++) {
            pthread_join(ids[n], NULL);
        }

        for (i = 0; i < TEST_SIZE; i++) {

            for (n = 1; n < TEST_THREADS; n++) {
                good = good && t[n].got[i] == t[0].got[i];
            }

            good = good && t[0].got[i]
                   && t[0].got[i]->started == TEST_THREADS;
        }

        good = good && zone->used == TEST_SIZE;

        free(zone);
    }

    pthread_barrier_destroy(&test_barrier);

    return good;
}


static void
cut(test_cut_t *test)
{
    char       text[128];
    ngx_str_t  name, kept;

    name = exactly(test->name, strlen(test->name));
    kept = ngx_http_flowdash_metrics_name(&name);

    sprintf(text, "a name of %u bytes is kept as %u", (unsigned) name.len,
            (unsigned) test->len);
    ok(kept.len == test->len && kept.data == name.data, text);

    free(name.data);
}


static int
compare(const void *a, const void *b)
{
    ngx_msec_t  x, y;

    x = *(ngx_msec_t *) a;
    y = *(ngx_msec_t *) b;

    return (x > y) - (x < y);
}


static ngx_uint_t
bucket(ngx_msec_t ms)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_BUCKETS; i++) {
        if (ms <= ngx_http_flowdash_metrics_bounds[i]) {
            break;
        }
    }

    return i;
}


/*
 * Against the exact value by the nearest-rank method: in the same bucket, the
 * bound below it included; behind the last bound, that one.
 */

static ngx_uint_t
random_quantile(void)
{
    ngx_msec_t                     value[300], exact, estimate, sum;
    ngx_uint_t                     i, n, q, last, total;
    ngx_http_flowdash_histogram_t  time;

    ngx_memzero(&time, sizeof(ngx_http_flowdash_histogram_t));
    n = 1 + dice(300);
    last = NGX_HTTP_FLOWDASH_METRICS_BUCKETS - 1;
    sum = 0;
    total = 0;

    for (i = 0; i < n; i++) {

        /* as many short ones as long ones */

        value[i] = dice(2 << dice(17));
        sum += value[i];
        ngx_http_flowdash_metrics_time(&time, value[i]);
    }

    for (i = 0; i <= last + 1; i++) {
        total += time.buckets[i];
    }

    qsort(value, n, sizeof(ngx_msec_t), compare);

    q = 1 + dice(1000);
    exact = value[(n * q + 999) / 1000 - 1];
    estimate = ngx_http_flowdash_metrics_quantile(&time, q);
    i = bucket(exact);

    if (time.sum != sum || total != n) {
        return 0;
    }

    if (i > last) {
        return estimate == ngx_http_flowdash_metrics_bounds[last];
    }

    return estimate <= ngx_http_flowdash_metrics_bounds[i]
           && estimate >= (i ? ngx_http_flowdash_metrics_bounds[i - 1] : 0);
}


static ngx_uint_t
bounds(void)
{
    ngx_uint_t                     i, good;
    ngx_http_flowdash_histogram_t  time;

    ngx_memzero(&time, sizeof(ngx_http_flowdash_histogram_t));
    good = ngx_http_flowdash_metrics_quantile(&time, 500) == 0
           && ngx_http_flowdash_metrics_quantile(&time, 1000) == 0;

    /* a bound belongs to what is below it */

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_BUCKETS; i++) {
        ngx_http_flowdash_metrics_time(&time,
                                       ngx_http_flowdash_metrics_bounds[i]);
        ngx_http_flowdash_metrics_time(&time,
                                     ngx_http_flowdash_metrics_bounds[i] + 1);
    }

    good = good && time.buckets[0] == 1;

    for (i = 1; i < NGX_HTTP_FLOWDASH_METRICS_BUCKETS; i++) {
        good = good && time.buckets[i] == 2;
    }

    return good && time.buckets[i] == 1;
}


static void
rates(void)
{
    ngx_uint_t                i;
    ngx_http_flowdash_rate_t  rate;

    ngx_memzero(&rate, sizeof(ngx_http_flowdash_rate_t));
    set_time(60 * 29000000);

    ok(ngx_http_flowdash_metrics_per_minute(&rate) == 0, "rate: nothing");

    for (i = 0; i < 120; i++) {
        ngx_http_flowdash_metrics_happen(&rate);
    }

    ok(ngx_http_flowdash_metrics_per_minute(&rate) == 120000,
       "rate: at once in its minute");

    set_time(test_second + 59);
    ok(ngx_http_flowdash_metrics_per_minute(&rate) == 120000,
       "rate: to the minute's end");

    set_time(test_second + 1);
    ok(ngx_http_flowdash_metrics_per_minute(&rate) == 120000,
       "rate: the next minute begins with all of it");

    set_time(test_second + 15);
    ok(ngx_http_flowdash_metrics_per_minute(&rate) == 90000,
       "rate: three quarters are left after a quarter");

    for (i = 0; i < 10; i++) {
        ngx_http_flowdash_metrics_happen(&rate);
    }

    ok(ngx_http_flowdash_metrics_per_minute(&rate) == 100000,
       "rate: with the ten of this minute");

    set_time(test_second + 15);
    ok(ngx_http_flowdash_metrics_per_minute(&rate) == 70000,
       "rate: half of the last minute, and those of this one");

    set_time(test_second + 30);
    ok(ngx_http_flowdash_metrics_per_minute(&rate) == 10000,
       "rate: a minute later the first are forgotten");

    set_time(test_second + 60);
    ok(ngx_http_flowdash_metrics_per_minute(&rate) == 0,
       "rate: two minutes later all are");

    ngx_http_flowdash_metrics_happen(&rate);
    ok(ngx_http_flowdash_metrics_per_minute(&rate) == 1000
       && rate.previous == 0, "rate: after a pause it starts anew");
}


static ngx_uint_t
recent_is(ngx_http_flowdash_counters_t *counters, ngx_uint_t ended,
    ngx_uint_t failed, ngx_uint_t timed)
{
    ngx_http_flowdash_recent_t  recent;

    ngx_http_flowdash_recent(counters, &recent);

    return recent.ended == ended && recent.failed == failed
           && ngx_http_flowdash_metrics_count(&recent.time) == timed
           && recent.time.buckets[3] == timed;
}


/* of this and the last minute */

static ngx_uint_t
now_is(ngx_http_flowdash_counters_t *counters, ngx_uint_t ended,
    ngx_uint_t failed, ngx_uint_t app_failed)
{
    ngx_http_flowdash_recent_t  recent;

    ngx_http_flowdash_recent(counters, &recent);

    return recent.now_ended == ended && recent.now_failed == failed
           && recent.now_app_failed == app_failed;
}


static void
nows(void)
{
    ngx_http_flowdash_recent_t    recent;
    ngx_http_flowdash_counters_t  counters;

    ngx_memzero(&counters, sizeof(ngx_http_flowdash_counters_t));
    set_time(60 * 29000000 + 59);

    ngx_http_flowdash_recent_end(&counters, 40, 1);
    ngx_http_flowdash_recent_end(&counters, 40, 0);
    ngx_http_flowdash_recent_other(&counters);
    ok(now_is(&counters, 2, 1, 1), "now: this minute");

    counters.step_len = 1;
    ngx_http_flowdash_recent(&counters, &recent);
    ok(recent.tolerated == 1 && recent.now_tolerated == 1
       && recent.app_failed == 0,
       "now: a failure was tolerated");

    ngx_http_flowdash_recent_other(&counters);
    ngx_http_flowdash_recent(&counters, &recent);
    ok(recent.tolerated == 1 && recent.now_tolerated == 1,
       "now: another, whose end is not counted yet");

    counters.step_len = 0;
    counters.minutes[29000000 % NGX_HTTP_FLOWDASH_METRICS_MINUTES].other--;

    set_time(test_second + 1);
    ok(now_is(&counters, 2, 1, 1), "now: the last minute");

    ngx_http_flowdash_recent_other(&counters);
    ngx_http_flowdash_recent_end(&counters, 40, 0);
    ok(now_is(&counters, 3, 1, 2), "now: both are added up");

    set_time(test_second + 59);
    ok(now_is(&counters, 3, 1, 2), "now: to the minute's end");

    set_time(test_second + 1);
    ok(now_is(&counters, 1, 0, 1), "now: the minute before the last");

    ngx_http_flowdash_recent(&counters, &recent);
    ok(recent.ended == 3 && recent.failed == 1 && recent.app_failed == 2,
       "now: it still is one of five");

    set_time(test_second + 60);
    ok(now_is(&counters, 0, 0, 0), "now: nothing");

    set_time(test_second + 180);
    ngx_http_flowdash_recent_other(&counters);
    ngx_http_flowdash_recent(&counters, &recent);
    ok(recent.app_failed == 0 && recent.ended == 0,
       "now: the app has answered, the end is not counted yet");
}


static void
recents(void)
{
    ngx_uint_t                     i, good;
    ngx_http_flowdash_zone_t       zone;
    ngx_http_flowdash_counters_t   counters;

    ngx_memzero(&counters, sizeof(ngx_http_flowdash_counters_t));
    set_time(60 * 29000000 + 10);
    zone.since = test_second - 3;

    ok(recent_is(&counters, 0, 0, 0), "recent: nothing");
    ok(ngx_http_flowdash_recent_seconds(&zone) == 3, "recent: a young zone");

    ngx_http_flowdash_recent_end(&counters, 40, 0);
    ngx_http_flowdash_recent_end(&counters, 40, 1);
    ngx_http_flowdash_recent_end(&counters, (ngx_msec_t) -1, 1);
    ok(recent_is(&counters, 3, 2, 2), "recent: one is not timed");

    good = 1;

    for (i = 1; i < NGX_HTTP_FLOWDASH_METRICS_MINUTES; i++) {
        set_time(test_second + 60);
        ngx_http_flowdash_recent_end(&counters, 40, 0);
        good &= recent_is(&counters, 3 + i, 2, 2 + i);
    }

    ok(good, "recent: five minutes are added up");
    ok(ngx_http_flowdash_recent_seconds(&zone) == 243,
       "recent: all since the zone was made");

    set_time(test_second + 49);
    ok(recent_is(&counters, 7, 2, 6), "recent: to the minute's end");

    set_time(test_second + 1);
    ok(recent_is(&counters, 4, 0, 4), "recent: the first is forgotten");
    ok(ngx_http_flowdash_recent_seconds(&zone) == 240,
       "recent: four minutes, when the fifth begins");

    ngx_http_flowdash_recent_end(&counters, 40, 1);
    ok(recent_is(&counters, 5, 1, 5), "recent: its place is taken");

    set_time(test_second - 600);
    ok(recent_is(&counters, 0, 0, 0), "recent: the clock was set back");
    ngx_http_flowdash_recent_end(&counters, 40, 0);
    ok(recent_is(&counters, 1, 0, 1), "recent: and it counts");
    ok(ngx_http_flowdash_recent_seconds(&zone) == 1,
       "recent: never without a second");

    set_time(test_second + 86400);
    ok(recent_is(&counters, 0, 0, 0), "recent: a day later");
}


/* "n" failures; those that are remembered come back, the last one first */

static ngx_uint_t
ring(ngx_uint_t n)
{
    char                         text[32];
    ngx_str_t                    action, step, id;
    ngx_uint_t                   i, good, kept;
    ngx_http_flowdash_zone_t    *zone;
    ngx_http_flowdash_failure_t  failure;

    zone = make_zone(1);
    good = 1;

    for (i = 0; i < n; i++) {
        action.data = (u_char *) text;
        action.len = sprintf(text, "a%u", (unsigned) i);
        ngx_str_set(&step, "s");
        ngx_str_set(&id, "id");

        if (i % 2) {
            ngx_str_null(&step);
        }

        set_time(1000 + i);
        ngx_http_flowdash_metrics_failure(zone, &action, &step, &id, i, i + 1,
                                          i % 9);
    }

    kept = ngx_min(n, NGX_HTTP_FLOWDASH_METRICS_FAILURES);

    for (i = 0; i < kept; i++) {
        (void) sprintf(text, "a%u", (unsigned) (n - 1 - i));

        good = good
               && ngx_http_flowdash_metrics_last_failure(zone, i, &failure)
                  == NGX_OK
               && failure.time == (time_t) (1000 + n - 1 - i)
               && failure.status == n - 1 - i
               && failure.answered == n - i
               && failure.reason == (n - 1 - i) % 9
               && failure.step_len == ((n - 1 - i) % 2 ? 0 : 1)
               && failure.id_len == 2
               && failure.action_len == strlen(text)
               && memcmp(failure.action, text, failure.action_len) == 0;
    }

    good = good
           && ngx_http_flowdash_metrics_last_failure(zone, kept, &failure)
              == NGX_DECLINED;

    /* one that is being replaced */

    if (n) {
        zone->failures[(n - 1) % NGX_HTTP_FLOWDASH_METRICS_FAILURES].version++;

        good = good
               && ngx_http_flowdash_metrics_last_failure(zone, 0, &failure)
                  == NGX_DECLINED;
    }

    free(zone);

    return good;
}


/*
 * Writers that are killed or held up: of the first one, the version stays odd.
 * Its place is good again for the next, and no older one comes after it.
 */

static ngx_uint_t
interrupted(void)
{
    ngx_str_t                    name;
    ngx_uint_t                   i, good;
    ngx_http_flowdash_zone_t    *zone;
    ngx_http_flowdash_failure_t  failure;

    zone = make_zone(1);
    ngx_str_set(&name, "a");

    zone->nfailures = 1;
    zone->failures[0].version = 1;

    good = ngx_http_flowdash_metrics_last_failure(zone, 0, &failure)
           == NGX_DECLINED;

    for (i = 1; i <= NGX_HTTP_FLOWDASH_METRICS_FAILURES; i++) {
        ngx_http_flowdash_metrics_failure(zone, &name, &name, &name, i, 0, 0);
    }

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_FAILURES; i++) {
        good = good
               && ngx_http_flowdash_metrics_last_failure(zone, i, &failure)
                  == NGX_OK
               && failure.status == NGX_HTTP_FLOWDASH_METRICS_FAILURES - i;
    }

    /* the first of all goes on: it has no place any more */

    zone->nfailures = 0;
    ngx_http_flowdash_metrics_failure(zone, &name, &name, &name, 999, 0, 0);
    zone->nfailures = 1 + NGX_HTTP_FLOWDASH_METRICS_FAILURES;

    good = good
           && ngx_http_flowdash_metrics_last_failure(zone, 0, &failure)
              == NGX_OK
           && failure.status == NGX_HTTP_FLOWDASH_METRICS_FAILURES;

    free(zone);

    return good;
}


/*
 * A writer stalls until its place has a newer failure, and then goes on: the
 * place has the version of the newer one, and octets of both.  After "done"
 * octets, it stalls again; nobody may read a mixture, whatever "done" is.
 */

static ngx_uint_t
stalled(size_t done)
{
    size_t                       offset;
    ngx_str_t                    old, new;
    ngx_uint_t                   i, good, same;
    ngx_http_flowdash_zone_t    *zone;
    ngx_http_flowdash_failure_t  failure, late, *place;

    zone = make_zone(1);
    place = &zone->failures[0];
    ngx_str_set(&old, "old");
    ngx_str_set(&new, "newer");

    set_time(1000);
    ngx_http_flowdash_metrics_failure(zone, &old, &old, &old, 500, 0, 1);
    late = *place;

    set_time(2000);

    for (i = 1; i <= NGX_HTTP_FLOWDASH_METRICS_FAILURES; i++) {
        ngx_http_flowdash_metrics_failure(zone, &new, &new, &new, 502, 0, 2);
    }

    good = ngx_http_flowdash_metrics_last_failure(zone, 0, &failure)
           == NGX_OK
           && failure.status == 502;

    offset = offsetof(ngx_http_flowdash_failure_t, checksum);
    same = memcmp((u_char *) place + offset, (u_char *) &late + offset, done)
           == 0;
    memcpy((u_char *) place + offset, (u_char *) &late + offset, done);

    good = good
           && ngx_http_flowdash_metrics_last_failure(zone, 0, &failure)
              == (same ? NGX_OK : NGX_DECLINED)
           && ngx_http_flowdash_metrics_last_failure(zone, 1, &failure)
              == NGX_OK;

    /* the next one that gets the place is whole */

    for (i = 1; i <= NGX_HTTP_FLOWDASH_METRICS_FAILURES; i++) {
        ngx_http_flowdash_metrics_failure(zone, &new, &new, &new, 503, 0, 2);
    }

    good = good
           && ngx_http_flowdash_metrics_last_failure(zone, 0, &failure)
              == NGX_OK
           && failure.status == 503;

    free(zone);

    return good;
}


static ngx_uint_t
stalls(void)
{
    size_t      size, done;
    ngx_uint_t  good;

    size = sizeof(ngx_http_flowdash_failure_t)
           - offsetof(ngx_http_flowdash_failure_t, checksum);
    good = 1;

    for (done = 0; done <= size; done++) {
        good = good && stalled(done);
    }

    return good;
}


static ngx_uint_t
runs(ngx_http_flowdash_zone_t *zone, ngx_uint_t a, ngx_uint_t b)
{
    zone->table[0].running = 99;
    zone->table[1].running = 99;

    ngx_http_flowdash_metrics_sum_running(zone);

    return zone->table[0].running == a && zone->table[1].running == b;
}


/* executions of three workers; the one of slot 1 is gone */

static ngx_uint_t
running(void)
{
    pid_t                      gone;
    uint32_t                   rows[4 * 2];
    ngx_uint_t                 good;
    ngx_atomic_t               pids[4];
    ngx_http_flowdash_zone_t  *zone;

    gone = fork();

    if (gone == 0) {
        _exit(0);
    }

    waitpid(gone, NULL, 0);
    ngx_pid = getpid();

    zone = make_zone(2);
    zone->slots = 3;
    zone->pids = pids;
    zone->running = rows;
    zone->table[0].state = NGX_HTTP_FLOWDASH_METRICS_READY;
    zone->table[1].state = NGX_HTTP_FLOWDASH_METRICS_READY;

    /* nobody has cleared the rows */

    memset(rows, 0x55, sizeof(rows));
    memset((void *) pids, 0, sizeof(pids));

    good = runs(zone, 0, 0);

    ngx_process_slot = 0;
    ngx_http_flowdash_metrics_begin(zone, &zone->table[0]);
    ngx_http_flowdash_metrics_begin(zone, &zone->table[0]);
    ngx_http_flowdash_metrics_begin(zone, &zone->table[1]);

    ngx_process_slot = 2;
    ngx_http_flowdash_metrics_begin(zone, &zone->table[1]);

    /* no row is left for this one */

    ngx_process_slot = 3;
    ngx_http_flowdash_metrics_begin(zone, &zone->table[0]);
    ngx_http_flowdash_metrics_end(zone, &zone->table[0]);

    good = good && runs(zone, 2, 2) && rows[6] == 0x55555555;

    ngx_process_slot = 1;
    ngx_http_flowdash_metrics_begin(zone, &zone->table[0]);

    good = good && runs(zone, 3, 2);

    pids[1] = gone;

    good = good && runs(zone, 2, 2) && pids[1] == 0;

    /* its successor */

    ngx_http_flowdash_metrics_begin(zone, &zone->table[1]);

    good = good && runs(zone, 2, 3);

    ngx_http_flowdash_metrics_end(zone, &zone->table[1]);
    ngx_process_slot = 0;
    ngx_http_flowdash_metrics_end(zone, &zone->table[0]);

    good = good && runs(zone, 1, 2);

    free(zone);

    return good;
}


static ngx_uint_t
warns_once(void)
{
    size_t                     first;
    ngx_http_flowdash_zone_t  *zone;

    zone = make_zone(1);

    ngx_http_flowdash_metrics_no_room(zone, &test_log);
    first = test_logged_len;

    ngx_http_flowdash_metrics_no_room(zone, &test_log);

    free(zone);

    return first > 0 && test_logged_len == first;
}


int
main(void)
{
    ngx_uint_t  i, rounds, good;

    rounds = test_begin(20000);
    test_log_keep();

    ok(warns_once(), "a zone without room is logged once");

    ok(fill(1), "a table of one entry");
    ok(fill(64), "a table as large as places are looked at");
    ok(fill(TEST_SIZE), "a larger table");
    ok(names(), "names that differ have different counters");
    ok(same_beginning(), "what is the same when it is cut is the same");
    ok(collisions(), "names of the same hash are told apart");
    ok(died(), "a place that is never finished is passed over");
    ok(races(1 + rounds / 200), "one entry for a name that many make at once");

    for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        cut(&cuts[i]);
    }

    good = 0;

    for (i = 0; i < rounds; i++) {
        good += random_quantile();
    }

    ok(good == rounds, "quantiles are in the bucket of the exact value");
    ok(bounds(), "the bounds of buckets");

    rates();
    recents();
    nows();

    ok(ring(0), "no failure");
    ok(ring(1), "one failure");
    ok(ring(49) && ring(50) && ring(51), "as many as are remembered");
    ok(ring(1234), "many failures");
    ok(interrupted(), "failures whose writers were interrupted");
    ok(stalls(), "failures into which a stalled writer goes on writing");

    ok(running(), "what the living workers run");

    return test_end();
}
