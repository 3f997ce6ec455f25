
/*
 * The index of a task's fields: tables with open addressing, in which a field
 * takes no memory of its own.  Hashes have a key, and names that fold to one
 * have a table for themselves, so that no choice of names makes it slow.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_hash.h>
#include <ngx_http_flowdash_fold.h>
#include <ngx_http_flowdash_field.h>


/* slots of a table at first, and fields in a part of a list at most */

#define NGX_HTTP_FLOWDASH_FIELD_SLOTS     16
#define NGX_HTTP_FLOWDASH_FIELD_PART_MAX  512


/* tells whether a field is the one that is looked for */

typedef ngx_uint_t (*ngx_http_flowdash_field_is_pt)(
    ngx_http_flowdash_field_t *field, ngx_str_t *name);


static ngx_http_flowdash_field_t *ngx_http_flowdash_field_find(
    ngx_http_flowdash_field_table_t *table, ngx_str_t *name, uint64_t hash,
    ngx_http_flowdash_field_is_pt is);
static ngx_uint_t ngx_http_flowdash_field_is_similar(
    ngx_http_flowdash_field_t *field, ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_field_is_same(
    ngx_http_flowdash_field_t *field, ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_field_is_part(
    ngx_http_flowdash_field_t *field, ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_field_insert(
    ngx_http_flowdash_field_table_t *table, ngx_http_flowdash_field_t *field,
    uint64_t hash, ngx_pool_t *pool);
static ngx_int_t ngx_http_flowdash_field_grow(
    ngx_http_flowdash_field_table_t *table, ngx_pool_t *pool);
static void ngx_http_flowdash_field_put(
    ngx_http_flowdash_field_table_t *table, ngx_http_flowdash_field_t *field,
    uint64_t hash);


/* the parts of a list have one size: here, they grow with the list */

ngx_http_flowdash_field_t *
ngx_http_flowdash_field_push(ngx_list_t *fields)
{
    ngx_uint_t        n;
    ngx_list_part_t  *part;

    if (fields->last->nelts == fields->nalloc) {

        n = ngx_min(2 * fields->nalloc, NGX_HTTP_FLOWDASH_FIELD_PART_MAX);

        part = ngx_palloc(fields->pool, sizeof(ngx_list_part_t));
        if (part == NULL) {
            return NULL;
        }

        part->elts = ngx_palloc(fields->pool, n * fields->size);
        if (part->elts == NULL) {
            return NULL;
        }

        part->nelts = 0;
        part->next = NULL;

        fields->last->next = part;
        fields->last = part;
        fields->nalloc = n;
    }

    return ngx_list_push(fields);
}


void
ngx_http_flowdash_field_index_find(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *name, ngx_http_flowdash_field_key_t *key)
{
    key->hash = ngx_http_flowdash_fold_keyed_hash(name);
    key->similar = ngx_http_flowdash_field_find(&index->names, name, key->hash,
                                           ngx_http_flowdash_field_is_similar);
    key->attribute = ngx_http_flowdash_text_multiparameter(name);
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_field_index_exact(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *name, ngx_http_flowdash_field_key_t *key)
{
    if (key->similar == NULL
        || ngx_http_flowdash_field_is_same(key->similar, name))
    {
        return key->similar;
    }

    return ngx_http_flowdash_field_find(&index->cases, name,
                                        ngx_http_flowdash_hash(name),
                                        ngx_http_flowdash_field_is_same);
}


ngx_int_t
ngx_http_flowdash_field_index_add(ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_t *field, ngx_http_flowdash_field_key_t *key,
    ngx_pool_t *pool)
{
    ngx_str_t  attribute;

    attribute.data = field->name.data;
    attribute.len = key->attribute;

    if (attribute.len
        && !ngx_http_flowdash_field_index_has_attribute(index, &attribute)
        && ngx_http_flowdash_field_insert(&index->attributes, field,
                                          ngx_http_flowdash_hash(&attribute),
                                          pool)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (key->similar) {
        return ngx_http_flowdash_field_insert(&index->cases, field,
                                          ngx_http_flowdash_hash(&field->name),
                                          pool);
    }

    return ngx_http_flowdash_field_insert(&index->names, field, key->hash,
                                          pool);
}


ngx_uint_t
ngx_http_flowdash_field_index_has_attribute(
    ngx_http_flowdash_field_index_t *index, ngx_str_t *name)
{
    return index->attributes.used
           && ngx_http_flowdash_field_find(&index->attributes, name,
                                           ngx_http_flowdash_hash(name),
                                           ngx_http_flowdash_field_is_part);
}


static ngx_http_flowdash_field_t *
ngx_http_flowdash_field_find(ngx_http_flowdash_field_table_t *table,
    ngx_str_t *name, uint64_t hash, ngx_http_flowdash_field_is_pt is)
{
    ngx_uint_t                       i;
    ngx_http_flowdash_field_slot_t  *slot;

    if (table->used == 0) {
        return NULL;
    }

    for (i = hash; /* void */ ; i++) {

        slot = &table->slots[i & (table->size - 1)];

        if (slot->field == NULL) {
            return NULL;
        }

        if (slot->hash == hash && is(slot->field, name)) {
            return slot->field;
        }
    }
}


static ngx_uint_t
ngx_http_flowdash_field_is_similar(ngx_http_flowdash_field_t *field,
    ngx_str_t *name)
{
    return ngx_http_flowdash_text_equal(&field->name, name)
           || ngx_http_flowdash_fold_compare(&field->name, name) == 0;
}


static ngx_uint_t
ngx_http_flowdash_field_is_same(ngx_http_flowdash_field_t *field,
    ngx_str_t *name)
{
    return ngx_http_flowdash_text_equal(&field->name, name);
}


static ngx_uint_t
ngx_http_flowdash_field_is_part(ngx_http_flowdash_field_t *field,
    ngx_str_t *name)
{
    return ngx_http_flowdash_text_multiparameter(&field->name) == name->len
           && ngx_memcmp(field->name.data, name->data, name->len) == 0;
}


static ngx_int_t
ngx_http_flowdash_field_insert(ngx_http_flowdash_field_table_t *table,
    ngx_http_flowdash_field_t *field, uint64_t hash, ngx_pool_t *pool)
{
    /* a quarter of the slots is free, so that each row of used ones ends */

    if (4 * table->used >= 3 * table->size
        && ngx_http_flowdash_field_grow(table, pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_field_put(table, field, hash);
    table->used++;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_field_grow(ngx_http_flowdash_field_table_t *table,
    ngx_pool_t *pool)
{
    ngx_uint_t                       i, size;
    ngx_http_flowdash_field_slot_t  *slots;

    slots = table->slots;
    size = table->size;

    table->size = size ? 2 * size : NGX_HTTP_FLOWDASH_FIELD_SLOTS;

    table->slots = ngx_pcalloc(pool, table->size
                                     * sizeof(ngx_http_flowdash_field_slot_t));
    if (table->slots == NULL) {
        table->slots = slots;
        table->size = size;
        return NGX_ERROR;
    }

    for (i = 0; i < size; i++) {
        if (slots[i].field) {
            ngx_http_flowdash_field_put(table, slots[i].field, slots[i].hash);
        }
    }

    if (slots) {
        (void) ngx_pfree(pool, slots);
    }

    return NGX_OK;
}


static void
ngx_http_flowdash_field_put(ngx_http_flowdash_field_table_t *table,
    ngx_http_flowdash_field_t *field, uint64_t hash)
{
    ngx_uint_t                       i;
    ngx_http_flowdash_field_slot_t  *slot;

    for (i = hash; /* void */ ; i++) {

        slot = &table->slots[i & (table->size - 1)];

        if (slot->field == NULL) {
            slot->hash = hash;
            slot->field = field;
            return;
        }
    }
}
