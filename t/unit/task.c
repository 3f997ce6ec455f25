
/*
 * The task without nginx: random texts and merges against a plain model,
 * damaged texts, and memory that runs out.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


static size_t  test_allocated;    /* bytes, by what is included below */


static void *
test_palloc(ngx_pool_t *pool, size_t size)
{
    test_allocated += size;

    return test_fails() ? NULL : ngx_palloc(pool, size);
}


static void *
test_alloc(size_t size, ngx_log_t *log)
{
    return test_fails() ? NULL : ngx_alloc(size, log);
}


static void *
test_pcalloc(ngx_pool_t *pool, size_t size)
{
    return test_fails() ? NULL : ngx_pcalloc(pool, size);
}


#define ngx_alloc    test_alloc
#define ngx_pcalloc  test_pcalloc
#define ngx_palloc   test_palloc
#define ngx_pnalloc  test_palloc
#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_strict.c"
#include "ngx_http_flowdash_json_unescape.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_json_scan.c"
#include "ngx_http_flowdash_hash.c"
#include "ngx_http_flowdash_fold.c"
#include "ngx_http_flowdash_json_names.c"
#include "ngx_http_flowdash_json_pointer.c"
#include "ngx_http_flowdash_json_leaves.c"
#include "ngx_http_flowdash_field.c"
#include "ngx_http_flowdash_field_index.c"
#undef ngx_palloc
#undef ngx_pnalloc
#include "ngx_http_flowdash_task.c"
#include "ngx_http_flowdash_slices.c"
#include "ngx_http_flowdash_task_write.c"


#define TEST_FIELDS  12
#define TEST_TEXT    65536


typedef struct {
    ngx_str_t    name;         /* decoded */
    ngx_str_t    spelling;
    ngx_str_t    value;
} test_field_t;


typedef struct {
    u_char       text[TEST_TEXT];
    size_t       len;
    u_char       wanted[TEST_TEXT];
    size_t       wanted_len;
} test_text_t;


static void
add(test_text_t *t, const char *s, size_t len)
{
    ngx_memcpy(t->text + t->len, s, len);
    t->len += len;
    ngx_memcpy(t->wanted + t->wanted_len, s, len);
    t->wanted_len += len;
}


static void
add_space(test_text_t *t)
{
    static const char  *space[] = { "", "", "", " ", "\n", "\t ", "\r\n  " };
    const char         *s;

    s = space[dice(7)];
    add(t, s, strlen(s));
}


static void
pick_value(ngx_str_t *value)
{
    static const char  *values[] = {
        "null", "true", "false", "0", "-0.0", "1e400", "10000.00",
        "123456789012345678901234567890", "\"\"", "\"x\"", "\"\\u00e9\\/\"",
        "\"a\\\"b\\\\\"", "\"\xc3\xa9\"", "[]", "{}", "[1, [2,{\"a\":3}] ]",
        "{\"a\":{\"a\":[]},\"b\":2}", "\"\\ud83d\\ude00\"", "\"{[,:\""
    };

    value->data = (u_char *) values[dice(19)];
    value->len = ngx_strlen(value->data);
}


/* names that look alike, in more than one spelling */

static void
pick_name(ngx_uint_t n, test_field_t *field)
{
    static const char  *names[][3] = {
        { "a", "\"a\"", "\"\\u0061\"" }, { "b", "\"b\"", "\"\\u0062\"" },
        { "", "\"\"", "\"\"" }, { "a b?", "\"a b?\"", "\"a\\u0020b?\"" },
        { "\xc3\xa9", "\"\xc3\xa9\"", "\"\\u00e9\"" },
        { "\"", "\"\\\"\"", "\"\\u0022\"" }, { "task", "\"task\"",
        "\"t\\u0061sk\"" }, { "/", "\"/\"", "\"\\/\"" },
        { "aa", "\"aa\"", "\"\\u0061a\"" }, { "Z", "\"Z\"", "\"\\u005a\"" },
        { "\n", "\"\\n\"", "\"\\u000a\"" }, { "0", "\"0\"", "\"\\u0030\"" }
    };

    field->name.data = (u_char *) names[n][0];
    field->name.len = ngx_strlen(field->name.data);
    field->spelling.data = (u_char *) names[n][1 + dice(2)];
    field->spelling.len = ngx_strlen(field->spelling.data);

    pick_value(&field->value);
}


static void
add_member(test_text_t *t, ngx_str_t *spelling, ngx_uint_t first)
{
    add_space(t);

    if (!first) {
        add(t, ",", 1);
        add_space(t);
    }

    add(t, (char *) spelling->data, spelling->len);
    add_space(t);
    add(t, ":", 1);
    add_space(t);
}


static void
add_wanted(test_text_t *t, ngx_str_t *s)
{
    ngx_memcpy(t->wanted + t->wanted_len, s->data, s->len);
    t->wanted_len += s->len;
}


/*
 * The object with its fields; in what is wanted, "changes" have replaced the
 * values, and new ones follow the last.
 */

static void
add_object(test_text_t *t, test_field_t **fields, test_field_t **changes)
{
    ngx_str_t    comma = ngx_string(","), colon = ngx_string(":");
    ngx_uint_t   i, first;

    add(t, "{", 1);
    first = 1;

    for (i = 0; i < TEST_FIELDS; i++) {

        if (fields[i] == NULL) {
            continue;
        }

        add_member(t, &fields[i]->spelling, first);
        first = 0;

        ngx_memcpy(t->text + t->len, fields[i]->value.data,
                   fields[i]->value.len);
        t->len += fields[i]->value.len;

        add_wanted(t, changes[i] ? &changes[i]->value : &fields[i]->value);
    }

    for (i = 0; i < TEST_FIELDS; i++) {

        if (fields[i] || changes[i] == NULL) {
            continue;
        }

        if (!first) {
            add_wanted(t, &comma);
        }

        first = 0;

        add_wanted(t, &changes[i]->spelling);
        add_wanted(t, &colon);
        add_wanted(t, &changes[i]->value);
    }

    add_space(t);
    add(t, "}", 1);
}


static void
add_text(test_text_t *t, ngx_array_t *pointer, ngx_uint_t level,
    test_field_t **fields, test_field_t **changes)
{
    u_char       buf[64];
    ngx_str_t   *tokens, spelling, other, value;
    ngx_uint_t   before;

    if (level == pointer->nelts) {
        add_object(t, fields, changes);
        return;
    }

    tokens = pointer->elts;

    spelling.data = buf;
    spelling.len = ngx_http_flowdash_json_write_string(buf, &tokens[level])
                   - buf;

    add(t, "{", 1);
    ngx_str_set(&other, "\"other\"");
    before = dice(2);

    if (before) {
        add_member(t, &other, 1);
        pick_value(&value);
        add(t, (char *) value.data, value.len);
    }

    add_member(t, &spelling, !before);
    add_text(t, pointer, level + 1, fields, changes);

    if (dice(2)) {
        ngx_str_set(&other, "\"after\"");
        add_member(t, &other, 0);
        pick_value(&value);
        add(t, (char *) value.data, value.len);
    }

    add_space(t);
    add(t, "}", 1);
}


static ngx_uint_t
merge(ngx_pool_t *pool, ngx_http_flowdash_task_t *task, test_field_t **changes)
{
    u_char                            *p;
    ngx_str_t                          text;
    ngx_uint_t                         i;
    ngx_array_t                        pointer;
    ngx_http_flowdash_task_t          *change;
    ngx_http_flowdash_json_verdict_e   verdict;

    text.data = ngx_palloc(pool, 4096);
    change = ngx_palloc(pool, sizeof(ngx_http_flowdash_task_t));
    p = text.data;
    *p++ = '{';

    for (i = 0; i < TEST_FIELDS; i++) {
        if (changes[i]) {
            p = ngx_sprintf(p, "%s%V:%V", p[-1] == '{' ? "" : ",",
                            &changes[i]->spelling, &changes[i]->value);
        }
    }

    *p++ = '}';
    text.len = p - text.data;

    pointer.elts = NULL;
    pointer.nelts = 0;

    return ngx_http_flowdash_task_init(change, pool, &text, &pointer,
                                       NGX_HTTP_FLOWDASH_STRICT_ALL, 65536,
                                       &verdict)
           == NGX_OK
           && verdict == NGX_HTTP_FLOWDASH_JSON_OK
           && ngx_http_flowdash_task_merge(task, change) == NGX_OK;
}


static ngx_uint_t
write_is(ngx_pool_t *pool, ngx_http_flowdash_task_t *task, u_char *wanted,
    size_t len)
{
    size_t     size;
    ngx_str_t  text;

    size = ngx_http_flowdash_task_write_length(
               ngx_http_flowdash_task_write_text, task);

    return ngx_http_flowdash_task_write_flat(ngx_http_flowdash_task_write_text,
                                             task, pool, &text)
           == NGX_OK
           && text.len == size
           && (wanted == NULL
               || (size == len && ngx_memcmp(text.data, wanted, len) == 0));
}


/* a copy takes the changes, and the task stays as it is */

static ngx_uint_t
copy_is(ngx_pool_t *pool, ngx_http_flowdash_task_t *task,
    test_field_t **changes, test_text_t *t)
{
    ngx_http_flowdash_task_t  copy;

    return ngx_http_flowdash_task_copy(&copy, pool, task) == NGX_OK
           && !copy.changed
           && write_is(pool, &copy, t->text, t->len)
           && merge(pool, &copy, changes)
           && write_is(pool, &copy, t->wanted, t->wanted_len)
           && write_is(pool, task, t->text, t->len);
}


static u_char *
write_member(u_char *p, test_field_t *field, ngx_str_t *value)
{
    return ngx_sprintf(p, "%s%V:%V", p[-1] == '{' ? "" : ",",
                       &field->spelling, value);
}


/* a task that belongs to no text, and a copy of it */

static ngx_uint_t
without_text(ngx_pool_t *pool, test_field_t **fields, test_field_t **changes)
{
    u_char                     *p, wanted[4096];
    ngx_str_t                   written;
    ngx_uint_t                  i, n;
    ngx_http_flowdash_task_t    task, copy, *tasks[2];
    ngx_http_flowdash_field_t  *field, room;

    ngx_http_flowdash_task_create(&task, pool);

    p = wanted;
    *p++ = '{';

    for (i = 0; i < TEST_FIELDS; i++) {

        if (fields[i] == NULL) {
            continue;
        }

        field = ngx_http_flowdash_task_add(&task, &fields[i]->name,
                                           &fields[i]->spelling,
                                           &fields[i]->value);

        if (field == NULL || field->changed || field->ambiguous
            || ngx_http_flowdash_task_lookup(&task, &fields[i]->name, &room)
               != field)
        {
            return 0;
        }

        p = write_member(p, fields[i], changes[i] ? &changes[i]->value
                                                  : &fields[i]->value);
    }

    for (i = 0; i < TEST_FIELDS; i++) {
        if (fields[i] == NULL && changes[i]) {
            p = write_member(p, changes[i], &changes[i]->value);
        }
    }

    *p++ = '}';

    if (ngx_http_flowdash_task_copy(&copy, pool, &task) != NGX_OK) {
        return 0;
    }

    tasks[0] = &task;
    tasks[1] = &copy;

    for (n = 0; n < 2; n++) {

        if (!merge(pool, tasks[n], changes)) {
            return 0;
        }

        if (ngx_http_flowdash_task_write_flat(
                ngx_http_flowdash_task_write_object, tasks[n], pool, &written)
            != NGX_OK
            || ngx_http_flowdash_task_write_length(
                   ngx_http_flowdash_task_write_object, tasks[n])
               != written.len
            || written.len != (size_t) (p - wanted)
            || ngx_memcmp(written.data, wanted, p - wanted) != 0)
        {
            printf("# wanted %.*s\n# wrote  %.*s\n", (int) (p - wanted),
                   (char *) wanted, (int) written.len,
                   (char *) written.data);
            return 0;
        }
    }

    return 1;
}


/* copied, so that a sanitizer sees what is read beyond the end */

static void
copy(ngx_pool_t *pool, ngx_str_t *text, u_char *p, size_t len)
{
    text->data = ngx_palloc(pool, len ? len : 1);
    text->len = len;
    ngx_memcpy(text->data, p, len);
}


static ngx_uint_t
round_trip(ngx_pool_t *pool, test_text_t *t)
{
    ngx_str_t                          text, *token;
    ngx_uint_t                         i, n;
    ngx_array_t                       *pointer;
    test_field_t                       fields[TEST_FIELDS];
    test_field_t                       values[TEST_FIELDS];
    test_field_t                      *has[TEST_FIELDS];
    test_field_t                      *changes[TEST_FIELDS];
    ngx_http_flowdash_task_t           task;
    ngx_http_flowdash_json_verdict_e   verdict;

    static ngx_str_t  tokens[] = { ngx_string("task"), ngx_string("a"),
                                   ngx_string(""), ngx_string("\"") };

    n = dice(4);
    pointer = ngx_array_create(pool, 4, sizeof(ngx_str_t));

    for (i = 0; i < n; i++) {
        token = ngx_array_push(pointer);
        *token = tokens[dice(4)];
    }

    for (i = 0; i < TEST_FIELDS; i++) {
        pick_name(i, &fields[i]);
        pick_name(i, &values[i]);
        has[i] = dice(2) ? &fields[i] : NULL;
        changes[i] = dice(3) ? NULL : &values[i];
    }

    t->len = 0;
    t->wanted_len = 0;

    add_space(t);
    add_text(t, pointer, 0, has, changes);
    add_space(t);

    copy(pool, &text, t->text, t->len);

    if (ngx_http_flowdash_task_init(&task, pool, &text, pointer,
                                    NGX_HTTP_FLOWDASH_STRICT_ALL, 65536,
                                       &verdict)
        != NGX_OK
        || verdict != NGX_HTTP_FLOWDASH_JSON_OK
        || !write_is(pool, &task, t->text, t->len)
        || !copy_is(pool, &task, changes, t)
        || !without_text(pool, has, changes)
        || !merge(pool, &task, changes)
        || !write_is(pool, &task, t->wanted, t->wanted_len))
    {
        printf("# %.*s\n# wanted %.*s\n", (int) t->len, (char *) t->text,
               (int) t->wanted_len, (char *) t->wanted);
        return 0;
    }

    /* what is written can be read, and merging it again changes nothing */

    copy(pool, &text, t->wanted, t->wanted_len);

    return ngx_http_flowdash_task_init(&task, pool, &text, pointer,
                                       NGX_HTTP_FLOWDASH_STRICT_ALL, 65536,
                                       &verdict)
           == NGX_OK
           && verdict == NGX_HTTP_FLOWDASH_JSON_OK
           && merge(pool, &task, changes)
           && !task.changed;
}


/* whatever comes: an answer, the same when asked again, and no crash */

static ngx_uint_t
damaged(ngx_pool_t *pool, test_text_t *t)
{
    ngx_str_t                          text, token;
    ngx_uint_t                         i;
    ngx_array_t                        pointer;
    test_field_t                       field;
    test_field_t                      *changes[TEST_FIELDS];
    ngx_http_flowdash_task_t           task;
    ngx_http_flowdash_json_verdict_e   verdict;

    static const char  bytes[] = "{}[]\",:\\u0aedt \n\x01\x7f\x80\xc3\xff";

    copy(pool, &text, t->text, t->len);

    for (i = dice(4) + 1; i; i--) {

        switch (dice(3)) {

        case 0:
            text.data[dice(text.len)] = bytes[dice(sizeof(bytes) - 1)];
            break;

        case 1:
            text.len = dice(text.len) + 1;
            break;

        default:
            text.data[dice(text.len)] = (u_char) random();
        }
    }

    copy(pool, &text, text.data, text.len);

    ngx_str_set(&token, "task");
    pointer.elts = &token;
    pointer.nelts = dice(2);

    if (ngx_http_flowdash_task_init(&task, pool, &text, &pointer,
                                    NGX_HTTP_FLOWDASH_STRICT_ALL, 65536,
                                       &verdict)
        != NGX_OK)
    {
        return 0;
    }

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        return task.json.error != NULL && task.json.offset <= text.len
               && ngx_http_flowdash_task_write_length(
                      ngx_http_flowdash_task_write_object, &task)
                  == 2;
    }

    ngx_memzero(changes, sizeof(changes));
    pick_name(1, &field);
    changes[1] = &field;

    return merge(pool, &task, changes) && write_is(pool, &task, NULL, 0);
}


/*
 * "start", then "n" times "again": the verdict, and how much memory was
 * allocated on the way to it.
 */

static ngx_http_flowdash_json_verdict_e
repeated(const char *start, const char *again, ngx_uint_t n, size_t *allocated)
{
    u_char                            *p;
    ngx_str_t                          text, tokens[2];
    ngx_pool_t                        *pool;
    ngx_array_t                        pointer;
    ngx_http_flowdash_task_t           task;
    ngx_http_flowdash_json_verdict_e   verdict;

    pool = ngx_create_pool(4096, &test_log);

    text.len = strlen(start) + n * strlen(again);
    text.data = malloc(text.len);

    p = ngx_cpymem(text.data, start, strlen(start));

    while (n--) {
        p = ngx_cpymem(p, again, strlen(again));
    }

    ngx_str_set(&tokens[0], "task");
    ngx_str_set(&tokens[1], "1");
    pointer.elts = tokens;
    pointer.nelts = 2;

    test_allocated = 0;

    if (ngx_http_flowdash_task_init(&task, pool, &text, &pointer,
                                    NGX_HTTP_FLOWDASH_STRICT_ALL, 65536,
                                       &verdict)
        != NGX_OK)
    {
        verdict = NGX_HTTP_FLOWDASH_JSON_OK;
    }

    *allocated = test_allocated;

    ngx_destroy_pool(pool);
    free(text.data);

    return verdict;
}


/* whatever has been refused before, what is too deep ends the parsing */

static void
limits(void)
{
    size_t      allocated;
    ngx_uint_t  i;

    static const char  *starts[] = {
        "", "{\"x\":",
        "{\"task\":5,\"x\":",
        "{\"task\":[],\"x\":",
        "{\"task\":[0,5],\"x\":",
        "{\"task\":[0,[]],\"x\":",
        "{\"task\":{\"1\":{}},\"task\":",
        "{\"task\":{\"1\":{},\"1\":",
        "{\"task\":{\"1\":{\"a\":1,\"a\":1,\"x\":",
        "{\"task\":{\"1\":{\"\\ud800\":1,\"x\":",
        "[5,", "{\"\\ud800\":1,\"x\":"
    };

    for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {

        ok(repeated(starts[i], "[", 100000, &allocated)
           == NGX_HTTP_FLOWDASH_JSON_DEEP
           && allocated < 32768, show("too deep", starts[i]));

        ok(repeated(starts[i], "{\"x\":", 100000, &allocated)
           == NGX_HTTP_FLOWDASH_JSON_DEEP
           && allocated < 32768, show("objects", starts[i]));
    }

    /* what is closed again does not count, before and after a refusal */

    ok(repeated("{\"task\":5,\"x\":[[[{}]]]", ",\"y\":[[[{}]]]", 1000,
                &allocated)
       == NGX_HTTP_FLOWDASH_JSON_MALFORMED, "wide after a refusal");

    ok(repeated("{\"x\":[[[{}]]]", ",\"y\":[[[{}]]]", 1000, &allocated)
       == NGX_HTTP_FLOWDASH_JSON_MALFORMED, "wide");
}


#define TEST_NAMES                                                            \
    "\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,"    \
    "\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,"

#define TEST_LONG  "abcdefghijklmnopqrstuvwxyzabcdefgh"


/*
 * Fields, and names that need memory, are charged: at the limit, the text is
 * read, and a byte below it, the parsing ends.
 */

static ngx_uint_t
index_is_charged(void)
{
    size_t                             needed;
    ngx_str_t                          text;
    ngx_uint_t                         i;
    ngx_pool_t                        *pool;
    ngx_array_t                        pointer;
    ngx_http_flowdash_task_t           task;
    ngx_http_flowdash_json_verdict_e   verdict;

    static const struct {
        const char  *text;
        ngx_uint_t   fields;
        ngx_uint_t   more;     /* something else is remembered, too */
    } texts[] = {
        { "{\"a\":1}", 1, 0 },
        { "{\"a\":1,\"b\":1,\"d\":\"e\"}", 3, 0 },
        { "{\"\\u0061bcdefghijklmnopqrstuvwxyz\":1}", 1, 1 },
        { "{\"a\":1,\"\\n\":2}", 2, 1 },
        { "{\"a\":[]}", 1, 0 },
        { "{\"a\":1,\"b\":[[\"c\"]],\"d\":{\"e\":2}}", 3, 0 },
        { "{\"a\":{\"\\u0061bcdefghijklmnopqrstuvwxyz\":1}}", 1, 0 },

        /* more names than a few, in one object or in several open ones */

        { "{\"a\":{" TEST_NAMES "\"p\":1}}", 1, 0 },
        { "{\"a\":[{" TEST_NAMES "\"p\":1},{" TEST_NAMES "\"p\":1}]}", 1, 0 },
        { "{\"a\":{" TEST_NAMES "\"p\":1,\"q\":1}}", 1, 1 },
        { "{\"a\":{" TEST_NAMES "\"p\":{\"a\":1}}}", 1, 1 },

        /* a long name */

        { "{\"a\":{\"" TEST_LONG TEST_LONG TEST_LONG TEST_LONG "\":1}}", 1, 0 },
        { "{\"a\":{\"\\n" TEST_LONG TEST_LONG TEST_LONG TEST_LONG "\":1}}", 1,
          1 }
    };

    ngx_memzero(&pointer, sizeof(ngx_array_t));

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {

        pool = ngx_create_pool(4096, &test_log);

        text.data = (u_char *) texts[i].text;
        text.len = strlen(texts[i].text);

        if (ngx_http_flowdash_task_init(&task, pool, &text, &pointer, 0, 65536,
                                        &verdict)
            != NGX_OK
            || verdict != NGX_HTTP_FLOWDASH_JSON_OK)
        {
            return 0;
        }

        needed = task.json.size;

        if (needed < sizeof(ngx_http_flowdash_field_t)
            || ngx_http_flowdash_task_init(&task, pool, &text, &pointer, 0,
                                           needed, &verdict)
               != NGX_OK
            || verdict != NGX_HTTP_FLOWDASH_JSON_OK
            || ngx_http_flowdash_task_init(&task, pool, &text, &pointer, 0,
                                           needed - 1, &verdict)
               != NGX_OK
            || verdict != NGX_HTTP_FLOWDASH_JSON_LARGE
            || strstr(task.json.error, "flowdash_max_fields_size") == NULL
            || task.index.used)
        {
            return 0;
        }

        ngx_destroy_pool(pool);

        needed -= texts[i].fields * (sizeof(ngx_http_flowdash_field_t)
                                     + NGX_HTTP_FLOWDASH_FIELD_INDEXED);

        if ((needed != 0) != texts[i].more) {
            return 0;
        }
    }

    return 1;
}


/* a place is 32 bits: a text is not even looked at if that is not enough */

static ngx_uint_t
too_long(void)
{
    u_char                             c;
    ngx_str_t                          text;
    ngx_uint_t                         good;
    ngx_pool_t                        *pool;
    ngx_array_t                        pointer;
    ngx_http_flowdash_task_t           task;
    ngx_http_flowdash_json_verdict_e   verdict;

    ngx_memzero(&pointer, sizeof(ngx_array_t));

    pool = ngx_create_pool(4096, &test_log);

    text.data = &c;
    text.len = (size_t) UINT32_MAX + 1;

    good = (ngx_http_flowdash_task_init(&task, pool, &text, &pointer, 0,
                                        NGX_MAX_SIZE_T_VALUE, &verdict)
            == NGX_OK
            && verdict == NGX_HTTP_FLOWDASH_JSON_LARGE
            && strcmp(task.json.error, "over 4 GB") == 0
            && task.index.used == 0
            && task.json.object.data == NULL);

    ngx_destroy_pool(pool);

    return good;
}


/*
 * What is read takes little memory, and what is changed no more than it is
 * charged.  Fields that are all short, before or behind a long one, lead to
 * wrong guesses of their number; so do names with escapes, here all but each
 * "plain"th.
 */

static ngx_uint_t
index_is_small(size_t before, size_t behind, ngx_uint_t plain)
{
    u_char                            *p;
    size_t                             read, kept, changed;
    ngx_str_t                          text, new, name;
    ngx_uint_t                         i, good;
    ngx_pool_t                        *pool;
    ngx_array_t                        pointer;
    ngx_http_flowdash_task_t           task;
    ngx_http_flowdash_field_t          field, room;
    ngx_http_flowdash_json_verdict_e   verdict;

    ngx_memzero(&pointer, sizeof(ngx_array_t));

    pool = ngx_create_pool(4096, &test_log);

    text.data = malloc(10000 * sizeof("\"\\u0066ield 10000\":1,")
                       + before + behind + 100);
    p = ngx_sprintf(text.data, "{\"before\":\"");

    ngx_memset(p, 'x', before);
    p = ngx_sprintf(p + before, "\"");

    for (i = 0; i < 10000; i++) {
        p = ngx_sprintf(p, ",\"%sield %ui\":1",
                        (i % plain) ? "\\u0066" : "f", i);
    }

    p = ngx_sprintf(p, ",\"behind\":\"");

    ngx_memset(p, 'x', behind);
    p = ngx_sprintf(p + behind, "\"}");

    text.len = p - text.data;

    good = (ngx_http_flowdash_task_init(&task, pool, &text, &pointer, 0,
                                        NGX_MAX_SIZE_T_VALUE, &verdict)
            == NGX_OK && verdict == NGX_HTTP_FLOWDASH_JSON_OK);

    read = task.index.max * sizeof(ngx_http_flowdash_field_ref_t)
           + task.index.names.size * sizeof(uint32_t);

    kept = task.index.nkept;

    good &= (task.index.used == 10002 && read < 10002 * 20
             && kept == 10000 - (9999 / plain + 1));

    for (i = 0; i < 10002; i++) {
        name = ngx_http_flowdash_task_get(&task, i, &room)->name;
        good &= ngx_http_flowdash_task_has(&task, &name);
    }

    ngx_str_set(&new, "2");

    for (i = 0; i < 10002; i++) {
        field = *ngx_http_flowdash_task_get(&task, i, &room);
        field.value = new;
        good &= (ngx_http_flowdash_task_set(&task, &field) == NGX_OK);
    }

    changed = task.index.max_kept * sizeof(ngx_http_flowdash_field_t *)
              + task.index.nkept * sizeof(ngx_http_flowdash_field_t);

    good &= (task.index.nkept == 10002 && read + changed <= task.json.size);

    ngx_destroy_pool(pool);
    free(text.data);

    return good;
}


static ngx_int_t
change_three(ngx_http_flowdash_task_t *task)
{
    ngx_int_t                  rc;
    ngx_str_t                  name, spelling, value;
    ngx_http_flowdash_field_t  field;

    ngx_memzero(&field, sizeof(ngx_http_flowdash_field_t));

    ngx_str_set(&field.name, "d");
    ngx_str_set(&field.spelling, "\"d\"");
    ngx_str_set(&field.value, "3");

    rc = ngx_http_flowdash_task_set(task, &field);

    ngx_str_set(&field.name, "n");
    ngx_str_set(&field.spelling, "\"n\"");

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_task_set(task, &field);
    }

    ngx_str_set(&name, "D");
    ngx_str_set(&spelling, "\"D\"");
    ngx_str_set(&value, "4");

    return (rc == NGX_OK)
           ? ngx_http_flowdash_task_force(task, &name, &spelling, &value) : rc;
}


static ngx_uint_t
out_of_memory(void)
{
    ngx_int_t                          n, rc;
    ngx_str_t                          text, token, value;
    ngx_pool_t                        *pool;
    ngx_array_t                        pointer;
    ngx_http_flowdash_task_t           task, copy;
    ngx_http_flowdash_json_verdict_e   verdict;

    ngx_str_set(&text, "{\"task\":{\"\\u0061\":\"\\u0062\",\"d\":1,\"D\":2,"
                       "\"e(1i)\":1,\"c\":{" TEST_NAMES
                       "\"p\":[[{\"\\n" TEST_LONG TEST_LONG TEST_LONG TEST_LONG
                       "\":1}]]}}}");
    ngx_str_set(&token, "task");
    pointer.elts = &token;
    pointer.nelts = 1;

    for (n = 0; n < 100; n++) {
        pool = ngx_create_pool(1024, &test_log);

        test_budget = n;
        rc = ngx_http_flowdash_task_init(&task, pool, &text, &pointer,
                                         NGX_HTTP_FLOWDASH_STRICT_NONE, 65536,
                                         &verdict);
        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_task_copy(&copy, pool, &task);
        }

        /* one is kept, one is new, and one is forced */

        if (rc == NGX_OK) {
            rc = change_three(&copy);
        }

        test_budget = -1;

        ngx_destroy_pool(pool);

        if (rc == NGX_OK) {
            break;
        }
    }

    if (n < 8 || n == 100) {
        return 0;
    }

    pool = ngx_create_pool(1024, &test_log);
    ngx_str_set(&text, "\"\\u00e9\"");

    test_budget = 0;
    rc = ngx_http_flowdash_json_decode(&text, &value, pool);
    test_budget = -1;

    n = ngx_http_flowdash_json_decode(&text, &value, pool);

    if (rc != NGX_ERROR || n != NGX_OK || !is_text(&value, "\xc3\xa9")) {
        return 0;
    }

    ngx_destroy_pool(pool);

    return 1;
}


int
main(void)
{
    ngx_uint_t    i, rounds, good_trips, good_damaged;
    ngx_pool_t   *pool;
    test_text_t  *t;

    rounds = test_begin(20000);
    t = calloc(1, sizeof(test_text_t));

    good_trips = 0;
    good_damaged = 0;

    for (i = 0; i < rounds; i++) {
        pool = ngx_create_pool(4096, &test_log);

        good_trips += round_trip(pool, t);
        good_damaged += damaged(pool, t);

        ngx_destroy_pool(pool);
    }

    ok(good_trips == rounds, "random merges are as in the model");
    ok(good_damaged == rounds, "damaged texts are judged");
    limits();
    ok(index_is_charged(), "the index has a limit");
    ok(index_is_small(0, 0, 1), "what is read only takes little memory");
    ok(index_is_small(0, 1000000, 1), "with a long field behind the others");
    ok(index_is_small(1000000, 0, 1), "with a long field before them");
    ok(index_is_small(0, 1000000, 9), "with escapes in most names");
    ok(too_long(), "a text over 4 GB is refused");
    ok(out_of_memory(), "memory that runs out is an error");

    free(t);

    return test_end();
}
