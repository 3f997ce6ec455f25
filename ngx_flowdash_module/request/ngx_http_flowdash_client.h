
#ifndef _NGX_HTTP_FLOWDASH_CLIENT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CLIENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Makes the app's request continue although the client leaves, as
 * proxy_ignore_client_abort does.  To be called before the content handler of
 * a location runs, after each internal redirect again.  Handlers that start an
 * upstream later than they return are not covered.
 */
void ngx_http_flowdash_client_ignore(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_CLIENT_H_INCLUDED_ */
