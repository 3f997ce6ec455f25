
#ifndef _NGX_HTTP_FLOWDASH_EXECUTION_VIEW_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EXECUTION_VIEW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions_entry.h>
#include <ngx_http_flowdash_executions.h>


/* Reads what an entry of the ring says in this round. */
void ngx_http_flowdash_execution_view(ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_execution_entry_t *entry, uint64_t round,
    ngx_http_flowdash_execution_t *execution);


#endif /* _NGX_HTTP_FLOWDASH_EXECUTION_VIEW_H_INCLUDED_ */
