
#ifndef _NGX_HTTP_FLOWDASH_COLLECT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_COLLECT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* the longest response that after-steps get, octets */

#define NGX_HTTP_FLOWDASH_COLLECT_MAX  65536


/* Adds the filter that keeps responses. */
void ngx_http_flowdash_collect_init(void);

/* Begins to keep the response, if it is JSON; before its header is sent. */
void ngx_http_flowdash_collect_begin(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole);


#endif /* _NGX_HTTP_FLOWDASH_COLLECT_H_INCLUDED_ */
