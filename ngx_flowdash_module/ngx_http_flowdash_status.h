
#ifndef _NGX_HTTP_FLOWDASH_STATUS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


/* a text of any length */

typedef struct {
    ngx_pool_t                      *pool;
    ngx_chain_t                     *first;
    ngx_chain_t                     *last;
    off_t                            length;
    unsigned                         failed:1;  /* memory ran out */
} ngx_http_flowdash_output_t;


/* what is shown of a step, and of an action with its steps */

typedef struct {
    ngx_str_t                        name;
    ngx_str_t                        endpoint;  /* scheme and host, or empty */
    ngx_flag_t                       optional;
    ngx_http_flowdash_counters_t    *counters;
} ngx_http_flowdash_step_view_t;


typedef struct {
    ngx_str_t                        name;
    ngx_http_flowdash_counters_t    *counters;
    ngx_array_t                      steps;     /* of ..._step_view_t */
} ngx_http_flowdash_action_view_t;


typedef struct {
    ngx_http_flowdash_zone_t        *zone;
    ngx_array_t                      actions;   /* of ..._action_view_t */
    ngx_uint_t                       configured;  /* of them, the first */
    unsigned                         sorted:1;    /* those that follow are */
    ngx_http_flowdash_failure_t     *failures;
    ngx_uint_t                       nfailures;
} ngx_http_flowdash_view_t;


/* Adds to the text as ngx_sprintf() does, up to 4000 bytes in one call. */
void ngx_http_flowdash_output(ngx_http_flowdash_output_t *out,
    const char *fmt, ...);

/* Adds a text whose special characters are escaped: of JSON, or of HTML. */
void ngx_http_flowdash_output_json(ngx_http_flowdash_output_t *out,
    ngx_str_t *text);
void ngx_http_flowdash_output_html(ngx_http_flowdash_output_t *out,
    ngx_str_t *text);

/* The number of values in a histogram. */
ngx_uint_t ngx_http_flowdash_status_view_count(
    ngx_http_flowdash_histogram_t *time);

/* Writes the page of "flowdash_status html". */
void ngx_http_flowdash_status_page(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_H_INCLUDED_ */
