
/*
 * A filter that rewrites bodies as the module does: t/rewrite.t compares what
 * comes out with a model, and with what stock parsers read.
 *
 * Reads cases from standard input, and answers each on standard output.  A
 * case is a byte, "u" (urlencoded), "m" (multipart) or "j" (JSON), a number
 * that chooses the sizes of pieces, the Content-Type, the number of the
 * pointer's tokens, the tokens, the body, and the changes as a JSON object;
 * when that is empty, the task's own fields are the changes.  Numbers are four
 * bytes, the highest first; strings begin with their length.
 *
 * The answer is four strings: "ok" or what was wrong, the text for the log,
 * the task as JSON before the changes, and the body.
 */


#include <ngx_config.h>
#include <ngx_core.h>


#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_strict.c"
#include "ngx_http_flowdash_json_unescape.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_json_scan.c"
#include "ngx_http_flowdash_hash.c"
#include "ngx_http_flowdash_table.c"
#include "ngx_http_flowdash_fold.c"
#include "ngx_http_flowdash_json_names.c"
#include "ngx_http_flowdash_json_pointer.c"
#include "ngx_http_flowdash_json_leaves.c"
#include "ngx_http_flowdash_field.c"
#include "ngx_http_flowdash_field_index.c"
#include "ngx_http_flowdash_task.c"
#include "ngx_http_flowdash_slices.c"
#include "ngx_http_flowdash_task_write.c"
#include "ngx_http_flowdash_form.c"
#include "ngx_http_flowdash_form_grammar.c"
#include "ngx_http_flowdash_form_rules.c"
#include "ngx_http_flowdash_form_alias.c"
#include "ngx_http_flowdash_form_name.c"
#include "ngx_http_flowdash_form_index.c"
#include "ngx_http_flowdash_form_task.c"
#include "ngx_http_flowdash_form_urlencoded.c"
#include "ngx_http_flowdash_form_check.c"
#include "ngx_http_flowdash_form_edit.c"
#include "ngx_http_flowdash_method.c"
#include "ngx_http_flowdash_multipart_media.c"
#include "ngx_http_flowdash_multipart_state.c"
#include "ngx_http_flowdash_multipart_delimiter.c"
#include "ngx_http_flowdash_multipart_filename.c"
#include "ngx_http_flowdash_multipart_grammar.c"
#include "ngx_http_flowdash_multipart_part.c"
#include "ngx_http_flowdash_multipart.c"


#define TOOL_MAX_SIZE  (1024 * 1024)


typedef struct {
    u_char        kind;
    uint32_t      seed;
    ngx_str_t     type;
    ngx_array_t   pointer;
    ngx_str_t     body;
    ngx_str_t     changes;

    const char   *verdict;
    const char   *error;
    ngx_str_t     task;
    ngx_str_t     result;
} tool_case_t;


static ngx_log_t  tool_log;


static void
fatal(const char *text)
{
    fprintf(stderr, "rewrite: %s\n", text);
    exit(2);
}


static void
read_bytes(u_char *p, size_t len)
{
    if (len && fread(p, 1, len, stdin) != len) {
        fatal("the case ends early");
    }
}


static uint32_t
read_number(void)
{
    u_char  b[4];

    read_bytes(b, 4);

    return (uint32_t) b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}


/* as long as it is, so that a sanitizer sees what is read beyond the end */

static void
read_string(ngx_pool_t *pool, ngx_str_t *s)
{
    s->len = read_number();
    s->data = ngx_palloc(pool, s->len ? s->len : 1);
    read_bytes(s->data, s->len);
}


static void
write_string(const u_char *p, size_t len)
{
    u_char  b[4];

    b[0] = (u_char) (len >> 24);
    b[1] = (u_char) (len >> 16);
    b[2] = (u_char) (len >> 8);
    b[3] = (u_char) len;

    fwrite(b, 1, 4, stdout);

    if (len) {
        fwrite(p, 1, len, stdout);
    }
}


static ngx_uint_t
read_case(ngx_pool_t *pool, tool_case_t *c)
{
    int          kind;
    ngx_str_t   *token;
    ngx_uint_t   i, n;

    kind = getchar();
    if (kind == EOF) {
        return 0;
    }

    c->kind = (u_char) kind;
    c->seed = read_number();
    read_string(pool, &c->type);

    n = read_number();
    ngx_array_init(&c->pointer, pool, n + 1, sizeof(ngx_str_t));

    for (i = 0; i < n; i++) {
        token = ngx_array_push(&c->pointer);
        read_string(pool, token);
    }

    read_string(pool, &c->body);
    read_string(pool, &c->changes);

    c->verdict = "ok";
    c->error = "";
    ngx_str_null(&c->task);
    ngx_str_null(&c->result);

    return 1;
}


static void
write_task(ngx_pool_t *pool, ngx_http_flowdash_task_t *task, ngx_str_t *text)
{
    size_t  len;

    len = ngx_http_flowdash_task_write_length(
              ngx_http_flowdash_task_write_object, task);

    if (ngx_http_flowdash_task_write_flat(ngx_http_flowdash_task_write_object,
                                          task, pool, text)
        != NGX_OK
        || text->len != len)
    {
        fatal("the task's length is wrong");
    }
}


static ngx_http_flowdash_task_t *
read_changes(ngx_pool_t *pool, tool_case_t *c)
{
    ngx_array_t                       *none;
    ngx_http_flowdash_task_t          *change;
    ngx_http_flowdash_json_verdict_e   verdict;

    if (c->changes.len == 0) {
        c->changes = c->task;
    }

    none = ngx_array_create(pool, 1, sizeof(ngx_str_t));
    change = ngx_palloc(pool, sizeof(ngx_http_flowdash_task_t));

    if (ngx_http_flowdash_task_init(change, pool, &c->changes, none,
                                    NGX_HTTP_FLOWDASH_STRICT_NONE,
                                    TOOL_MAX_SIZE, &verdict)
        != NGX_OK
        || verdict != NGX_HTTP_FLOWDASH_JSON_OK)
    {
        fatal("the changes are no JSON object");
    }

    return change;
}


static void
rewrite_json(ngx_pool_t *pool, tool_case_t *c)
{
    size_t                             len;
    ngx_http_flowdash_task_t          *task;
    ngx_http_flowdash_json_verdict_e   verdict;

    static const char  *names[] = { "ok", "malformed", "deep", "duplicate",
                                    "no object", "large" };

    task = ngx_palloc(pool, sizeof(ngx_http_flowdash_task_t));

    if (ngx_http_flowdash_task_init(task, pool, &c->body, &c->pointer,
                                    NGX_HTTP_FLOWDASH_STRICT_NONE,
                                    TOOL_MAX_SIZE, &verdict)
        != NGX_OK)
    {
        fatal("out of memory");
    }

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        c->verdict = names[verdict];
        c->error = task->json.error;
        return;
    }

    write_task(pool, task, &c->task);

    if (ngx_http_flowdash_task_merge(task, read_changes(pool, c)) != NGX_OK) {
        fatal("out of memory");
    }

    len = ngx_http_flowdash_task_write_length(
              ngx_http_flowdash_task_write_text, task);

    if (ngx_http_flowdash_task_write_flat(ngx_http_flowdash_task_write_text,
                                          task, pool, &c->result)
        != NGX_OK
        || c->result.len != len)
    {
        fatal("the text's length is wrong");
    }
}


static ngx_int_t
read_form(ngx_pool_t *pool, tool_case_t *c, ngx_http_flowdash_form_t *form)
{
    size_t                          n, len;
    u_char                         *piece;
    ngx_int_t                       rc;
    ngx_str_t                       rest;
    ngx_http_flowdash_multipart_t  *mp;

    if (c->kind == 'u') {
        return ngx_http_flowdash_form_urlencoded_parse(form, &c->body);
    }

    mp = ngx_http_flowdash_multipart_create(form);
    if (mp == NULL) {
        return NGX_ERROR;
    }

    rest = c->body;
    len = c->seed % 3 ? c->seed % 3 * 20 : rest.len + 1;
    srandom(c->seed);

    while (rest.len) {
        n = (size_t) random() % len + 1;
        n = ngx_min(n, rest.len);

        /* a piece does not outlive its call */

        piece = ngx_alloc(n, &tool_log);
        ngx_memcpy(piece, rest.data, n);

        rc = ngx_http_flowdash_multipart_read(mp, piece, n);

        ngx_free(piece);

        if (rc != NGX_OK) {
            return rc;
        }

        rest.data += n;
        rest.len -= n;
    }

    return ngx_http_flowdash_multipart_end(mp);
}


/* gives the task the changes that the form can take */

static ngx_uint_t
merge(ngx_pool_t *pool, tool_case_t *c, ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_flowdash_task_t   *change;
    ngx_http_flowdash_field_t  *field, *old, room, old_room;

    change = read_changes(pool, c);

    for (i = 0; (field = ngx_http_flowdash_task_get(change, i, &room)); i++) {

        old = ngx_http_flowdash_task_lookup(task, &field->name, &old_room);

        if (old && ngx_http_flowdash_task_same(old, field)) {
            continue;
        }

        rc = ngx_http_flowdash_form_check(form, field,
                                          old ? &old->value : NULL, &c->error);

        if (rc == NGX_DECLINED) {
            c->verdict = "refused";
            return 0;
        }

        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_task_set(task, field);

        } else if (rc == NGX_DONE) {
            rc = NGX_OK;
        }

        if (rc != NGX_OK) {
            fatal("out of memory");
        }
    }

    c->error = "";

    return 1;
}


static void
apply(ngx_pool_t *pool, tool_case_t *c, ngx_array_t *edits)
{
    off_t                           at;
    u_char                         *p;
    size_t                          len;
    ngx_uint_t                      i;
    ngx_http_flowdash_form_edit_t  *edit;

    edit = edits->elts;
    len = c->body.len;

    for (i = 0; i < edits->nelts; i++) {
        len += edit[i].text.len;
    }

    c->result.data = ngx_palloc(pool, len ? len : 1);
    p = c->result.data;
    at = 0;

    for (i = 0; i < edits->nelts; i++) {

        if (edit[i].start < at || edit[i].last < edit[i].start
            || edit[i].last > (off_t) c->body.len)
        {
            fatal("the edits are not in order");
        }

        p = ngx_cpymem(p, c->body.data + at, edit[i].start - at);
        p = ngx_cpymem(p, edit[i].text.data, edit[i].text.len);
        at = edit[i].last;
    }

    p = ngx_cpymem(p, c->body.data + at, c->body.len - at);
    c->result.len = p - c->result.data;
}


static void
rewrite_form(ngx_pool_t *pool, tool_case_t *c)
{
    ngx_int_t                    rc;
    ngx_str_t                    boundary, written;
    ngx_array_t                 *edits;
    ngx_http_flowdash_form_t    *form;
    ngx_http_flowdash_task_t    *task;
    ngx_http_flowdash_slices_t   slices;

    static const char  *names[] = { "ok", "malformed", "charset", "large" };

    ngx_str_null(&boundary);

    if (c->kind == 'm'
        && ngx_http_flowdash_multipart_media_boundary(&c->type, &boundary,
                                                      &c->error)
           != NGX_OK)
    {
        c->verdict = "no boundary";
        return;
    }

    form = ngx_palloc(pool, sizeof(ngx_http_flowdash_form_t));
    task = ngx_palloc(pool, sizeof(ngx_http_flowdash_task_t));

    ngx_http_flowdash_form_init(form, pool, &c->pointer, &boundary,
                                TOOL_MAX_SIZE,
                                NGX_HTTP_FLOWDASH_STRICT_NONE);

    rc = read_form(pool, c, form);

    if (rc == NGX_DECLINED) {
        c->verdict = names[form->verdict];
        c->error = form->error;
        return;
    }

    if (rc != NGX_OK || ngx_http_flowdash_form_task(form, task) != NGX_OK) {
        fatal("out of memory");
    }

    write_task(pool, task, &c->task);

    if (!merge(pool, c, form, task)) {
        return;
    }

    edits = ngx_http_flowdash_form_edits(form, task);
    if (edits == NULL) {
        fatal("out of memory");
    }

    apply(pool, c, edits);

    if (c->kind == 'm') {
        return;
    }

    if (ngx_http_flowdash_form_urlencoded_write(form, &c->body, edits, &slices)
        != NGX_OK
        || ngx_http_flowdash_slices_text(&slices, pool, &written) != NGX_OK)
    {
        fatal("out of memory");
    }

    if (written.len != c->result.len
        || ngx_memcmp(written.data, c->result.data, written.len) != 0)
    {
        fatal("form_write() does not write what the edits say");
    }
}


int
main(void)
{
    ngx_pool_t   *pool;
    tool_case_t   c;

    ngx_pagesize = 4096;

    for ( ;; ) {
        pool = ngx_create_pool(4096, &tool_log);

        if (!read_case(pool, &c)) {
            ngx_destroy_pool(pool);
            break;
        }

        if (c.kind == 'j') {
            rewrite_json(pool, &c);

        } else {
            rewrite_form(pool, &c);
        }

        write_string((u_char *) c.verdict, strlen(c.verdict));
        write_string((u_char *) c.error, strlen(c.error));
        write_string(c.task.data, c.task.len);
        write_string(c.result.data, c.result.len);
        fflush(stdout);

        ngx_destroy_pool(pool);
    }

    return 0;
}
