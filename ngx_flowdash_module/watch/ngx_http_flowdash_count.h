
#ifndef _NGX_HTTP_FLOWDASH_COUNT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_COUNT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Creates the counters of all actions whose names have no variables, and of
 * their steps, undos and after-steps.
 */
void ngx_http_flowdash_count_configured(ngx_http_flowdash_main_conf_t *fmcf,
    ngx_log_t *log);

/* Counts that an execution begins. */
void ngx_http_flowdash_count_started(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/* Counts that its steps have passed: it no longer runs. */
void ngx_http_flowdash_count_passed(ngx_http_flowdash_ctx_t *ctx);

/*
 * Counts what the app has answered, or that it has not, and what this means;
 * before it is counted how the execution has ended.
 */
void ngx_http_flowdash_count_app(ngx_http_flowdash_ctx_t *ctx);

/* Counts how it has ended, once. */
void ngx_http_flowdash_count_ended(ngx_http_flowdash_ctx_t *ctx);

/* Counts a request that flowdash_guard refuses. */
void ngx_http_flowdash_count_guarded(ngx_http_request_t *r);

/*
 * Counts an answer that is ignored.  Returns 1 if it should be logged at this
 * level, which is at most once a minute and step: in all workers together if
 * there is a flowdash_zone, otherwise in each.  A line that the log does not
 * take silences no other one.
 */
ngx_uint_t ngx_http_flowdash_count_ignored(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex, ngx_log_t *log, ngx_uint_t level);

/*
 * Returns 1 if it should be logged, at the level "error", that flowdash_accept
 * does not name a field: as often as for an answer that is ignored.
 */
ngx_uint_t ngx_http_flowdash_count_dropped(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex, ngx_log_t *log);

/* Counts a step that has ended, with its calls. */
void ngx_http_flowdash_count_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);

/*
 * Counts a try of an undo or after-step, of the execution of an action of this
 * name; no client's request is needed.  It sets ex->time.
 */
void ngx_http_flowdash_count_delivery(ngx_str_t *action,
    ngx_http_flowdash_exchange_t *ex, ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_COUNT_H_INCLUDED_ */
