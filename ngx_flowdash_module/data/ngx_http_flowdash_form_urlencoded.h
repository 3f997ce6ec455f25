
#ifndef _NGX_HTTP_FLOWDASH_FORM_URLENCODED_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_URLENCODED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_form.h>


/*
 * Reads a urlencoded form or a query.  "text" must outlive the form.  Returns
 * NGX_OK, NGX_DECLINED with form->verdict set, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_form_urlencoded_parse(
    ngx_http_flowdash_form_t *form, ngx_str_t *text);

/*
 * Makes slices of a form's text with edits applied.  The text and the edits
 * must live as long as the slices.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_form_urlencoded_write(
    ngx_http_flowdash_form_t *form, ngx_str_t *text, ngx_array_t *edits,
    ngx_http_flowdash_slices_t *slices);


#endif /* _NGX_HTTP_FLOWDASH_FORM_URLENCODED_H_INCLUDED_ */
