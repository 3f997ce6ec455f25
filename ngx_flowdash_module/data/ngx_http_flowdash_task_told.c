
/*
 * The task as an endpoint is told of it, which may be without some fields.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_task_told.h>


static ngx_uint_t ngx_http_flowdash_task_told_is_all(
    ngx_http_flowdash_task_t *task);


static ngx_uint_t
ngx_http_flowdash_task_told_is_all(ngx_http_flowdash_task_t *task)
{
    ngx_uint_t                  i;
    ngx_list_part_t            *part;
    ngx_http_flowdash_field_t  *field;

    i = 0;
    part = &task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {
        if (field->untold) {
            return 0;
        }
    }

    return 1;
}


size_t
ngx_http_flowdash_task_told_length(ngx_http_flowdash_task_t *task)
{
    size_t                      len;
    ngx_uint_t                  i, n;
    ngx_list_part_t            *part;
    ngx_http_flowdash_field_t  *field;

    if (ngx_http_flowdash_task_told_is_all(task)) {
        return ngx_http_flowdash_task_object_length(task);
    }

    len = sizeof("{}") - 1;

    n = 0;
    i = 0;
    part = &task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        if (field->untold) {
            continue;
        }

        len += (n++ ? 1 : 0) + field->spelling.len + sizeof(":") - 1
               + field->value.len;
    }

    return len;
}


/* the white space around fields of a text is left out, too */

u_char *
ngx_http_flowdash_task_write_told(u_char *p, ngx_http_flowdash_task_t *task)
{
    ngx_uint_t                  i, n;
    ngx_list_part_t            *part;
    ngx_http_flowdash_field_t  *field;

    if (ngx_http_flowdash_task_told_is_all(task)) {
        return ngx_http_flowdash_task_write_object(p, task);
    }

    *p++ = '{';

    n = 0;
    i = 0;
    part = &task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        if (field->untold) {
            continue;
        }

        if (n++) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, field->spelling.data, field->spelling.len);
        *p++ = ':';
        p = ngx_cpymem(p, field->value.data, field->value.len);
    }

    *p++ = '}';

    return p;
}
