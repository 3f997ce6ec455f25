
#ifndef _NGX_HTTP_FLOWDASH_TASK_WRITE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TASK_WRITE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_task.h>


typedef void (*ngx_http_flowdash_task_write_pt)(
    ngx_http_flowdash_slices_writer_t *w, ngx_http_flowdash_task_t *task);


/* Writes the task, with its changes, as a JSON object. */
void ngx_http_flowdash_task_write_object(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_task_t *task);

/*
 * Writes the text that the task came in, with the changed fields; every other
 * byte stays as it is.
 */
void ngx_http_flowdash_task_write_text(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_task_t *task);

/* Returns the length of what a writer of a task writes. */
size_t ngx_http_flowdash_task_write_length(
    ngx_http_flowdash_task_write_pt write, ngx_http_flowdash_task_t *task);

/*
 * Makes slices of what a writer of a task writes.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_task_write_slices(
    ngx_http_flowdash_task_write_pt write, ngx_http_flowdash_task_t *task,
    ngx_pool_t *pool, ngx_http_flowdash_slices_t *slices);

/*
 * Copies what a writer of a task writes to the pool, as one piece.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_task_write_flat(
    ngx_http_flowdash_task_write_pt write, ngx_http_flowdash_task_t *task,
    ngx_pool_t *pool, ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_TASK_WRITE_H_INCLUDED_ */
