
#ifndef _NGX_HTTP_FLOWDASH_METRICS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_METRICS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_cache.h>
#include <ngx_http_flowdash_outbox.h>
#include <ngx_http_flowdash_once_table.h>


#define NGX_HTTP_FLOWDASH_METRICS_BUCKETS   12
#define NGX_HTTP_FLOWDASH_METRICS_REASONS   20
#define NGX_HTTP_FLOWDASH_METRICS_NAME      96
#define NGX_HTTP_FLOWDASH_METRICS_FAILURES  50
#define NGX_HTTP_FLOWDASH_METRICS_MINUTES   5


/* beside the reasons of $flowdash_error: why an execution did not succeed */

#define NGX_HTTP_FLOWDASH_METRICS_ABORTED   0
#define NGX_HTTP_FLOWDASH_METRICS_REFUSED                                    \
    NGX_HTTP_FLOWDASH_METRICS_REASONS
#define NGX_HTTP_FLOWDASH_METRICS_UNKNOWN                                    \
    (NGX_HTTP_FLOWDASH_METRICS_REASONS + 1)


/* the state of an entry in the table */

#define NGX_HTTP_FLOWDASH_METRICS_FREE      0
#define NGX_HTTP_FLOWDASH_METRICS_MAKING    1
#define NGX_HTTP_FLOWDASH_METRICS_READY     2
#define NGX_HTTP_FLOWDASH_METRICS_LOST      3


typedef struct ngx_http_flowdash_executions_s  ngx_http_flowdash_executions_t;


/*
 * Counters in shared memory, changed by atomic operations only.  A reader gets
 * the current value of each counter, but the values of two counters may be of
 * different moments.
 */

typedef struct {
    /*
     * how many values are up to each of ..._metrics_bounds[]; the last: above
     */

    ngx_atomic_t   buckets[NGX_HTTP_FLOWDASH_METRICS_BUCKETS + 1];
    ngx_atomic_t   sum;                   /* ms */
} ngx_http_flowdash_histogram_t;


typedef struct {
    ngx_atomic_t   minute;                /* since 1970 */
    ngx_atomic_t   current;
    ngx_atomic_t   previous;
} ngx_http_flowdash_rate_t;


/* what has ended in one minute */

typedef struct {
    ngx_atomic_t                    minute;    /* since 1970 */
    volatile uint32_t               ended;
    volatile uint32_t               failed;
    volatile uint32_t               other;     /* see ..._recent_other() */
    volatile uint32_t               refused;   /* by the app */
    volatile uint32_t               buckets[
                                       NGX_HTTP_FLOWDASH_METRICS_BUCKETS + 1];
} ngx_http_flowdash_minute_t;


/* of an action, or of one of its steps; long names are cut */

typedef struct ngx_http_flowdash_counters_s {
    ngx_atomic_t                    state;
    uint32_t                        hash;  /* of both names */
    u_char                          action_len;
    u_char                          step_len;  /* 0: of the action itself */
    u_char                          action[NGX_HTTP_FLOWDASH_METRICS_NAME];
    u_char                          step[NGX_HTTP_FLOWDASH_METRICS_NAME];

    ngx_atomic_t                    started;
    ngx_atomic_t                    succeeded;
    ngx_atomic_t                    aborted;
    ngx_atomic_t                    refused;   /* by the app */
    ngx_atomic_t                    unknown;   /* whether the app did it */
    ngx_atomic_t                    running;   /* ..._metrics_sum_running() */
    ngx_atomic_t                    failed[NGX_HTTP_FLOWDASH_METRICS_REASONS];

    ngx_http_flowdash_histogram_t   time;
    ngx_http_flowdash_histogram_t   app_time;  /* of an action */
    ngx_http_flowdash_rate_t        rate;
    ngx_http_flowdash_minute_t      minutes[NGX_HTTP_FLOWDASH_METRICS_MINUTES];
    ngx_atomic_t                    last_failure;  /* reason << 16 | status */

    /* what a step's endpoint, or an action's app, has answered; 0: nothing */

    ngx_atomic_t                    last_status;
    ngx_atomic_t                    statuses[6];   /* how often, by class */

    /* of a step's calls */

    ngx_atomic_t                    calls;
    ngx_atomic_t                    tolerated;    /* failures */
    ngx_atomic_t                    retries;
    ngx_atomic_t                    sent;         /* bytes of payloads */
    ngx_atomic_t                    received;     /* bytes of answers */
    ngx_atomic_t                    opened;       /* connections */
    ngx_atomic_t                    reused;
    ngx_atomic_t                    ignored;      /* answers without a task */
    ngx_atomic_t                    warned;       /* of them: when last, s */
    ngx_atomic_t                    dropped;      /* of fields: when last, s */
} ngx_http_flowdash_counters_t;


/*
 * One of the last failures.  "version" is 2n + 1 while the nth is written, and
 * 2n + 2 from then on.  "checksum" is that of 2n + 2 and of all that follows:
 * if a writer stalls until its place has been given to a newer failure, it
 * continues to write there without a change of the version.
 */

typedef struct {
    ngx_atomic_t   version;
    uint32_t       checksum;
    time_t         time;
    ngx_uint_t     status;                /* that the client got */
    ngx_uint_t     answered;              /* the endpoint's; 0: none */
    ngx_uint_t     reason;                /* or ABORTED, ... */
    u_char         action_len;
    u_char         step_len;
    u_char         id_len;
    u_char         action[NGX_HTTP_FLOWDASH_METRICS_NAME];
    u_char         step[NGX_HTTP_FLOWDASH_METRICS_NAME];
    u_char         id[NGX_HTTP_FLOWDASH_METRICS_NAME];
} ngx_http_flowdash_failure_t;


typedef struct ngx_http_flowdash_zone_s {
    ngx_uint_t                      size;      /* of the table, in entries */

    /*
     * How many executions run, by worker: each has a row of its own, by its
     * process slot, with a number for each entry, which only it writes.  A row
     * counts as long as its process exists.
     */

    ngx_uint_t                      slots;     /* that have a row */
    ngx_atomic_t                   *pids;      /* 0: nobody's row */
    volatile uint32_t              *running;   /* the rows */

    ngx_atomic_t                    used;
    ngx_atomic_t                    uncounted; /* no room was left */
    ngx_atomic_t                    warned;
    ngx_atomic_t                    guarded;   /* by flowdash_guard */

    /* users that flowdash_user_from keeps; locked by the slab pool's mutex */

    ngx_http_flowdash_cache_t       users;
    ngx_uint_t                      users_cleared;  /* they can be used */
    ngx_atomic_t                    user_hits;
    ngx_atomic_t                    user_misses;
    ngx_uint_t                      generation;  /* of the configuration */

    ngx_http_flowdash_outbox_counters_t  outbox;
    /* the keys of flowdash_once; locked by the same mutex */

    ngx_http_flowdash_once_table_t  once;
    ngx_atomic_t                    once_results[
                                              NGX_HTTP_FLOWDASH_ONCE_RESULTS];
    ngx_atomic_t                    once_warned; /* of no user: when last, s */

    time_t                          since;

    ngx_http_flowdash_executions_t *executions;  /* NULL: none are kept */

    ngx_atomic_t                    nfailures;
    ngx_http_flowdash_failure_t     failures[
                                         NGX_HTTP_FLOWDASH_METRICS_FAILURES];

    ngx_http_flowdash_counters_t    table[1];
} ngx_http_flowdash_zone_t;


/* upper bounds of a histogram's buckets, in ms */
extern ngx_uint_t  ngx_http_flowdash_metrics_bounds[
                                         NGX_HTTP_FLOWDASH_METRICS_BUCKETS];


/*
 * Finds or creates the counters of an action or, if "step" is not NULL, of
 * this step of it.  Returns NULL if there is no room for them.
 */
ngx_http_flowdash_counters_t *ngx_http_flowdash_metrics_get(
    ngx_http_flowdash_zone_t *zone, ngx_str_t *action, ngx_str_t *step);

/* Logs, once, that there is no room. */
void ngx_http_flowdash_metrics_no_room(ngx_http_flowdash_zone_t *zone,
    ngx_log_t *log);

/* Returns a name as it is stored: cut if it is too long. */
ngx_str_t ngx_http_flowdash_metrics_name(ngx_str_t *name);

/* Counts that this worker begins or ends an execution. */
void ngx_http_flowdash_metrics_begin(ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_counters_t *counters);
void ngx_http_flowdash_metrics_end(ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_counters_t *counters);

/* Sets "running" of all entries to the sum of what the living workers run. */
void ngx_http_flowdash_metrics_sum_running(ngx_http_flowdash_zone_t *zone);

/* Returns the number of the bucket that a value in ms belongs to. */
ngx_uint_t ngx_http_flowdash_metrics_bucket(ngx_msec_t ms);

/* Adds a value in ms to a histogram. */
void ngx_http_flowdash_metrics_time(ngx_http_flowdash_histogram_t *time,
    ngx_msec_t ms);

/* Returns how many values a histogram has. */
ngx_uint_t ngx_http_flowdash_metrics_count(
    ngx_http_flowdash_histogram_t *time);

/* Counts an event in this minute. */
void ngx_http_flowdash_metrics_happen(ngx_http_flowdash_rate_t *rate);

/* Estimates how many events the last 60 seconds had, in thousandths. */
ngx_uint_t ngx_http_flowdash_metrics_per_minute(
    ngx_http_flowdash_rate_t *rate);

/*
 * Estimates a quantile (in thousandths) of a histogram, in ms; 0 if it is
 * empty.
 */
ngx_msec_t ngx_http_flowdash_metrics_quantile(
    ngx_http_flowdash_histogram_t *time, ngx_uint_t quantile);

/*
 * Stores a failure among the last ones.  "step" may be empty, "answered" is
 * the endpoint's status or 0.
 */
void ngx_http_flowdash_metrics_failure(ngx_http_flowdash_zone_t *zone,
    ngx_str_t *action, ngx_str_t *step, ngx_str_t *id, ngx_uint_t status,
    ngx_uint_t answered, ngx_uint_t reason);

/*
 * Copies the "n"th last failure, where 0 is the last one.  Returns NGX_OK, or
 * NGX_DECLINED if there is none, or if it is being overwritten.
 */
ngx_int_t ngx_http_flowdash_metrics_last_failure(
    ngx_http_flowdash_zone_t *zone, ngx_uint_t n,
    ngx_http_flowdash_failure_t *failure);


#endif /* _NGX_HTTP_FLOWDASH_METRICS_H_INCLUDED_ */
