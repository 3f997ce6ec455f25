
#ifndef _NGX_HTTP_FLOWDASH_SLICES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SLICES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a shorter text is copied into one piece, which is quicker; octets */

#define NGX_HTTP_FLOWDASH_SLICES_TEXT   16384

/*
 * A shorter stretch is copied next to its neighbors: the buffers that nginx
 * needs for a slice would take too large a part of it; octets.
 */

#define NGX_HTTP_FLOWDASH_SLICES_MIN    2048


/*
 * A text in slices of memory.  Long stretches of what it was made of are left
 * where they are, and must live as long as the slices.
 */

typedef struct {
    size_t          len;       /* of all */
    ngx_str_t      *elts;      /* the begin of the only memory that is the
                                  text's own; or NULL */
    ngx_uint_t      nelts;
} ngx_http_flowdash_slices_t;


typedef struct {
    ngx_uint_t      n;         /* the slice */
    size_t          offset;    /* in it */
} ngx_http_flowdash_slices_place_t;


/*
 * Makes slices in two passes which write the same: the first one, with all of
 * the writer zeroed, counts; ngx_http_flowdash_slices_begin() allocates.
 */

typedef struct {
    size_t          len;
    ngx_str_t       stretch;   /* not written yet: it may become longer */
    ngx_str_t      *elts;      /* NULL: they are counted */
    ngx_uint_t      nelts;
    u_char         *p;         /* where the next octet is copied to */
    size_t          copied;
    unsigned        flat:1;    /* everything is copied */
    unsigned        open:1;    /* the last slice is of copied octets */
} ngx_http_flowdash_slices_writer_t;


/* Writes octets, which must live as long as the slices. */
void ngx_http_flowdash_slices_write(ngx_http_flowdash_slices_writer_t *w,
    u_char *data, size_t len);

#define ngx_http_flowdash_slices_write_text(w, text)                          \
    ngx_http_flowdash_slices_write(w, (u_char *) text, sizeof(text) - 1)

/*
 * Returns room for up to "len" octets, or NULL in the first pass.  In the
 * second one, ngx_http_flowdash_slices_fill() must follow.
 */
u_char *ngx_http_flowdash_slices_room(ngx_http_flowdash_slices_writer_t *w,
    size_t len);

/* Tells where the octets end that were written into the room. */
void ngx_http_flowdash_slices_fill(ngx_http_flowdash_slices_writer_t *w,
    u_char *last);

/* Returns how many octets the first pass has written, at most. */
size_t ngx_http_flowdash_slices_length(ngx_http_flowdash_slices_writer_t *w);

/* Begins the second pass.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_slices_begin(ngx_http_flowdash_slices_writer_t *w,
    ngx_pool_t *pool);

/* Ends the second pass, and sets "slices". */
void ngx_http_flowdash_slices_end(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_slices_t *slices);

/*
 * Prepares a single pass, which copies everything to "p".  There must be room
 * for it.
 */
void ngx_http_flowdash_slices_flat(ngx_http_flowdash_slices_writer_t *w,
    ngx_str_t *text, u_char *p);

/* Ends a single pass.  Returns the end of what it has copied. */
u_char *ngx_http_flowdash_slices_flat_end(
    ngx_http_flowdash_slices_writer_t *w);

/*
 * Makes the only slice of a text, which is not copied.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_slices_set(ngx_http_flowdash_slices_t *slices,
    ngx_str_t *text, ngx_pool_t *pool);

/*
 * Sets "text" to the only slice, or to a copy of several.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_slices_text(ngx_http_flowdash_slices_t *slices,
    ngx_pool_t *pool, ngx_str_t *text);

/*
 * Copies up to "len" octets from a place, which moves on, to "p"; a place that
 * is zeroed is the begin.  Returns their number: fewer only at the end.
 */
size_t ngx_http_flowdash_slices_read(ngx_http_flowdash_slices_t *slices,
    ngx_http_flowdash_slices_place_t *place, u_char *p, size_t len);

/* Finds the place of an offset, in octets. */
void ngx_http_flowdash_slices_seek(ngx_http_flowdash_slices_t *slices,
    ngx_http_flowdash_slices_place_t *place, size_t offset);

/*
 * Makes a chain of buffers, which leaves the slices where they are; NULL if
 * they are empty.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_slices_chain(ngx_http_flowdash_slices_t *slices,
    ngx_pool_t *pool, ngx_chain_t **chain);

/*
 * Frees the slices' own memory; their length stays.  Only a large block goes
 * back to the system.
 */
void ngx_http_flowdash_slices_free(ngx_http_flowdash_slices_t *slices,
    ngx_pool_t *pool);


#endif /* _NGX_HTTP_FLOWDASH_SLICES_H_INCLUDED_ */
