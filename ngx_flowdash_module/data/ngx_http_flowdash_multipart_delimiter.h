
#ifndef _NGX_HTTP_FLOWDASH_MULTIPART_DELIMITER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MULTIPART_DELIMITER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_multipart_state.h>


/* Prepares the search for the delimiter.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_multipart_delimiter_init(
    ngx_http_flowdash_multipart_t *mp);

/*
 * Finds the delimiter from "first" to "last" in the content of a part, with
 * mp->matched bytes of it before.  Returns its end, with all of it matched, or
 * "last".
 */
u_char *ngx_http_flowdash_multipart_delimiter_find(
    ngx_http_flowdash_multipart_t *mp, u_char *first, u_char *last);

/*
 * Returns the Nth byte before "p", 1 or 2, which may be in the piece before
 * the one that begins at "first".
 */
u_char ngx_http_flowdash_multipart_delimiter_back(
    ngx_http_flowdash_multipart_t *mp, u_char *first, u_char *p, size_t n);


#endif /* _NGX_HTTP_FLOWDASH_MULTIPART_DELIMITER_H_INCLUDED_ */
