
#ifndef _NGX_HTTP_FLOWDASH_DRY_RUN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_DRY_RUN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Sets ctx->dry_run if flowdash_dry_run asks for it.  Returns NGX_OK,
 * NGX_DECLINED with "error" set if an ambiguous field leaves it open, or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_dry_run_asked(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char **error);

/*
 * Returns whether an execution that ends was meant as a dry run, which is not
 * counted.  It may have ended before that had to be known.
 */
ngx_uint_t ngx_http_flowdash_dry_run_was_asked(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Ends an execution by telling the client what its steps would send.  Returns
 * what the phase handler returns.
 */
ngx_int_t ngx_http_flowdash_dry_run(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_DRY_RUN_H_INCLUDED_ */
