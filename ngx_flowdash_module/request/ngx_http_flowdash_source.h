
#ifndef _NGX_HTTP_FLOWDASH_SOURCE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SOURCE_H_INCLUDED_


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


/* what the request has of the task, in its body or in its query */

typedef struct {
    ngx_http_flowdash_task_t        task;
    ngx_http_flowdash_form_t       *form;      /* NULL: JSON */
    ngx_str_t                       text;      /* if it is in memory */
} ngx_http_flowdash_source_t;


/* what the fields of the task were read from, and are written to */

typedef struct ngx_http_flowdash_sources_s {
    ngx_http_flowdash_media_t       media;     /* of the body */
    ngx_http_flowdash_pieces_t      pieces;
    ngx_http_flowdash_gzip_t       *gzip;
    ngx_http_flowdash_multipart_t  *multipart;

    ngx_http_flowdash_source_t      body;
    ngx_http_flowdash_source_t      query;
    ngx_http_flowdash_source_t     *target;    /* where new fields go */

    ngx_http_flowdash_copy_t        copy;      /* of a changed body */

    unsigned                        has_body:1;
} ngx_http_flowdash_sources_t;


/*
 * Begins anew with the request's task, also when an internal redirect has led
 * to another action.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_create(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Lays the request's fields over the stored task.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_merge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Gives a field of the task the value of "new".  Returns NGX_OK, NGX_DECLINED
 * with "error" set if the request cannot say it, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_set(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new, const char **error);

/*
 * Tells whether the request can say the value of "new".  Returns as the
 * function above, or NGX_DONE if the field remains what it is.
 */
ngx_int_t ngx_http_flowdash_source_check(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new, const char **error);

/*
 * Sets the fields of flowdash_set.  Returns as
 * ngx_http_flowdash_source_set().
 */
ngx_int_t ngx_http_flowdash_source_preset(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char **error);

/*
 * Notes why the task cannot be told, and the status that the client gets.
 * Returns NGX_OK.
 */
ngx_int_t ngx_http_flowdash_source_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, const char *error);


#endif /* _NGX_HTTP_FLOWDASH_SOURCE_H_INCLUDED_ */
