
#ifndef _NGX_HTTP_FLOWDASH_STATUS_OUTBOX_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_OUTBOX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>


/* What waits in the outbox, as a member of "flowdash_status json". */
void ngx_http_flowdash_status_outbox_json(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone);

/* The same for Prometheus. */
void ngx_http_flowdash_status_outbox_prometheus(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_zone_t *zone);

/* The same as a section of the page, if there has ever been anything. */
void ngx_http_flowdash_status_outbox_page(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_OUTBOX_H_INCLUDED_ */
