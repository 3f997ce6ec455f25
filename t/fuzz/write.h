/*
 * Writes tasks: in one piece and in slices, which must be the same.
 */

#ifndef FUZZ_WRITE_H
#define FUZZ_WRITE_H


#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_task_write.h>


static inline ngx_str_t
fuzz_task_write(ngx_http_flowdash_task_write_pt write,
    ngx_http_flowdash_task_t *task)
{
    ngx_str_t                   s, same;
    ngx_http_flowdash_slices_t  slices;

    fuzz_check(ngx_http_flowdash_task_write_flat(write, task, task->pool, &s)
               == NGX_OK, "there is memory");

    fuzz_check(ngx_http_flowdash_task_write_length(write, task) == s.len,
               "the length of what is written");

    fuzz_check(ngx_http_flowdash_task_write_slices(write, task, task->pool,
                                                   &slices)
               == NGX_OK, "there is memory");
    fuzz_check(ngx_http_flowdash_slices_text(&slices, task->pool, &same)
               == NGX_OK, "there is memory");
    fuzz_check(fuzz_is(&s, &same), "the same in slices");

    return s;
}


#endif
