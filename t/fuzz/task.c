
/*
 * A task in JSON: its settings, the pointer, the text and the changes.
 *
 * The module's verdict, its fields and what it writes are compared with what
 * json.h reads; what no change mentions stays to the byte, and merging twice
 * is merging once.
 */


#include "task.h"

#include "write.h"


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
    ngx_http_flowdash_field_t  *field, room, found_room, *found;

    member = object ? object->first : NULL;

    for (i = 0; (field = ngx_http_flowdash_task_get(task, i, &room)); i++) {
        fuzz_check(member, "no field but those of the text");
        fuzz_check(fuzz_is(&field->name, &member->name), "a name");
        fuzz_check(fuzz_is(&field->value, &member->text), "a value");
        fuzz_check(fuzz_is(&field->spelling, &member->spelling), "a spelling");
        fuzz_check(field->value.data == member->text.data, "its place");

        found = ngx_http_flowdash_task_lookup(task, &member->name,
                                              &found_room);
        fuzz_check(found && found->spelling.data == field->spelling.data,
                   "a field is found");

        member = member->next;
    }

    fuzz_check(member == NULL, "all fields of the text");
}


static ngx_str_t
write_text(ngx_http_flowdash_task_t *task)
{
    return fuzz_task_write(ngx_http_flowdash_task_write_text, task);
}


static ngx_str_t
write_object(ngx_http_flowdash_task_t *task)
{
    return fuzz_task_write(ngx_http_flowdash_task_write_object, task);
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
    ngx_http_flowdash_field_t         *field, room;
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
        field = ngx_http_flowdash_task_lookup(&task, &change->name, &room);

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

    task_read(pool, changes, none, &change);

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
        expected = task_write(pool, text, m->object, change.object);

        fuzz_check(fuzz_is(&first, &expected), "the text with the changes");

        expected = task_write(pool, &m->object->text, m->object,
                               change.object);

        fuzz_check(fuzz_is(&object, &expected), "the object with the changes");

    } else if (task->changed) {
        task_check_created(pool, text, m, pointer, change.object, &first);
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

    task_read(in.pool, &text, pointer, &m);

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
