
/*
 * The task as an endpoint is told of it, which may be without some fields.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_task_write.h>
#include <ngx_http_flowdash_task_told.h>


static void ngx_http_flowdash_task_told_between(
    ngx_http_flowdash_slices_writer_t *w, ngx_http_flowdash_task_t *task,
    u_char *p, ngx_str_t *next, u_char *c);


/* the white space around fields of a text is left out, too */

void
ngx_http_flowdash_task_write_told(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_task_t *task)
{
    u_char                     *last;
    ngx_uint_t                  i;
    ngx_http_flowdash_field_t  *field, room;

    static u_char  comma = ',', colon = ':';

    if (task->index.marks == 0) {
        ngx_http_flowdash_task_write_object(w, task);
        return;
    }

    ngx_http_flowdash_slices_write_text(w, "{");

    last = NULL;

    for (i = 0; i < task->index.used; i++) {

        if (task->index.refs[i].marked) {
            continue;
        }

        field = ngx_http_flowdash_task_get(task, i, &room);

        if (last) {
            ngx_http_flowdash_task_told_between(w, task, last,
                                                &field->spelling, &comma);
        }

        ngx_http_flowdash_slices_write(w, field->spelling.data,
                                       field->spelling.len);

        last = field->spelling.data + field->spelling.len;
        ngx_http_flowdash_task_told_between(w, task, last, &field->value,
                                            &colon);

        ngx_http_flowdash_slices_write(w, field->value.data, field->value.len);

        last = field->value.data + field->value.len;
    }

    ngx_http_flowdash_slices_write_text(w, "}");
}


/*
 * Writes an octet between the end of one string and the next one: the text's
 * own, if it is there, so that they are one stretch.
 */

static void
ngx_http_flowdash_task_told_between(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_task_t *task, u_char *p, ngx_str_t *next, u_char *c)
{
    ngx_str_t  *text;

    text = &task->json.object;

    if (text->data && p > text->data && p < text->data + text->len
        && next->data == p + 1 && *p == *c)
    {
        c = p;
    }

    ngx_http_flowdash_slices_write(w, c, 1);
}
