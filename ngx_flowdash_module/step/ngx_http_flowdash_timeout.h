
#ifndef _NGX_HTTP_FLOWDASH_TIMEOUT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TIMEOUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_call.h>


/*
 * The time of a step or a fetch is over: sets ex->error, and says in
 * ex->detail how far it has come.  Call it before anything is ended.  "r" is
 * the client's request.
 */
void ngx_http_flowdash_timeout(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex);

/* The same for a call without a client's request. */
void ngx_http_flowdash_timeout_call(ngx_http_flowdash_call_t *call);

/*
 * The same for an attempt of a call that libcurl has ended.  Returns
 * NGX_DECLINED.
 */
ngx_int_t ngx_http_flowdash_timeout_attempt(ngx_http_flowdash_call_t *call);

/* The same for a subrequest that nginx's upstream has ended. */
void ngx_http_flowdash_timeout_upstream(ngx_http_flowdash_exchange_t *ex);


#endif /* _NGX_HTTP_FLOWDASH_TIMEOUT_H_INCLUDED_ */
