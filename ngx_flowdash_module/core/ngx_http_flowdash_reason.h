
#ifndef _NGX_HTTP_FLOWDASH_REASON_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_REASON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the values of $flowdash_error, see ngx_http_flowdash_reasons[] */

typedef enum {
    NGX_HTTP_FLOWDASH_OK = 0,
    NGX_HTTP_FLOWDASH_STATUS,
    NGX_HTTP_FLOWDASH_TIMEOUT,
    NGX_HTTP_FLOWDASH_CONNECT,
    NGX_HTTP_FLOWDASH_RESOLVE,
    NGX_HTTP_FLOWDASH_TLS,
    NGX_HTTP_FLOWDASH_DENIED,
    NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE,
    NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
    NGX_HTTP_FLOWDASH_REQUEST_INVALID,
    NGX_HTTP_FLOWDASH_DEADLINE,
    NGX_HTTP_FLOWDASH_INTERNAL,
    NGX_HTTP_FLOWDASH_GUARDED,
    NGX_HTTP_FLOWDASH_NO_USER,
    NGX_HTTP_FLOWDASH_CONFLICT,
    NGX_HTTP_FLOWDASH_MISMATCH,
    NGX_HTTP_FLOWDASH_ERRORS           /* the number of them */
} ngx_http_flowdash_reason_e;


/* Returns the name of a reason as in $flowdash_error; empty for ..._OK. */
ngx_str_t *ngx_http_flowdash_reason_name(ngx_http_flowdash_reason_e reason);

/*
 * Returns the status that the client gets for a reason, unless the endpoint's
 * own is passed on.
 */
ngx_uint_t ngx_http_flowdash_reason_status(ngx_http_flowdash_reason_e reason);


#endif /* _NGX_HTTP_FLOWDASH_REASON_H_INCLUDED_ */
