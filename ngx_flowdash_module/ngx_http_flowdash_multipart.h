
#ifndef _NGX_HTTP_FLOWDASH_MULTIPART_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MULTIPART_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>


/*
 * A reader of multipart/form-data (RFC 7578), which is fed with pieces of any
 * size.  Of the parts that belong to the task their headers and, unless they
 * are files, their contents are kept in memory; of others only one header at
 * a time.
 */

typedef struct ngx_http_flowdash_multipart_s  ngx_http_flowdash_multipart_t;


/*
 * Judges a Content-Type: whether it is malformed, or names another charset
 * than UTF-8 in a way that any reader could see.  "name" is made what stands
 * before the parameters.
 */
ngx_http_flowdash_form_verdict_e ngx_http_flowdash_multipart_media(
    ngx_str_t *type, ngx_str_t *name);

/*
 * Finds the boundary in a Content-Type of multipart/form-data.  Returns
 * NGX_OK, or NGX_DECLINED with "error" set if there is none, or one that
 * could be read in several ways.
 */
ngx_int_t ngx_http_flowdash_multipart_media_boundary(ngx_str_t *type,
    ngx_str_t *boundary, const char **error);

/* Creates a reader into an initialized form.  Returns NULL on error. */
ngx_http_flowdash_multipart_t *ngx_http_flowdash_multipart_create(
    ngx_http_flowdash_form_t *form);

/*
 * Reads the next piece.  Returns NGX_OK, NGX_DECLINED with form->verdict set,
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_multipart_read(ngx_http_flowdash_multipart_t *mp,
    u_char *p, size_t len);

/*
 * Must be called behind the last piece.  Returns NGX_OK, or NGX_DECLINED with
 * form->verdict set if the closing delimiter was missing.
 */
ngx_int_t ngx_http_flowdash_multipart_end(ngx_http_flowdash_multipart_t *mp);


#endif /* _NGX_HTTP_FLOWDASH_MULTIPART_H_INCLUDED_ */
