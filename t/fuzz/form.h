
/*
 * What the fuzzers of forms share: the module's form is compared with what
 * the model reads.
 */


#ifndef _FUZZ_FORM_H_INCLUDED_
#define _FUZZ_FORM_H_INCLUDED_


#include "pairs.h"

#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_leaves.h>
#include "write.h"
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_index.h>
#include <ngx_http_flowdash_form_task.h>
#include <ngx_http_flowdash_form_urlencoded.h>
#include <ngx_http_flowdash_form_check.h>
#include <ngx_http_flowdash_form_edit.h>




static ngx_int_t form_read(form_case_t *c, ngx_http_flowdash_form_t *form,
    ngx_str_t *text);
static ngx_uint_t form_model(form_case_t *c, ngx_str_t *text,
    form_pairs_t *pairs);


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


static inline void
form_check_task(form_case_t *c, ngx_http_flowdash_task_t *task,
    form_pairs_t *pairs)
{
    json_t      *j;
    ngx_str_t    s;
    ngx_uint_t   depth;

    s = fuzz_task_write(ngx_http_flowdash_task_write_object, task);

    j = json_parse(c->pool, &s, &depth);

    fuzz_check(j && j->type == 'o', "a task is an object");

    form_check_values(c, j, pairs);
}


/* gives the task the changes that the form can take; 0 if it cannot */

static inline ngx_uint_t
form_merge(form_case_t *c, ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task, ngx_str_t *changes)
{
    ngx_int_t                          rc;
    ngx_uint_t                         i;
    const char                        *error;
    ngx_http_flowdash_task_t           change;
    ngx_http_flowdash_field_t         *field, *old, room, old_room;
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

    for (i = 0; (field = ngx_http_flowdash_task_get(&change, i, &room)); i++) {

        old = ngx_http_flowdash_task_lookup(task, &field->name, &old_room);

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
    ngx_http_flowdash_field_t  *field, room;

    len = ngx_http_flowdash_task_write_length(
              ngx_http_flowdash_task_write_object, task);
    start = fuzz_alloc(c->pool, len + 2);
    p = start;
    *p++ = '{';

    for (i = 0; (field = ngx_http_flowdash_task_get(task, i, &room)); i++) {

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
    json_t                      *mentioned;
    ngx_str_t                    result, written;
    ngx_uint_t                   repeated;
    ngx_array_t                 *edits;
    form_pairs_t                 is;
    ngx_http_flowdash_slices_t   slices;

    if (form->query && form->pairs == NULL) {

        /* such a query is not changed: it may have "issue=5" */

        return;
    }

    if (!form_merge(c, form, task, changes)) {
        return;
    }

    edits = ngx_http_flowdash_form_edits(form, task);
    fuzz_check(edits, "there is memory");

    result = form_apply(c, text, edits);

    if (c->boundary.len == 0) {
        fuzz_check(ngx_http_flowdash_form_urlencoded_write(form, text, edits,
                                                           &slices)
                   == NGX_OK
                   && ngx_http_flowdash_slices_text(&slices, form->pool,
                                                    &written)
                      == NGX_OK
                   && fuzz_is(&written, &result),
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
