
/*
 * The task: its fields, and the JSON text that they came in, if there is one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_field.h>
#include <ngx_http_flowdash_field_index.h>
#include <ngx_http_flowdash_task.h>


static ngx_http_flowdash_field_t *ngx_http_flowdash_task_add_key(
    ngx_http_flowdash_task_t *task, ngx_str_t *name,
    ngx_http_flowdash_field_key_t *key, ngx_str_t *spelling,
    ngx_str_t *value);
static ngx_uint_t ngx_http_flowdash_task_find(ngx_http_flowdash_task_t *task,
    ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_task_add_member(void *data, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *value);


void
ngx_http_flowdash_task_create(ngx_http_flowdash_task_t *task, ngx_pool_t *pool)
{
    ngx_memzero(task, sizeof(ngx_http_flowdash_task_t));

    task->pool = pool;

    ngx_http_flowdash_field_init(&task->index, &task->json.text, pool);
}


ngx_int_t
ngx_http_flowdash_task_init(ngx_http_flowdash_task_t *task, ngx_pool_t *pool,
    ngx_str_t *text, ngx_array_t *pointer, ngx_uint_t strict, size_t max_size,
    ngx_http_flowdash_json_verdict_e *verdict)
{
    ngx_http_flowdash_task_begin(task, pool, text, pointer, strict, max_size);

    return ngx_http_flowdash_task_read(task, verdict);
}


void
ngx_http_flowdash_task_begin(ngx_http_flowdash_task_t *task, ngx_pool_t *pool,
    ngx_str_t *text, ngx_array_t *pointer, ngx_uint_t strict, size_t max_size)
{
    ngx_http_flowdash_task_create(task, pool);

    task->json.text = *text;
    task->json.pointer = pointer;
    task->json.member = ngx_http_flowdash_task_add_member;
    task->json.data = task;
    task->json.strict = strict;
    task->json.max_size = max_size;
    task->json.unique = 1;
}


ngx_int_t
ngx_http_flowdash_task_read(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_json_verdict_e *verdict)
{
    ngx_int_t                  rc;
    ngx_http_flowdash_json_t  *json;

    json = &task->json;

    ngx_http_flowdash_field_init(&task->index, &json->text, task->pool);

    if (json->text.len > NGX_HTTP_FLOWDASH_FIELD_TEXT_MAX) {
        json->outer = NULL;
        json->error = "over 4 GB";
        *verdict = NGX_HTTP_FLOWDASH_JSON_LARGE;
        return NGX_OK;
    }

    rc = ngx_http_flowdash_json_pointer_parse(json, verdict, task->pool);

    /* a copy of the task must not lead to what the caller has */

    json->outer = NULL;

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (*verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        ngx_str_null(&json->object);
        ngx_http_flowdash_field_init(&task->index, &json->text, task->pool);
        return NGX_OK;
    }

    ngx_http_flowdash_field_index_end(&task->index, json->tail);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_task_copy(ngx_http_flowdash_task_t *task, ngx_pool_t *pool,
    ngx_http_flowdash_task_t *base)
{
    ngx_http_flowdash_task_create(task, pool);

    task->json = base->json;

    return ngx_http_flowdash_field_index_copy(&task->index, &base->index,
                                              pool);
}


static ngx_int_t
ngx_http_flowdash_task_add_member(void *data, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *value)
{
    ngx_http_flowdash_task_t *task = data;

    size_t                          size;
    ngx_str_t                       similar;
    ngx_uint_t                      other;
    ngx_http_flowdash_json_t       *json;
    ngx_http_flowdash_field_key_t   key;

    json = &task->json;

    ngx_http_flowdash_field_index_find(&task->index, name, &key);

    other = (json->strict & NGX_HTTP_FLOWDASH_STRICT_CASE)
            ? key.similar
            : ngx_http_flowdash_field_index_exact(&task->index, name, &key);

    if (other != NGX_HTTP_FLOWDASH_FIELD_NONE) {

        ngx_http_flowdash_field_name(&task->index, other, &similar);

        if (ngx_http_flowdash_text_equal(&similar, name)) {
            json->error = "a field's name occurs twice";
            return NGX_DECLINED;
        }

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

    /* as much as it takes when it is changed */

    size = sizeof(ngx_http_flowdash_field_t)
           + NGX_HTTP_FLOWDASH_FIELD_INDEXED;

    if (key.attribute) {
        size += NGX_HTTP_FLOWDASH_FIELD_INDEXED;
    }

    if (ngx_http_flowdash_json_pointer_charge(json, size) != NGX_OK) {
        return NGX_DECLINED;
    }

    /*
     * A name that others are compared with, whatever their hashes are, is kept
     * with its length: it may be long.
     */

    if (name->data == spelling->data + 1
        && key.attribute == 0 && key.similar == NGX_HTTP_FLOWDASH_FIELD_NONE)
    {
        return ngx_http_flowdash_field_index_add_place(&task->index, name,
                                                       &key, spelling->data);
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

    field = ngx_http_flowdash_field_index_add(&task->index, name, key);
    if (field == NULL) {
        return NULL;
    }

    field->spelling = *spelling;
    field->value = *value;
    field->original = *value;

    return field;
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_task_get(ngx_http_flowdash_task_t *task, ngx_uint_t n,
    ngx_http_flowdash_field_t *room)
{
    return ngx_http_flowdash_field_get(&task->index, n, room);
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_task_lookup(ngx_http_flowdash_task_t *task, ngx_str_t *name,
    ngx_http_flowdash_field_t *room)
{
    return ngx_http_flowdash_field_get(&task->index,
                                       ngx_http_flowdash_task_find(task, name),
                                       room);
}


static ngx_uint_t
ngx_http_flowdash_task_find(ngx_http_flowdash_task_t *task, ngx_str_t *name)
{
    ngx_http_flowdash_field_key_t  key;

    ngx_http_flowdash_field_index_find(&task->index, name, &key);

    return ngx_http_flowdash_field_index_exact(&task->index, name, &key);
}


ngx_uint_t
ngx_http_flowdash_task_has(ngx_http_flowdash_task_t *task, ngx_str_t *name)
{
    return ngx_http_flowdash_task_find(task, name)
           != NGX_HTTP_FLOWDASH_FIELD_NONE;
}


ngx_uint_t
ngx_http_flowdash_task_has_similar(ngx_http_flowdash_task_t *task,
    ngx_str_t *name)
{
    ngx_str_t                      similar;
    ngx_http_flowdash_field_key_t  key;

    ngx_http_flowdash_field_index_find(&task->index, name, &key);

    if (key.similar == NGX_HTTP_FLOWDASH_FIELD_NONE) {
        return 0;
    }

    ngx_http_flowdash_field_name(&task->index, key.similar, &similar);

    return !ngx_http_flowdash_text_equal(&similar, name);
}


ngx_uint_t
ngx_http_flowdash_task_conflicts(ngx_http_flowdash_task_t *task,
    ngx_str_t *name)
{
    ngx_str_t  attribute;

    attribute.data = name->data;
    attribute.len = ngx_http_flowdash_text_multiparameter(name);

    return attribute.len
           ? ngx_http_flowdash_task_has(task, &attribute)
           : ngx_http_flowdash_field_index_has_attribute(&task->index, name);
}


ngx_uint_t
ngx_http_flowdash_task_has_conflict(ngx_http_flowdash_task_t *task)
{
    ngx_str_t   name;
    ngx_uint_t  i;

    if (task->index.attributes.used == 0) {
        return 0;
    }

    for (i = 0; i < task->index.used; i++) {

        ngx_http_flowdash_field_name(&task->index, i, &name);

        if (ngx_http_flowdash_task_conflicts(task, &name)) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_flowdash_task_set(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_field_t *new)
{
    ngx_uint_t                      n;
    ngx_http_flowdash_field_t      *field, room;
    ngx_http_flowdash_field_key_t   key;

    ngx_http_flowdash_field_index_find(&task->index, &new->name, &key);

    n = ngx_http_flowdash_field_index_exact(&task->index, &new->name, &key);

    field = ngx_http_flowdash_field_get(&task->index, n, &room);

    if (field == NULL) {
        field = ngx_http_flowdash_task_add_key(task, &new->name, &key,
                                               &new->spelling, &new->value);
        if (field == NULL) {
            return NGX_ERROR;
        }

        ngx_str_null(&field->original);

    } else if (ngx_http_flowdash_task_same(field, new)) {

        if (!new->ambiguous) {
            return NGX_OK;
        }

        /* the same value again does not tell which of two is meant */

        field = ngx_http_flowdash_field_keep(&task->index, n);
        if (field == NULL) {
            return NGX_ERROR;
        }

        field->ambiguous = 1;

        return NGX_OK;

    } else {
        field = ngx_http_flowdash_field_keep(&task->index, n);
        if (field == NULL) {
            return NGX_ERROR;
        }
    }

    field->value = new->value;
    field->ambiguous = new->ambiguous;
    field->changed = 1;
    task->changed = 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_task_force(ngx_http_flowdash_task_t *task, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *value)
{
    ngx_uint_t                  n;
    ngx_http_flowdash_field_t  *field;

    n = ngx_http_flowdash_task_find(task, name);

    field = (n == NGX_HTTP_FLOWDASH_FIELD_NONE)
            ? ngx_http_flowdash_task_add(task, name, spelling, value)
            : ngx_http_flowdash_field_keep(&task->index, n);

    if (field == NULL) {
        return NGX_ERROR;
    }

    field->value = *value;
    field->forced = 1;

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
    ngx_http_flowdash_field_t  *new, room;

    for (i = 0; (new = ngx_http_flowdash_task_get(change, i, &room)); i++) {
        if (ngx_http_flowdash_task_set(task, new) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_task_field(ngx_http_flowdash_task_t *task, ngx_str_t *name,
    ngx_uint_t *found, ngx_http_flowdash_field_t *room)
{
    ngx_str_t   s;
    ngx_uint_t  i, first;

    first = NGX_HTTP_FLOWDASH_FIELD_NONE;
    *found = 0;

    for (i = 0; i < task->index.used; i++) {

        ngx_http_flowdash_field_name(&task->index, i, &s);

        if (ngx_http_flowdash_text_is_variable(&s, name)) {
            if ((*found)++ == 0) {
                first = i;
            }

            continue;
        }

        s.len = ngx_http_flowdash_text_multiparameter(&s);

        if (s.len && ngx_http_flowdash_text_is_variable(&s, name)) {
            *found += 2;
        }
    }

    return ngx_http_flowdash_task_get(task, first, room);
}
