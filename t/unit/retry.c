
/*
 * Whether a call is repeated, and when: tables of what has failed, of what
 * the endpoint asks for, and of the time that is left.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


#include "ngx_http_flowdash_retry.c"


#define E  NGX_HTTP_FLOWDASH_RETRY_ERROR
#define T  NGX_HTTP_FLOWDASH_RETRY_TIMEOUT


typedef struct {
    const char      *name;
    ngx_uint_t       n;           /* 0: off */
    ngx_uint_t       conditions;
    ngx_uint_t       condition;
    ngx_uint_t       attempts;
    ngx_int_t        after;
    ngx_msec_int_t   left;
    ngx_msec_t       min;         /* 0: not repeated */
    ngx_msec_t       max;
} test_case_t;


static test_case_t  cases[] = {

    { "off", 0, 0, E, 1, 0, 60000, 0, 0 },
    { "its condition", 1, E, E, 1, 0, 60000, 100, 200 },
    { "one of its conditions", 1, E|T, T, 1, 0, 60000, 100, 200 },
    { "another condition", 1, T, E, 1, 0, 60000, 0, 0 },

    { "the last time", 3, E, E, 3, 0, 60000, 400, 800 },
    { "once too often", 3, E, E, 4, 0, 60000, 0, 0 },
    { "the second", 10, E, E, 2, 0, 60000, 200, 400 },
    { "the fourth", 10, E, E, 4, 0, 60000, 800, 1600 },
    { "the sixth", 10, E, E, 6, 0, 60000, 3200, 6400 },
    { "the seventh, at most 10s", 10, E, E, 7, 0, 60000, 5000, 10000 },
    { "the tenth, at most 10s", 10, E, E, 10, 0, 60000, 5000, 10000 },

    { "no time left", 1, E, E, 1, 0, 0, 0, 0 },
    { "less than none", 1, E, E, 1, 0, -1, 0, 0 },
    { "as much as the shortest wait", 1, E, E, 1, 0, 100, 0, 0 },
    { "more than the longest wait", 1, E, E, 1, 0, 201, 100, 200 },
    { "not enough for the fourth", 9, E, E, 4, 0, 800, 0, 0 },

    { "asked for 1s", 1, E, E, 1, 1, 60000, 1000, 1000 },
    { "asked for 1s, less than by itself", 9, E, E, 7, 1, 60000, 5000, 10000 },
    { "asked for 30s", 1, E, E, 1, 30, 60000, 30000, 30000 },
    { "asked for all that is left", 1, E, E, 1, 60, 60000, 0, 0 },
    { "asked for almost all", 1, E, E, 1, 59, 59001, 59000, 59000 },
    { "asked for 2s of 1.999s", 1, E, E, 1, 2, 1999, 0, 0 },
    { "asked for 1s, nothing left", 1, E, E, 1, 1, 0, 0, 0 },
    { "asked for 1s, less than none left", 1, E, E, 1, 1, -5000, 0, 0 },
    { "asked for a year", 1, E, E, 1, 31536000, 60000, 0, 0 },
    { "asked for more than can be counted", 1, E, E, 1, NGX_MAX_INT_T_VALUE,
      60000, 0, 0 },
    { "asked for the past", 1, E, E, 1, -1, 60000, 100, 200 },
    { "asked for long ago", 1, E, E, 1, -NGX_MAX_INT_T_VALUE, 60000, 100,
      200 }
};


/* where the table ends, the conditions do, too */

static struct {
    ngx_uint_t  status;
    ngx_uint_t  condition;
}  statuses[] = {
    { 0, 0 },
    { 200, 0 },
    { 404, 0 },
    { 428, 0 },
    { 429, NGX_HTTP_FLOWDASH_RETRY_429 },
    { 430, 0 },
    { 499, 0 },
    { 500, NGX_HTTP_FLOWDASH_RETRY_500 },
    { 501, NGX_HTTP_FLOWDASH_RETRY_5XX },
    { 502, NGX_HTTP_FLOWDASH_RETRY_502 },
    { 503, NGX_HTTP_FLOWDASH_RETRY_503 },
    { 504, NGX_HTTP_FLOWDASH_RETRY_504 },
    { 505, NGX_HTTP_FLOWDASH_RETRY_5XX },
    { 599, NGX_HTTP_FLOWDASH_RETRY_5XX },
    { 600, 0 },
    { 999, 0 }
};


/* what the directive says, which is not tested here */

char *
ngx_http_flowdash_conf_refuse(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason)
{
    return NGX_CONF_ERROR;
}


/* chance has many goes, and must come near both ends */

static void
test_case(test_case_t *c)
{
    ngx_int_t                  rc;
    ngx_msec_t                 wait, min, max;
    ngx_uint_t                 i, good;
    ngx_http_flowdash_retry_t  retry;

    ngx_memzero(&retry, sizeof(ngx_http_flowdash_retry_t));

    retry.n = c->n;
    retry.conditions = c->conditions;

    good = 0;
    min = NGX_MAX_INT_T_VALUE;
    max = 0;

    for (i = 0; i < 1000; i++) {
        rc = ngx_http_flowdash_retry(c->n ? &retry : NULL, c->condition,
                                     c->attempts, c->after, c->left, &wait);

        if (c->max == 0) {
            good += (rc == NGX_DECLINED);
            continue;
        }

        if (rc == NGX_OK) {
            good++;
            min = ngx_min(min, wait);
            max = ngx_max(max, wait);
        }
    }

    if (c->max) {
        good &= -(min >= c->min && max <= c->max
                  && min - c->min <= (c->max - c->min) / 20
                  && c->max - max <= (c->max - c->min) / 20);
    }

    ok(good == 1000, c->name);
}


static ngx_msec_t
time_of(ngx_uint_t n, ngx_uint_t conditions, ngx_msec_t time)
{
    ngx_http_flowdash_retry_t  retry;

    retry.n = n;
    retry.conditions = conditions;
    retry.timeout = time;

    return ngx_http_flowdash_retry_time(n ? &retry : NULL, 12000);
}


int
main(void)
{
    ngx_uint_t  i;
    char        name[64];

    srandom(1);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_case(&cases[i]);
    }

    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        sprintf(name, "status %u", (unsigned) statuses[i].status);
        ok(ngx_http_flowdash_retry_condition(statuses[i].status)
           == statuses[i].condition, name);
    }

    ok(time_of(0, 0, 0) == 0, "off: the step's time is the attempt's");
    ok(time_of(2, E, 0) == 0, "so it is without \"timeout\"");
    ok(time_of(2, T, 0) == 4000, "\"timeout\" shares it equally");
    ok(time_of(10, E|T, 0) == 1090, "for ten repeats, too");
    ok(time_of(2, T, 3000) == 3000, "\"timeout=3s\"");
    ok(time_of(2, T, 30000) == 30000, "\"timeout=30s\", which is more");

    return test_end();
}
