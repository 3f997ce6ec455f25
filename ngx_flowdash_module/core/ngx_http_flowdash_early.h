
#ifndef _NGX_HTTP_FLOWDASH_EARLY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EARLY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* Notes that a variable of the module was read before there is a task. */
void ngx_http_flowdash_early_note(ngx_http_request_t *r);

/*
 * Makes nginx forget what it keeps of variables, such as those of "map", that
 * depend on the task or the user: they were read before these are known.  With
 * "always" 0, only if ngx_http_flowdash_early_note() was called.  There must
 * be a context, with its configuration.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_early_forget(ngx_http_request_t *r,
    ngx_uint_t always);


#endif /* _NGX_HTTP_FLOWDASH_EARLY_H_INCLUDED_ */
