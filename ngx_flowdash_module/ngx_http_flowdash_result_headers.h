
#ifndef _NGX_HTTP_FLOWDASH_RESULT_HEADERS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RESULT_HEADERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* the values of flowdash_result_headers */

#define NGX_HTTP_FLOWDASH_RESULT_HEADERS_OFF     0
#define NGX_HTTP_FLOWDASH_RESULT_HEADERS_ON      1
#define NGX_HTTP_FLOWDASH_RESULT_HEADERS_FAILED  2


/* The directive "flowdash_result_headers". */
char *ngx_http_flowdash_result_headers_conf(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);

/*
 * Tells the client in headers of the response how the action ended, and htmx
 * in an event.  "ctx" is NULL if there is no execution: then the app's headers
 * of these names are dropped, and nothing is told.  A header for which there
 * is no memory is left out.
 */
void ngx_http_flowdash_result_headers(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_RESULT_HEADERS_H_INCLUDED_ */
