
/*
 * Finds the fields of a task by their names: tables with open addressing, in
 * which a field takes no memory of its own.  Hashes have a key, and names that
 * fold to one have a table for themselves, so that no choice of names makes it
 * slow.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_hash.h>
#include <ngx_http_flowdash_fold.h>
#include <ngx_http_flowdash_field.h>
#include <ngx_http_flowdash_field_index.h>


/* slots of a table at first */

#define NGX_HTTP_FLOWDASH_FIELD_SLOTS  16

/* a table with more of them can be freed: a pool keeps what is small */

#define NGX_HTTP_FLOWDASH_FIELD_SLOTS_FREED  1024


/* a quarter of the slots is free, so that each row of used ones ends */

#define ngx_http_flowdash_field_is_full(table)                                \
    (4 * (table)->used >= 3 * (table)->size)


/* tells whether a field is the one that is looked for */

typedef ngx_uint_t (*ngx_http_flowdash_field_is_pt)(ngx_str_t *field,
    ngx_str_t *name);


static ngx_int_t ngx_http_flowdash_field_copy_table(
    ngx_http_flowdash_field_table_t *table, ngx_pool_t *pool);
static ngx_int_t ngx_http_flowdash_field_insert_name(
    ngx_http_flowdash_field_index_t *index, ngx_str_t *name,
    ngx_http_flowdash_field_key_t *key);
static ngx_uint_t ngx_http_flowdash_field_find(
    ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_table_t *table, ngx_str_t *name, uint64_t hash,
    ngx_http_flowdash_field_is_pt is, ngx_uint_t *slot);
static ngx_uint_t ngx_http_flowdash_field_is_similar(ngx_str_t *field,
    ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_field_is_same(ngx_str_t *field,
    ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_field_is_part(ngx_str_t *field,
    ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_field_insert(
    ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_table_t *table, ngx_uint_t n, uint64_t hash);
static ngx_int_t ngx_http_flowdash_field_grow(
    ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_table_t *table);
static ngx_int_t ngx_http_flowdash_field_rebuild(
    ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_table_t *table, ngx_uint_t new_size);
static uint64_t ngx_http_flowdash_field_hash(
    ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_table_t *table, ngx_uint_t n);
static ngx_uint_t ngx_http_flowdash_field_free_slot(
    ngx_http_flowdash_field_table_t *table, uint64_t hash);


ngx_int_t
ngx_http_flowdash_field_index_copy(ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_index_t *base, ngx_pool_t *pool)
{
    if (ngx_http_flowdash_field_copy(index, base, pool) != NGX_OK
        || ngx_http_flowdash_field_copy_table(&index->names, pool) != NGX_OK
        || ngx_http_flowdash_field_copy_table(&index->cases, pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_field_copy_table(&index->attributes, pool);
}


static ngx_int_t
ngx_http_flowdash_field_copy_table(ngx_http_flowdash_field_table_t *table,
    ngx_pool_t *pool)
{
    uint32_t  *slots;

    if (table->size == 0) {
        return NGX_OK;
    }

    slots = ngx_palloc(pool, table->size * sizeof(uint32_t));
    if (slots == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(slots, table->slots, table->size * sizeof(uint32_t));

    table->slots = slots;

    return NGX_OK;
}


void
ngx_http_flowdash_field_index_end(ngx_http_flowdash_field_index_t *index,
    u_char *tail)
{
    ngx_uint_t                        size;
    ngx_http_flowdash_field_table_t  *table;

    ngx_http_flowdash_field_end(index, tail);

    table = &index->names;

    if (table->size <= NGX_HTTP_FLOWDASH_FIELD_SLOTS_FREED) {
        return;
    }

    for (size = table->size; 4 * table->used < 3 * size / 2; size /= 2) {
        /* void */
    }

    if (size < table->size) {

        /* without memory for it, the table stays as it is */

        (void) ngx_http_flowdash_field_rebuild(index, table, size);
    }
}


void
ngx_http_flowdash_field_index_find(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *name, ngx_http_flowdash_field_key_t *key)
{
    key->hash = ngx_http_flowdash_fold_keyed_hash(name)
                & NGX_HTTP_FLOWDASH_FIELD_HASH;
    key->similar = ngx_http_flowdash_field_find(index, &index->names, name,
                                            key->hash,
                                            ngx_http_flowdash_field_is_similar,
                                            &key->slot);
    key->attribute = ngx_http_flowdash_text_multiparameter(name);
}


ngx_uint_t
ngx_http_flowdash_field_index_exact(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *name, ngx_http_flowdash_field_key_t *key)
{
    ngx_str_t   similar;
    ngx_uint_t  slot;

    if (key->similar == NGX_HTTP_FLOWDASH_FIELD_NONE) {
        return key->similar;
    }

    ngx_http_flowdash_field_name(index, key->similar, &similar);

    if (ngx_http_flowdash_text_equal(&similar, name)) {
        return key->similar;
    }

    return ngx_http_flowdash_field_find(index, &index->cases, name,
                                        ngx_http_flowdash_hash(name),
                                        ngx_http_flowdash_field_is_same,
                                        &slot);
}


ngx_int_t
ngx_http_flowdash_field_index_add_place(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *name, ngx_http_flowdash_field_key_t *key, u_char *spelling)
{
    ngx_http_flowdash_field_ref_t  *ref;

    ref = ngx_http_flowdash_field_push(index);
    if (ref == NULL) {
        return NGX_ERROR;
    }

    ref->place = (uint32_t) (spelling - index->text.data);
    ref->kept = 0;

    return ngx_http_flowdash_field_insert_name(index, name, key);
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_field_index_add(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *name, ngx_http_flowdash_field_key_t *key)
{
    ngx_http_flowdash_field_t      *field;
    ngx_http_flowdash_field_ref_t  *ref;

    field = ngx_http_flowdash_field_push_kept(index);
    if (field == NULL) {
        return NULL;
    }

    ngx_memzero(field, sizeof(ngx_http_flowdash_field_t));

    field->name = *name;

    ref = ngx_http_flowdash_field_push(index);
    if (ref == NULL) {
        return NULL;
    }

    ref->place = (uint32_t) index->nkept - 1;
    ref->kept = 1;

    return (ngx_http_flowdash_field_insert_name(index, name, key) == NGX_OK)
           ? field : NULL;
}


/* the field is the last one */

static ngx_int_t
ngx_http_flowdash_field_insert_name(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *name, ngx_http_flowdash_field_key_t *key)
{
    ngx_str_t   attribute;
    ngx_uint_t  n;

    n = index->used - 1;

    index->refs[n].hash = key->hash;

    attribute.data = name->data;
    attribute.len = key->attribute;

    if (attribute.len
        && !ngx_http_flowdash_field_index_has_attribute(index, &attribute)
        && ngx_http_flowdash_field_insert(index, &index->attributes, n,
                                          ngx_http_flowdash_hash(&attribute))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (key->similar != NGX_HTTP_FLOWDASH_FIELD_NONE) {
        return ngx_http_flowdash_field_insert(index, &index->cases, n,
                                              ngx_http_flowdash_hash(name));
    }

    if (ngx_http_flowdash_field_is_full(&index->names)) {
        return ngx_http_flowdash_field_insert(index, &index->names, n,
                                              key->hash);
    }

    index->names.slots[key->slot] = (uint32_t) n + 1;
    index->names.used++;

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_field_index_has_attribute(
    ngx_http_flowdash_field_index_t *index, ngx_str_t *name)
{
    ngx_uint_t  slot;

    return index->attributes.used
           && ngx_http_flowdash_field_find(index, &index->attributes, name,
                                           ngx_http_flowdash_hash(name),
                                           ngx_http_flowdash_field_is_part,
                                           &slot)
              != NGX_HTTP_FLOWDASH_FIELD_NONE;
}


/* if there is none, "slot" is the one for it, unless the table is full */

static ngx_uint_t
ngx_http_flowdash_field_find(ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_table_t *table, ngx_str_t *name, uint64_t hash,
    ngx_http_flowdash_field_is_pt is, ngx_uint_t *slot)
{
    uint32_t    number;
    ngx_str_t   other;
    ngx_uint_t  i, n;

    if (table->size == 0) {
        return NGX_HTTP_FLOWDASH_FIELD_NONE;
    }

    for (i = hash; /* void */ ; i++) {

        *slot = i & (table->size - 1);

        number = table->slots[*slot];

        if (number == 0) {
            return NGX_HTTP_FLOWDASH_FIELD_NONE;
        }

        n = number - 1;

        if (table == &index->names && index->refs[n].hash != hash) {
            continue;
        }

        ngx_http_flowdash_field_name(index, n, &other);

        if (is(&other, name)) {
            return n;
        }
    }
}


static ngx_uint_t
ngx_http_flowdash_field_is_similar(ngx_str_t *field, ngx_str_t *name)
{
    return ngx_http_flowdash_text_equal(field, name)
           || ngx_http_flowdash_fold_compare(field, name) == 0;
}


static ngx_uint_t
ngx_http_flowdash_field_is_same(ngx_str_t *field, ngx_str_t *name)
{
    return ngx_http_flowdash_text_equal(field, name);
}


static ngx_uint_t
ngx_http_flowdash_field_is_part(ngx_str_t *field, ngx_str_t *name)
{
    /* only if it begins so, it is worth a look at all of it */

    return field->len > name->len
           && field->data[name->len] == '('
           && ngx_memcmp(field->data, name->data, name->len) == 0
           && ngx_http_flowdash_text_multiparameter(field) == name->len;
}


static ngx_int_t
ngx_http_flowdash_field_insert(ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_table_t *table, ngx_uint_t n, uint64_t hash)
{
    if (ngx_http_flowdash_field_is_full(table)
        && ngx_http_flowdash_field_grow(index, table) != NGX_OK)
    {
        return NGX_ERROR;
    }

    table->slots[ngx_http_flowdash_field_free_slot(table, hash)] =
                                                              (uint32_t) n + 1;
    table->used++;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_field_grow(ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_table_t *table)
{
    ngx_uint_t  size, expected;

    size = table->size ? 2 * table->size : NGX_HTTP_FLOWDASH_FIELD_SLOTS;

    if (table == &index->names) {
        expected = ngx_http_flowdash_field_expected(index);

        while (4 * expected >= 3 * size) {
            size *= 2;
        }
    }

    return ngx_http_flowdash_field_rebuild(index, table, size);
}


/* gives a table another size, for which its fields are not too many */

static ngx_int_t
ngx_http_flowdash_field_rebuild(ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_table_t *table, ngx_uint_t new_size)
{
    uint32_t    *slots;
    uint64_t     hash;
    ngx_uint_t   i, size;

    slots = table->slots;
    size = table->size;

    table->size = new_size;

    table->slots = ngx_pcalloc(index->pool, table->size * sizeof(uint32_t));
    if (table->slots == NULL) {
        table->slots = slots;
        table->size = size;
        return NGX_ERROR;
    }

    for (i = 0; i < size; i++) {

        if (slots[i] == 0) {
            continue;
        }

        hash = ngx_http_flowdash_field_hash(index, table, slots[i] - 1);

        table->slots[ngx_http_flowdash_field_free_slot(table, hash)] =
                                                                      slots[i];
    }

    if (slots) {
        (void) ngx_pfree(index->pool, slots);
    }

    return NGX_OK;
}


/* the hash by which a field is in a table */

static uint64_t
ngx_http_flowdash_field_hash(ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_table_t *table, ngx_uint_t n)
{
    ngx_str_t  name;

    if (table == &index->names) {
        return index->refs[n].hash;
    }

    ngx_http_flowdash_field_name(index, n, &name);

    if (table == &index->attributes) {
        name.len = ngx_http_flowdash_text_multiparameter(&name);
    }

    return ngx_http_flowdash_hash(&name);
}


static ngx_uint_t
ngx_http_flowdash_field_free_slot(ngx_http_flowdash_field_table_t *table,
    uint64_t hash)
{
    ngx_uint_t  i;

    for (i = hash; table->slots[i & (table->size - 1)]; i++) { /* void */ }

    return i & (table->size - 1);
}
