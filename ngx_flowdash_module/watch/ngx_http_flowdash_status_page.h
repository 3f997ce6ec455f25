
#ifndef _NGX_HTTP_FLOWDASH_STATUS_PAGE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>


/* Writes the page of "flowdash_status html". */
void ngx_http_flowdash_status_page(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_PAGE_H_INCLUDED_ */
