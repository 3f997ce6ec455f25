
#ifndef _NGX_HTTP_FLOWDASH_CALL_RESULT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CALL_RESULT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_call.h>


/*
 * libcurl's header callback: counts the header for flowdash_max_response_size.
 * Returns the line's length, or 0, which ends the transfer.
 */
size_t ngx_http_flowdash_call_result_header(char *p, size_t size, size_t n,
    void *data);

/*
 * libcurl's write callback: adds to the answer's body.  Returns the length, or
 * 0, which ends the transfer.
 */
size_t ngx_http_flowdash_call_result_write(char *p, size_t size, size_t n,
    void *data);

/*
 * Reads the status and media type of the answer when the transfer has ended.
 * Returns NGX_OK, NGX_DECLINED with ex->error set if there is no answer, or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_call_result_read_response(
    ngx_http_flowdash_call_t *call);

/*
 * Sets ex->error and, for the log, ex->detail to a copy of "detail".  Returns
 * NGX_DECLINED, or NGX_ERROR if memory ran out.
 */
ngx_int_t ngx_http_flowdash_call_result_set_error(
    ngx_http_flowdash_call_t *call, ngx_http_flowdash_reason_e error,
    const char *detail);

/*
 * Tells whether an attempt that has ended, not yet recorded, is sent once
 * more, whatever flowdash_retry says: the kept connection on which it was sent
 * has closed before any octet of an answer, or with 408 (RFC 9110, 15.5.9), or
 * HTTP/2 has refused its stream.
 */
ngx_uint_t ngx_http_flowdash_call_result_can_resend(
    ngx_http_flowdash_call_t *call);

/*
 * Returns the condition of flowdash_retry that the attempt meets, or 0 if the
 * call has succeeded, or has failed for good.
 */
ngx_uint_t ngx_http_flowdash_call_result_retry_condition(
    ngx_http_flowdash_call_t *call);

/*
 * Returns the answer's Retry-After (RFC 9110, 10.2.3) in seconds, 0 if there
 * is none that can be read.
 */
curl_off_t ngx_http_flowdash_call_result_retry_after(
    ngx_http_flowdash_call_t *call);


#endif /* _NGX_HTTP_FLOWDASH_CALL_RESULT_H_INCLUDED_ */
