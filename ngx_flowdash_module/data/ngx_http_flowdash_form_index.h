
#ifndef _NGX_HTTP_FLOWDASH_FORM_INDEX_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_INDEX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>


/*
 * Adds a pair to the field.  The caller has set all members of the pair but
 * "next", "again" and "field".  Returns NGX_OK, NGX_DECLINED with
 * form->verdict set, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_form_index_add(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair, ngx_str_t *field);

/* Finds a field of the form.  Returns NULL if it is not there. */
ngx_http_flowdash_form_node_t *ngx_http_flowdash_form_index_lookup(
    ngx_http_flowdash_form_t *form, ngx_str_t *name);


#endif /* _NGX_HTTP_FLOWDASH_FORM_INDEX_H_INCLUDED_ */
