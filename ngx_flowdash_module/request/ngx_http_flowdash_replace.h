
#ifndef _NGX_HTTP_FLOWDASH_REPLACE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_REPLACE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_body.h>


/* a changed body that is being written to a file */

typedef struct {
    ngx_temp_file_t                *file;      /* NULL: no file is needed */
    ngx_chain_t                    *body;
    ngx_http_flowdash_pieces_t      pieces;
} ngx_http_flowdash_copy_t;


/*
 * Replaces the client's body with a text, whose slices stay where they are,
 * and updates the headers and variables that describe the body.  "decoded"
 * removes the Content-Encoding.  Returns as ngx_http_flowdash_replace_copy().
 */
ngx_int_t ngx_http_flowdash_replace_text(ngx_http_request_t *r,
    ngx_http_flowdash_slices_t *text, ngx_uint_t decoded,
    ngx_http_flowdash_copy_t *copy);

/*
 * Applies edits (ngx_http_flowdash_form_edit_t) to the body.  All other bytes
 * stay in the memory or file in which nginx has them.  Returns as
 * ngx_http_flowdash_replace_copy().
 */
ngx_int_t ngx_http_flowdash_replace_edits(ngx_http_request_t *r,
    ngx_array_t *edits, ngx_http_flowdash_copy_t *copy);

/*
 * Continues to write a changed body to a file.  Returns NGX_OK, NGX_AGAIN when
 * it is time to yield to other requests, NGX_HTTP_INTERNAL_SERVER_ERROR if the
 * old file cannot be read, or the new one not be written, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_replace_copy(ngx_http_request_t *r,
    ngx_http_flowdash_copy_t *copy);


#endif /* _NGX_HTTP_FLOWDASH_REPLACE_H_INCLUDED_ */
