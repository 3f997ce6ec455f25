
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
} ngx_http_flowdash_field_t;


/*
 * What is remembered of each field.  A field that is as the text has it needs
 * no more: its strings are found in the text again.  One that is changed or
 * new, or whose name has escapes or is in a table other than "names", is kept:
 * it is in memory of its own.
 */

typedef struct {
    uint32_t                     place;      /* its spelling in the text, as an
                                                offset in octets; or, if it is
                                                kept, its number in "kept" */
    unsigned                     hash:30;    /* of the folded name */
    unsigned                     kept:1;
    unsigned                     marked:1;
} ngx_http_flowdash_field_ref_t;


#define NGX_HTTP_FLOWDASH_FIELD_HASH  0x3fffffff


/* no field has this number */

#define NGX_HTTP_FLOWDASH_FIELD_NONE  ((ngx_uint_t) -1)


/* an open-addressing table of fields; all zero, it has none */

typedef struct {
    uint32_t                    *slots;      /* a field's number, from 1; 0:
                                                the slot is free */
    ngx_uint_t                   size;       /* a power of two, or 0 */
    ngx_uint_t                   used;
} ngx_http_flowdash_field_table_t;


/* the fields of a task, in their order, and what finds them by their names */

typedef struct {
    ngx_pool_t                  *pool;

    ngx_http_flowdash_field_ref_t
                                *refs;
    ngx_uint_t                   used;       /* fields */
    ngx_uint_t                   max;        /* for which there is room */
    ngx_uint_t                   marks;      /* fields that are marked */

    ngx_http_flowdash_field_t  **kept;
    ngx_uint_t                   nkept;
    ngx_uint_t                   max_kept;

    ngx_str_t                    text;       /* that the fields came in */
    ngx_uint_t                   in_text;    /* these have a place in it */
    u_char                      *tail;       /* where the last of them ends */

    ngx_http_flowdash_field_table_t
                                 names;      /* hashes of folded names; of
                                                those that fold to one, the
                                                first */
    ngx_http_flowdash_field_table_t
                                 cases;      /* the others; exact hashes */
    ngx_http_flowdash_field_table_t
                                 attributes; /* "due" of each "due(1i)" */
} ngx_http_flowdash_field_index_t;


/* the memory of the index for a field that is kept, at most, in octets */

#define NGX_HTTP_FLOWDASH_FIELD_INDEXED                                       \
    (sizeof(ngx_http_flowdash_field_ref_t)                                    \
     + sizeof(ngx_http_flowdash_field_t *) + 4 * sizeof(uint32_t))


/* the text that fields have a place in: less than 4 GB */

#define NGX_HTTP_FLOWDASH_FIELD_TEXT_MAX  UINT32_MAX


/* Makes an index without fields; "text" is empty if they come in none. */
void ngx_http_flowdash_field_init(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *text, ngx_pool_t *pool);

/*
 * Copies the fields, and not the tables, of an index, which must live as long
 * as the copy.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_field_copy(ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_index_t *base, ngx_pool_t *pool);

/* Adds a field, of which nothing is set.  Returns NULL on error. */
ngx_http_flowdash_field_ref_t *ngx_http_flowdash_field_push(
    ngx_http_flowdash_field_index_t *index);

/*
 * Adds memory for a field that is kept, which is not initialized; its number
 * is index->nkept - 1.  Returns NULL on error.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_field_push_kept(
    ngx_http_flowdash_field_index_t *index);

/*
 * Ends the fields that have a place in the text: "tail" is where the value of
 * the last one ends.  Before, only their names can be had.
 */
void ngx_http_flowdash_field_end(ngx_http_flowdash_field_index_t *index,
    u_char *tail);

/*
 * Returns how many fields there will be, at most, if the text continues as it
 * has begun; or 0 if that is not known.  There must be one already.
 */
ngx_uint_t ngx_http_flowdash_field_expected(
    ngx_http_flowdash_field_index_t *index);

/* Sets "name" to that of a field by its number. */
void ngx_http_flowdash_field_name(ngx_http_flowdash_field_index_t *index,
    ngx_uint_t n, ngx_str_t *name);

/*
 * Returns a field by its number, or NULL if there is none.  Callers must not
 * change it: what is not kept is put into "room".
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_field_get(
    ngx_http_flowdash_field_index_t *index, ngx_uint_t n,
    ngx_http_flowdash_field_t *room);

/* Keeps a field, which can then be changed.  Returns NULL on error. */
ngx_http_flowdash_field_t *ngx_http_flowdash_field_keep(
    ngx_http_flowdash_field_index_t *index, ngx_uint_t n);

/*
 * Returns the next field that is kept, or NULL after the last.  Start with "i"
 * set to 0; then, the field's number is *i - 1.
 */
ngx_http_flowdash_field_t *ngx_http_flowdash_field_next_kept(
    ngx_http_flowdash_field_index_t *index, ngx_uint_t *i);

/* Marks a field, or removes its mark. */
void ngx_http_flowdash_field_mark(ngx_http_flowdash_field_index_t *index,
    ngx_uint_t n, ngx_uint_t marked);

/* Removes all marks. */
void ngx_http_flowdash_field_unmark(ngx_http_flowdash_field_index_t *index);


#endif /* _NGX_HTTP_FLOWDASH_FIELD_H_INCLUDED_ */
