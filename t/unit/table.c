
/*
 * The table: many values, some with one hash, are found, and those that were
 * added last are removed.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_table.c"


#define VALUES  20000


static ngx_pool_t  *test_pool;
static ngx_uint_t   values[VALUES];
static ngx_uint_t   asked;


static uint64_t
hash_of(ngx_uint_t n, ngx_uint_t same)
{
    return same ? n / same : n * UINT64_C(0x9e3779b97f4a7c15);
}


static ngx_uint_t
is_value(void *value, void *wanted)
{
    asked++;

    return *(ngx_uint_t *) value == *(ngx_uint_t *) wanted;
}


static ngx_uint_t
finds(ngx_http_flowdash_table_t *table, ngx_uint_t n, ngx_uint_t same)
{
    return ngx_http_flowdash_table_find(table, hash_of(n, same), is_value,
                                        &values[n])
           == &values[n];
}


/* "same" values have one hash, or each its own if it is 0 */

static ngx_uint_t
many(ngx_uint_t same)
{
    ngx_uint_t                  n, good;
    ngx_http_flowdash_table_t   table;

    ngx_memzero(&table, sizeof(ngx_http_flowdash_table_t));

    good = 1;

    for (n = 0; n < VALUES; n++) {
        good &= !finds(&table, n, same);
        good &= (ngx_http_flowdash_table_add(&table, hash_of(n, same),
                                             &values[n], test_pool)
                 == NGX_OK);
    }

    for (n = 0; n < VALUES; n++) {
        good &= finds(&table, n, same);
    }

    ngx_http_flowdash_table_shorten(&table, VALUES);
    good &= (table.used == VALUES);

    ngx_http_flowdash_table_shorten(&table, VALUES / 3);
    good &= (table.used == VALUES / 3);

    for (n = 0; n < VALUES; n++) {
        good &= (finds(&table, n, same) == (n < VALUES / 3));
    }

    for (n = VALUES / 3; n < VALUES; n++) {
        good &= (ngx_http_flowdash_table_add(&table, hash_of(n, same),
                                             &values[n], test_pool)
                 == NGX_OK);
    }

    for (n = 0; n < VALUES; n++) {
        good &= finds(&table, n, same);
    }

    return good;
}


static ngx_uint_t
first(void)
{
    ngx_http_flowdash_table_t  table;

    static ngx_uint_t  twice[2] = { 7, 7 };

    ngx_memzero(&table, sizeof(ngx_http_flowdash_table_t));

    return ngx_http_flowdash_table_add(&table, 1, &twice[0], test_pool)
               == NGX_OK
           && ngx_http_flowdash_table_add(&table, 1, &twice[1], test_pool)
              == NGX_OK
           && ngx_http_flowdash_table_find(&table, 1, is_value, &twice[1])
              == &twice[0];
}


/* the memory that NGX_HTTP_FLOWDASH_TABLE_ENTRY tells is enough */

static ngx_uint_t
small(void)
{
    size_t                      size;
    ngx_uint_t                  n, good;
    ngx_http_flowdash_table_t   table;

    ngx_memzero(&table, sizeof(ngx_http_flowdash_table_t));

    good = 1;

    for (n = 0; n < VALUES; n++) {
        good &= (ngx_http_flowdash_table_add(&table, n, &values[n], test_pool)
                 == NGX_OK);

        size = ngx_http_flowdash_table_room(table.size)
               * sizeof(ngx_http_flowdash_table_entry_t)
               + table.size * sizeof(uint32_t);

        /* an empty table has some slots at once */

        good &= (n < NGX_HTTP_FLOWDASH_TABLE_SLOTS
                 || size <= table.used * NGX_HTTP_FLOWDASH_TABLE_ENTRY);
    }

    return good;
}


int
main(void)
{
    ngx_uint_t                 n;
    ngx_http_flowdash_table_t  table;

    (void) test_begin(0);

    test_pool = ngx_create_pool(4096, &test_log);

    for (n = 0; n < VALUES; n++) {
        values[n] = n;
    }

    ngx_memzero(&table, sizeof(ngx_http_flowdash_table_t));
    ngx_http_flowdash_table_shorten(&table, 0);
    ok(!finds(&table, 0, 0), "an empty table");

    ok(many(0), "many values");
    ok(many(3), "values of which three have one hash");
    ok(first(), "of two that are alike, the first");
    ok(small(), "the memory for each");

    asked = 0;
    ok(many(0) && asked < 4 * VALUES, "only what has the hash is looked at");

    ngx_destroy_pool(test_pool);

    return test_end();
}
