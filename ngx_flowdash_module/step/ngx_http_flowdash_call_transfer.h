
#ifndef _NGX_HTTP_FLOWDASH_CALL_TRANSFER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CALL_TRANSFER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_call.h>


/*
 * Starts the transfer of an attempt.  Returns NGX_AGAIN, or NGX_ERROR with
 * ex->error set.
 */
ngx_int_t ngx_http_flowdash_call_transfer(ngx_http_flowdash_call_t *call);

/*
 * Returns how much time the attempt has left, until the request is sent that
 * for connecting, in ms; -1 if there is none, 0 if there is no limit but that
 * of the call.
 */
ngx_msec_int_t ngx_http_flowdash_call_transfer_left(
    ngx_http_flowdash_call_t *call);


#endif /* _NGX_HTTP_FLOWDASH_CALL_TRANSFER_H_INCLUDED_ */
