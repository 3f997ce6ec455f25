
#ifndef _NGX_HTTP_FLOWDASH_TASK_TOLD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TASK_TOLD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_task.h>


/* Returns the length of what ngx_http_flowdash_task_write_told() writes. */
size_t ngx_http_flowdash_task_told_length(ngx_http_flowdash_task_t *task);

/*
 * Writes the task, with its changes, as a JSON object at "p", without the
 * fields that are marked as untold.  If there is none, it is the same as what
 * ngx_http_flowdash_task_write_object() writes.  Returns the end of the
 * object.
 */
u_char *ngx_http_flowdash_task_write_told(u_char *p,
    ngx_http_flowdash_task_t *task);


#endif /* _NGX_HTTP_FLOWDASH_TASK_TOLD_H_INCLUDED_ */
