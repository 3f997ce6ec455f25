
#ifndef _NGX_HTTP_FLOWDASH_STATUS_PAGE_TABLE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_PAGE_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>


/* Writes the numbers of an action: a row each for it, its steps, its app. */
void ngx_http_flowdash_status_page_table(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_action_view_t *action);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_PAGE_TABLE_H_INCLUDED_ */
