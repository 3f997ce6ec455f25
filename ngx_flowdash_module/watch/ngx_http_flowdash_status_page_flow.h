
#ifndef _NGX_HTTP_FLOWDASH_STATUS_PAGE_FLOW_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_PAGE_FLOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>


/* Draws an action: its steps in columns, which all actions have in common. */
void ngx_http_flowdash_status_page_flow(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view, ngx_http_flowdash_action_view_t *action,
    ngx_uint_t columns);

/* Returns how many columns the actions need. */
ngx_uint_t ngx_http_flowdash_status_page_columns(
    ngx_http_flowdash_view_t *view);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_PAGE_FLOW_H_INCLUDED_ */
