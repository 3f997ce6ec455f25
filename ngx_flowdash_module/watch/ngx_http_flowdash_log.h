
#ifndef _NGX_HTTP_FLOWDASH_LOG_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_LOG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_record.h>


/* Logs that an action failed, and on which step if it failed on one. */
void ngx_http_flowdash_log_failed(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_reason_e error,
    ngx_str_t *detail);

/*
 * Logs that an action has passed, and that nginx ended the request before the
 * app was called.
 */
void ngx_http_flowdash_log_aborted(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Logs that an action has passed, but that the app has refused it, or that
 * nobody knows what the app has done.
 */
void ngx_http_flowdash_log_outcome(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/* Logs that the client has left, which the action ignores. */
void ngx_http_flowdash_log_left(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/* Logs that flowdash_guard refuses the request, whose method is "method". */
void ngx_http_flowdash_log_guarded(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *method);

/* Logs that an optional step failed, and the action continues. */
void ngx_http_flowdash_log_tolerated(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);

/* Logs that a call failed, and is repeated after "wait" ms. */
void ngx_http_flowdash_log_repeated(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_reason_e error, ngx_msec_t wait);

/*
 * Logs that the answer to a step changes nothing, because it is "what", such
 * as "is not JSON"; at a level of nginx's.
 */
void ngx_http_flowdash_log_ignored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_uint_t level, const char *what);

/*
 * Logs that an answer has a field, spelled as in its JSON, that the step may
 * not change; at a level of nginx's.
 */
void ngx_http_flowdash_log_dropped(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_uint_t level, ngx_str_t *field);

/* Logs that a step was led to a location that must not answer it. */
void ngx_http_flowdash_log_led_away(ngx_http_request_t *r);

/*
 * Logs what became of a delivery, such as "failed", for the reason that is in
 * the exchange; at a level of nginx's.  "more" is how many lines like it were
 * not logged.
 */
void ngx_http_flowdash_log_delivery(ngx_log_t *log, ngx_uint_t level,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery,
    ngx_http_flowdash_exchange_t *ex, const char *what, ngx_uint_t more);

/*
 * Writes which delivery it is, as in "undo of step "CRM", id 4a..."; for lines
 * that others write.  Returns the end, "last" at most.
 */
u_char *ngx_http_flowdash_log_delivery_name(u_char *p, u_char *last,
    ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *delivery);


#endif /* _NGX_HTTP_FLOWDASH_LOG_H_INCLUDED_ */
