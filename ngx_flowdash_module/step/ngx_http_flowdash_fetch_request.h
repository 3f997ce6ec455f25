
#ifndef _NGX_HTTP_FLOWDASH_FETCH_REQUEST_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FETCH_REQUEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Creates the exchange of a fetch.  "name" says what is fetched, and is what
 * the directive's name has before "_from".  Returns NULL on error.
 */
ngx_http_flowdash_exchange_t *ngx_http_flowdash_fetch_request_create(
    ngx_http_request_t *r, const char *name);

/*
 * Evaluates the URI that a directive names.  Returns NGX_OK, NGX_DECLINED with
 * ex->error set if it cannot be used, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_fetch_request_uri(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_from_t *from,
    ngx_str_t *uri, ngx_str_t *args);

/* Starts the subrequest of ctx->exchange.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_fetch_request_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *uri, ngx_str_t *args);

/*
 * Tells whether a header of the client is left out, since it describes the
 * client's own request.
 */
ngx_uint_t ngx_http_flowdash_fetch_request_leaves_out(ngx_str_t *name);


#endif /* _NGX_HTTP_FLOWDASH_FETCH_REQUEST_H_INCLUDED_ */
