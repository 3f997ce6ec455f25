
#ifndef _NGX_HTTP_FLOWDASH_EXCHANGE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EXCHANGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Records why an exchange failed.  "detail" is for the log, and is not copied.
 * Returns NGX_DECLINED.
 */
ngx_int_t ngx_http_flowdash_exchange_fail(ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_reason_e reason, const char *detail);

/*
 * The same with a detail that is formatted like ngx_sprintf()'s, at most
 * NGX_MAX_ERROR_STR bytes, and allocated from the pool.  If memory runs out,
 * the detail says so.  Returns NGX_DECLINED.
 */
ngx_int_t ngx_http_flowdash_exchange_fail_text(
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_reason_e reason,
    ngx_pool_t *pool, const char *fmt, ...);

/*
 * Tells whether an action continues although this step has failed: it is
 * optional, and not the request itself made the call impossible.  If it has
 * conditions, each of its attempts must have failed in one of these ways.
 */
ngx_uint_t ngx_http_flowdash_exchange_is_tolerated(
    ngx_http_flowdash_exchange_t *ex);

/*
 * Returns the configuration of the step whose endpoint is told, or NULL for a
 * fetch, which is the app's.
 */
ngx_http_flowdash_loc_conf_t *ngx_http_flowdash_exchange_conf(
    ngx_http_flowdash_exchange_t *ex);

/* Returns the endpoint's own status, or 0: nginx may have set one, too. */
ngx_uint_t ngx_http_flowdash_exchange_answered(
    ngx_http_flowdash_exchange_t *ex);


#endif /* _NGX_HTTP_FLOWDASH_EXCHANGE_H_INCLUDED_ */
