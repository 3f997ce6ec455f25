
#ifndef _NGX_HTTP_FLOWDASH_UNREAD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_UNREAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Ends an execution whose body nginx cannot read or store, within the handler
 * that has asked for the body: logs, counts, and sends the page.  Returns what
 * the phase handler returns, which is never NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_unread(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * The same for a body of which nginx had a part, when nginx shows an error
 * page of the configuration's.  The app may make it, so the body is discarded.
 * Does nothing once the body has been read.  NGX_OK, or NGX_ERROR without
 * memory.
 */
ngx_int_t ngx_http_flowdash_unread_page(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * The same when the request ends: the client has had nginx's own page.  Does
 * nothing if the client is to blame, or if the body has been read.
 */
void ngx_http_flowdash_unread_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_UNREAD_H_INCLUDED_ */
