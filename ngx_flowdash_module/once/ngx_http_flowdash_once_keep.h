
#ifndef _NGX_HTTP_FLOWDASH_ONCE_KEEP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ONCE_KEEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* Puts filters above all others.  To be called when all modules are there. */
void ngx_http_flowdash_once_keep_init(void);


#endif /* _NGX_HTTP_FLOWDASH_ONCE_KEEP_H_INCLUDED_ */
