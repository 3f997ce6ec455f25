
#ifndef _NGX_HTTP_FLOWDASH_VARIABLES_EXTRACT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_VARIABLES_EXTRACT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * The handler of a variable of flowdash_extract; "data" is the name (ngx_str_t
 * *) that all directives for it share.
 */
ngx_int_t ngx_http_flowdash_variables_extract(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


#endif /* _NGX_HTTP_FLOWDASH_VARIABLES_EXTRACT_H_INCLUDED_ */
