
#ifndef _NGX_HTTP_FLOWDASH_HOLD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_HOLD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* the longest response that after-steps get, octets */

#define NGX_HTTP_FLOWDASH_HOLD_RESPONSE  65536


/*
 * Adds the filters that record the outcome when the app's header is there,
 * hold the response back until that is safe, and keep it for the after-steps.
 */
void ngx_http_flowdash_hold_init(void);

/* Begins to keep the response, if it is JSON; before its header is sent. */
void ngx_http_flowdash_hold_collect(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole);

/*
 * Sends the header that was held back, and what has come of the body since.
 * Does nothing if none was.
 */
void ngx_http_flowdash_hold_release(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole);


#endif /* _NGX_HTTP_FLOWDASH_HOLD_H_INCLUDED_ */
