
/*
 * The task: its fields, and the JSON text that they came in, if there is one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_fold.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_task.h>


static ngx_int_t ngx_http_flowdash_task_clear(ngx_http_flowdash_task_t *task);
static ngx_http_flowdash_field_t *ngx_http_flowdash_task_add_key(
    ngx_http_flowdash_task_t *task, ngx_str_t *name,
    ngx_http_flowdash_field_key_t *key, ngx_str_t *spelling,
    ngx_str_t *value);
static ngx_int_t ngx_http_flowdash_task_add_member(void *data, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *value);


ngx_int_t
ngx_http_flowdash_task_create(ngx_http_flowdash_task_t *task, ngx_pool_t *pool)
{
    ngx_memzero(task, sizeof(ngx_http_flowdash_task_t));

    task->pool = pool;

    return ngx_http_flowdash_task_clear(task);
}


static ngx_int_t
ngx_http_flowdash_task_clear(ngx_http_flowdash_task_t *task)
{
    ngx_memzero(&task->index, sizeof(ngx_http_flowdash_field_index_t));

    return ngx_list_init(&task->fields, task->pool, 8,
                         sizeof(ngx_http_flowdash_field_t));
}


ngx_int_t
ngx_http_flowdash_task_init(ngx_http_flowdash_task_t *task, ngx_pool_t *pool,
    ngx_str_t *text, ngx_array_t *pointer, ngx_uint_t strict, size_t max_size,
    ngx_http_flowdash_json_verdict_e *verdict)
{
    return (ngx_http_flowdash_task_begin(task, pool, text, pointer, strict,
                                         max_size)
            == NGX_OK)
           ? ngx_http_flowdash_task_read(task, verdict) : NGX_ERROR;
}


ngx_int_t
ngx_http_flowdash_task_begin(ngx_http_flowdash_task_t *task, ngx_pool_t *pool,
    ngx_str_t *text, ngx_array_t *pointer, ngx_uint_t strict, size_t max_size)
{
    if (ngx_http_flowdash_task_create(task, pool) != NGX_OK) {
        return NGX_ERROR;
    }

    task->json.text = *text;
    task->json.pointer = pointer;
    task->json.member = ngx_http_flowdash_task_add_member;
    task->json.data = task;
    task->json.strict = strict;
    task->json.max_size = max_size;
    task->json.unique = 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_task_read(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_json_verdict_e *verdict)
{
    ngx_int_t  rc;

    rc = ngx_http_flowdash_json_pointer_parse(&task->json, verdict,
                                              task->pool);

    /* a copy of the task must not lead to what the caller has */

    task->json.outer = NULL;

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (*verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        ngx_str_null(&task->json.object);
        return ngx_http_flowdash_task_clear(task);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_task_copy(ngx_http_flowdash_task_t *task, ngx_pool_t *pool,
    ngx_http_flowdash_task_t *base)
{
    ngx_uint_t                      i;
    ngx_list_part_t                *part;
    ngx_http_flowdash_field_t      *field, *copy;
    ngx_http_flowdash_field_key_t   key;

    if (ngx_http_flowdash_task_create(task, pool) != NGX_OK) {
        return NGX_ERROR;
    }

    task->json = base->json;

    i = 0;
    part = &base->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        copy = ngx_http_flowdash_field_push(&task->fields);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        *copy = *field;

        ngx_http_flowdash_field_index_find(&task->index, &copy->name, &key);

        if (ngx_http_flowdash_field_index_add(&task->index, copy, &key, pool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_task_add_member(void *data, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *value)
{
    ngx_http_flowdash_task_t *task = data;

    size_t                          size;
    ngx_http_flowdash_json_t       *json;
    ngx_http_flowdash_field_t      *other;
    ngx_http_flowdash_field_key_t   key;

    json = &task->json;

    ngx_http_flowdash_field_index_find(&task->index, name, &key);

    other = (json->strict & NGX_HTTP_FLOWDASH_STRICT_CASE)
            ? key.similar
            : ngx_http_flowdash_field_index_exact(&task->index, name, &key);

    if (other && ngx_http_flowdash_text_equal(&other->name, name)) {
        json->error = "a field's name occurs twice";
        return NGX_DECLINED;
    }

    if (other) {
        json->error = "two names of fields differ only in case";
        json->rule = NGX_HTTP_FLOWDASH_STRICT_CASE;
        return NGX_DECLINED;
    }

    /* Ruby reads half of a pair and the escape after it as one character */

    if ((json->strict & NGX_HTTP_FLOWDASH_STRICT_CONTROL) && json->half) {
        json->error = "half of a surrogate pair in the value of a field";
        json->rule = NGX_HTTP_FLOWDASH_STRICT_CONTROL;
        return NGX_DECLINED;
    }

    size = sizeof(ngx_http_flowdash_field_t)
           + NGX_HTTP_FLOWDASH_FIELD_INDEXED;

    if (key.attribute) {
        size += NGX_HTTP_FLOWDASH_FIELD_INDEXED;
    }

    if (ngx_http_flowdash_json_pointer_charge(json, size) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_http_flowdash_task_add_key(task, name, &key, spelling, value)
           ? NGX_OK : NGX_ERROR;
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_task_add(ngx_http_flowdash_task_t *task, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *value)
{
    ngx_http_flowdash_field_key_t  key;

    ngx_http_flowdash_field_index_find(&task->index, name, &key);

    return ngx_http_flowdash_task_add_key(task, name, &key, spelling, value);
}


static ngx_http_flowdash_field_t *
ngx_http_flowdash_task_add_key(ngx_http_flowdash_task_t *task,
    ngx_str_t *name, ngx_http_flowdash_field_key_t *key, ngx_str_t *spelling,
    ngx_str_t *value)
{
    ngx_http_flowdash_field_t  *field;

    field = ngx_http_flowdash_field_push(&task->fields);
    if (field == NULL) {
        return NULL;
    }

    field->name = *name;
    field->spelling = *spelling;
    field->value = *value;
    field->original = *value;
    field->changed = 0;
    field->ambiguous = 0;
    field->forced = 0;
    field->untold = 0;

    return (ngx_http_flowdash_field_index_add(&task->index, field, key,
                                              task->pool)
            == NGX_OK) ? field : NULL;
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_task_lookup(ngx_http_flowdash_task_t *task, ngx_str_t *name)
{
    ngx_http_flowdash_field_key_t  key;

    ngx_http_flowdash_field_index_find(&task->index, name, &key);

    return ngx_http_flowdash_field_index_exact(&task->index, name, &key);
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_task_similar(ngx_http_flowdash_task_t *task, ngx_str_t *name)
{
    ngx_http_flowdash_field_key_t  key;

    ngx_http_flowdash_field_index_find(&task->index, name, &key);

    return key.similar;
}


ngx_uint_t
ngx_http_flowdash_task_conflicts(ngx_http_flowdash_task_t *task,
    ngx_str_t *name)
{
    ngx_str_t  attribute;

    attribute.data = name->data;
    attribute.len = ngx_http_flowdash_text_multiparameter(name);

    return attribute.len
           ? ngx_http_flowdash_task_lookup(task, &attribute) != NULL
           : ngx_http_flowdash_field_index_has_attribute(&task->index, name);
}


ngx_uint_t
ngx_http_flowdash_task_has_conflict(ngx_http_flowdash_task_t *task)
{
    ngx_uint_t                  i;
    ngx_list_part_t            *part;
    ngx_http_flowdash_field_t  *field;

    if (task->index.attributes.used == 0) {
        return 0;
    }

    i = 0;
    part = &task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {
        if (ngx_http_flowdash_task_conflicts(task, &field->name)) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_flowdash_task_set(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_field_t *new)
{
    ngx_http_flowdash_field_t  *field;

    field = ngx_http_flowdash_task_lookup(task, &new->name);

    if (field == NULL) {
        field = ngx_http_flowdash_task_add(task, &new->name,
                                           &new->spelling, &new->value);
        if (field == NULL) {
            return NGX_ERROR;
        }

        ngx_str_null(&field->original);

    } else if (ngx_http_flowdash_task_same(field, new)) {

        /* the same value again does not tell which of two is meant */

        field->ambiguous |= new->ambiguous;

        return NGX_OK;
    }

    field->value = new->value;
    field->ambiguous = new->ambiguous;
    field->changed = 1;
    task->changed = 1;

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_task_same(ngx_http_flowdash_field_t *field,
    ngx_http_flowdash_field_t *other)
{
    return ngx_http_flowdash_text_equal(&field->value, &other->value);
}


ngx_int_t
ngx_http_flowdash_task_merge(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_task_t *change)
{
    ngx_uint_t                  i;
    ngx_list_part_t            *part;
    ngx_http_flowdash_field_t  *new;

    i = 0;
    part = &change->fields.part;

    while ((new = ngx_http_flowdash_task_next(&part, &i))) {
        if (ngx_http_flowdash_task_set(task, new) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_task_field(ngx_http_flowdash_task_t *task, ngx_str_t *name,
    ngx_uint_t *found)
{
    ngx_str_t                   s;
    ngx_uint_t                  i;
    ngx_list_part_t            *part;
    ngx_http_flowdash_field_t  *field, *first;

    first = NULL;
    *found = 0;

    i = 0;
    part = &task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        s = field->name;

        if (ngx_http_flowdash_text_is_variable(&s, name)) {
            if ((*found)++ == 0) {
                first = field;
            }

            continue;
        }

        s.len = ngx_http_flowdash_text_multiparameter(&s);

        if (s.len && ngx_http_flowdash_text_is_variable(&s, name)) {
            *found += 2;
        }
    }

    return first;
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_task_next(ngx_list_part_t **part, ngx_uint_t *i)
{
    return ngx_http_flowdash_list_next(part, i,
                                       sizeof(ngx_http_flowdash_field_t));
}
