
#ifndef _NGX_HTTP_FLOWDASH_STATUS_PAGE_FAILURES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_PAGE_FAILURES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>


/* Writes the list of the last failures. */
void ngx_http_flowdash_status_page_failures(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_PAGE_FAILURES_H_INCLUDED_ */
