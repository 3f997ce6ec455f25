
#ifndef _NGX_HTTP_FLOWDASH_END_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_END_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Puts the filters in place: those that add to the response's header, or hold
 * it back, and, when all modules have theirs, the first one, that notices the
 * app's answer.
 */
void ngx_http_flowdash_end_init(ngx_http_flowdash_main_conf_t *fmcf);
void ngx_http_flowdash_end_init_first(void);

/*
 * An internal redirect of an execution that has passed: it may end what the
 * app does.
 */
void ngx_http_flowdash_end_redirected(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Logs and counts what has become of an execution whose request nginx ends,
 * unless it has been counted before.
 */
void ngx_http_flowdash_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_END_H_INCLUDED_ */
