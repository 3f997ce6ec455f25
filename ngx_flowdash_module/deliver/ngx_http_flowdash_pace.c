
/*
 * How fast a worker delivers what waits, and how long it leaves an endpoint
 * alone.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_pace.h>


/* calls in flight: of a worker, and of one flowdash_undo or flowdash_after */

#define NGX_HTTP_FLOWDASH_PACE_ALL      16
#define NGX_HTTP_FLOWDASH_PACE_EACH     4

/*
 * Records that wait for one of these calls to end, each with its file open: of
 * a worker; of one flowdash_undo or flowdash_after, if they are new; and if
 * they come from the outbox, which gives out 64 at a time, also for others.
 */

#define NGX_HTTP_FLOWDASH_PACE_WAITING  128
#define NGX_HTTP_FLOWDASH_PACE_NEW      64
#define NGX_HTTP_FLOWDASH_PACE_OLD      16

/* how long an endpoint that was not reached is left alone; ms */

#define NGX_HTTP_FLOWDASH_PACE_ALONE    5000

/* s */

#define NGX_HTTP_FLOWDASH_PACE_FIRST    5
#define NGX_HTTP_FLOWDASH_PACE_LAST     3600
#define NGX_HTTP_FLOWDASH_PACE_REST     300

/* ms */

#define NGX_HTTP_FLOWDASH_PACE_LINE     60000


static time_t ngx_http_flowdash_pace_doubled(ngx_uint_t n, time_t last);
static time_t ngx_http_flowdash_pace_spread(time_t delay);


static ngx_uint_t  ngx_http_flowdash_pace_all;       /* calls in flight */
static ngx_uint_t  ngx_http_flowdash_pace_waiting;


ngx_int_t
ngx_http_flowdash_pace_ask(ngx_http_flowdash_pace_t *pace)
{
    if (pace->failures) {

        /* one call at a time finds out whether it is back */

        return (pace->calls == 0
                && (ngx_msec_int_t) (ngx_current_msec - pace->until) >= 0
                && ngx_http_flowdash_pace_all < NGX_HTTP_FLOWDASH_PACE_ALL)
               ? NGX_OK : NGX_DECLINED;
    }

    return (pace->calls < NGX_HTTP_FLOWDASH_PACE_EACH
            && ngx_http_flowdash_pace_all < NGX_HTTP_FLOWDASH_PACE_ALL)
           ? NGX_OK : NGX_BUSY;
}


ngx_uint_t
ngx_http_flowdash_pace_has_room(ngx_http_flowdash_pace_t *pace, ngx_uint_t old)
{
    return ngx_http_flowdash_pace_waiting < NGX_HTTP_FLOWDASH_PACE_WAITING
           && pace->waiting < (old ? NGX_HTTP_FLOWDASH_PACE_OLD
                                   : NGX_HTTP_FLOWDASH_PACE_NEW);
}


void
ngx_http_flowdash_pace_begin(ngx_http_flowdash_pace_t *pace)
{
    pace->calls++;
    ngx_http_flowdash_pace_all++;
}


void
ngx_http_flowdash_pace_end(ngx_http_flowdash_pace_t *pace, ngx_uint_t reached)
{
    pace->calls--;
    ngx_http_flowdash_pace_all--;

    if (reached) {
        pace->failures = 0;
        return;
    }

    pace->failures++;
    pace->until = ngx_current_msec + NGX_HTTP_FLOWDASH_PACE_ALONE;
}


void
ngx_http_flowdash_pace_wait(ngx_http_flowdash_pace_t *pace)
{
    pace->waiting++;
    ngx_http_flowdash_pace_waiting++;
}


void
ngx_http_flowdash_pace_wake(ngx_http_flowdash_pace_t *pace)
{
    pace->waiting--;
    ngx_http_flowdash_pace_waiting--;
}


time_t
ngx_http_flowdash_pace_delay(ngx_uint_t tries, int64_t after)
{
    time_t  delay;

    delay = ngx_http_flowdash_pace_doubled(tries,
                                           NGX_HTTP_FLOWDASH_PACE_LAST);
    delay = ngx_http_flowdash_pace_spread(delay);

    /* the endpoint knows best, but nobody has to wait for days */

    after = ngx_min(after, NGX_HTTP_FLOWDASH_PACE_LAST);

    return ngx_max(delay, (time_t) after);
}


/* more slowly while it stays away: there may be many records */

time_t
ngx_http_flowdash_pace_rest(ngx_http_flowdash_pace_t *pace)
{
    return ngx_http_flowdash_pace_spread(
               ngx_http_flowdash_pace_doubled(pace->failures,
                                              NGX_HTTP_FLOWDASH_PACE_REST));
}


static time_t
ngx_http_flowdash_pace_doubled(ngx_uint_t n, time_t last)
{
    time_t  delay;

    delay = NGX_HTTP_FLOWDASH_PACE_FIRST;

    while (n > 1 && delay < last) {
        delay *= 2;
        n--;
    }

    return ngx_min(delay, last);
}


static time_t
ngx_http_flowdash_pace_spread(time_t delay)
{
    return delay - delay / 5 + ngx_random() % (2 * (delay / 5) + 1);
}


ngx_uint_t
ngx_http_flowdash_pace_log(ngx_http_flowdash_pace_t *pace, ngx_uint_t *more)
{
    if (pace->lines
        && ngx_current_msec - pace->logged < NGX_HTTP_FLOWDASH_PACE_LINE)
    {
        pace->lines++;
        return 0;
    }

    *more = pace->lines ? pace->lines - 1 : 0;

    pace->lines = 1;
    pace->logged = ngx_current_msec;

    return 1;
}
