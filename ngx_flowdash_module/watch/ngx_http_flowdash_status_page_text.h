
#ifndef _NGX_HTTP_FLOWDASH_STATUS_PAGE_TEXT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_PAGE_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_recent.h>


/* Writes a name, apart from the direction of the text around it. */
void ngx_http_flowdash_status_page_name(ngx_http_flowdash_output_t *out,
    ngx_str_t *name);

/*
 * Writes a name for a drawing, where nothing is wrapped: cut, with dots behind
 * it, to what should fit into a width in hundredths of the font's size.
 */
void ngx_http_flowdash_status_page_clip(ngx_http_flowdash_output_t *out,
    ngx_str_t *name, ngx_uint_t width);

/* Writes a time as UTC, in a <time> that the script makes a local one. */
void ngx_http_flowdash_status_page_date(ngx_http_flowdash_output_t *out,
    time_t time);

/* Writes how many have ended in a minute, of those in "seconds". */
void ngx_http_flowdash_status_page_rate(ngx_http_flowdash_output_t *out,
    ngx_uint_t ended, time_t seconds);

/* Writes what the app has answered last, and that it has refused it. */
void ngx_http_flowdash_status_page_refusal(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters);

/* Writes which share has succeeded, or a dash if nothing has ended. */
void ngx_http_flowdash_status_page_share(ngx_http_flowdash_output_t *out,
    ngx_uint_t succeeded, ngx_uint_t ended);

/* Writes a quantile, in thousandths, or a dash if there is none. */
void ngx_http_flowdash_status_page_time(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_histogram_t *time, ngx_uint_t quantile);

/* Writes the last failure: what the endpoint has answered, or the reason. */
void ngx_http_flowdash_status_page_reason(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters);

/* Writes what the app has answered last. */
void ngx_http_flowdash_status_page_answer(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters);

/* Writes how often something has happened in this and the last minute. */
void ngx_http_flowdash_status_page_times(ngx_http_flowdash_output_t *out,
    ngx_uint_t n);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_PAGE_TEXT_H_INCLUDED_ */
