
#ifndef _NGX_HTTP_FLOWDASH_FORM_CHECK_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_CHECK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>


/*
 * Tells whether the form can carry the value of "field" in place of "old",
 * which is NULL for a new field, and takes account of its name and its pairs.
 * Returns NGX_OK; NGX_DONE for a file that stays the same; NGX_DECLINED with
 * "error" set, and form->verdict if these are too many pairs; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_form_check(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_field_t *field, ngx_str_t *old, const char **error);


#endif /* _NGX_HTTP_FLOWDASH_FORM_CHECK_H_INCLUDED_ */
