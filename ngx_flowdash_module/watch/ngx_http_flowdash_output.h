
#ifndef _NGX_HTTP_FLOWDASH_OUTPUT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTPUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a text of any length */

typedef struct {
    ngx_pool_t                      *pool;
    ngx_chain_t                     *first;
    ngx_chain_t                     *last;
    off_t                            length;
    unsigned                         failed:1;  /* memory ran out */
} ngx_http_flowdash_output_t;


/* Appends to the text like ngx_sprintf(), at most 4000 bytes in one call. */
void ngx_http_flowdash_output(ngx_http_flowdash_output_t *out,
    const char *fmt, ...);

/* Append a name, cut as in the counters, and escaped for JSON or HTML. */
void ngx_http_flowdash_output_json(ngx_http_flowdash_output_t *out,
    ngx_str_t *text);
void ngx_http_flowdash_output_html(ngx_http_flowdash_output_t *out,
    ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_OUTPUT_H_INCLUDED_ */
