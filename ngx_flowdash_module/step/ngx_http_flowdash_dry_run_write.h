
#ifndef _NGX_HTTP_FLOWDASH_DRY_RUN_WRITE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_DRY_RUN_WRITE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* a text in pieces, most of which are used in place, without a copy */

typedef struct {
    ngx_pool_t     *pool;
    ngx_chain_t    *first;
    ngx_chain_t   **next;
    ngx_buf_t      *last;
    off_t           length;
    unsigned        failed:1;   /* memory ran out */
} ngx_http_flowdash_dry_run_t;


/*
 * Writes the members of the object that shows the call of a step, an undo or
 * an after-step.
 */
void ngx_http_flowdash_dry_run_write_step(ngx_http_flowdash_dry_run_t *out,
    ngx_http_flowdash_exchange_t *ex, ngx_uint_t skipped);

/* Writes a text as it is; it is not copied. */
void ngx_http_flowdash_dry_run_write_text(ngx_http_flowdash_dry_run_t *out,
    const char *text);

/* Writes a JSON string. */
void ngx_http_flowdash_dry_run_write_string(ngx_http_flowdash_dry_run_t *out,
    ngx_str_t *s);


#endif /* _NGX_HTTP_FLOWDASH_DRY_RUN_WRITE_H_INCLUDED_ */
