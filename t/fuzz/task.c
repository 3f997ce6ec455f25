
/*
 * A task in JSON: its settings, the pointer, the text and the changes.
 *
 * The module's verdict, its fields and what it writes are compared with what
 * json.h reads; what no change mentions stays to the byte, and merging twice
 * is merging once.
 */


#include "json.h"

#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_task.h>


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

static ngx_uint_t
model_names(json_t *j, ngx_uint_t inner)
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

        if (inner && !model_names(member, 1)) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
model_way(json_t *j, ngx_str_t *token)
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

static void
model_read(ngx_pool_t *pool, ngx_str_t *text, ngx_array_t *pointer,
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
            if (!model_way(j, &token[i])) {
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

    if (!model_names(j, 1)) {
        m->verdict = NGX_HTTP_FLOWDASH_JSON_DUPLICATE;
        return;
    }

    m->object = j;
}


static void
check_verdict(ngx_http_flowdash_task_t *task, task_model_t *m,
    ngx_uint_t strict, ngx_http_flowdash_json_verdict_e verdict)
{
    ngx_http_flowdash_json_t  *json;

    json = &task->json;

    fuzz_check(json->offset <= json->text.len, "the offset is in the text");
    fuzz_check((verdict == NGX_HTTP_FLOWDASH_JSON_OK) == (json->error == NULL),
               "a refusal has a reason");

    if (json->rule) {
        fuzz_check(json->rule & strict, "only rules that are set refuse");
        fuzz_check(verdict != NGX_HTTP_FLOWDASH_JSON_OK, "a rule refuses");
        return;
    }

    if (m->verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED) {
        fuzz_check(verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED
                   || verdict == NGX_HTTP_FLOWDASH_JSON_DEEP,
                   "what is not JSON is refused");
        return;
    }

    if (m->verdict == NGX_HTTP_FLOWDASH_JSON_OK
        || m->verdict == NGX_HTTP_FLOWDASH_JSON_DEEP)
    {
        fuzz_check(verdict == m->verdict, "the verdict is right");
        return;
    }

    /* there may be two reasons: which is named is open */

    fuzz_check(verdict == NGX_HTTP_FLOWDASH_JSON_DUPLICATE
               || verdict == NGX_HTTP_FLOWDASH_JSON_NO_OBJECT,
               "what has two meanings, or no task, is refused");
}


static void
check_fields(ngx_http_flowdash_task_t *task, json_t *object)
{
    json_t                     *member;
    ngx_uint_t                  i;
    ngx_list_part_t            *part;
    ngx_http_flowdash_field_t  *field;

    i = 0;
    part = &task->fields.part;
    member = object ? object->first : NULL;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {
        fuzz_check(member, "no field but those of the text");
        fuzz_check(fuzz_is(&field->node.str, &member->name), "a name");
        fuzz_check(fuzz_is(&field->value, &member->text), "a value");
        fuzz_check(fuzz_is(&field->spelling, &member->spelling), "a spelling");
        fuzz_check(field->value.data == member->text.data, "its place");
        fuzz_check(ngx_http_flowdash_task_lookup(task, &member->name)
                   == field, "a field is found");

        member = member->next;
    }

    fuzz_check(member == NULL, "all fields of the text");
}


static ngx_str_t
write_text(ngx_http_flowdash_task_t *task)
{
    ngx_str_t  s;

    s.len = ngx_http_flowdash_task_text_length(task);
    s.data = fuzz_alloc(task->pool, s.len);

    fuzz_check(ngx_http_flowdash_task_write_text(s.data, task)
               == s.data + s.len, "the length of the text");

    return s;
}


static ngx_str_t
write_object(ngx_http_flowdash_task_t *task)
{
    ngx_str_t  s;

    s.len = ngx_http_flowdash_task_object_length(task);
    s.data = fuzz_alloc(task->pool, s.len);

    fuzz_check(ngx_http_flowdash_task_write_object(s.data, task)
               == s.data + s.len, "the length of the object");

    return s;
}


/* the text with the changes, made from the places that json.h knows */

static ngx_str_t
model_write(ngx_pool_t *pool, ngx_str_t *text, json_t *object,
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

static void
check_created(ngx_pool_t *pool, ngx_str_t *text, task_model_t *m,
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

    model_read(pool, result, pointer, &is);

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


/* what was written is read again, with the fields that it must have */

static void
check_again(ngx_pool_t *pool, ngx_str_t *result, ngx_array_t *pointer,
    json_t *changes)
{
    json_t                            *change;
    ngx_str_t                          again;
    ngx_uint_t                         depth;
    ngx_http_flowdash_task_t           task, same;
    ngx_http_flowdash_field_t         *field;
    ngx_http_flowdash_json_verdict_e   verdict;

    fuzz_check(json_parse(pool, result, &depth), "the result is JSON");

    fuzz_check(ngx_http_flowdash_task_init(&task, pool, result, pointer,
                                           NGX_HTTP_FLOWDASH_STRICT_NONE,
                                           NGX_MAX_SIZE_T_VALUE, &verdict)
               == NGX_OK, "there is memory");

    if (depth > FUZZ_DEPTH) {
        return;
    }

    fuzz_check(verdict == NGX_HTTP_FLOWDASH_JSON_OK, "the result is read");

    for (change = changes->first; change; change = change->next) {
        field = ngx_http_flowdash_task_lookup(&task, &change->name);

        fuzz_check(field && fuzz_is(&field->value, &change->text),
                   "the result has the changes");
    }

    fuzz_check(ngx_http_flowdash_task_init(&same, pool, &changes->text,
                                           fuzz_pointer(pool, &fuzz_none),
                                           NGX_HTTP_FLOWDASH_STRICT_NONE,
                                           NGX_MAX_SIZE_T_VALUE, &verdict)
               == NGX_OK
               && ngx_http_flowdash_task_merge(&task, &same) == NGX_OK,
               "there is memory");

    again = write_text(&task);

    fuzz_check(!task.changed && fuzz_is(&again, result),
               "merging the same into the result changes nothing");
}


static void
check_merge(ngx_pool_t *pool, ngx_str_t *text, ngx_array_t *pointer,
    ngx_http_flowdash_task_t *task, task_model_t *m, ngx_str_t *changes)
{
    ngx_str_t                          first, object, second, expected;
    ngx_array_t                       *none;
    task_model_t                       change;
    ngx_http_flowdash_task_t           new, copy;
    ngx_http_flowdash_json_verdict_e   verdict;

    none = fuzz_pointer(pool, &fuzz_none);

    model_read(pool, changes, none, &change);

    fuzz_check(ngx_http_flowdash_task_init(&new, pool, changes, none,
                                           NGX_HTTP_FLOWDASH_STRICT_NONE,
                                           NGX_MAX_SIZE_T_VALUE, &verdict)
               == NGX_OK
               && ngx_http_flowdash_task_copy(&copy, pool, task) == NGX_OK,
               "there is memory");

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK || change.object == NULL) {
        fuzz_check(change.object == NULL, "an object is one");
        return;
    }

    fuzz_check(ngx_http_flowdash_task_merge(task, &new) == NGX_OK
               && ngx_http_flowdash_task_merge(&copy, &new) == NGX_OK,
               "there is memory");

    first = write_text(task);
    object = write_object(task);

    if (m->object) {
        expected = model_write(pool, text, m->object, change.object);

        fuzz_check(fuzz_is(&first, &expected), "the text with the changes");

        expected = model_write(pool, &m->object->text, m->object,
                               change.object);

        fuzz_check(fuzz_is(&object, &expected), "the object with the changes");

    } else if (task->changed) {
        check_created(pool, text, m, pointer, change.object, &first);
    }

    fuzz_check(ngx_http_flowdash_task_merge(task, &new) == NGX_OK,
               "there is memory");

    second = write_text(task);
    fuzz_check(fuzz_is(&first, &second), "merging twice is merging once");

    second = write_text(&copy);
    fuzz_check(fuzz_is(&first, &second), "a copy is as good");

    if (task->changed) {
        check_again(pool, &first, pointer, change.object);
    }
}


/* the limit counts what the task needs, to the byte */

static void
check_size(ngx_pool_t *pool, ngx_str_t *text, ngx_array_t *pointer,
    ngx_uint_t strict, size_t size, ngx_http_flowdash_json_verdict_e verdict)
{
    ngx_http_flowdash_task_t           task;
    ngx_http_flowdash_json_verdict_e   again;

    fuzz_check(ngx_http_flowdash_task_init(&task, pool, text, pointer, strict,
                                           size, &again)
               == NGX_OK && again == verdict, "the limit is enough");

    if (size) {
        fuzz_check(ngx_http_flowdash_task_init(&task, pool, text, pointer,
                                               strict, size - 1, &again)
                   == NGX_OK && again == NGX_HTTP_FLOWDASH_JSON_LARGE,
                   "one byte less is not");
    }
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    ngx_str_t                          settings, text, changes, name;
    ngx_uint_t                         strict;
    ngx_array_t                       *pointer;
    fuzz_input_t                       in;
    task_model_t                       m;
    ngx_http_flowdash_task_t           task;
    ngx_http_flowdash_json_verdict_e   verdict;

    fuzz_begin(&in, data, size);

    settings = fuzz_text(&in);
    name = fuzz_text(&in);
    text = fuzz_text(&in);
    changes = fuzz_rest(&in);

    strict = fuzz_strict(fuzz_setting(&settings, 0, '-'));
    pointer = fuzz_pointer(in.pool, &name);

    if (pointer == NULL || pointer->nelts >= FUZZ_DEPTH) {
        return fuzz_end(&in);
    }

    model_read(in.pool, &text, pointer, &m);

    fuzz_check(ngx_http_flowdash_task_init(&task, in.pool, &text, pointer,
                                           strict, NGX_MAX_SIZE_T_VALUE,
                                           &verdict)
               == NGX_OK, "there is memory");

    check_verdict(&task, &m, strict, verdict);

    if (verdict == NGX_HTTP_FLOWDASH_JSON_OK) {
        check_fields(&task, m.object);
    }

    check_size(in.pool, &text, pointer, strict, task.json.size, verdict);

    if (verdict == NGX_HTTP_FLOWDASH_JSON_OK) {
        check_merge(in.pool, &text, pointer, &task, &m, &changes);
    }

    return fuzz_end(&in);
}
