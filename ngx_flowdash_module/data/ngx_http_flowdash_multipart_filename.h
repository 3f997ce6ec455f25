
#ifndef _NGX_HTTP_FLOWDASH_MULTIPART_FILENAME_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MULTIPART_FILENAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_multipart_state.h>


/*
 * Decodes the name of a file into the form's pool: "filename", as browsers
 * escape it, or if that has no data, "filename_ext", the value of filename*.
 * The rule "words" refuses one that apps could decode further.
 * Returns NGX_OK, NGX_DECLINED with form->verdict set, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_multipart_filename(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *filename,
    ngx_str_t *filename_ext, ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_MULTIPART_FILENAME_H_INCLUDED_ */
