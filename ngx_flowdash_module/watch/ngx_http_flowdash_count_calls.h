
#ifndef _NGX_HTTP_FLOWDASH_COUNT_CALLS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_COUNT_CALLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_metrics.h>


/*
 * Counts what was sent and answered in the calls of an exchange.  Returns how
 * many there were.
 */
ngx_uint_t ngx_http_flowdash_count_calls(
    ngx_http_flowdash_counters_t *counters, ngx_http_flowdash_exchange_t *ex);

/* Counts the class of a status; 0: there was no answer. */
void ngx_http_flowdash_count_calls_status(
    ngx_http_flowdash_counters_t *counters, ngx_uint_t status);


#endif /* _NGX_HTTP_FLOWDASH_COUNT_CALLS_H_INCLUDED_ */
