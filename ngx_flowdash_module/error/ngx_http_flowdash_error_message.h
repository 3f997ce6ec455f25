
#ifndef _NGX_HTTP_FLOWDASH_ERROR_MESSAGE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_MESSAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Finds the message for the user in the endpoint's answer: ctx->message is at
 * most 1 kB of UTF-8 in one line, without control characters; empty if there
 * is none.  Also finds ctx->errors, and sets ctx->joined if the message is
 * only these.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_error_message(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);


#endif /* _NGX_HTTP_FLOWDASH_ERROR_MESSAGE_H_INCLUDED_ */
