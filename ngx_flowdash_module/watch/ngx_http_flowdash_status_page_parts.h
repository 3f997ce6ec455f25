
#ifndef _NGX_HTTP_FLOWDASH_STATUS_PAGE_PARTS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_PAGE_PARTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * What comes before the title, and what stands behind all else: each of them
 * fits into one call of ngx_http_flowdash_output().
 */
extern const char  ngx_http_flowdash_status_page_head[];
extern const char  ngx_http_flowdash_status_page_style[];
extern const char  ngx_http_flowdash_status_page_narrow[];
extern const char  ngx_http_flowdash_status_page_script[];


#endif /* _NGX_HTTP_FLOWDASH_STATUS_PAGE_PARTS_H_INCLUDED_ */
