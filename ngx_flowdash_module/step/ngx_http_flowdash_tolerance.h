
#ifndef _NGX_HTTP_FLOWDASH_TOLERANCE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TOLERANCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_call.h>


/*
 * For flowdash_optional, ex->failures collects the conditions of
 * flowdash_retry that the attempts of a step have met, and ..._RETRY_NONE if
 * one of them has met none.  "error" and "timeout" mean more than to repeat a
 * call: if a byte of an answer has come, it may be a veto; and if a connection
 * breaks off once the request is on its way, the request may be why.
 */

/* Adds an attempt of flowdash_call that has just ended. */
void ngx_http_flowdash_tolerance_attempt(ngx_http_flowdash_call_t *call);

/* Adds the end of the step, and servers that nginx's upstream has tried. */
void ngx_http_flowdash_tolerance_end(ngx_http_flowdash_exchange_t *ex);


#endif /* _NGX_HTTP_FLOWDASH_TOLERANCE_H_INCLUDED_ */
