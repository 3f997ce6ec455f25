
#ifndef _NGX_HTTP_FLOWDASH_FORM_CHECK_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_CHECK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>


/*
 * Tells whether a field, whose value is "old" as yet, can be changed to what
 * "field" is.  Returns NGX_OK, NGX_DONE if it is a file and remains what it
 * is, NGX_DECLINED with "error" set, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_form_check(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_field_t *field, ngx_str_t *old, const char **error);


#endif /* _NGX_HTTP_FLOWDASH_FORM_CHECK_H_INCLUDED_ */
