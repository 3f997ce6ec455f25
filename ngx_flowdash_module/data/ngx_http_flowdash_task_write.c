
/*
 * Writes the task as JSON: long stretches of the text that it came in are not
 * copied.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_field.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_task_write.h>


static void ngx_http_flowdash_task_write_fields(
    ngx_http_flowdash_slices_writer_t *w, ngx_http_flowdash_task_t *task,
    u_char *src, u_char *last);
static void ngx_http_flowdash_task_write_new(
    ngx_http_flowdash_slices_writer_t *w, ngx_http_flowdash_task_t *task);


void
ngx_http_flowdash_task_write_object(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_task_t *task)
{
    ngx_str_t  *object;

    static u_char  none[] = "{}";

    object = &task->json.object;

    if (object->data == NULL) {
        ngx_http_flowdash_task_write_fields(w, task, none, none + 2);

    } else if (task->changed) {
        ngx_http_flowdash_task_write_fields(w, task, object->data,
                                            object->data + object->len);

    } else {
        ngx_http_flowdash_slices_write(w, object->data, object->len);
    }
}


/* fields of the text come first, in its order; new ones follow */

static void
ngx_http_flowdash_task_write_fields(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_task_t *task, u_char *src, u_char *last)
{
    u_char                     *tail;
    ngx_uint_t                  i, text, comma;
    ngx_http_flowdash_field_t  *field;

    text = (task->json.object.data != NULL);

    tail = text ? task->json.tail : src + 1;
    comma = text ? !task->json.empty : 0;

    /* what is not kept is as the text has it */

    i = 0;

    while ((field = ngx_http_flowdash_field_next_kept(&task->index, &i))) {

        if (text && field->original.data) {

            if (field->value.data != field->original.data) {
                ngx_http_flowdash_slices_write(w, src,
                                               field->original.data - src);
                ngx_http_flowdash_slices_write(w, field->value.data,
                                               field->value.len);
                src = field->original.data + field->original.len;
            }

            continue;
        }

        ngx_http_flowdash_slices_write(w, src, tail - src);
        src = tail;

        if (comma) {
            ngx_http_flowdash_slices_write_text(w, ",");
        }

        ngx_http_flowdash_slices_write(w, field->spelling.data,
                                       field->spelling.len);
        ngx_http_flowdash_slices_write_text(w, ":");
        ngx_http_flowdash_slices_write(w, field->value.data, field->value.len);

        comma = 1;
    }

    ngx_http_flowdash_slices_write(w, src, last - src);
}


void
ngx_http_flowdash_task_write_text(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_task_t *task)
{
    u_char                   *src, *last;
    ngx_http_flowdash_json_t *json;

    json = &task->json;

    src = json->text.data;
    last = src + json->text.len;

    if (!task->changed) {
        ngx_http_flowdash_slices_write(w, src, last - src);
        return;
    }

    if (json->object.data) {
        ngx_http_flowdash_slices_write(w, src, json->object.data - src);
        ngx_http_flowdash_task_write_object(w, task);
        src = json->object.data + json->object.len;

    } else {
        ngx_http_flowdash_slices_write(w, src, json->tail - src);
        ngx_http_flowdash_task_write_new(w, task);
        src = json->tail;
    }

    ngx_http_flowdash_slices_write(w, src, last - src);
}


/* creates the objects that the pointer names and the text lacks */

static void
ngx_http_flowdash_task_write_new(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_task_t *task)
{
    u_char                   *p;
    ngx_str_t                *tokens;
    ngx_uint_t                i, n;
    ngx_http_flowdash_json_t *json;

    json = &task->json;

    if (!json->empty) {
        ngx_http_flowdash_slices_write_text(w, ",");
    }

    tokens = json->pointer->elts;
    n = json->pointer->nelts;

    for (i = json->found; i < n; i++) {

        p = ngx_http_flowdash_slices_room(w,
                          ngx_http_flowdash_json_string_length(&tokens[i]));

        if (p) {
            p = ngx_http_flowdash_json_write_string(p, &tokens[i]);
            ngx_http_flowdash_slices_fill(w, p);
        }

        ngx_http_flowdash_slices_write_text(w, ":");

        if (i + 1 < n) {
            ngx_http_flowdash_slices_write_text(w, "{");
        }
    }

    ngx_http_flowdash_task_write_object(w, task);

    for (i = json->found; i + 1 < n; i++) {
        ngx_http_flowdash_slices_write_text(w, "}");
    }
}


size_t
ngx_http_flowdash_task_write_length(ngx_http_flowdash_task_write_pt write,
    ngx_http_flowdash_task_t *task)
{
    ngx_http_flowdash_slices_writer_t  w;

    ngx_memzero(&w, sizeof(ngx_http_flowdash_slices_writer_t));

    write(&w, task);

    return ngx_http_flowdash_slices_length(&w);
}


ngx_int_t
ngx_http_flowdash_task_write_slices(ngx_http_flowdash_task_write_pt write,
    ngx_http_flowdash_task_t *task, ngx_pool_t *pool,
    ngx_http_flowdash_slices_t *slices)
{
    ngx_http_flowdash_slices_writer_t  w;

    ngx_memzero(&w, sizeof(ngx_http_flowdash_slices_writer_t));

    write(&w, task);

    if (ngx_http_flowdash_slices_begin(&w, pool) != NGX_OK) {
        return NGX_ERROR;
    }

    write(&w, task);

    ngx_http_flowdash_slices_end(&w, slices);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_task_write_flat(ngx_http_flowdash_task_write_pt write,
    ngx_http_flowdash_task_t *task, ngx_pool_t *pool, ngx_str_t *text)
{
    ngx_str_t                          slice;
    ngx_http_flowdash_slices_writer_t  w;

    text->data = ngx_pnalloc(pool,
                             ngx_http_flowdash_task_write_length(write, task));
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_slices_flat(&w, &slice, text->data);

    write(&w, task);

    text->len = ngx_http_flowdash_slices_flat_end(&w) - text->data;

    return NGX_OK;
}
