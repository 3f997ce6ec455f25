
/*
 * A table of values that are found by their hashes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_table.h>


#define NGX_HTTP_FLOWDASH_TABLE_SLOTS  16  /* of a table with one value */


static ngx_int_t ngx_http_flowdash_table_grow(ngx_http_flowdash_table_t *table,
    ngx_pool_t *pool);
static void ngx_http_flowdash_table_put(ngx_http_flowdash_table_t *table,
    ngx_uint_t n);


/* a quarter of the slots is free, so that each row of used ones ends */

#define ngx_http_flowdash_table_room(size)  ((size) / 4 * 3)


void *
ngx_http_flowdash_table_find(ngx_http_flowdash_table_t *table, uint64_t hash,
    ngx_http_flowdash_table_is_pt is, void *wanted)
{
    uint32_t                          n;
    ngx_uint_t                        i;
    ngx_http_flowdash_table_entry_t  *entry;

    if (table->used == 0) {
        return NULL;
    }

    for (i = hash; /* void */ ; i++) {

        n = table->slots[i & (table->size - 1)];

        if (n == 0) {
            return NULL;
        }

        entry = &table->entries[n - 1];

        if (entry->hash == hash && is(entry->value, wanted)) {
            return entry->value;
        }
    }
}


ngx_int_t
ngx_http_flowdash_table_add(ngx_http_flowdash_table_t *table, uint64_t hash,
    void *value, ngx_pool_t *pool)
{
    ngx_http_flowdash_table_entry_t  *entry;

    if (table->used == ngx_http_flowdash_table_room(table->size)
        && ngx_http_flowdash_table_grow(table, pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    entry = &table->entries[table->used++];
    entry->hash = hash;
    entry->value = value;

    ngx_http_flowdash_table_put(table, table->used);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_table_grow(ngx_http_flowdash_table_t *table,
    ngx_pool_t *pool)
{
    size_t                            entries;
    ngx_uint_t                        n, size;
    ngx_http_flowdash_table_entry_t  *old;

    old = table->entries;

    size = table->size ? 2 * table->size : NGX_HTTP_FLOWDASH_TABLE_SLOTS;
    entries = ngx_http_flowdash_table_room(size)
              * sizeof(ngx_http_flowdash_table_entry_t);

    table->entries = ngx_palloc(pool, entries + size * sizeof(uint32_t));
    if (table->entries == NULL) {
        table->entries = old;
        return NGX_ERROR;
    }

    table->slots = (uint32_t *) ((u_char *) table->entries + entries);
    table->size = size;

    ngx_memzero(table->slots, size * sizeof(uint32_t));

    if (old == NULL) {
        return NGX_OK;
    }

    ngx_memcpy(table->entries, old,
               table->used * sizeof(ngx_http_flowdash_table_entry_t));

    for (n = 1; n <= table->used; n++) {
        ngx_http_flowdash_table_put(table, n);
    }

    (void) ngx_pfree(pool, old);

    return NGX_OK;
}


static void
ngx_http_flowdash_table_put(ngx_http_flowdash_table_t *table, ngx_uint_t n)
{
    ngx_uint_t  i, mask;

    mask = table->size - 1;
    i = table->entries[n - 1].hash & mask;

    while (table->slots[i]) {
        i = (i + 1) & mask;
    }

    table->slots[i] = (uint32_t) n;
}


/* the last one has found its slot as if there were no later one */

void
ngx_http_flowdash_table_shorten(ngx_http_flowdash_table_t *table,
    ngx_uint_t used)
{
    ngx_uint_t  i, mask;

    mask = table->size - 1;

    for ( /* void */ ; table->used > used; table->used--) {

        i = table->entries[table->used - 1].hash & mask;

        while (table->slots[i] != table->used) {
            i = (i + 1) & mask;
        }

        table->slots[i] = 0;
    }
}
