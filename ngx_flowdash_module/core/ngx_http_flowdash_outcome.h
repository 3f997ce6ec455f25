
#ifndef _NGX_HTTP_FLOWDASH_OUTCOME_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTCOME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_outcomes.h>


/* when the outcome may be known */

typedef enum {
    NGX_HTTP_FLOWDASH_OUTCOME_AT_HEADER = 0,  /* of the response */
    NGX_HTTP_FLOWDASH_OUTCOME_AT_REDIRECT,    /* an internal one */
    NGX_HTTP_FLOWDASH_OUTCOME_AT_END          /* of the request */
} ngx_http_flowdash_outcome_at_e;


/* statuses that flowdash_success accepts */

typedef struct {
    ngx_uint_t                      from;
    ngx_uint_t                      to;
} ngx_http_flowdash_statuses_t;


typedef struct ngx_http_flowdash_ctx_s  ngx_http_flowdash_ctx_t;


/*
 * The steps have passed, and the app is called now: remembers which upstreams
 * nginx has used before.
 */
void ngx_http_flowdash_outcome_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Finds out what the app has done, once: sets ctx->outcome, ctx->app_status,
 * ctx->app_location and ctx->app_time.  Returns NGX_OK if this call has done
 * it, or NGX_DECLINED if the outcome was known before or is not known yet.
 */
ngx_int_t ngx_http_flowdash_outcome_take(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_outcome_at_e at);


#endif /* _NGX_HTTP_FLOWDASH_OUTCOME_H_INCLUDED_ */
