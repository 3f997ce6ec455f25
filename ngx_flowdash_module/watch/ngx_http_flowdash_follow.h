
#ifndef _NGX_HTTP_FLOWDASH_FOLLOW_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FOLLOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Each enters what an execution does in the ring of the last ones.  If it is
 * not counted, or no executions are kept, nothing happens.
 */

/* It begins, and is counted from now on.  "action" is its name. */
void ngx_http_flowdash_follow_begin(ngx_http_flowdash_ctx_t *ctx,
    ngx_str_t *action);

/* Its last step is called. */
void ngx_http_flowdash_follow_step_begins(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex);

/* Its last step has ended, or is skipped. */
void ngx_http_flowdash_follow_step_ended(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex);

/* Its steps have passed. */
void ngx_http_flowdash_follow_passed(ngx_http_flowdash_ctx_t *ctx);

/* It has ended. */
void ngx_http_flowdash_follow_ended(ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_FOLLOW_H_INCLUDED_ */
