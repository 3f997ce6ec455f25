
#ifndef _NGX_HTTP_FLOWDASH_WHOLE_STATE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_WHOLE_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_outbox.h>


/*
 * What is known of an execution until its record is given away; then it is
 * gone, and ctx->whole is NULL.  It is in the record's pool, and may outlive
 * the request.
 */

struct ngx_http_flowdash_whole_s {
    ngx_http_request_t                *request;   /* NULL: it has ended */
    ngx_http_flowdash_ctx_t           *ctx;       /* NULL: so has it */
    ngx_http_flowdash_outbox_file_t   *file;
    ngx_http_flowdash_record_t        *record;
    ngx_http_flowdash_record_step_t   *step;      /* that is called; or NULL */

    ngx_int_t                          synced;    /* how the last sync ended */
    ngx_chain_t                       *held;      /* body that waits */
    ngx_str_t                          response;  /* that was collected */

    unsigned                           syncing:1;
    unsigned                           called:1;  /* the line is written */
    unsigned                           marked:1;
    unsigned                           ended:1;   /* the outcome is recorded */
    unsigned                           holding:1; /* the header waits */
    unsigned                           collecting:1;  /* the response */
    unsigned                           gzip:1;    /* it is coded so */
    unsigned                           broken:1;  /* a line is missing */
};


/* Returns the room that must be left when the app is called, octets. */
size_t ngx_http_flowdash_whole_end_size(ngx_http_flowdash_whole_t *whole,
    ngx_http_flowdash_ctx_t *ctx);

/* Copies a string to a pool.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_whole_copy(ngx_pool_t *pool, ngx_str_t *dst,
    ngx_str_t *src);

/*
 * Writes a line if it could be made ("rc").  Returns NGX_OK or NGX_ERROR, from
 * then on always: a record that lacks a line would not mean the same.
 */
ngx_int_t ngx_http_flowdash_whole_write(ngx_http_flowdash_whole_t *whole,
    ngx_int_t rc, ngx_str_t *line, ngx_log_t *log);

/*
 * Lets a thread sync the file, if it has to be.  Returns NGX_OK, NGX_ERROR, or
 * NGX_AGAIN: when it is done, whole->synced is set, and the request's write
 * event handler runs.
 */
ngx_int_t ngx_http_flowdash_whole_sync(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole);

/*
 * Gives the record away, unless something of it is still to come.  Afterwards
 * "whole" may be gone, as after all functions that do this.
 */
void ngx_http_flowdash_whole_settle(ngx_http_flowdash_whole_t *whole,
    ngx_log_t *log);

/* Records the response as far as it was collected, and sends the record. */
void ngx_http_flowdash_whole_complete(ngx_http_flowdash_whole_t *whole,
    ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_WHOLE_STATE_H_INCLUDED_ */
