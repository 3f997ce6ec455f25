
#ifndef _NGX_HTTP_FLOWDASH_MULTIPART_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MULTIPART_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart_state.h>


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
 * Must be called after the last piece.  Returns NGX_OK, or NGX_DECLINED with
 * form->verdict set if the closing delimiter is missing.
 */
ngx_int_t ngx_http_flowdash_multipart_end(ngx_http_flowdash_multipart_t *mp);


#endif /* _NGX_HTTP_FLOWDASH_MULTIPART_H_INCLUDED_ */
