
#ifndef _NGX_HTTP_FLOWDASH_TRIM_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TRIM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * To be called when an execution begins or ends; "n" is how many the worker
 * has then.  After a peak, the memory that it took goes back to the system.
 */
void ngx_http_flowdash_trim(ngx_uint_t n);


#endif /* _NGX_HTTP_FLOWDASH_TRIM_H_INCLUDED_ */
