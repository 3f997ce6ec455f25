
#ifndef _NGX_HTTP_FLOWDASH_PACE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_PACE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * How fast a worker delivers: one endpoint that hangs must not keep the others
 * waiting, and one that is down must not be called by every record.
 */


/*
 * Asks whether a delivery may be called now.  Returns NGX_OK; NGX_BUSY if it
 * has to wait for a call to end; or NGX_DECLINED if its record has to wait for
 * ngx_http_flowdash_pace_rest() seconds.
 */
ngx_int_t ngx_http_flowdash_pace_ask(ngx_http_flowdash_pace_t *pace);

/*
 * Tells whether one more record may wait for a call to end; "old" tells
 * whether it comes from the outbox, which gives out only some at a time.
 */
ngx_uint_t ngx_http_flowdash_pace_has_room(ngx_http_flowdash_pace_t *pace,
    ngx_uint_t old);

/* A call begins. */
void ngx_http_flowdash_pace_begin(ngx_http_flowdash_pace_t *pace);

/* A call has ended; the endpoint was reached, or not. */
void ngx_http_flowdash_pace_end(ngx_http_flowdash_pace_t *pace,
    ngx_uint_t reached);

/* A record waits for a call to end, or no longer. */
void ngx_http_flowdash_pace_wait(ngx_http_flowdash_pace_t *pace);
void ngx_http_flowdash_pace_wake(ngx_http_flowdash_pace_t *pace);

/*
 * Returns in how many seconds a delivery that was tried "tries" times is tried
 * again: 5 s, doubled each time, at most an hour, and a fifth more or less, so
 * that what failed together is not tried together.  "after" is the endpoint's
 * Retry-After in seconds, or 0.
 */
time_t ngx_http_flowdash_pace_delay(ngx_uint_t tries, int64_t after);

/* Returns for how many seconds a record waits that could not be tried. */
time_t ngx_http_flowdash_pace_rest(ngx_http_flowdash_pace_t *pace);

/*
 * Tells whether a line about a failure may be logged: one a minute.  "more" is
 * the number of those that were not, since the last one.
 */
ngx_uint_t ngx_http_flowdash_pace_log(ngx_http_flowdash_pace_t *pace,
    ngx_uint_t *more);


#endif /* _NGX_HTTP_FLOWDASH_PACE_H_INCLUDED_ */
