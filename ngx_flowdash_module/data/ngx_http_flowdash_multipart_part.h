
#ifndef _NGX_HTTP_FLOWDASH_MULTIPART_PART_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MULTIPART_PART_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_multipart_state.h>


/*
 * Reads the complete headers of a part.  Returns NGX_OK, with mp->pair set if
 * the part belongs to the task; NGX_DECLINED with form->verdict set; or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_multipart_part_begin(
    ngx_http_flowdash_multipart_t *mp);


#endif /* _NGX_HTTP_FLOWDASH_MULTIPART_PART_H_INCLUDED_ */
