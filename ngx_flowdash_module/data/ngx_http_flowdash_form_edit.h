
#ifndef _NGX_HTTP_FLOWDASH_FORM_EDIT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_EDIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>


/*
 * Returns the edits (ngx_http_flowdash_form_edit_t) that bring the changes of
 * the form's task into the form, in the order of the form; or NULL on error.
 */
ngx_array_t *ngx_http_flowdash_form_edits(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task);


#endif /* _NGX_HTTP_FLOWDASH_FORM_EDIT_H_INCLUDED_ */
