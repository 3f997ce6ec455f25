
#ifndef _NGX_HTTP_FLOWDASH_YIELD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_YIELD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Lets other requests run, and then the phases of this one again.  Returns
 * NGX_DONE.
 */
ngx_int_t ngx_http_flowdash_yield(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_YIELD_H_INCLUDED_ */
