
#ifndef _NGX_HTTP_FLOWDASH_FORM_TASK_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_TASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>


/*
 * Makes a task of the form's fields.  Their values become JSON strings, arrays
 * and objects.  The form must outlive the task.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_form_task(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task);


#endif /* _NGX_HTTP_FLOWDASH_FORM_TASK_H_INCLUDED_ */
