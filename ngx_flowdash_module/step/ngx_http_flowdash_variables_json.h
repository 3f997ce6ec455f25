
#ifndef _NGX_HTTP_FLOWDASH_VARIABLES_JSON_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_VARIABLES_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* Adds the variables $flowdash_json_NAME.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_variables_json_add(ngx_conf_t *cf);

/*
 * Checks that $flowdash_NAME exists for each $flowdash_json_NAME that the
 * configuration uses.  Returns NGX_OK, or NGX_ERROR after it has logged which
 * one does not exist.
 */
ngx_int_t ngx_http_flowdash_variables_json_check(ngx_conf_t *cf);


#endif /* _NGX_HTTP_FLOWDASH_VARIABLES_JSON_H_INCLUDED_ */
