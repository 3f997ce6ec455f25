
#ifndef _NGX_HTTP_FLOWDASH_WHOLE_STATE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_WHOLE_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_outbox.h>


/* what an internal redirect changes in a request; in its pool */

typedef struct {
    ngx_http_variable_value_t         *variables;
    ngx_str_t                          uri;
    ngx_str_t                          args;
#if (NGX_PCRE)
    ngx_uint_t                         ncaptures;
    int                               *captures;
    u_char                            *captures_data;
#endif
} ngx_http_flowdash_whole_place_t;


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
    size_t                             room;      /* for it */
    ngx_http_flowdash_whole_place_t    place;     /* of the action, once it is
                                                     marked */

    unsigned                           syncing:1;
    unsigned                           called:1;  /* the line is written */
    unsigned                           marked:1;
    unsigned                           ended:1;   /* the outcome is recorded */
    unsigned                           holding:1; /* the header waits */
    unsigned                           collecting:1;  /* the response */
    unsigned                           gzip:1;    /* it is coded so */
    unsigned                           constant:1;  /* the after-steps do not
                                                       depend on the answer */
    unsigned                           broken:1;  /* a line is missing */
};


#endif /* _NGX_HTTP_FLOWDASH_WHOLE_STATE_H_INCLUDED_ */
