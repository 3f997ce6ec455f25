
#ifndef _NGX_HTTP_FLOWDASH_FORM_NAME_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_NAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>


/*
 * Splits pair->name, which is decoded, into "field", the name of a field of
 * the task, and pair->path.  form->offset is its place, for the log.  Returns
 * NGX_OK, NGX_DONE if the pair does not belong to the task, or NGX_DECLINED
 * with form->verdict set.
 */
ngx_int_t ngx_http_flowdash_form_name(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair, ngx_str_t *field);

/*
 * Judges the names together, after the last pair: an index alone may be taken
 * for the task's.  Returns NGX_OK, or NGX_DECLINED with form->verdict set.
 */
ngx_int_t ngx_http_flowdash_form_name_end(ngx_http_flowdash_form_t *form);


#endif /* _NGX_HTTP_FLOWDASH_FORM_NAME_H_INCLUDED_ */
