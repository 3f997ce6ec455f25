
#ifndef _NGX_HTTP_FLOWDASH_CALL_TLS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CALL_TLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_call.h>


/*
 * Has the endpoint answered a transfer that has failed with an alert of TLS?
 * libcurl says so of an alert in the handshake; in TLS 1.3 the endpoint looks
 * at the gateway's certificate after that, and libcurl says that it could not
 * send or receive.
 */
ngx_uint_t ngx_http_flowdash_call_tls_is_alert(ngx_http_flowdash_call_t *call);

/* Is the alert about the gateway's certificate?  It would be sent again. */
ngx_uint_t ngx_http_flowdash_call_tls_is_refused(
    ngx_http_flowdash_call_t *call);

/*
 * If the gateway's certificate is, or may be, the reason why an attempt has
 * failed, sets ex->error to "error" and ex->detail to "detail" with these
 * words, and returns 1; otherwise, returns 0.
 */
ngx_uint_t ngx_http_flowdash_call_tls_explain(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_reason_e error, const char *detail);


#endif /* _NGX_HTTP_FLOWDASH_CALL_TLS_H_INCLUDED_ */
