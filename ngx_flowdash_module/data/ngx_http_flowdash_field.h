
#ifndef _NGX_HTTP_FLOWDASH_FIELD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FIELD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a field of a task */

typedef struct {
    ngx_str_t                    name;       /* decoded */
    ngx_str_t                    spelling;   /* the name as JSON, quoted */
    ngx_str_t                    value;      /* the current value as JSON */
    ngx_str_t                    original;   /* the value that the field came
                                                with; no data: it is new */
    unsigned                     changed:1;
    unsigned                     ambiguous:1; /* the source has two values */
    unsigned                     forced:1;   /* flowdash_accept is no matter */
    unsigned                     untold:1;   /* left out by ..._write_told() */
} ngx_http_flowdash_field_t;


typedef struct {
    uint64_t                     hash;
    ngx_http_flowdash_field_t   *field;      /* NULL: the slot is free */
} ngx_http_flowdash_field_slot_t;


/* an open-addressing table of fields; all zero, it has none */

typedef struct {
    ngx_http_flowdash_field_slot_t
                                *slots;
    ngx_uint_t                   size;       /* a power of two, or 0 */
    ngx_uint_t                   used;
} ngx_http_flowdash_field_table_t;


/* finds fields by their names; all zero, it has none */

typedef struct {
    ngx_http_flowdash_field_table_t
                                 names;      /* hashes of folded names; of
                                                those that fold to one, the
                                                first */
    ngx_http_flowdash_field_table_t
                                 cases;      /* the others; exact hashes */
    ngx_http_flowdash_field_table_t
                                 attributes; /* "due" of each "due(1i)" */
} ngx_http_flowdash_field_index_t;


/* what is known of a name */

typedef struct {
    uint64_t                     hash;       /* of the folded name */
    ngx_http_flowdash_field_t   *similar;    /* the same when case is ignored,
                                                or NULL */
    size_t                       attribute;  /* length of "due" in "due(1i)",
                                                or 0 */
} ngx_http_flowdash_field_key_t;


/* the memory of the index for a field, in bytes */

#define NGX_HTTP_FLOWDASH_FIELD_INDEXED                                       \
    (2 * sizeof(ngx_http_flowdash_field_slot_t))


/*
 * Adds a field, which is not initialized, to a list of fields.  Returns NULL
 * on error.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_field_push(ngx_list_t *fields);

/*
 * Looks for a name: sets all of "key".  If several fields have a name that is
 * the same when case is ignored, key->similar is any of them.
 */
void ngx_http_flowdash_field_index_find(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *name, ngx_http_flowdash_field_key_t *key);

/*
 * Returns the field that has just this name, for which "key" was set, or NULL
 * if there is none.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_field_index_exact(
    ngx_http_flowdash_field_index_t *index, ngx_str_t *name,
    ngx_http_flowdash_field_key_t *key);

/*
 * Adds a field, which the index must not have, and for whose name "key" was
 * set.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_field_index_add(
    ngx_http_flowdash_field_index_t *index, ngx_http_flowdash_field_t *field,
    ngx_http_flowdash_field_key_t *key, ngx_pool_t *pool);

/* Tells whether there is a multiparameter of this attribute. */
ngx_uint_t ngx_http_flowdash_field_index_has_attribute(
    ngx_http_flowdash_field_index_t *index, ngx_str_t *name);


#endif /* _NGX_HTTP_FLOWDASH_FIELD_H_INCLUDED_ */
