
#ifndef _NGX_HTTP_FLOWDASH_RECENT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RECENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>


/* what has ended in the last minutes, and of it in this and the last minute */

typedef struct {
    ngx_uint_t                      ended;
    ngx_uint_t                      failed;
    ngx_uint_t                      tolerated; /* of these; of a step */
    ngx_uint_t                      app_failed;  /* of an action */
    ngx_uint_t                      app_refused;
    ngx_uint_t                      now_ended;
    ngx_uint_t                      now_failed;
    ngx_uint_t                      now_tolerated;
    ngx_uint_t                      now_app_failed;
    ngx_uint_t                      now_app_refused;
    ngx_http_flowdash_histogram_t   time;      /* without a sum */
} ngx_http_flowdash_recent_t;


/*
 * Counts in this minute that an execution, or a run, has ended.  "ms" is how
 * long it took, or -1 if this does not count.
 */
void ngx_http_flowdash_recent_end(ngx_http_flowdash_counters_t *counters,
    ngx_msec_t ms, ngx_uint_t failed);

/*
 * Counts in this minute that an action's app has failed or, for a step, that
 * the failure of a run was tolerated.
 */
void ngx_http_flowdash_recent_other(ngx_http_flowdash_counters_t *counters);

/* Counts in this minute that an action's app has refused it. */
void ngx_http_flowdash_recent_refused(ngx_http_flowdash_counters_t *counters);

/* Adds up the last minutes, this one included. */
void ngx_http_flowdash_recent(ngx_http_flowdash_counters_t *counters,
    ngx_http_flowdash_recent_t *recent);

/* Returns how many seconds these minutes have had since the zone was made. */
time_t ngx_http_flowdash_recent_seconds(ngx_http_flowdash_zone_t *zone);


#endif /* _NGX_HTTP_FLOWDASH_RECENT_H_INCLUDED_ */
