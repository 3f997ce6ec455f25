
#ifndef _NGX_HTTP_FLOWDASH_TASK_TOLD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TASK_TOLD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_task.h>


/*
 * Writes the task, with its changes, as a JSON object, without the fields that
 * are marked.  If there is none, it is the same as what
 * ngx_http_flowdash_task_write_object() writes.
 */
void ngx_http_flowdash_task_write_told(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_task_t *task);


#endif /* _NGX_HTTP_FLOWDASH_TASK_TOLD_H_INCLUDED_ */
