
#ifndef _NGX_HTTP_FLOWDASH_VARIABLES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_VARIABLES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* Adds the module's variables.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_variables_add(ngx_conf_t *cf);


#endif /* _NGX_HTTP_FLOWDASH_VARIABLES_H_INCLUDED_ */
