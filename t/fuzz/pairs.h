
/*
 * A plain model of the pairs of a form, and of those that say a JSON value;
 * of the module, it knows nothing.
 */


#ifndef _FUZZ_PAIRS_H_INCLUDED_
#define _FUZZ_PAIRS_H_INCLUDED_


#include "json.h"


/* a pair of the form, or what a field's value is said by */

typedef struct {
    ngx_str_t    raw;        /* the bytes between separators */
    ngx_str_t    name;       /* decoded */
    ngx_str_t    value;      /* decoded; of a file, its content */
    ngx_str_t    field;      /* of the task */
    ngx_str_t    path;
    unsigned     task:1;
    unsigned     file:1;
} form_pair_t;


typedef struct {
    form_pair_t  *pair;
    ngx_uint_t    n;
    ngx_uint_t    room;
} form_pairs_t;


typedef struct {
    ngx_pool_t   *pool;
    ngx_array_t  *pointer;
    ngx_str_t     boundary;
    ngx_uint_t    strict;
    ngx_uint_t    query;
    size_t        max_size;
    ngx_uint_t    max_fields;
    u_char        pieces;
} form_case_t;


static inline form_pair_t *
form_push(form_case_t *c, form_pairs_t *pairs)
{
    form_pair_t  *more;

    if (pairs->n == pairs->room) {
        pairs->room = 2 * pairs->room + 8;
        more = fuzz_alloc(c->pool, pairs->room * sizeof(form_pair_t));

        if (pairs->n) {
            ngx_memcpy(more, pairs->pair, pairs->n * sizeof(form_pair_t));
        }

        pairs->pair = more;
    }

    ngx_memzero(&pairs->pair[pairs->n], sizeof(form_pair_t));

    return &pairs->pair[pairs->n++];
}


/* root[key][key]: what is behind the pointer is the field, then the path */

static inline void
form_split(form_case_t *c, form_pair_t *pair)
{
    u_char      *p, *last;
    ngx_str_t    key, *token;
    ngx_uint_t   n;

    p = pair->name.data;
    last = p + pair->name.len;
    token = c->pointer->elts;

    for (n = 0; /* void */ ; n++) {

        if (p == last) {
            return;
        }

        if (n && *p++ != '[') {
            return;
        }

        for (key.data = p; p < last && *p != '[' && *p != ']'; p++) {
            /* void */
        }

        key.len = p - key.data;

        if (n == 0 && key.len == 0) {
            return;
        }

        if (n && (p == last || *p++ != ']')) {
            return;
        }

        if (n == c->pointer->nelts) {
            break;
        }

        if (!fuzz_is(&key, &token[n])) {
            return;
        }
    }

    if (key.len == 0) {
        return;
    }

    pair->task = 1;
    pair->field = key;
    pair->path.data = p;
    pair->path.len = last - p;
}


static inline void
form_add_value(form_case_t *c, form_pairs_t *pairs, ngx_str_t *path,
    ngx_str_t *value)
{
    form_pair_t  *pair;

    pair = form_push(c, pairs);
    pair->path = fuzz_copy(c->pool, path->data, path->len);
    pair->value = *value;
}


/* the pairs that say a JSON value: as PHP and Rails read them */

static inline void
form_say(form_case_t *c, json_t *j, ngx_uint_t repeated, ngx_str_t *path,
    form_pairs_t *pairs)
{
    u_char       buf[4096];
    json_t      *member;
    ngx_str_t    longer, text;
    ngx_uint_t   i, nested;

    if (j->members == 0) {

        text = (j->type == 's') ? j->value : j->text;

        if (j->type == 'o' || j->type == 'a' || fuzz_has(&j->text, "null")) {
            if (j->type != 's') {
                text.len = 0;
            }
        }

        longer.data = buf;
        longer.len = ngx_sprintf(buf, "%V%s", path,
                                 j->type == 'a' && !repeated ? "[]" : "")
                     - buf;

        form_add_value(c, pairs, &longer, &text);
        return;
    }

    nested = 0;

    for (member = j->first; member; member = member->next) {
        nested |= (member->type == 'o' || member->type == 'a');
    }

    longer.data = buf;
    i = 0;

    for (member = j->first; member; member = member->next) {

        if (j->type == 'o') {
            longer.len = ngx_sprintf(buf, "%V[%V]", path, &member->name) - buf;

        } else if (nested) {
            longer.len = ngx_sprintf(buf, "%V[%ui]", path, i++) - buf;

        } else {
            longer.len = ngx_sprintf(buf, "%V%s", path, repeated ? "" : "[]")
                         - buf;
        }

        form_say(c, member, 0, &longer, pairs);
    }
}


/* the pairs of a field, or all but those of the changed ones */

static inline form_pairs_t
form_of_field(form_case_t *c, form_pairs_t *all, ngx_str_t *field)
{
    ngx_uint_t    i;
    form_pairs_t  some;

    ngx_memzero(&some, sizeof(form_pairs_t));

    for (i = 0; i < all->n; i++) {
        if (all->pair[i].task && fuzz_is(&all->pair[i].field, field)) {
            *form_push(c, &some) = all->pair[i];
        }
    }

    return some;
}


static inline ngx_uint_t
form_repeats(form_pairs_t *pairs)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < pairs->n; i++) {
        n += (pairs->pair[i].path.len == 0);
    }

    return n > 1;
}


/* each value of the task's is there as often as in the form, and no other */

static inline void
form_count(json_t *j, ngx_str_t *value, ngx_uint_t *n, ngx_uint_t *all)
{
    json_t  *member;

    for (member = j->first; member; member = member->next) {
        form_count(member, value, n, all);
    }

    if (j->type == 's') {
        *n += fuzz_is(&j->value, value);
        ++*all;
    }
}


/* a task has the fields of the form and their values, and no others */

static inline void
form_check_values(form_case_t *c, json_t *j, form_pairs_t *pairs)
{
    json_t        *field;
    ngx_uint_t     i, k, n, same, all, file;
    form_pairs_t   of;

    n = 0;

    for (field = j->first; field; field = field->next) {

        fuzz_check(json_member(j, &field->name) == field, "a name is unique");

        of = form_of_field(c, pairs, &field->name);
        file = 0;

        for (i = 0; i < of.n; i++) {
            file |= of.pair[i].file;
        }

        n += of.n;

        for (i = 0; i < of.n && !file; i++) {

            same = 0;
            all = 0;
            form_count(field, &of.pair[i].value, &same, &all);

            for (k = 0; k < of.n; k++) {
                same -= fuzz_is(&of.pair[i].value, &of.pair[k].value);
            }

            fuzz_check(same == 0 && all == of.n, "the values of a field");
        }
    }

    for (i = 0; i < pairs->n; i++) {
        n -= pairs->pair[i].task;
    }

    fuzz_check(n == 0, "all fields of the form");
}


/* what is not mentioned: the pairs before and behind, to the byte */

static inline void
form_check_rest(form_pairs_t *was, form_pairs_t *is, json_t *changes)
{
    ngx_uint_t  i, k;

    i = 0;
    k = 0;

    for ( ;; ) {

        while (i < was->n && was->pair[i].task
               && json_member(changes, &was->pair[i].field))
        {
            i++;
        }

        while (k < is->n && is->pair[k].task
               && json_member(changes, &is->pair[k].field))
        {
            k++;
        }

        if (i == was->n || k == is->n) {
            break;
        }

        fuzz_check(fuzz_is(&was->pair[i].raw, &is->pair[k].raw),
                   "what is not mentioned stays to the byte");
        i++;
        k++;
    }

    /* of an "&" at the end, a new pair makes use */

    i += (i + 1 == was->n && was->pair[i].raw.len == 0);

    fuzz_check(i == was->n && k == is->n, "nothing is lost or added");
}


/* a changed field has just the pairs that say its value */

static inline void
form_check_changed(form_case_t *c, form_pairs_t *was, form_pairs_t *is,
    json_t *changes, ngx_uint_t *repeated)
{
    json_t        *change;
    ngx_str_t      none;
    ngx_uint_t     i;
    form_pairs_t   of, said;

    ngx_str_null(&none);

    for (change = changes->first; change; change = change->next) {

        of = form_of_field(c, was, &change->name);

        for (i = 0; i < of.n; i++) {
            if (of.pair[i].file) {
                break;
            }
        }

        if (of.n && i < of.n) {
            continue;
        }

        *repeated |= form_repeats(&of);

        ngx_memzero(&said, sizeof(form_pairs_t));
        form_say(c, change, form_repeats(&of), &none, &said);

        of = form_of_field(c, is, &change->name);

        fuzz_check(of.n == said.n, "as many pairs as the value needs");

        for (i = 0; i < of.n; i++) {
            fuzz_check(fuzz_is(&of.pair[i].path, &said.pair[i].path)
                       && fuzz_is(&of.pair[i].value, &said.pair[i].value),
                       "the pairs of a changed field");
        }
    }
}


#endif /* _FUZZ_PAIRS_H_INCLUDED_ */
