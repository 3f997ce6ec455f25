
#ifndef _NGX_HTTP_FLOWDASH_REPLACE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_REPLACE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_body.h>


/* a body on its way to a file */

typedef struct {
    ngx_temp_file_t                *file;      /* NULL: none is needed */
    ngx_chain_t                    *body;
    ngx_http_flowdash_pieces_t      pieces;
} ngx_http_flowdash_copy_t;


/*
 * Replaces the client's body by a text, with all headers and variables that
 * describe a body; the Content-Encoding goes if the text was decoded.  Returns
 * as ngx_http_flowdash_replace_copy().
 */
ngx_int_t ngx_http_flowdash_replace_text(ngx_http_request_t *r,
    ngx_str_t *text, ngx_uint_t decoded, ngx_http_flowdash_copy_t *copy);

/*
 * Applies edits (ngx_http_flowdash_form_edit_t) to the body: what they do not
 * mention stays where nginx has it.  Returns as
 * ngx_http_flowdash_replace_copy().
 */
ngx_int_t ngx_http_flowdash_replace_edits(ngx_http_request_t *r,
    ngx_array_t *edits, ngx_http_flowdash_copy_t *copy);

/*
 * Goes on with writing a changed body to a file.  Returns NGX_OK, NGX_AGAIN
 * when other requests should have a turn, or as ngx_http_flowdash_body_read().
 */
ngx_int_t ngx_http_flowdash_replace_copy(ngx_http_request_t *r,
    ngx_http_flowdash_copy_t *copy);


#endif /* _NGX_HTTP_FLOWDASH_REPLACE_H_INCLUDED_ */
