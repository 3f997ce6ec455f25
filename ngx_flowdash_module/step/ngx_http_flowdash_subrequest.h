
#ifndef _NGX_HTTP_FLOWDASH_SUBREQUEST_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SUBREQUEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Creates a background subrequest in memory, whose answer goes into the
 * exchange.  Returns NULL on error.
 */
ngx_http_request_t *ngx_http_flowdash_subrequest_create(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_str_t *uri, ngx_str_t *args);

/*
 * Undoes the creation of the exchange's subrequest, which has not run yet:
 * what it needs could not be prepared.
 */
void ngx_http_flowdash_subrequest_undo(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex);

/* Sets a subrequest's method, also for $request_method. */
void ngx_http_flowdash_subrequest_set_method(ngx_http_request_t *sr,
    ngx_uint_t method, ngx_str_t *name);

/* Starts the timer that limits ctx->exchange. */
void ngx_http_flowdash_subrequest_set_timer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_loc_conf_t *flcf);

/* The subrequest's post handler, which also marks it as a step or a fetch. */
ngx_int_t ngx_http_flowdash_subrequest_done(ngx_http_request_t *r, void *data,
    ngx_int_t rc);

/* Inserts the body filter that collects the answers of steps. */
ngx_int_t ngx_http_flowdash_subrequest_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_FLOWDASH_SUBREQUEST_H_INCLUDED_ */
