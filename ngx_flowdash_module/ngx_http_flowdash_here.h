
#ifndef _NGX_HTTP_FLOWDASH_HERE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_HERE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_method.h>


/*
 * Tells whether the location makes the request an action, or may do so when
 * the body has been read: then method->listed is not set.
 */
ngx_uint_t ngx_http_flowdash_here(ngx_http_request_t *r,
    ngx_http_flowdash_method_t *method);

/*
 * A step is answered by its own location, or by one that a "rewrite" in it
 * leads to.  An endpoint cannot name another location (X-Accel-Redirect), a
 * step without a content handler is not answered by static files, and no step
 * leads into an action.
 *
 * Subrequests of other modules, such as mirror's, run no steps.  They may
 * enter an action's location only after the action has passed.
 *
 * Returns NGX_DECLINED if a subrequest may continue, NGX_HTTP_FORBIDDEN, or
 * NGX_ERROR; a refusal is logged.
 */
ngx_int_t ngx_http_flowdash_here_subrequest(ngx_http_request_t *r);


#endif /* _NGX_HTTP_FLOWDASH_HERE_H_INCLUDED_ */
