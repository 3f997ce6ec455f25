
#ifndef _NGX_HTTP_FLOWDASH_MARKER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MARKER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record.h>


/*
 * Markers stand for secrets while a call is rendered that is stored: each read
 * of a secret gives another one.  They have hex digits only, so that no
 * encoding changes them, and nobody who does not see them can guess one.
 */


#define NGX_HTTP_FLOWDASH_MARKER_PREFIX_LEN  32
#define NGX_HTTP_FLOWDASH_MARKER_LEN                                          \
    (NGX_HTTP_FLOWDASH_MARKER_PREFIX_LEN + 4)


typedef struct {
    ngx_pool_t                     *pool;
    u_char                          prefix[
                                      NGX_HTTP_FLOWDASH_MARKER_PREFIX_LEN];
    ngx_array_t                     names;     /* of ngx_str_t: of the secrets,
                                                  in the order of reads */
    ngx_str_t                      *lost;      /* a secret whose marker is not
                                                  in the text; or NULL */
    unsigned                        variables:1;  /* some were evaluated */
} ngx_http_flowdash_markers_t;


/* Begins a rendering.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_marker_init(ngx_http_flowdash_markers_t *markers,
    ngx_pool_t *pool);

/*
 * Makes the marker of one read of a secret.  The name is not copied.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_marker_add(ngx_http_flowdash_markers_t *markers,
    ngx_str_t *name, ngx_str_t *marker);

/*
 * Sets markers->lost unless a text has all the markers that were made since
 * there were "first" of them: what has read a secret, but does not show it,
 * would get another value than in a step.
 */
void ngx_http_flowdash_marker_check(ngx_http_flowdash_markers_t *markers,
    ngx_uint_t first, ngx_str_t *text);

/*
 * Copies a text to the pool, in pieces that are pushed to an array of
 * ..._piece_t: between the markers TEXT, for each marker SECRET with this
 * encoding.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_marker_split(ngx_http_flowdash_markers_t *markers,
    ngx_str_t *text, ngx_http_flowdash_piece_encoding_e encoding,
    ngx_array_t *pieces, ngx_pool_t *pool);


#endif /* _NGX_HTTP_FLOWDASH_MARKER_H_INCLUDED_ */
