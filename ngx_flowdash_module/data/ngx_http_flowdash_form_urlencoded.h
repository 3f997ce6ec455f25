
#ifndef _NGX_HTTP_FLOWDASH_FORM_URLENCODED_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_URLENCODED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>


/*
 * Reads a urlencoded form or a query.  "text" must outlive the form.  Returns
 * NGX_OK, NGX_DECLINED with form->verdict set, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_form_urlencoded_parse(
    ngx_http_flowdash_form_t *form, ngx_str_t *text);

/* Applies edits to a urlencoded form.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_form_urlencoded_write(
    ngx_http_flowdash_form_t *form, ngx_str_t *text, ngx_array_t *edits,
    ngx_str_t *result);


#endif /* _NGX_HTTP_FLOWDASH_FORM_URLENCODED_H_INCLUDED_ */
