
#ifndef _NGX_HTTP_FLOWDASH_ACTION_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ACTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * The precontent phase handler, entered again after the body was read and
 * after each step.  Returns NGX_DECLINED to let the request continue.
 */
ngx_int_t ngx_http_flowdash_action_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_FLOWDASH_ACTION_H_INCLUDED_ */
