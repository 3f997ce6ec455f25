
#ifndef _NGX_HTTP_FLOWDASH_STATUS_EXECUTION_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_EXECUTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions.h>
#include <ngx_http_flowdash_output.h>


/*
 * Writes an execution as JSON, or that it is not kept if it is NULL, or that
 * none are.
 */
void ngx_http_flowdash_status_execution(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone, ngx_str_t *id,
    ngx_http_flowdash_execution_t *execution);

/* Returns the word for how an execution has ended; empty: it has not. */
const char *ngx_http_flowdash_status_execution_outcome(
    ngx_http_flowdash_execution_t *execution);

/* Returns the word for how a step has ended, or is. */
const char *ngx_http_flowdash_status_execution_result(
    ngx_http_flowdash_execution_step_t *step);

/* Returns the name of a step, or an empty one if the zone has no room. */
ngx_str_t ngx_http_flowdash_status_execution_step_name(
    ngx_http_flowdash_execution_step_t *step);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_EXECUTION_H_INCLUDED_ */
