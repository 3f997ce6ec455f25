
#ifndef _NGX_HTTP_FLOWDASH_TABLE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    uint64_t                           hash;
    void                              *value;
} ngx_http_flowdash_table_entry_t;


/*
 * A table that finds values by their hashes, with open addressing; all zero,
 * it is empty.  Adding a value allocates nothing but when the table grows.
 */

typedef struct {
    ngx_http_flowdash_table_entry_t   *entries;  /* as they were added */
    uint32_t                          *slots;    /* numbers of entries, from 1;
                                                    0: the slot is free */
    ngx_uint_t                         size;     /* slots: a power of two, or
                                                    0 */
    ngx_uint_t                         used;     /* entries */
} ngx_http_flowdash_table_t;


/* the memory of the table for an entry, at most, in bytes */

#define NGX_HTTP_FLOWDASH_TABLE_ENTRY                                         \
    (2 * sizeof(ngx_http_flowdash_table_entry_t) + 4 * sizeof(uint32_t))


/* tells whether a value with the hash is the one that is looked for */

typedef ngx_uint_t (*ngx_http_flowdash_table_is_pt)(void *value,
    void *wanted);


/*
 * Finds the first value that was added with this hash and for which "is" says
 * so.  Returns NULL if there is none.
 */
void *ngx_http_flowdash_table_find(ngx_http_flowdash_table_t *table,
    uint64_t hash, ngx_http_flowdash_table_is_pt is, void *wanted);

/* Adds a value, which is not NULL.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_table_add(ngx_http_flowdash_table_t *table,
    uint64_t hash, void *value, ngx_pool_t *pool);

/* Removes the values that were added after the first "used" ones. */
void ngx_http_flowdash_table_shorten(ngx_http_flowdash_table_t *table,
    ngx_uint_t used);


#endif /* _NGX_HTTP_FLOWDASH_TABLE_H_INCLUDED_ */
