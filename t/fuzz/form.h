
/*
 * What the fuzzers of forms share: a plain model of the pairs of a form, and
 * of those that say a JSON value.
 */


#ifndef _FUZZ_FORM_H_INCLUDED_
#define _FUZZ_FORM_H_INCLUDED_


#include "json.h"

#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_leaves.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_index.h>
#include <ngx_http_flowdash_form_task.h>
#include <ngx_http_flowdash_form_urlencoded.h>
#include <ngx_http_flowdash_form_check.h>
#include <ngx_http_flowdash_form_edit.h>


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


/* reads a form by the module, or by the model; known to each fuzzer */

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


static ngx_int_t form_read(form_case_t *c, ngx_http_flowdash_form_t *form,
    ngx_str_t *text);
static ngx_uint_t form_model(form_case_t *c, ngx_str_t *text,
    form_pairs_t *pairs);


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


/* what the module has read is what the model reads */

static inline void
form_check_pairs(ngx_http_flowdash_form_t *form, ngx_str_t *text,
    form_pairs_t *pairs)
{
    ngx_str_t                       s;
    ngx_uint_t                      i;
    form_pair_t                    *p;
    ngx_http_flowdash_form_pair_t  *pair;

    pair = form->pairs;

    for (i = 0; i < pairs->n; i++) {

        p = &pairs->pair[i];

        if (!p->task) {
            continue;
        }

        fuzz_check(pair, "all pairs of the task");
        fuzz_check(fuzz_is(&pair->name, &p->name), "the name of a pair");
        fuzz_check(fuzz_is(&pair->path, &p->path), "its path");
        fuzz_check(pair->file == p->file, "whether it is a file");
        fuzz_check(pair->start >= 0 && pair->value >= pair->start
                   && pair->last >= pair->value
                   && pair->last <= (off_t) text->len, "its places");

        s.data = text->data + pair->start;
        s.len = pair->last - pair->start;

        fuzz_check(fuzz_is(&s, &p->raw), "its bytes");

        if (!p->file) {
            fuzz_check(fuzz_is(&pair->text, &p->value), "its value");
        }

        pair = pair->next;
    }

    fuzz_check(pair == NULL, "no pairs but those of the task");
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


static inline void
form_check_task(form_case_t *c, ngx_http_flowdash_task_t *task,
    form_pairs_t *pairs)
{
    json_t        *j, *field;
    ngx_str_t      s;
    ngx_uint_t     depth, i, k, n, same, all, file;
    form_pairs_t   of;

    s.len = ngx_http_flowdash_task_object_length(task);
    s.data = fuzz_alloc(c->pool, s.len);

    fuzz_check(ngx_http_flowdash_task_write_object(s.data, task)
               == s.data + s.len, "the length of the task");

    j = json_parse(c->pool, &s, &depth);

    fuzz_check(j && j->type == 'o', "a task is an object");

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


/* gives the task the changes that the form can take; 0 if it cannot */

static inline ngx_uint_t
form_merge(form_case_t *c, ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task, ngx_str_t *changes)
{
    ngx_int_t                          rc;
    ngx_uint_t                         i;
    const char                        *error;
    ngx_list_part_t                   *part;
    ngx_http_flowdash_task_t           change;
    ngx_http_flowdash_field_t         *field, *old;
    ngx_http_flowdash_json_verdict_e   verdict;

    fuzz_check(ngx_http_flowdash_task_init(&change, c->pool, changes,
                                           fuzz_pointer(c->pool, &fuzz_none),
                                           NGX_HTTP_FLOWDASH_STRICT_NONE,
                                           NGX_MAX_SIZE_T_VALUE, &verdict)
               == NGX_OK, "there is memory");

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK
        || change.json.object.data == NULL)
    {
        return 0;
    }

    i = 0;
    part = &change.fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        old = ngx_http_flowdash_task_lookup(task, &field->node.str);

        if (old && ngx_http_flowdash_task_same(old, field)) {
            continue;
        }

        error = NULL;

        rc = ngx_http_flowdash_form_check(form, field,
                                          old ? &old->value : NULL, &error);

        if (rc == NGX_DECLINED) {
            fuzz_check(error && *error, "a refusal has a reason");
            return 0;
        }

        fuzz_check(rc == NGX_OK || rc == NGX_DONE, "there is memory");

        if (rc == NGX_OK) {
            fuzz_check(ngx_http_flowdash_task_set(task, field) == NGX_OK
                       && ngx_http_flowdash_task_set(task, field) == NGX_OK,
                       "there is memory");
        }
    }

    return 1;
}


static inline ngx_str_t
form_apply(form_case_t *c, ngx_str_t *text, ngx_array_t *edits)
{
    off_t                           at;
    u_char                         *p;
    ngx_str_t                       result;
    ngx_uint_t                      i;
    ngx_http_flowdash_form_edit_t  *edit;

    edit = edits->elts;
    result.len = text->len;

    for (i = 0; i < edits->nelts; i++) {
        result.len += edit[i].text.len;
    }

    result.data = fuzz_alloc(c->pool, result.len);
    p = result.data;
    at = 0;

    for (i = 0; i < edits->nelts; i++) {

        fuzz_check(edit[i].start >= at && edit[i].last >= edit[i].start
                   && edit[i].last <= (off_t) text->len,
                   "edits are in order");

        p = ngx_cpymem(p, text->data + at, edit[i].start - at);
        p = ngx_cpymem(p, edit[i].text.data, edit[i].text.len);
        at = edit[i].last;
    }

    p = ngx_cpymem(p, text->data + at, text->len - at);
    result.len = p - result.data;

    return result;
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


/*
 * Which fields differ as JSON, is known by the module's own task; but a field
 * that is not changed has no edits, and so its bytes.
 */

static inline json_t *
form_changes(form_case_t *c, ngx_http_flowdash_task_t *task)
{
    u_char                     *p, *start;
    size_t                      len;
    json_t                     *j;
    ngx_str_t                   s;
    ngx_uint_t                  i, depth;
    ngx_list_part_t            *part;
    ngx_http_flowdash_field_t  *field;

    len = ngx_http_flowdash_task_object_length(task);
    start = fuzz_alloc(c->pool, len + 2);
    p = start;
    *p++ = '{';

    i = 0;
    part = &task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        if (!field->changed
            || (field->original.data
                && fuzz_is(&field->value, &field->original)))
        {
            continue;
        }

        p = ngx_sprintf(p, "%s%V:%V", p == start + 1 ? "" : ",",
                        &field->spelling, &field->value);
    }

    *p++ = '}';

    s.data = start;
    s.len = p - start;

    j = json_parse(c->pool, &s, &depth);

    fuzz_check(j, "changes are JSON");

    return j;
}


static inline void
form_check_again(form_case_t *c, ngx_str_t *result, ngx_str_t *changes,
    ngx_uint_t repeated)
{
    ngx_str_t                  again;
    ngx_array_t               *edits;
    ngx_http_flowdash_form_t   form;
    ngx_http_flowdash_task_t   task;

    if (form_read(c, &form, result) != NGX_OK) {
        fprintf(stderr, "refused: %s\n", form.error);
        fuzz_fail(__FILE__, __LINE__, "what was written is read");
    }

    fuzz_check(ngx_http_flowdash_form_task(&form, &task) == NGX_OK,
               "there is memory");

    if (repeated) {

        /* with one value left, a name is repeated no more */

        return;
    }

    fuzz_check(form_merge(c, &form, &task, changes),
               "the same changes can be made again");

    edits = ngx_http_flowdash_form_edits(&form, &task);
    fuzz_check(edits, "there is memory");

    again = form_apply(c, result, edits);

    fuzz_check(fuzz_is(&again, result), "merging twice is merging once");
}


static inline void
form_check_merge(form_case_t *c, ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task, ngx_str_t *text, form_pairs_t *pairs,
    ngx_str_t *changes)
{
    json_t        *mentioned;
    ngx_str_t      result, written;
    ngx_uint_t     repeated;
    ngx_array_t   *edits;
    form_pairs_t   is;

    if (!form_merge(c, form, task, changes)) {
        return;
    }

    edits = ngx_http_flowdash_form_edits(form, task);
    fuzz_check(edits, "there is memory");

    result = form_apply(c, text, edits);

    if (c->boundary.len == 0) {
        fuzz_check(ngx_http_flowdash_form_urlencoded_write(form, text, edits,
                                                           &written)
                   == NGX_OK && fuzz_is(&written, &result),
                   "the module makes these edits");
    }

    mentioned = form_changes(c, task);

    ngx_memzero(&is, sizeof(form_pairs_t));
    fuzz_check(form_model(c, &result, &is), "the result is a form");

    repeated = 0;
    form_check_rest(pairs, &is, mentioned);
    form_check_changed(c, pairs, &is, mentioned, &repeated);
    form_check_again(c, &result, changes, repeated);
}


/* the limit counts what the form needs, to the byte */

static inline void
form_check_size(form_case_t *c, ngx_http_flowdash_form_t *form, ngx_int_t rc,
    ngx_str_t *text)
{
    ngx_http_flowdash_form_t  small;

    c->max_size = form->size;

    fuzz_check(form_read(c, &small, text) == rc
               && small.verdict == form->verdict, "the limit is enough");

    if (form->size) {
        c->max_size = form->size - 1;

        fuzz_check(form_read(c, &small, text) == NGX_DECLINED
                   && small.verdict == NGX_HTTP_FLOWDASH_FORM_LARGE,
                   "one byte less is not");
    }

    c->max_size = NGX_MAX_INT_T_VALUE;
}


static inline void
form_check(form_case_t *c, ngx_str_t *text, ngx_str_t *changes)
{
    ngx_int_t                  rc;
    form_pairs_t               pairs;
    ngx_http_flowdash_form_t   form;
    ngx_http_flowdash_task_t   task;

    rc = form_read(c, &form, text);

    fuzz_check(rc == NGX_OK || rc == NGX_DECLINED, "there is memory");
    fuzz_check((form.verdict == NGX_HTTP_FLOWDASH_FORM_OK) == (rc == NGX_OK)
               && (form.error == NULL) == (rc == NGX_OK),
               "a refusal has a reason");
    fuzz_check(rc == NGX_OK || form.rule == 0 || (form.rule & c->strict),
               "only rules that are set refuse");
    fuzz_check(form.offset >= 0 && form.offset <= (off_t) text->len,
               "the offset is in the form");

    form_check_size(c, &form, rc, text);

    if (rc != NGX_OK) {
        return;
    }

    ngx_memzero(&pairs, sizeof(form_pairs_t));
    fuzz_check(form_model(c, text, &pairs), "the form is one");

    fuzz_check(ngx_http_flowdash_form_task(&form, &task) == NGX_OK,
               "there is memory");

    form_check_pairs(&form, text, &pairs);
    form_check_task(c, &task, &pairs);
    form_check_merge(c, &form, &task, text, &pairs, changes);
}


/* with rules, a pointer that a rule refuses makes no sense */

static inline ngx_uint_t
form_plain(ngx_array_t *pointer)
{
    size_t       n;
    ngx_str_t   *token;
    ngx_uint_t   i;

    token = pointer->elts;

    for (i = 0; i < pointer->nelts; i++) {
        for (n = 0; n < token[i].len; n++) {
            if (!isalnum(token[i].data[n])) {
                return 0;
            }
        }
    }

    return 1;
}


/* the settings: '-', '+' or a rule to leave out; 'q': a query */

static inline ngx_uint_t
form_begin(form_case_t *c, fuzz_input_t *in)
{
    ngx_str_t  settings, name;

    settings = fuzz_text(in);
    name = fuzz_text(in);

    c->pool = in->pool;
    c->strict = fuzz_strict(fuzz_setting(&settings, 0, '-'));
    c->query = (fuzz_setting(&settings, 1, 'f') == 'q');
    c->max_size = NGX_MAX_INT_T_VALUE;
    c->pieces = fuzz_setting(&settings, 2, 0);
    c->max_fields = (fuzz_setting(&settings, 3, '-') == '-') ? 1000 : 10;
    c->pointer = fuzz_pointer(in->pool, &name);

    ngx_str_null(&c->boundary);

    return c->pointer && (c->strict == 0 || form_plain(c->pointer));
}


static inline void
form_init(form_case_t *c, ngx_http_flowdash_form_t *form)
{
    ngx_http_flowdash_form_init(form, c->pool, c->pointer, &c->boundary,
                                c->max_size, c->strict);

    form->query = c->query;
    form->max_fields = c->max_fields;
}


#endif /* _FUZZ_FORM_H_INCLUDED_ */
