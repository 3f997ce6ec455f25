
#ifndef _NGX_HTTP_FLOWDASH_RETRY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RETRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* why a call is repeated, see flowdash_retry */

#define NGX_HTTP_FLOWDASH_RETRY_ERROR    0x0001
#define NGX_HTTP_FLOWDASH_RETRY_TIMEOUT  0x0002
#define NGX_HTTP_FLOWDASH_RETRY_429      0x0004
#define NGX_HTTP_FLOWDASH_RETRY_500      0x0008
#define NGX_HTTP_FLOWDASH_RETRY_502      0x0010
#define NGX_HTTP_FLOWDASH_RETRY_503      0x0020
#define NGX_HTTP_FLOWDASH_RETRY_504      0x0040
#define NGX_HTTP_FLOWDASH_RETRY_5XX      0x0080
#define NGX_HTTP_FLOWDASH_RETRY_NONE     0x0100  /* none of these */

/*
 * Which of these flowdash_optional may name.  Not 500: a client that makes an
 * endpoint crash must not get past it.
 */

#define NGX_HTTP_FLOWDASH_RETRY_TOLERABLE                                     \
    (NGX_HTTP_FLOWDASH_RETRY_ERROR|NGX_HTTP_FLOWDASH_RETRY_TIMEOUT            \
     |NGX_HTTP_FLOWDASH_RETRY_429|NGX_HTTP_FLOWDASH_RETRY_502                 \
     |NGX_HTTP_FLOWDASH_RETRY_503|NGX_HTTP_FLOWDASH_RETRY_504)


typedef struct ngx_http_flowdash_retry_s {
    ngx_uint_t                      n;
    ngx_uint_t                      conditions;
    ngx_msec_t                      timeout;   /* of an attempt; 0: a share */
} ngx_http_flowdash_retry_t;


/* The words for the conditions; the last one has no name. */
extern ngx_conf_bitmask_t  ngx_http_flowdash_retry_conditions[];


/* Returns the condition of flowdash_retry that a status meets, or 0. */
ngx_uint_t ngx_http_flowdash_retry_condition(ngx_uint_t status);

/*
 * Returns how long one attempt may take, in ms, in a step that may take
 * "timeout"; 0 if an attempt has no limit of its own.  "retry" is NULL if
 * calls are not repeated, here and below.
 */
ngx_msec_t ngx_http_flowdash_retry_time(ngx_http_flowdash_retry_t *retry,
    ngx_msec_t timeout);

/*
 * Decides whether a failed call is repeated after so many attempts.
 * "condition" is how it failed, "after" is the endpoint's Retry-After in
 * seconds, or 0, and "left" is the time that the step still has, in ms.
 * Returns NGX_OK with the time to wait, in ms, or NGX_DECLINED.
 */
ngx_int_t ngx_http_flowdash_retry(ngx_http_flowdash_retry_t *retry,
    ngx_uint_t condition, ngx_uint_t attempts, int64_t after,
    ngx_msec_int_t left, ngx_msec_t *wait);


#endif /* _NGX_HTTP_FLOWDASH_RETRY_H_INCLUDED_ */
