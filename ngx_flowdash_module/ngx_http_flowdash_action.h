
#ifndef _NGX_HTTP_FLOWDASH_ACTION_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ACTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_method.h>


/*
 * The precontent phase handler, entered again after the body was read and
 * after each step.  Returns NGX_DECLINED to let the request continue.
 */
ngx_int_t ngx_http_flowdash_action_handler(ngx_http_request_t *r);

/*
 * Tells whether the location makes the request an action, or may do so when
 * the body has been read: then method->listed is not set.
 */
ngx_uint_t ngx_http_flowdash_action_is_here(ngx_http_request_t *r,
    ngx_http_flowdash_method_t *method);


#endif /* _NGX_HTTP_FLOWDASH_ACTION_H_INCLUDED_ */
