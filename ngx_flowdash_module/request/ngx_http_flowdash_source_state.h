
#ifndef _NGX_HTTP_FLOWDASH_SOURCE_STATE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SOURCE_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart_state.h>
#include <ngx_http_flowdash_gzip.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_replace.h>


/* the task's fields in the body or in the query */

typedef struct {
    ngx_http_flowdash_task_t        task;
    ngx_http_flowdash_form_t       *form;      /* NULL: JSON */
    ngx_str_t                       text;      /* if all is in memory */

    /* what source_cancel() restores */

    ngx_uint_t                      fields;
    ngx_http_flowdash_form_mark_t   mark;
} ngx_http_flowdash_source_t;


/* where the task's fields come from, and where changed ones go */

typedef struct ngx_http_flowdash_sources_s {
    ngx_http_flowdash_media_t       media;     /* of the body */
    ngx_http_flowdash_pieces_t      pieces;
    ngx_http_flowdash_gzip_t       *gzip;
    ngx_http_flowdash_multipart_t  *multipart;
    ngx_http_flowdash_multipart_t **readers;   /* of each flowdash_extract */

    ngx_http_flowdash_source_t      body;
    size_t                          filled;    /* of body.text */
    ngx_http_flowdash_source_t      query;
    ngx_http_flowdash_source_t     *target;    /* where new fields go */

    ngx_http_flowdash_copy_t        copy;      /* of a changed body */

    unsigned                        has_body:1;
    unsigned                        shared:1;  /* the body, perhaps with a
                                                  subrequest of "mirror" */
    unsigned                        readable:1;  /* all of the body */
    unsigned                        batch:1;   /* it is an array of bodies */
    unsigned                        query_is_other:1;  /* not of the task */
} ngx_http_flowdash_sources_t;


#endif /* _NGX_HTTP_FLOWDASH_SOURCE_STATE_H_INCLUDED_ */
