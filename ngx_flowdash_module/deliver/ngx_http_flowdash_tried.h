
#ifndef _NGX_HTTP_FLOWDASH_TRIED_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TRIED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash_outbox.h>
#include <ngx_http_flowdash_try.h>


/* what has become of the deliveries of a record, each of which had its turn */

typedef struct {
    ngx_uint_t                         tries;     /* the most of one that has
                                                     failed; 0: none has */
    int64_t                            after;     /* the longest Retry-After */
    time_t                             rest;      /* the longest of those that
                                                     were not tried */
} ngx_http_flowdash_tried_t;


/* A delivery was tried: writes its line, logs and counts it. */
void ngx_http_flowdash_tried(ngx_http_flowdash_tried_t *tried,
    ngx_http_flowdash_outbox_file_t *file, ngx_http_flowdash_try_t *try);

/* It could not be tried now. */
void ngx_http_flowdash_tried_not(ngx_http_flowdash_tried_t *tried,
    ngx_http_flowdash_pace_t *pace);

/*
 * It can never be: "reason" says why, or is NULL if the configuration has it
 * no longer.
 */
void ngx_http_flowdash_tried_never(ngx_http_flowdash_outbox_file_t *file,
    ngx_http_flowdash_delivery_t *delivery, ngx_str_t *reason);

/*
 * Removes the record, puts it back until the next try, or sets it aside.  Its
 * memory is gone then, and "tried" with it.
 */
void ngx_http_flowdash_tried_end(ngx_http_flowdash_tried_t *tried,
    ngx_http_flowdash_outbox_file_t *file);


#endif /* _NGX_HTTP_FLOWDASH_TRIED_H_INCLUDED_ */
