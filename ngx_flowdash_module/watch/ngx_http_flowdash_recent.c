
/*
 * What has ended in the last minutes: in each entry, a ring of minutes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_recent.h>


/* nginx's ngx_atomic_fetch_add() is for whole words, these are halves */

#define ngx_http_flowdash_recent_add(n)  (void) __sync_fetch_and_add(n, 1)


static ngx_http_flowdash_minute_t *ngx_http_flowdash_recent_minute(
    ngx_http_flowdash_counters_t *counters);


void
ngx_http_flowdash_recent_end(ngx_http_flowdash_counters_t *counters,
    ngx_msec_t ms, ngx_uint_t failed)
{
    ngx_http_flowdash_minute_t  *minute;

    minute = ngx_http_flowdash_recent_minute(counters);

    ngx_http_flowdash_recent_add(&minute->ended);

    if (failed) {
        ngx_http_flowdash_recent_add(&minute->failed);
    }

    if (ms != (ngx_msec_t) -1) {
        ngx_http_flowdash_recent_add(
                   &minute->buckets[ngx_http_flowdash_metrics_bucket(ms)]);
    }
}


/*
 * As in ..._metrics_happen(), two workers that start a minute may lose a run
 * or two.
 */

static ngx_http_flowdash_minute_t *
ngx_http_flowdash_recent_minute(ngx_http_flowdash_counters_t *counters)
{
    ngx_atomic_uint_t            now, old;
    ngx_http_flowdash_minute_t  *minute;

    now = ngx_time() / 60;
    minute = &counters->minutes[now % NGX_HTTP_FLOWDASH_METRICS_MINUTES];
    old = minute->minute;

    if (old != now && ngx_atomic_cmp_set(&minute->minute, old, now)) {
        minute->ended = 0;
        minute->failed = 0;
        minute->other = 0;
        minute->refused = 0;
        ngx_memzero((void *) minute->buckets, sizeof(minute->buckets));
    }

    return minute;
}


void
ngx_http_flowdash_recent_other(ngx_http_flowdash_counters_t *counters)
{
    ngx_http_flowdash_minute_t  *minute;

    minute = ngx_http_flowdash_recent_minute(counters);

    ngx_http_flowdash_recent_add(&minute->other);
}


void
ngx_http_flowdash_recent_refused(ngx_http_flowdash_counters_t *counters)
{
    ngx_http_flowdash_minute_t  *minute;

    minute = ngx_http_flowdash_recent_minute(counters);

    ngx_http_flowdash_recent_add(&minute->refused);
}


void
ngx_http_flowdash_recent(ngx_http_flowdash_counters_t *counters,
    ngx_http_flowdash_recent_t *recent)
{
    ngx_uint_t                   i, n, *other, *now_other;
    ngx_atomic_uint_t            now;
    ngx_http_flowdash_minute_t  *minute;

    ngx_memzero(recent, sizeof(ngx_http_flowdash_recent_t));

    other = counters->step_len ? &recent->tolerated : &recent->app_failed;
    now_other = counters->step_len ? &recent->now_tolerated
                                   : &recent->now_app_failed;

    now = ngx_time() / 60;

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_MINUTES; i++) {

        minute = &counters->minutes[i];

        /* a clock that was set back has left minutes that are to come */

        if (minute->minute > now
            || now - minute->minute >= NGX_HTTP_FLOWDASH_METRICS_MINUTES)
        {
            continue;
        }

        recent->failed += minute->failed;
        *other += minute->other;
        recent->app_refused += minute->refused;
        recent->ended += minute->ended;

        if (now - minute->minute < 2) {
            recent->now_failed += minute->failed;
            *now_other += minute->other;
            recent->now_app_refused += minute->refused;
            recent->now_ended += minute->ended;
        }

        for (n = 0; n <= NGX_HTTP_FLOWDASH_METRICS_BUCKETS; n++) {
            recent->time.buckets[n] += minute->buckets[n];
        }
    }

    /* what is read while it changes, or as a minute begins, may not fit */

    recent->failed = ngx_min(recent->failed, recent->ended);
    recent->tolerated = ngx_min(recent->tolerated, recent->failed);
    recent->app_failed = ngx_min(recent->app_failed,
                                 recent->ended - recent->failed);
    recent->app_refused = ngx_min(recent->app_refused,
                                  recent->ended - recent->failed
                                  - recent->app_failed);
    recent->now_failed = ngx_min(recent->now_failed, recent->now_ended);
    recent->now_tolerated = ngx_min(recent->now_tolerated,
                                    recent->now_failed);
}


time_t
ngx_http_flowdash_recent_seconds(ngx_http_flowdash_zone_t *zone)
{
    time_t  now, first;

    now = ngx_time();
    first = (now / 60 - (NGX_HTTP_FLOWDASH_METRICS_MINUTES - 1)) * 60;
    first = ngx_max(first, zone->since);

    return ngx_max(now - first, 1);
}
