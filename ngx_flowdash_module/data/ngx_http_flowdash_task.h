
#ifndef _NGX_HTTP_FLOWDASH_TASK_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_field.h>


/*
 * The fields of a task.  If they come from an object in a JSON text, "json"
 * tells where: their original values are places in that text, which is copied
 * with the changed values when it is written.  Otherwise "json" is empty.
 */

typedef struct {
    ngx_pool_t                  *pool;
    ngx_http_flowdash_json_t     json;

    ngx_http_flowdash_field_index_t
                                 index;      /* its fields */

    unsigned                     changed:1;
} ngx_http_flowdash_task_t;


/* Makes a task without fields, which belongs to no text. */
void ngx_http_flowdash_task_create(ngx_http_flowdash_task_t *task,
    ngx_pool_t *pool);

/*
 * Makes a task of the fields of the object at "pointer" in "text", which must
 * outlive the task.  Returns NGX_OK with the verdict set, or NGX_ERROR.
 * Whatever the verdict, the task can be used; it is empty unless the verdict
 * is good.  "strict" has the rules to apply; "max_size" limits the memory for
 * what is remembered of the text, in bytes.
 */
ngx_int_t ngx_http_flowdash_task_init(ngx_http_flowdash_task_t *task,
    ngx_pool_t *pool, ngx_str_t *text, ngx_array_t *pointer,
    ngx_uint_t strict, size_t max_size,
    ngx_http_flowdash_json_verdict_e *verdict);

/*
 * The same in two steps: between them, the caller can set task->json.outer.
 */
void ngx_http_flowdash_task_begin(ngx_http_flowdash_task_t *task,
    ngx_pool_t *pool, ngx_str_t *text, ngx_array_t *pointer,
    ngx_uint_t strict, size_t max_size);
ngx_int_t ngx_http_flowdash_task_read(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_json_verdict_e *verdict);

/*
 * Makes a task that has the fields and the text of "base", which has no
 * changes, and must outlive the task.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_task_copy(ngx_http_flowdash_task_t *task,
    ngx_pool_t *pool, ngx_http_flowdash_task_t *base);

/*
 * Adds a field with its original value.  The task must not have a field of
 * that name.  The strings must live as long as the task.  Returns NULL on
 * error.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_task_add(
    ngx_http_flowdash_task_t *task, ngx_str_t *name, ngx_str_t *spelling,
    ngx_str_t *value);

/*
 * Returns a field by its number, from 0, or NULL if there are no more.  It is
 * there until "room" is used again; callers must not change it.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_task_get(
    ngx_http_flowdash_task_t *task, ngx_uint_t n,
    ngx_http_flowdash_field_t *room);

/* Finds a field by its name.  Returns the same, or NULL if there is none. */
ngx_http_flowdash_field_t *ngx_http_flowdash_task_lookup(
    ngx_http_flowdash_task_t *task, ngx_str_t *name,
    ngx_http_flowdash_field_t *room);

/* Tells whether the task has a field of this name. */
ngx_uint_t ngx_http_flowdash_task_has(ngx_http_flowdash_task_t *task,
    ngx_str_t *name);

/*
 * Tells whether the task has a field whose name is the same only when case is
 * ignored.  With a field of just this name, that is open.
 */
ngx_uint_t ngx_http_flowdash_task_has_similar(ngx_http_flowdash_task_t *task,
    ngx_str_t *name);

/*
 * Tells whether a field "name" would conflict with a field of the task: one is
 * a multiparameter, due_date(1i), and the other one is the attribute that
 * Rails makes of it, due_date.
 */
ngx_uint_t ngx_http_flowdash_task_conflicts(ngx_http_flowdash_task_t *task,
    ngx_str_t *name);

/* Tells whether two of the task's own fields conflict. */
ngx_uint_t ngx_http_flowdash_task_has_conflict(
    ngx_http_flowdash_task_t *task);

/* Tells whether the values of two fields have the same bytes. */
ngx_uint_t ngx_http_flowdash_task_same(ngx_http_flowdash_field_t *field,
    ngx_http_flowdash_field_t *other);

/*
 * Gives the field named like "new" its value, or adds the field.  The strings
 * of "new" must live as long as the task.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_task_set(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_field_t *new);

/*
 * Gives the field a value that no flowdash_accept matters to, or adds the
 * field.  The strings must live as long as the task.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_task_force(ngx_http_flowdash_task_t *task,
    ngx_str_t *name, ngx_str_t *spelling, ngx_str_t *value);

/*
 * Sets each field of "change" as ngx_http_flowdash_task_set() does.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_task_merge(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_task_t *change);

/*
 * Finds a field by the last part of $flowdash_task_NAME: the field's name in
 * lower case, with "_" for all but a-z and 0-9.  Returns the first match, as
 * ngx_http_flowdash_task_get() does, or NULL, and sets "found" to the number
 * of matches.  A multiparameter, such as due_date(1i), has only a part of the
 * value, so it counts as two matches.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_task_field(
    ngx_http_flowdash_task_t *task, ngx_str_t *name, ngx_uint_t *found,
    ngx_http_flowdash_field_t *room);


#endif /* _NGX_HTTP_FLOWDASH_TASK_H_INCLUDED_ */
