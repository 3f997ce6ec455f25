
#ifndef _NGX_HTTP_FLOWDASH_STATUS_PAGE_EXECUTION_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_PAGE_EXECUTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions.h>
#include <ngx_http_flowdash_output.h>


/*
 * Writes the page of one execution, or that it is not kept if it is NULL, or
 * that none are.
 */
void ngx_http_flowdash_status_page_execution(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone, ngx_str_t *id,
    ngx_http_flowdash_execution_t *execution);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_PAGE_EXECUTION_H_INCLUDED_ */
