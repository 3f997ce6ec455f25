
#ifndef _NGX_HTTP_FLOWDASH_TASK_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json_pointer.h>


typedef struct {
    ngx_str_node_t               node;       /* node.str is the decoded name */
    ngx_str_t                    spelling;   /* the name as JSON, quoted */
    ngx_str_t                    value;      /* the current value as JSON */
    ngx_str_t                    place;      /* of the value in the text;
                                                none: the field is new */
    unsigned                     changed:1;
    unsigned                     ambiguous:1; /* it was said twice */
} ngx_http_flowdash_field_t;


/*
 * A JSON text with an object in it whose members are the task's fields.  It
 * is kept as it came, with an index over it; changes are laid over the index
 * and take effect when the text is written anew.
 */

typedef struct {
    ngx_pool_t                  *pool;
    ngx_http_flowdash_json_t     json;

    ngx_list_t                   fields;     /* ngx_http_flowdash_field_t */
    ngx_rbtree_t                 names;
    ngx_rbtree_node_t            sentinel;

    unsigned                     changed:1;
} ngx_http_flowdash_task_t;


/*
 * Indexes the fields of the object at "pointer" in "text", which must outlive
 * the task.  Returns NGX_OK with the verdict set, or NGX_ERROR.  Whatever the
 * verdict, the task can be used; it is empty unless the verdict is good.
 */
ngx_int_t ngx_http_flowdash_task_init(ngx_http_flowdash_task_t *task,
    ngx_pool_t *pool, ngx_str_t *text, ngx_array_t *pointer,
    ngx_http_flowdash_json_verdict_e *verdict);

/*
 * The fields one after another: "part" begins with &task->fields.part, and "i"
 * with 0.  Returns NULL behind the last.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_task_next(ngx_list_part_t **part,
    ngx_uint_t *i);

/* Finds a field by its name; returns NULL if there is none. */
ngx_http_flowdash_field_t *ngx_http_flowdash_task_lookup(
    ngx_http_flowdash_task_t *task, ngx_str_t *name);

/* Tells whether two fields have the same value, to the byte. */
ngx_uint_t ngx_http_flowdash_task_same(ngx_http_flowdash_field_t *field,
    ngx_http_flowdash_field_t *other);

/*
 * Gives a field the value of "new", which must live as long as the task; it is
 * added if the task does not have it.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_task_set(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_field_t *new);

/* The same for all fields of "change". */
ngx_int_t ngx_http_flowdash_task_merge(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_task_t *change);

/*
 * Finds a field by the last part of $flowdash_task_NAME: its name in lower
 * case with "_" for all but a-z and 0-9.  Returns the first one, or NULL, and
 * how many there are.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_task_field(
    ngx_http_flowdash_task_t *task, ngx_str_t *name, ngx_uint_t *found);

/* The length of what ngx_http_flowdash_task_write_object() writes. */
size_t ngx_http_flowdash_task_object_length(ngx_http_flowdash_task_t *task);

/* Writes the task as a JSON object, changes included; returns its end. */
u_char *ngx_http_flowdash_task_write_object(u_char *p,
    ngx_http_flowdash_task_t *task);

/* The length of what ngx_http_flowdash_task_write_text() writes. */
size_t ngx_http_flowdash_task_text_length(ngx_http_flowdash_task_t *task);

/*
 * Writes the whole text with the changed task in it; every other byte is as
 * it came.  Returns its end.
 */
u_char *ngx_http_flowdash_task_write_text(u_char *p,
    ngx_http_flowdash_task_t *task);


#endif /* _NGX_HTTP_FLOWDASH_TASK_H_INCLUDED_ */
