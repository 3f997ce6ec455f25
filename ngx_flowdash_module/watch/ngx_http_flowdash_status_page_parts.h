
#ifndef _NGX_HTTP_FLOWDASH_STATUS_PAGE_PARTS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_PAGE_PARTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>


/*
 * Writes what comes before a page's header.  "id" is what is looked for, or
 * NULL for the page of all flows, of which "failing" fail.
 */
void ngx_http_flowdash_status_page_top(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone, ngx_uint_t failing, ngx_str_t *id);

/* Writes what stands behind all else. */
void ngx_http_flowdash_status_page_bottom(ngx_http_flowdash_output_t *out);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_PAGE_PARTS_H_INCLUDED_ */
