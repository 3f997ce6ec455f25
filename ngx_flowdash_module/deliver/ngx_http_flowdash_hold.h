
#ifndef _NGX_HTTP_FLOWDASH_HOLD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_HOLD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Adds the filters that hold back a response whose execution has
 * whole->holding set before its header is sent.
 */
void ngx_http_flowdash_hold_init(void);

/*
 * Sends the header that was held back, and what has come of the body since.
 * Does nothing if none was.
 */
void ngx_http_flowdash_hold_release(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole);


#endif /* _NGX_HTTP_FLOWDASH_HOLD_H_INCLUDED_ */
