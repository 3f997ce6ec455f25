
/*
 * A plain model of a task in JSON: what is read, and what is written.  Of the
 * module it has the names of the verdicts, and how deep JSON may be.
 */


#ifndef _FUZZ_TASK_H_INCLUDED_
#define _FUZZ_TASK_H_INCLUDED_


#include "json.h"

#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_pointer.h>


#define FUZZ_DEPTH  NGX_HTTP_FLOWDASH_JSON_DEPTH


/* what json.h knows of the text */

typedef struct {
    json_t                            *json;
    ngx_uint_t                         depth;
    ngx_http_flowdash_json_verdict_e   verdict;
    json_t                            *object;   /* the task, or NULL */
    json_t                            *deepest;  /* object on the way */
} task_model_t;


/* no two names in an object are the same, nor has one half a pair */

static inline ngx_uint_t
task_names(json_t *j, ngx_uint_t inner)
{
    json_t     *member;
    ngx_str_t   name;

    for (member = j->first; member; member = member->next) {

        if (j->type == 'o') {
            name = member->name;

            if (member->half_name || json_member(j, &name) != member) {
                return 0;
            }
        }

        if (inner && !task_names(member, 1)) {
            return 0;
        }
    }

    return 1;
}


static inline ngx_uint_t
task_way(json_t *j, ngx_str_t *token)
{
    json_t      *member;
    ngx_uint_t   n;

    n = 0;

    for (member = j->first; member; member = member->next) {
        if (member->half_name) {
            return 0;
        }

        n += fuzz_is(&member->name, token);
    }

    return n <= 1;
}


/* what the verdict is without flowdash_strict; some errors exclude others */

static inline void
task_read(ngx_pool_t *pool, ngx_str_t *text, ngx_array_t *pointer,
    task_model_t *m)
{
    json_t      *j, *next;
    ngx_str_t   *token;
    ngx_uint_t   i;

    ngx_memzero(m, sizeof(task_model_t));

    m->json = json_parse(pool, text, &m->depth);

    if (m->json == NULL) {
        m->verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;
        return;
    }

    if (m->depth > FUZZ_DEPTH) {
        m->verdict = NGX_HTTP_FLOWDASH_JSON_DEEP;
        return;
    }

    token = pointer->elts;
    j = m->json;

    for (i = 0; i < pointer->nelts; i++) {

        if (j->type == 'o') {
            if (!task_way(j, &token[i])) {
                m->verdict = NGX_HTTP_FLOWDASH_JSON_DUPLICATE;
                return;
            }

            m->deepest = j;
            next = json_member(j, &token[i]);

            if (next == NULL) {
                return;
            }

        } else {
            next = json_element(j, &token[i]);

            if (next == NULL) {
                m->verdict = NGX_HTTP_FLOWDASH_JSON_NO_OBJECT;
                return;
            }
        }

        j = next;
    }

    if (j->type != 'o') {
        m->verdict = NGX_HTTP_FLOWDASH_JSON_NO_OBJECT;
        return;
    }

    if (!task_names(j, 1)) {
        m->verdict = NGX_HTTP_FLOWDASH_JSON_DUPLICATE;
        return;
    }

    m->object = j;
}


/* the text with the changes, made from the places that json.h knows */

static inline ngx_str_t
task_write(ngx_pool_t *pool, ngx_str_t *text, json_t *object,
    json_t *changes)
{
    u_char      *p, *src;
    json_t      *member, *change;
    ngx_str_t    s;
    ngx_uint_t   comma;

    s.data = fuzz_alloc(pool, text->len + 2 * changes->text.len + 8);
    p = s.data;
    src = text->data;

    for (member = object->first; member; member = member->next) {
        change = json_member(changes, &member->name);

        if (change) {
            p = ngx_cpymem(p, src, member->text.data - src);
            p = ngx_cpymem(p, change->text.data, change->text.len);
            src = member->text.data + member->text.len;
        }
    }

    member = object->last;
    comma = (member != NULL);

    p = ngx_cpymem(p, src, (member ? member->text.data + member->text.len
                                   : object->text.data + 1) - src);
    src = member ? member->text.data + member->text.len
                 : object->text.data + 1;

    for (change = changes->first; change; change = change->next) {

        if (json_member(object, &change->name)) {
            continue;
        }

        if (comma) {
            *p++ = ',';
        }

        comma = 1;

        p = ngx_cpymem(p, change->spelling.data, change->spelling.len);
        *p++ = ':';
        p = ngx_cpymem(p, change->text.data, change->text.len);
    }

    p = ngx_cpymem(p, src, text->data + text->len - src);
    s.len = p - s.data;

    return s;
}


/* where no task was, it is put into the deepest object on the way to it */

static inline void
task_check_created(ngx_pool_t *pool, ngx_str_t *text, task_model_t *m,
    ngx_array_t *pointer, json_t *changes, ngx_str_t *result)
{
    size_t        head, tail;
    json_t       *deepest, *a, *b;
    ngx_uint_t    depth;
    task_model_t  is;

    deepest = m->deepest;

    head = (deepest->last ? deepest->last->text.data + deepest->last->text.len
                          : deepest->text.data + 1) - text->data;
    tail = text->len - head;

    fuzz_check(result->len >= text->len
               && memcmp(result->data, text->data, head) == 0
               && memcmp(result->data + result->len - tail, text->data + head,
                         tail) == 0,
               "what is around a new task stays to the byte");

    (void) json_parse(pool, result, &depth);

    if (depth > FUZZ_DEPTH) {
        return;
    }

    task_read(pool, result, pointer, &is);

    fuzz_check(is.verdict == NGX_HTTP_FLOWDASH_JSON_OK && is.object,
               "the new task is where the pointer leads");

    for (a = is.object->first, b = changes->first; a && b;
         a = a->next, b = b->next)
    {
        fuzz_check(fuzz_is(&a->name, &b->name) && fuzz_is(&a->text, &b->text),
                   "the new task has the fields");
    }

    fuzz_check(a == NULL && b == NULL, "all of them, and no others");
}


#endif /* _FUZZ_TASK_H_INCLUDED_ */
