
/*
 * The fields of a task.  Of a field that is as the text has it, the place is
 * remembered only: its name and its value are read from the text again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_field.h>


/* fields for which there is room at first */

#define NGX_HTTP_FLOWDASH_FIELD_FEW    12

/* fields from which on the room for them is not doubled, and can be freed */

#define NGX_HTTP_FLOWDASH_FIELD_MANY   512

/* no more are expected than so many times the fields so far */

#define NGX_HTTP_FLOWDASH_FIELD_GROWTH  4


#define ngx_http_flowdash_field_is_space(c)                                   \
    ((c) == ' ' || (c) == '\t' || (c) == '\n' || (c) == '\r')


static u_char *ngx_http_flowdash_field_value_end(
    ngx_http_flowdash_field_index_t *index, ngx_uint_t n);
static ngx_int_t ngx_http_flowdash_field_room(
    ngx_http_flowdash_field_index_t *index);
static ngx_int_t ngx_http_flowdash_field_resize(
    ngx_http_flowdash_field_index_t *index, ngx_uint_t max);


void
ngx_http_flowdash_field_init(ngx_http_flowdash_field_index_t *index,
    ngx_str_t *text, ngx_pool_t *pool)
{
    ngx_memzero(index, sizeof(ngx_http_flowdash_field_index_t));

    index->text = *text;
    index->pool = pool;
}


ngx_int_t
ngx_http_flowdash_field_copy(ngx_http_flowdash_field_index_t *index,
    ngx_http_flowdash_field_index_t *base, ngx_pool_t *pool)
{
    size_t                      size;
    ngx_uint_t                  i;
    ngx_http_flowdash_field_t  *field;

    *index = *base;

    index->pool = pool;
    index->refs = NULL;
    index->max = base->used;
    index->nkept = 0;
    index->max_kept = 0;

    if (base->used) {
        size = base->used * sizeof(ngx_http_flowdash_field_ref_t);

        index->refs = ngx_palloc(pool, size);
        if (index->refs == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(index->refs, base->refs, size);
    }

    for (i = 0; i < base->nkept; i++) {

        field = ngx_http_flowdash_field_push_kept(index);
        if (field == NULL) {
            return NGX_ERROR;
        }

        *field = *base->kept[i];
    }

    return NGX_OK;
}


void
ngx_http_flowdash_field_end(ngx_http_flowdash_field_index_t *index,
    u_char *tail)
{
    index->in_text = index->used;
    index->tail = tail;

    if (index->max > NGX_HTTP_FLOWDASH_FIELD_MANY
        && index->max - index->used > index->used / 8)
    {
        /* without memory for it, the index stays as it is */

        (void) ngx_http_flowdash_field_resize(index, index->used);
    }
}


void
ngx_http_flowdash_field_name(ngx_http_flowdash_field_index_t *index,
    ngx_uint_t n, ngx_str_t *name)
{
    u_char                         *p, *last;
    ngx_http_flowdash_field_ref_t  *ref;

    ref = &index->refs[n];

    if (ref->kept) {
        *name = index->kept[ref->place]->name;
        return;
    }

    p = index->text.data + ref->place + 1;
    last = index->text.data + index->text.len;

    name->data = p;
    name->len = (u_char *) memchr(p, '"', last - p) - p;
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_field_get(ngx_http_flowdash_field_index_t *index,
    ngx_uint_t n, ngx_http_flowdash_field_t *room)
{
    u_char                         *p;
    ngx_http_flowdash_field_ref_t  *ref;

    if (n >= index->used) {
        return NULL;
    }

    ref = &index->refs[n];

    if (ref->kept) {
        return index->kept[ref->place];
    }

    ngx_memzero(room, sizeof(ngx_http_flowdash_field_t));

    ngx_http_flowdash_field_name(index, n, &room->name);

    room->spelling.data = room->name.data - 1;
    room->spelling.len = room->name.len + 2;

    p = room->spelling.data + room->spelling.len;

    while (*p == ':' || ngx_http_flowdash_field_is_space(*p)) {
        p++;
    }

    room->value.data = p;
    room->value.len = ngx_http_flowdash_field_value_end(index, n) - p;
    room->original = room->value;

    return room;
}


/* returns the end of a value: between it and the next name is a comma only */

static u_char *
ngx_http_flowdash_field_value_end(ngx_http_flowdash_field_index_t *index,
    ngx_uint_t n)
{
    u_char                         *p;
    ngx_http_flowdash_field_ref_t  *next;

    if (n + 1 == index->in_text) {
        return index->tail;
    }

    next = &index->refs[n + 1];

    p = next->kept ? index->kept[next->place]->spelling.data
                   : index->text.data + next->place;

    while (p[-1] == ',' || ngx_http_flowdash_field_is_space(p[-1])) {
        p--;
    }

    return p;
}


ngx_http_flowdash_field_ref_t *
ngx_http_flowdash_field_push(ngx_http_flowdash_field_index_t *index)
{
    ngx_http_flowdash_field_ref_t  *ref;

    if (index->used == index->max
        && ngx_http_flowdash_field_room(index) != NGX_OK)
    {
        return NULL;
    }

    ref = &index->refs[index->used++];

    ref->marked = 0;

    return ref;
}


static ngx_int_t
ngx_http_flowdash_field_room(ngx_http_flowdash_field_index_t *index)
{
    ngx_uint_t  max, least;

    if (index->max == 0) {
        return ngx_http_flowdash_field_resize(index,
                                              NGX_HTTP_FLOWDASH_FIELD_FEW);
    }

    least = index->max;
    least += (least < NGX_HTTP_FLOWDASH_FIELD_MANY) ? least : least / 8;

    max = ngx_http_flowdash_field_expected(index);
    max += max / 8;

    return ngx_http_flowdash_field_resize(index, ngx_max(max, least));
}


ngx_uint_t
ngx_http_flowdash_field_expected(ngx_http_flowdash_field_index_t *index)
{
    uint64_t                        n;
    ngx_http_flowdash_field_ref_t  *last;

    last = &index->refs[index->used - 1];

    /* what is kept takes memory already, and may have no place */

    if (index->in_text || last->kept || index->nkept > index->used / 8) {
        return 0;
    }

    n = (uint64_t) index->used * index->text.len / (last->place + 1);

    return (ngx_uint_t) ngx_min(n,
                             NGX_HTTP_FLOWDASH_FIELD_GROWTH * index->used);
}


static ngx_int_t
ngx_http_flowdash_field_resize(ngx_http_flowdash_field_index_t *index,
    ngx_uint_t max)
{
    ngx_http_flowdash_field_ref_t  *refs;

    refs = ngx_palloc(index->pool,
                      max * sizeof(ngx_http_flowdash_field_ref_t));
    if (refs == NULL) {
        return NGX_ERROR;
    }

    if (index->used) {
        ngx_memcpy(refs, index->refs,
                   index->used * sizeof(ngx_http_flowdash_field_ref_t));
        (void) ngx_pfree(index->pool, index->refs);
    }

    index->refs = refs;
    index->max = max;

    return NGX_OK;
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_field_keep(ngx_http_flowdash_field_index_t *index,
    ngx_uint_t n)
{
    ngx_http_flowdash_field_t      *field;
    ngx_http_flowdash_field_ref_t  *ref;

    ref = &index->refs[n];

    if (ref->kept) {
        return index->kept[ref->place];
    }

    field = ngx_http_flowdash_field_push_kept(index);
    if (field == NULL) {
        return NULL;
    }

    (void) ngx_http_flowdash_field_get(index, n, field);

    ref->place = (uint32_t) index->nkept - 1;
    ref->kept = 1;

    return field;
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_field_push_kept(ngx_http_flowdash_field_index_t *index)
{
    ngx_uint_t                   max;
    ngx_http_flowdash_field_t   *field, **kept;

    if (index->nkept == index->max_kept) {

        max = index->max_kept ? 2 * index->max_kept : 4;

        kept = ngx_palloc(index->pool,
                          max * sizeof(ngx_http_flowdash_field_t *));
        if (kept == NULL) {
            return NULL;
        }

        if (index->nkept) {
            ngx_memcpy(kept, index->kept,
                       index->nkept * sizeof(ngx_http_flowdash_field_t *));
            (void) ngx_pfree(index->pool, index->kept);
        }

        index->kept = kept;
        index->max_kept = max;
    }

    field = ngx_palloc(index->pool, sizeof(ngx_http_flowdash_field_t));
    if (field == NULL) {
        return NULL;
    }

    index->kept[index->nkept++] = field;

    return field;
}


ngx_http_flowdash_field_t *
ngx_http_flowdash_field_next_kept(ngx_http_flowdash_field_index_t *index,
    ngx_uint_t *i)
{
    ngx_http_flowdash_field_ref_t  *ref;

    while (*i < index->used) {

        ref = &index->refs[(*i)++];

        if (ref->kept) {
            return index->kept[ref->place];
        }
    }

    return NULL;
}


void
ngx_http_flowdash_field_mark(ngx_http_flowdash_field_index_t *index,
    ngx_uint_t n, ngx_uint_t marked)
{
    index->marks += marked - index->refs[n].marked;
    index->refs[n].marked = marked;
}


void
ngx_http_flowdash_field_unmark(ngx_http_flowdash_field_index_t *index)
{
    ngx_uint_t  i;

    if (index->marks == 0) {
        return;
    }

    for (i = 0; i < index->used; i++) {
        index->refs[i].marked = 0;
    }

    index->marks = 0;
}
