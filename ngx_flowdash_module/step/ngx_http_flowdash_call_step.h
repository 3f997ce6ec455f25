
#ifndef _NGX_HTTP_FLOWDASH_CALL_STEP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CALL_STEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* The content handler of a step with flowdash_call; returns as they do. */
ngx_int_t ngx_http_flowdash_call_step_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_FLOWDASH_CALL_STEP_H_INCLUDED_ */
