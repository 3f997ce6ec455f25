
#ifndef _NGX_HTTP_FLOWDASH_CLIENT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CLIENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * From here on, the request continues although the client leaves.  When it
 * does, ctx remembers it, and a line in the log says so.
 */
void ngx_http_flowdash_client_ignore(ngx_http_request_t *r);

/* Lets nginx know again whether the client has left, and notices that. */
void ngx_http_flowdash_client_restore(ngx_http_request_t *r);

/*
 * Makes the app's request continue although the client leaves, as
 * proxy_ignore_client_abort does.  To be called before the content handler of
 * a location runs, after each internal redirect again; also for the
 * subrequests that other modules make before the app has answered.  Not
 * covered is an upstream that the handler starts only after it has returned,
 * as it does when it waits for proxy_cache_lock.  Returns NGX_OK or, for a
 * subrequest, NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_client_wrap(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_CLIENT_H_INCLUDED_ */
