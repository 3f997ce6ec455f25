
#ifndef _NGX_HTTP_FLOWDASH_ERROR_INTERNAL_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Ends an execution that the gateway itself cannot continue: as error(), with
 * the reason "internal".  The line in the log and the counters need no memory.
 * "ctx" is NULL if there was no memory for it: then nginx makes the page.
 * Returns what the phase handler returns, which is never NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_error_internal(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char *detail);

/*
 * Logs and counts an execution that nginx has ended with a page of its own, or
 * of the configuration's.  "detail" is static.
 */
void ngx_http_flowdash_error_internal_ended(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, char *detail);

/*
 * Logs and counts an execution whose request nginx ends before the action has
 * ended.  The client gets no answer.
 */
void ngx_http_flowdash_error_internal_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_ERROR_INTERNAL_H_INCLUDED_ */
