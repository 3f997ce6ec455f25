
#ifndef _NGX_HTTP_FLOWDASH_JSON_ELEMENTS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_ELEMENTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Splits a JSON array of at most "max" objects: initializes "elements", and
 * fills it with their texts (ngx_str_t).  Returns NGX_OK; NGX_DECLINED with
 * the error and the byte if this is not such an array; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_json_elements(ngx_str_t *text,
    ngx_array_t *elements, ngx_uint_t max, const char **error, size_t *offset,
    ngx_pool_t *pool);


#endif /* _NGX_HTTP_FLOWDASH_JSON_ELEMENTS_H_INCLUDED_ */
