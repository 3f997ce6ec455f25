
#ifndef _NGX_HTTP_FLOWDASH_FIELD_INDEX_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FIELD_INDEX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_field.h>


/* what is known of a name */

typedef struct {
    uint64_t                     hash;       /* of the folded name */
    ngx_uint_t                   similar;    /* number of a field with the same
                                                name when case is ignored */
    ngx_uint_t                   slot;       /* if there is none, and the table
                                                is not full: where the next
                                                field is put if it is this */
    size_t                       attribute;  /* length of "due" in "due(1i)",
                                                or 0 */
} ngx_http_flowdash_field_key_t;


/*
 * Makes an index with the same fields as "base", which must live as long as
 * the copy.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_field_index_copy(
    ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_index_t *base, ngx_pool_t *pool);

/*
 * Ends the fields that have a place in the text, as
 * ngx_http_flowdash_field_end() does; room that turned out not to be needed is
 * given back.
 */
void ngx_http_flowdash_field_index_end(ngx_http_flowdash_field_index_t *index,
    u_char *tail);

/*
 * Looks for a name, and sets "key".  If several fields have a name that is
 * the same when case is ignored, key->similar is any of them.
 */
void ngx_http_flowdash_field_index_find(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *name, ngx_http_flowdash_field_key_t *key);

/*
 * Returns the number of the field that has just this name, for which "key" was
 * set, or NGX_HTTP_FLOWDASH_FIELD_NONE.
 */
ngx_uint_t ngx_http_flowdash_field_index_exact(
    ngx_http_flowdash_field_index_t *index, ngx_str_t *name,
    ngx_http_flowdash_field_key_t *key);

/*
 * Adds a field that is in the text, with its name's spelling there, which has
 * no escapes.  The index must not have the name, for which "key" was set.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_field_index_add_place(
    ngx_http_flowdash_field_index_t *index, ngx_str_t *name,
    ngx_http_flowdash_field_key_t *key, u_char *spelling);

/*
 * Adds a field that is kept, and has a name only.  The index must not have the
 * name, for which "key" was set.  Returns NULL on error.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_field_index_add(
    ngx_http_flowdash_field_index_t *index, ngx_str_t *name,
    ngx_http_flowdash_field_key_t *key);

/* Tells whether there is a multiparameter of this attribute. */
ngx_uint_t ngx_http_flowdash_field_index_has_attribute(
    ngx_http_flowdash_field_index_t *index, ngx_str_t *name);


#endif /* _NGX_HTTP_FLOWDASH_FIELD_INDEX_H_INCLUDED_ */
