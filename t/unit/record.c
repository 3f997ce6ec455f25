
/*
 * Records: every line comes back as it was written, a file that was cut reads
 * as what came before, one that was changed is refused, and what is left to do
 * is what the model says.  A person can read the file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tap.h"


static void *
test_pcalloc(ngx_pool_t *pool, size_t size)
{
    return test_fails() ? NULL : ngx_pcalloc(pool, size);
}


static void *
test_array_push(ngx_array_t *array)
{
    return test_fails() ? NULL : ngx_array_push(array);
}


static ngx_int_t
test_array_init(ngx_array_t *array, ngx_pool_t *pool, ngx_uint_t n,
    size_t size)
{
    return test_fails() ? NGX_ERROR : ngx_array_init(array, pool, n, size);
}


static int
test_digest_init(EVP_MD_CTX *ctx, const EVP_MD *type, ENGINE *engine)
{
    return test_openssl_fails() ? 0 : EVP_DigestInit_ex(ctx, type, engine);
}


static int
test_digest_copy(EVP_MD_CTX *ctx, const EVP_MD_CTX *from)
{
    return test_openssl_fails() ? 0 : EVP_MD_CTX_copy_ex(ctx, from);
}


static int
test_digest_update(EVP_MD_CTX *ctx, const void *data, size_t len)
{
    return test_openssl_fails() ? 0 : EVP_DigestUpdate(ctx, data, len);
}


static int
test_digest_final(EVP_MD_CTX *ctx, unsigned char *md, unsigned int *len)
{
    return test_openssl_fails() ? 0 : EVP_DigestFinal_ex(ctx, md, len);
}


#define EVP_MD_CTX_new        test_context_new
#define EVP_MD_CTX_free       test_context_free
#define EVP_DigestInit_ex     test_digest_init
#define EVP_MD_CTX_copy_ex    test_digest_copy
#define EVP_DigestUpdate      test_digest_update
#define EVP_DigestFinal_ex    test_digest_final
#define ngx_pnalloc           test_pnalloc
#define ngx_pcalloc           test_pcalloc
#define ngx_array_push        test_array_push
#define ngx_array_init        test_array_init
#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_json_unescape.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_json_scan.c"
#include "ngx_http_flowdash_json_leaves.c"
#include "ngx_http_flowdash_record_mac.c"
#include "ngx_http_flowdash_record_words.c"
#include "ngx_http_flowdash_record_todo.c"
#include "ngx_http_flowdash_record_write.c"
#include "ngx_http_flowdash_record.c"
#include "ngx_http_flowdash_record_members.c"
#include "ngx_http_flowdash_record_lines.c"
#include "ngx_http_flowdash_record_read.c"
#undef EVP_MD_CTX_new
#undef EVP_MD_CTX_free
#undef EVP_DigestInit_ex
#undef EVP_MD_CTX_copy_ex
#undef EVP_DigestUpdate
#undef EVP_DigestFinal_ex
#undef ngx_pnalloc
#undef ngx_pcalloc
#undef ngx_array_push
#undef ngx_array_init

#include "record.h"


#define LINES  64

#define NO_JSON    "a line is not JSON, or too much of it"
#define NO_MEMBER  "a line has a member that this version does not know"
#define TWICE      "a line has a member twice"
#define MISSING    "a member of a line is missing"
#define WRONG      "a member of a line has the wrong type"
#define NO_KIND    "a line is of a kind that this version does not know"
#define NO_FIT     "a line does not fit to the ones before it"
#define NO_LINE    "a line is not a MAC and JSON"
#define CHANGED    "a line was changed, or the key is another one"
#define CHANGED_END  "the end of the last line was changed"
#define NEWER      "a newer version of the module has written it"
#define NOT_EMPTY  "the space behind the last line is not empty"


/* a record while it is written, and what it was after each line */

typedef struct {
    ngx_http_flowdash_record_t       *record;
    ngx_http_flowdash_record_mac_t    mac;
    ngx_str_t                         file;
    size_t                            end[LINES];     /* of the lines */
    ngx_str_t                         text[LINES];
    ngx_uint_t                        n;
} test_record_t;


static ngx_str_t  secret_key = ngx_string("0123456789abcdef0123456789abcdef");
static ngx_str_t  no_key = ngx_null_string;


static ngx_str_t
literal(const char *s)
{
    ngx_str_t  text;

    text.data = (u_char *) s;
    text.len = strlen(s);

    return text;
}


static void
piece(ngx_array_t *pieces, ngx_pool_t *pool, ngx_uint_t kind,
    ngx_uint_t encoding, ngx_str_t text)
{
    ngx_http_flowdash_piece_t  *p;

    if (pieces->elts == NULL) {
        (void) ngx_array_init(pieces, pool, 2,
                              sizeof(ngx_http_flowdash_piece_t));
    }

    p = ngx_array_push(pieces);

    p->kind = (ngx_http_flowdash_piece_e) kind;
    p->encoding = (ngx_http_flowdash_piece_encoding_e) encoding;
    p->text = text;
}


static ngx_http_flowdash_record_header_t *
header(ngx_http_flowdash_delivery_t *delivery, ngx_pool_t *pool,
    ngx_str_t name)
{
    ngx_http_flowdash_record_header_t  *h;

    if (delivery->headers.elts == NULL) {
        (void) ngx_array_init(&delivery->headers, pool, 2,
                              sizeof(ngx_http_flowdash_record_header_t));
    }

    h = ngx_array_push(&delivery->headers);
    ngx_memzero(h, sizeof(ngx_http_flowdash_record_header_t));
    h->name = name;

    return h;
}


static void
begin_record(test_record_t *t, ngx_str_t key, const char *id)
{
    ngx_pool_t                  *pool;
    ngx_http_flowdash_record_t  *record;

    ngx_memzero(t, sizeof(test_record_t));

    pool = ngx_create_pool(4096, &test_log);
    record = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_record_t));

    record->pool = pool;
    record->id = literal(id);

    (void) ngx_array_init(&record->steps, pool, 16,
                          sizeof(ngx_http_flowdash_record_step_t));
    (void) ngx_array_init(&record->afters, pool, 2,
                          sizeof(ngx_http_flowdash_delivery_t));

    t->record = record;
    t->mac.key = key;
}


static void
put(test_record_t *t, ngx_int_t rc, ngx_str_t *line)
{
    if (rc != NGX_OK) {
        abort();
    }

    ngx_http_flowdash_record_written(&t->mac);
    record_add(&t->file, line->data, line->len);

    t->end[t->n] = t->file.len;
    t->text[t->n] = record_text(t->record);
    t->n++;
}


static void
end_record(test_record_t *t)
{
    ngx_uint_t  i;

    for (i = 0; i < t->n; i++) {
        free(t->text[i].data);
    }

    free(t->file.data);
    ngx_destroy_pool(t->record->pool);
}


/* three steps with undos, and an after-step: a usual one */

static void
fill(test_record_t *t, ngx_uint_t outcome)
{
    ngx_str_t                          line;
    ngx_uint_t                         i;
    ngx_pool_t                        *pool;
    ngx_http_flowdash_record_t        *record;
    ngx_http_flowdash_delivery_t      *undo, *after;
    ngx_http_flowdash_record_step_t   *step;
    ngx_http_flowdash_record_header_t *h;

    static const char  *names[] = { "Update CRM", "Invoice", "T\xc3\xa9l\n" };
    static const char  *keys[] = { "1d9b-a", "1d9b-b", "1d9b-c" };

    record = t->record;
    pool = record->pool;

    record->boot = literal("5c0b2a1e-0000-4000-8000-000000000001");
    record->start = 1764259200;
    record->server = literal("tasks.example.com");
    record->location = literal("~* ^/tasks/(?<id>[^/]+)/finish");
    record->action = literal("Finish");
    record->trace = literal("0af7651916cd43dd8448eb211c80319c01");
    record->sync = 1;

    put(t, ngx_http_flowdash_record_begin(record, &t->mac, &line), &line);

    for (i = 0; i < 3; i++) {
        undo = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_delivery_t));
        undo->name = literal(names[i]);
        undo->key = literal("1d9b-undo");

        if (i == 0) {
            undo->error = literal("the URL lacks the id");

        } else {
            piece(&undo->uri, pool, 0, 0, literal("/hooks/undo?id=7&@ "));
            h = header(undo, pool, literal("Authorization"));
            piece(&h->value, pool, 0, 0, literal("Bearer "));
            piece(&h->value, pool, NGX_HTTP_FLOWDASH_PIECE_SECRET,
                  NGX_HTTP_FLOWDASH_PIECE_RAW, literal("crm_token"));
            h = header(undo, pool, literal("X-Name"));
            piece(&h->value, pool, 0, 0, literal("J\xf6rg"));
            piece(&undo->body, pool, 0, 0,
                  literal("{\"action\":\"Finish\",\"task\":{\"a\":\"\\n\"},"
                          "\"undo\":{\"reason\":"));
            piece(&undo->body, pool, NGX_HTTP_FLOWDASH_PIECE_UNDO, 0,
                  no_key);
            piece(&undo->body, pool, 0, 0, literal("}}"));
        }

        step = ngx_array_push(&record->steps);
        ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));
        step->name = literal(names[i]);
        step->key = literal(keys[i]);
        step->undo = undo;

        put(t, ngx_http_flowdash_record_call(record, step, &t->mac, &line),
            &line);

        step->ended = 1;
        step->counts = (i != 1);

        if (i == 0) {
            undo = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_delivery_t));
            undo->name = literal(names[i]);
            undo->host = literal("crm.example.com");
            piece(&undo->uri, pool, 0, 0, literal("/deals/42"));
            step->undo = undo;
        }

        put(t, ngx_http_flowdash_record_answer(record, step,
                                               i == 0 ? undo : NULL, &t->mac,
                                               &line), &line);
    }

    after = ngx_array_push(&record->afters);
    ngx_memzero(after, sizeof(ngx_http_flowdash_delivery_t));
    after->name = literal("Tell chat");
    piece(&after->body, pool, NGX_HTTP_FLOWDASH_PIECE_AFTER, 0, no_key);
    piece(&after->body, pool, NGX_HTTP_FLOWDASH_PIECE_SECRET,
          NGX_HTTP_FLOWDASH_PIECE_FORM, literal("t"));

    record->marked = 1;
    put(t, ngx_http_flowdash_record_mark(record, &t->mac, &line), &line);

    record->outcome = (ngx_http_flowdash_outcome_e) outcome;
    record->status = 302;
    record->redirect = literal("/tasks/7?\xff");
    record->truncated = 1;

    if (outcome != NGX_HTTP_FLOWDASH_OUTCOME_OK) {
        record->reason = literal("refused");
        record->failed_step = literal("Invoice");
    }

    put(t, ngx_http_flowdash_record_outcome(record, &t->mac, &line), &line);

    record->truncated = 0;
    record->response = literal("{\"a\": [\"\\u0000\", 1.50, null]}\r\n");
    put(t, ngx_http_flowdash_record_response(record, &t->mac, &line), &line);

    after->tries = 1;
    after->status = 503;
    put(t, ngx_http_flowdash_record_delivery(record, after, &t->mac, &line),
        &line);

    step = record->steps.elts;
    step[2].undo->state = NGX_HTTP_FLOWDASH_DELIVERY_DEAD;
    step[2].undo->tries = 3;
    put(t, ngx_http_flowdash_record_delivery(record, step[2].undo, &t->mac,
                                             &line), &line);

    record->again = 1764260000;
    step[2].undo->state = NGX_HTTP_FLOWDASH_DELIVERY_WAITING;
    step[2].undo->tries = 0;
    after->tries = 0;
    put(t, ngx_http_flowdash_record_again(record, &t->mac, &line), &line);
}


/* steps without undos: all before the mark is written with it */

static void
fill_held(test_record_t *t, ngx_uint_t outcome)
{
    ngx_str_t                         line;
    ngx_uint_t                        i;
    ngx_http_flowdash_record_t       *record;
    ngx_http_flowdash_delivery_t     *after;
    ngx_http_flowdash_record_step_t  *step;

    record = t->record;
    record->action = literal("Finish");

    if (ngx_http_flowdash_record_begin(record, NULL, NULL) != NGX_OK) {
        abort();
    }

    for (i = 0; i < 2; i++) {
        step = ngx_array_push(&record->steps);
        ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));
        step->name = literal(i ? "Invoice" : "Update CRM");
        step->ended = 1;
        step->counts = (i == 0);

        if (ngx_http_flowdash_record_answer(record, step, NULL, NULL, NULL)
            != NGX_OK)
        {
            abort();
        }
    }

    after = ngx_array_push(&record->afters);
    ngx_memzero(after, sizeof(ngx_http_flowdash_delivery_t));
    after->name = literal("Tell chat");

    record->marked = 1;
    put(t, ngx_http_flowdash_record_mark(record, &t->mac, &line), &line);

    record->outcome = (ngx_http_flowdash_outcome_e) outcome;
    put(t, ngx_http_flowdash_record_outcome(record, &t->mac, &line), &line);

    after->state = NGX_HTTP_FLOWDASH_DELIVERY_DONE;
    put(t, ngx_http_flowdash_record_delivery(record, after, &t->mac, &line),
        &line);
}


/* what reading it returns; its text must be freed if that is NGX_OK */

static ngx_int_t
reads(ngx_str_t *file, ngx_str_t key, ngx_str_t *text, size_t *length,
    const char **error)
{
    ngx_int_t                        rc;
    ngx_pool_t                      *pool;
    ngx_http_flowdash_record_t      *record;
    ngx_http_flowdash_record_mac_t   mac;

    pool = ngx_create_pool(1024, &test_log);
    mac.key = key;
    *error = "";
    *length = 0;

    rc = ngx_http_flowdash_record_read(file, pool, &mac, &record, length,
                                       error);
    if (rc == NGX_OK) {
        *text = record_text(record);
    }

    ngx_destroy_pool(pool);

    return rc;
}


/* it is the record as it was after so many lines */

static ngx_uint_t
reads_as(test_record_t *t, ngx_str_t *file, ngx_uint_t n)
{
    size_t       length;
    ngx_int_t    rc;
    ngx_str_t    text;
    ngx_uint_t   good;
    const char  *error;

    rc = reads(file, t->mac.key, &text, &length, &error);

    if (n == 0) {
        return rc == NGX_DONE && length == 0;
    }

    if (rc != NGX_OK) {
        printf("# %s\n", error);
        return 0;
    }

    good = is(&text, t->text[n - 1].data, t->text[n - 1].len)
           && length == t->end[n - 1];

    free(text.data);

    return good;
}


static ngx_uint_t
refused(ngx_str_t *file, ngx_str_t key, const char *wanted)
{
    size_t       length;
    ngx_int_t    rc;
    ngx_str_t    text;
    const char  *error;

    rc = reads(file, key, &text, &length, &error);

    if (rc == NGX_OK) {
        free(text.data);
    }

    if (rc == NGX_DECLINED && (wanted == NULL || strcmp(error, wanted) == 0)) {
        return 1;
    }

    if (wanted) {
        printf("# %d, %s\n", (int) rc, error);
    }

    return 0;
}


static void
test_cuts(ngx_str_t key, void (*write)(test_record_t *t, ngx_uint_t outcome),
    ngx_uint_t lines, const char *what)
{
    size_t         i;
    u_char        *p;
    ngx_str_t      file;
    ngx_uint_t     n, good, zeros;
    test_record_t  t;

    begin_record(&t, key, "1d9bfe");
    write(&t, NGX_HTTP_FLOWDASH_OUTCOME_OK);

    ok(t.n == lines, what);

    good = 1;
    zeros = 1;

    for (i = 0, n = 0; i <= t.file.len; i++) {

        while (n < t.n && t.end[n] <= i) {
            n++;
        }

        file = exactly(t.file.data, i);
        good &= reads_as(&t, &file, n);

        p = calloc(i + 100, 1);
        ngx_memcpy(p, file.data, i);
        free(file.data);

        file.data = p;
        file.len = i + 100;
        zeros &= reads_as(&t, &file, n);
        free(p);
    }

    ok(good, "a file that is cut anywhere is what its whole lines say");
    ok(zeros, "so it is with reserved space behind it");

    end_record(&t);
}


static void
test_flips(void (*write)(test_record_t *t, ngx_uint_t outcome))
{
    size_t         i, reserved;
    u_char        *p;
    ngx_str_t      file;
    ngx_uint_t     bit, good, space;
    test_record_t  t;

    begin_record(&t, secret_key, "1d9bfe");
    write(&t, NGX_HTTP_FLOWDASH_OUTCOME_REFUSED);

    good = 1;

    for (i = 0; i < t.file.len; i++) {
        for (bit = 0; bit < 8; bit++) {

            /* of later lines, one of each octet */

            if (i >= t.end[2] && bit != i % 8) {
                continue;
            }

            t.file.data[i] ^= 1 << bit;
            file = exactly(t.file.data, t.file.len);

            if (!refused(&file, secret_key, NULL)) {
                printf("# octet %d, bit %d\n", (int) i, (int) bit);
                good = 0;
            }

            free(file.data);
            t.file.data[i] ^= 1 << bit;
        }
    }

    ok(good, "a record with a changed bit is refused");

    reserved = 64;
    p = calloc(t.file.len + reserved, 1);
    ngx_memcpy(p, t.file.data, t.file.len);
    file.data = p;
    file.len = t.file.len + reserved;

    p[t.file.len] = 'a';
    space = reads_as(&t, &file, t.n);
    p[t.file.len] = '\0';

    for (i = 1; i < reserved; i++) {
        p[t.file.len + i] = 1;
        space &= refused(&file, secret_key, NOT_EMPTY);
        p[t.file.len + i] = '\0';
    }

    ok(space, "so is one with something in its reserved space");

    ok(refused(&t.file, no_key, CHANGED), "a key that is missing");
    ok(refused(&t.file, literal("0123456789abcdef0123456789abcdeF"), CHANGED),
       "another key");

    free(p);
    end_record(&t);

    begin_record(&t, no_key, "1d9bfe");
    fill(&t, NGX_HTTP_FLOWDASH_OUTCOME_REFUSED);
    ok(reads_as(&t, &t.file, t.n), "no key");
    ok(refused(&t.file, secret_key, CHANGED), "no key when it was written");
    t.file.data[t.file.len - 1] = '}';
    ok(refused(&t.file, no_key, CHANGED_END), "the last end of a line");
    end_record(&t);
}


/* the file with lines in this order; "from" has a line of another record */

static ngx_str_t
reorder(test_record_t *t, ngx_uint_t *order, ngx_uint_t n,
    test_record_t *from, ngx_uint_t place)
{
    size_t          start;
    ngx_str_t       file = ngx_null_string;
    ngx_uint_t      i;
    test_record_t  *source;

    for (i = 0; i < n; i++) {
        source = (from && i == place) ? from : t;
        start = order[i] ? source->end[order[i] - 1] : 0;
        record_add(&file, source->file.data + start,
                   source->end[order[i]] - start);
    }

    return file;
}


static void
test_lines(void)
{
    ngx_str_t      file;
    ngx_uint_t     i, j, k, n, order[LINES + 1], removed, swapped, copied,
                   moved;
    test_record_t  t, other;

    begin_record(&t, secret_key, "1d9bfe");
    fill(&t, NGX_HTTP_FLOWDASH_OUTCOME_OK);

    begin_record(&other, secret_key, "1d9bff");
    fill(&other, NGX_HTTP_FLOWDASH_OUTCOME_OK);

    removed = swapped = copied = moved = 1;

    for (i = 0; i < t.n; i++) {

        /* without the last, it is a record that has one less */

        for (j = 0, n = 0; j < t.n; j++) {
            if (j != i) {
                order[n++] = j;
            }
        }

        file = reorder(&t, order, n, NULL, 0);
        removed &= (i == t.n - 1) ? reads_as(&t, &file, n)
                                  : refused(&file, secret_key, CHANGED);
        free(file.data);

        for (j = 0; j < t.n; j++) {
            order[j] = j;
        }

        file = reorder(&t, order, t.n, &other, i);
        moved &= refused(&file, secret_key, CHANGED) || (i == 0 && t.n == 1);
        free(file.data);

        for (j = i + 1; j < t.n; j++) {
            order[i] = j;
            order[j] = i;
            file = reorder(&t, order, t.n, NULL, 0);
            swapped &= refused(&file, secret_key, CHANGED);
            free(file.data);
            order[i] = i;
            order[j] = j;
        }

        for (j = 1; j <= t.n; j++) {
            for (k = 0; k <= t.n; k++) {
                order[k] = (k < j) ? k : (k == j) ? i : k - 1;
            }

            file = reorder(&t, order, t.n + 1, NULL, 0);
            copied &= refused(&file, secret_key, CHANGED);
            free(file.data);
        }
    }

    ok(removed, "a line that is missing is noticed");
    ok(swapped, "lines that are swapped");
    ok(copied, "a line that is there twice");
    ok(moved, "a line of another record");

    end_record(&t);
    end_record(&other);
}


/* what is held becomes a part of the next line */

static void
test_held(void)
{
    u_char        *p;
    ngx_uint_t     parts;
    test_record_t  t;

    begin_record(&t, secret_key, "1d9bfe");
    fill_held(&t, NGX_HTTP_FLOWDASH_OUTCOME_OK);
    ok(reads_as(&t, &t.file, t.n), "a line with several parts is read");

    parts = 1;

    for (p = t.file.data; p < t.file.data + t.end[0]; p++) {
        parts += (*p == '\t');
    }

    ok(parts == 4 && memchr(t.file.data, '\n', t.end[0])
                     == t.file.data + t.end[0] - 1, "it has four");

    ok(memmem(t.file.data + t.end[0], t.file.len - t.end[0], "afters", 6)
       == NULL, "the outcome does not repeat the after-steps");

    ok(refused(&t.file, no_key, CHANGED)
       && refused(&t.file, literal("another key"), CHANGED),
       "it is bound by the key");

    end_record(&t);
}


/* JSON of a line that the module would not write, with the right MAC */

#define BEGIN   "{\"line\":\"begin\",\"v\":1,\"id\":\"a\"}"
#define CALL    "{\"line\":\"call\",\"n\":0,\"undo\":{\"name\":\"a\"}}"
#define MARK    "{\"line\":\"mark\",\"afters\":[{\"name\":\"b\"}]}"
#define UNDO(x) BEGIN "\n{\"line\":\"call\",\"n\":0,\"undo\":{" x "}}"

typedef struct {
    const char  *lines;
    const char  *error;                  /* NULL: it is read */
} test_case_t;


static test_case_t  cases[] = {
    { BEGIN, NULL },
    { BEGIN "\n" CALL "\n" MARK, NULL },
    { BEGIN "\t" CALL "\t" MARK, NULL },
    { "{\"id\":\"a\",\"sync\":false,\"v\":1,\"line\":\"begin\"}", NULL },
    { " { \"line\" : \"begin\" , \"v\" : 1 , \"id\" : \"a\" } ", NULL },
    { UNDO("\"uri\":[\"a\",{\"base64\":\"/w==\"},{\"insert\":\"undo\"}]"),
      NULL },
    { UNDO("\"uri\":{\"base64\":\"/w==\"},\"state\":\"dead\""), NULL },
    { UNDO("\"uri\":[{\"secret\":\"t\",\"as\":\"json\"}]"), NULL },
    { BEGIN "\n" CALL "\n{\"line\":\"delivery\",\"undo\":0}", NULL },
    { BEGIN "\n{\"line\":\"outcome\",\"outcome\":\"ok\",\"afters\":[]}",
      NULL },
    { BEGIN "\n" MARK "\n{\"line\":\"outcome\",\"outcome\":\"ok\"}", NULL },
    { BEGIN "\n{\"line\":\"outcome\",\"outcome\":\"refused\"}", NULL },
    { BEGIN "\n{\"line\":\"answer\",\"n\":0,\"step\":\"a\"}\n"
      "{\"line\":\"answer\",\"n\":1,\"step\":\"b\",\"counts\":true}", NULL },
    { BEGIN "\n" CALL "\n{\"line\":\"answer\",\"n\":1,\"step\":\"a\"}",
      NULL },

    { "{\"line\":\"begin\",\"v\":2,\"id\":\"a\"}", NEWER },
    { "{\"line\":\"begin\",\"v\":10,\"new\":1}", NEWER },
    { "{\"v\":2,\"line\":\"begin\",\"id\":\"a\"}", NO_FIT },
    { "{\"line\":\"begin\",\"v\":0,\"id\":\"a\"}", NO_FIT },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"\"}", NO_FIT },
    { BEGIN "\n" BEGIN, NO_FIT },
    { BEGIN "\t" BEGIN, NO_FIT },
    { CALL, NO_FIT },
    { MARK "\n" BEGIN, NO_FIT },

    { "", NO_JSON },
    { " ", NO_JSON },
    { "{", NO_JSON },
    { BEGIN "x", NO_JSON },
    { BEGIN BEGIN, NO_JSON },
    { BEGIN "\t", NO_JSON },
    { "\t" BEGIN, NO_JSON },
    { BEGIN "\t\t" CALL, NO_JSON },
    { "{\"line\":\"begin\",\"v\":01,\"id\":\"a\"}", NO_JSON },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"\xc3\"}", NO_JSON },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"\xed\xa0\x80\"}", NO_JSON },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"\\ud800\"}", NO_JSON },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",}", NO_JSON },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\"/**/}", NO_JSON },
    { "{\"line\":\"begin\",\v\"v\":1,\"id\":\"a\"}", NO_JSON },

    { "1", NO_KIND },
    { "null", NO_KIND },
    { "[]", NO_KIND },
    { "{}", NO_KIND },
    { "[\"line\",\"begin\"]", NO_KIND },
    { "{\"line\":1}", NO_KIND },
    { "{\"line\":\"Begin\",\"v\":1,\"id\":\"a\"}", NO_KIND },
    { "{\"line\":\"\",\"v\":1,\"id\":\"a\"}", NO_KIND },
    { BEGIN "\n{\"line\":\"other\"}", NO_KIND },

    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",\"x\":1}", NO_MEMBER },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",\"x\":{}}", NO_MEMBER },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",\"\":1}", NO_MEMBER },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",\"ID\":\"a\"}", NO_MEMBER },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",\"n\":0}", NO_MEMBER },
    { UNDO("\"url\":\"a\""), NO_MEMBER },
    { UNDO("\"uri\":[{\"insert\":\"undo\",\"as\":\"raw\"}]"), NO_MEMBER },
    { UNDO("\"uri\":[{\"base64\":\"\",\"secret\":\"a\"}]"), NO_MEMBER },
    { UNDO("\"uri\":[{\"Insert\":\"step\"}]"), NO_MEMBER },
    { UNDO("\"uri\":{\"secret\":\"a\",\"as\":\"raw\"}"), NO_MEMBER },

    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",\"id\":\"a\"}", TWICE },
    { "{\"line\":\"begin\",\"line\":\"begin\",\"v\":1,\"id\":\"a\"}", TWICE },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",\"i\\u0064\":\"b\"}", TWICE },
    { UNDO("\"key\":\"a\",\"key\":\"b\""), TWICE },
    { UNDO("\"uri\":[{\"secret\":\"a\",\"as\":\"raw\",\"as\":\"uri\"}]"),
      TWICE },

    { "{\"line\":\"begin\",\"v\":1}", MISSING },
    { "{\"line\":\"begin\",\"id\":\"a\"}", MISSING },
    { BEGIN "\n{\"line\":\"call\"}", MISSING },
    { BEGIN "\n{\"line\":\"mark\"}", MISSING },
    { BEGIN "\n{\"line\":\"again\"}", MISSING },
    { BEGIN "\n{\"line\":\"outcome\"}", MISSING },
    { UNDO("\"uri\":[{\"secret\":\"a\"}]"), MISSING },

    { "{\"line\":\"begin\",\"v\":\"1\",\"id\":\"a\"}", WRONG },
    { "{\"line\":\"begin\",\"v\":1.0,\"id\":\"a\"}", WRONG },
    { "{\"line\":\"begin\",\"v\":1e0,\"id\":\"a\"}", WRONG },
    { "{\"line\":\"begin\",\"v\":-1,\"id\":\"a\"}", WRONG },
    { "{\"line\":\"begin\",\"v\":true,\"id\":\"a\"}", WRONG },
    { "{\"line\":\"begin\",\"v\":[1],\"id\":\"a\"}", WRONG },
    { "{\"line\":\"begin\",\"v\":1,\"id\":1}", WRONG },
    { "{\"line\":\"begin\",\"v\":1,\"id\":null}", WRONG },
    { "{\"line\":\"begin\",\"v\":1,\"id\":[\"a\"]}", WRONG },
    { "{\"line\":\"begin\",\"v\":1,\"id\":{\"base64\":1}}", WRONG },
    { "{\"line\":\"begin\",\"v\":1,\"id\":{\"base64\":\"*\"}}", WRONG },
    { "{\"line\":\"begin\",\"v\":1,\"id\":{\"base64\":{\"base64\":\"\"}}}",
      WRONG },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",\"sync\":1}", WRONG },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",\"sync\":\"true\"}", WRONG },
    { "{\"line\":\"begin\",\"v\":1,\"id\":\"a\",\"start\":"
      "99999999999999999999}", WRONG },
    { BEGIN "\n{\"line\":\"call\",\"n\":0,\"undo\":[]}", WRONG },
    { BEGIN "\n{\"line\":\"mark\",\"afters\":{}}", WRONG },
    { BEGIN "\n{\"line\":\"mark\",\"afters\":[[]]}", WRONG },
    { BEGIN "\n{\"line\":\"mark\",\"afters\":[\"a\"]}", WRONG },
    { BEGIN "\n{\"line\":\"outcome\",\"outcome\":\"none\"}", WRONG },
    { BEGIN "\n{\"line\":\"outcome\",\"outcome\":\"-\"}", WRONG },
    { BEGIN "\n{\"line\":\"outcome\",\"outcome\":\"\"}", WRONG },
    { BEGIN "\n{\"line\":\"outcome\",\"outcome\":1}", WRONG },
    { UNDO("\"uri\":1"), WRONG },
    { UNDO("\"uri\":[1]"), WRONG },
    { UNDO("\"uri\":[[]]"), WRONG },
    { UNDO("\"uri\":[{}]"), MISSING },
    { UNDO("\"uri\":{}"), MISSING },
    { UNDO("\"uri\":[{\"insert\":\"-\"}]"), WRONG },
    { UNDO("\"uri\":[{\"insert\":\"other\"}]"), WRONG },
    { UNDO("\"uri\":[{\"secret\":\"a\",\"as\":\"RAW\"}]"), WRONG },
    { UNDO("\"headers\":[\"a\"]"), WRONG },
    { UNDO("\"headers\":[[\"a\"]]"), WRONG },
    { UNDO("\"headers\":[[\"a\",\"b\",\"c\"]]"), WRONG },
    { UNDO("\"headers\":[[[],\"b\"]]"), WRONG },
    { UNDO("\"headers\":[[\"a\",1]]"), WRONG },
    { UNDO("\"headers\":[{\"a\":1,\"b\":2}]"), WRONG },
    { UNDO("\"headers\":{}"), WRONG },
    { UNDO("\"state\":\"\""), WRONG },

    { BEGIN "\n{\"line\":\"call\",\"n\":1}", NO_FIT },
    { BEGIN "\n" CALL "\n" CALL, NO_FIT },
    { BEGIN "\n{\"line\":\"answer\",\"n\":0}", NO_FIT },
    { BEGIN "\n{\"line\":\"answer\",\"n\":1,\"step\":\"a\"}", NO_FIT },
    { BEGIN "\n{\"line\":\"answer\",\"n\":0,\"step\":\"a\","
      "\"undo\":{\"name\":\"a\"}}", NO_FIT },
    { BEGIN "\n" CALL "\n{\"line\":\"answer\",\"n\":0,\"step\":\"a\"}",
      NO_FIT },
    { BEGIN "\n{\"line\":\"outcome\",\"outcome\":\"ok\"}", NO_FIT },
    { BEGIN "\n{\"line\":\"delivery\"}", NO_FIT },
    { BEGIN "\n{\"line\":\"delivery\",\"undo\":0}", NO_FIT },
    { BEGIN "\n{\"line\":\"delivery\",\"after\":0}", NO_FIT },
    { BEGIN "\n{\"line\":\"call\",\"n\":0}\n"
      "{\"line\":\"delivery\",\"undo\":0}", NO_FIT },
    { BEGIN "\n" CALL "\n" MARK
      "\n{\"line\":\"delivery\",\"undo\":0,\"after\":0}", NO_FIT },
    { BEGIN "\n" CALL "\n{\"line\":\"delivery\",\"undo\":4294967295}",
      NO_FIT },
};


/* the lines of a text, with their MACs; the caller frees its data */

static ngx_str_t
with_macs(const char *lines, ngx_str_t key)
{
    size_t                           len;
    u_char                           hex[64];
    ngx_str_t                        file = ngx_null_string, json;
    ngx_http_flowdash_record_mac_t   mac;

    ngx_memzero(&mac, sizeof(ngx_http_flowdash_record_mac_t));
    mac.key = key;

    for ( ;; ) {
        len = strcspn(lines, "\n");
        json.data = (u_char *) lines;
        json.len = len;

        (void) ngx_http_flowdash_record_mac(&mac, &json, hex);
        ngx_http_flowdash_record_written(&mac);

        record_add(&file, hex, 64);
        record_add(&file, " ", 1);
        record_add(&file, lines, len);
        record_add(&file, "\n", 1);

        if (lines[len] == '\0') {
            return file;
        }

        lines += len + 1;
    }
}


static void
test_refusals(void)
{
    char        *p;
    size_t       i, length, size;
    ngx_int_t    rc;
    ngx_str_t    file, text;
    const char  *error;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        file = with_macs(cases[i].lines, secret_key);

        if (cases[i].error) {
            ok(refused(&file, secret_key, cases[i].error),
               show("refused", cases[i].lines));

        } else {
            rc = reads(&file, secret_key, &text, &length, &error);
            ok(rc == NGX_OK && length == file.len,
               show("read", cases[i].lines));

            if (rc == NGX_OK) {
                free(text.data);
            }
        }

        free(file.data);
    }

    /* deep, and huge */

    size = 3000000;
    p = malloc(size + 8);
    memset(p, '[', size);
    p[size] = '\0';

    file = with_macs(p, secret_key);
    ok(refused(&file, secret_key, NO_JSON), "refused: a deep line");
    free(file.data);

    i = sprintf(p, BEGIN "\n{\"line\":\"mark\",\"afters\":[0");

    for ( /* void */ ; i < size; i += 2) {
        memcpy(p + i, ",0", 2);
    }

    memcpy(p + i, "]}", 3);

    file = with_macs(p, secret_key);
    ok(refused(&file, secret_key, NO_JSON), "refused: a million values");
    free(file.data);
    free(p);

    file = literal("\n");
    ok(refused(&file, no_key, NO_LINE), "refused: an empty line");

    file = with_macs(BEGIN, no_key);
    file.data[64] = '\t';
    ok(refused(&file, no_key, NO_LINE), "refused: no blank behind the MAC");
    free(file.data);
}


static void
test_macs(void)
{
    u_char                           sum[32], hex[64], wanted[64], key[200],
                                     text[32 + 7];
    size_t                           i;
    ngx_str_t                        json = ngx_string("{\"a\":1}");
    ngx_uint_t                       good;
    ngx_http_flowdash_record_mac_t   mac;

    static size_t  lens[] = { 1, 31, 32, 63, 64, 65, 128, 200 };

    ngx_memset(key, 'k', sizeof(key));
    ngx_memset(mac.last, 'm', sizeof(mac.last));
    ngx_memset(text, 'm', 32);
    ngx_memcpy(text + 32, json.data, json.len);

    mac.key.data = key;
    good = 1;

    for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        mac.key.len = lens[i];

        (void) HMAC(EVP_sha256(), key, (int) lens[i], text, sizeof(text), sum,
                    NULL);
        ngx_hex_dump(wanted, sum, sizeof(sum));

        good &= (ngx_http_flowdash_record_mac(&mac, &json, hex) == NGX_OK
                 && ngx_memcmp(wanted, hex, sizeof(hex)) == 0);
    }

    ok(good, "with a key, the MAC is OpenSSL's HMAC-SHA256");

    mac.key.len = 0;
    (void) EVP_Digest(text, sizeof(text), sum, NULL, EVP_sha256(), NULL);
    ngx_hex_dump(wanted, sum, sizeof(sum));

    ok(ngx_http_flowdash_record_mac(&mac, &json, hex) == NGX_OK
       && ngx_memcmp(wanted, hex, sizeof(hex)) == 0,
       "without one, it is SHA-256");
}


/* the model of a record that was left, as differently as it can be said */

static ngx_http_flowdash_record_todo_e
model_todo(ngx_uint_t outcome, ngx_uint_t marked, ngx_uint_t power,
    ngx_uint_t sync, ngx_uint_t undo, ngx_uint_t after)
{
    ngx_uint_t  state;

    static ngx_http_flowdash_record_todo_e  left[] = {
        NGX_HTTP_FLOWDASH_RECORD_UNDO, NGX_HTTP_FLOWDASH_RECORD_DONE,
        NGX_HTTP_FLOWDASH_RECORD_DEAD, NGX_HTTP_FLOWDASH_RECORD_DONE
    };

    if (outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK) {
        return after == 0 ? NGX_HTTP_FLOWDASH_RECORD_AFTER : left[after];
    }

    if (outcome == NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN) {
        return NGX_HTTP_FLOWDASH_RECORD_UNKNOWN;
    }

    state = (outcome == NGX_HTTP_FLOWDASH_OUTCOME_NONE)
            && (marked || (power && !sync));

    return state ? NGX_HTTP_FLOWDASH_RECORD_UNKNOWN : left[undo];
}


/* all of the table; a state of 3 is a delivery that is not there */

static void
test_todo(void)
{
    ngx_str_t                        boots[] = { ngx_string("a"),
                                                 ngx_string("b"),
                                                 ngx_null_string };
    ngx_uint_t                       i, good, next, rows, outcome, marked,
                                     boot, own, sync, undo, after, power;
    test_record_t                    t;
    ngx_http_flowdash_delivery_t     undos[1], *afters, *first;
    ngx_http_flowdash_record_step_t *step;
    ngx_http_flowdash_record_todo_e  todo;

    begin_record(&t, no_key, "a");

    step = ngx_array_push(&t.record->steps);
    afters = ngx_array_push(&t.record->afters);
    ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));
    ngx_memzero(afters, sizeof(ngx_http_flowdash_delivery_t));
    ngx_memzero(undos, sizeof(undos));

    good = 1;
    next = 1;
    rows = 5 * 2 * 3 * 3 * 2 * 4 * 4;

    for (i = 0; i < rows; i++) {
        outcome = i % 5;
        marked = i / 5 % 2;
        boot = i / 10 % 3;
        own = i / 30 % 3;
        sync = i / 90 % 2;
        undo = i / 180 % 4;
        after = i / 720 % 4;
        power = (boot != own || boot == 2);

        t.record->outcome = (ngx_http_flowdash_outcome_e) outcome;
        t.record->marked = marked & 1;
        t.record->sync = sync & 1;
        t.record->boot = boots[own];
        t.record->afters.nelts = (after != 3);

        undos[0].state = (ngx_http_flowdash_delivery_e) (undo % 3);
        afters->state = (ngx_http_flowdash_delivery_e) (after % 3);
        step->undo = (undo == 3) ? NULL : undos;

        todo = ngx_http_flowdash_record_todo(t.record, &boots[boot]);
        first = ngx_http_flowdash_record_next(t.record, NULL);

        if (todo != model_todo(outcome, marked, power, sync, undo, after)) {
            printf("# outcome %d, marked %d, power %d, sync %d, undo %d, "
                   "after %d: %d\n", (int) outcome, (int) marked, (int) power,
                   (int) sync, (int) undo, (int) after, (int) todo);
            good = 0;
        }

        /* what is done or unknown has nothing that is next */

        switch (todo) {

        case NGX_HTTP_FLOWDASH_RECORD_UNDO:
            next &= (first == undos);
            break;

        case NGX_HTTP_FLOWDASH_RECORD_AFTER:
            next &= (first == afters);
            break;

        case NGX_HTTP_FLOWDASH_RECORD_UNKNOWN:
            next &= (first == NULL || (outcome == 0 && !marked));
            break;

        default:
            next &= (first == NULL);
        }

        if (first) {
            next &= (ngx_http_flowdash_record_next(t.record, first) == NULL);
        }
    }

    ok(good, "what to do: all of the table");
    ok(next, "what is next: all of the table");

    end_record(&t);
}


static void
test_next(void)
{
    ngx_str_t                         boot = ngx_string("a"), line;
    ngx_uint_t                        i;
    test_record_t                     t;
    ngx_http_flowdash_delivery_t      undo[6], *after, *d;
    ngx_http_flowdash_record_step_t  *step;

    begin_record(&t, no_key, "a");
    t.record->boot = boot;
    ngx_memzero(undo, sizeof(undo));

    ok(ngx_http_flowdash_record_todo(t.record, &boot)
       == NGX_HTTP_FLOWDASH_RECORD_DONE, "nothing was called");

    /* no answer; counts; does not; no undo; dead; counts */

    for (i = 0; i < 6; i++) {
        step = ngx_array_push(&t.record->steps);
        ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));
        step->undo = (i == 3) ? NULL : &undo[i];
        step->ended = (i != 0);
        step->counts = (i != 0 && i != 2);
        after = ngx_array_push(&t.record->afters);
        ngx_memzero(after, sizeof(ngx_http_flowdash_delivery_t));
    }

    undo[4].state = NGX_HTTP_FLOWDASH_DELIVERY_DEAD;

    d = ngx_http_flowdash_record_next(t.record, NULL);
    ok(d == &undo[5], "the last undo is the first");

    /* it has become something else while it was sent */

    undo[5].state = NGX_HTTP_FLOWDASH_DELIVERY_DONE;
    d = ngx_http_flowdash_record_next(t.record, d);
    ok(d == &undo[1], "one that counts is next, though others failed");

    step = t.record->steps.elts;
    step[1].counts = 0;
    d = ngx_http_flowdash_record_next(t.record, d);
    ok(d == &undo[0], "one without an answer counts");
    ok(ngx_http_flowdash_record_next(t.record, d) == NULL, "the last one");

    undo[0].state = NGX_HTTP_FLOWDASH_DELIVERY_DONE;
    ok(ngx_http_flowdash_record_todo(t.record, &boot)
       == NGX_HTTP_FLOWDASH_RECORD_DEAD, "only a dead one is left");

    undo[4].tries = 7;
    t.record->again = 5;
    ok(ngx_http_flowdash_record_again(t.record, &t.mac, &line) == NGX_OK
       && ngx_http_flowdash_record_todo(t.record, &boot)
          == NGX_HTTP_FLOWDASH_RECORD_UNDO
       && ngx_http_flowdash_record_next(t.record, NULL) == &undo[4]
       && undo[4].tries == 0,
       "a person has asked for new tries");

    t.record->outcome = NGX_HTTP_FLOWDASH_OUTCOME_OK;
    after = t.record->afters.elts;
    after[1].state = NGX_HTTP_FLOWDASH_DELIVERY_DONE;

    d = ngx_http_flowdash_record_next(t.record, NULL);
    ok(d == &after[0], "the first after-step is the first");
    d = ngx_http_flowdash_record_next(t.record, d);
    ok(d == &after[2], "one that is done is left out");
    ok(ngx_http_flowdash_record_next(t.record, &after[5]) == NULL,
       "the last after-step");

    ngx_memzero(&undo[0], sizeof(ngx_http_flowdash_delivery_t));
    step[0].undo = NULL;
    ok(ngx_http_flowdash_record_delivery(t.record, &undo[0], &t.mac, &line)
       == NGX_ERROR, "a delivery that is not the record's");

    t.record->outcome = NGX_HTTP_FLOWDASH_OUTCOME_NONE;
    ok(ngx_http_flowdash_record_outcome(t.record, &t.mac, &line) == NGX_ERROR,
       "no outcome");

    ngx_str_null(&t.record->id);
    ok(ngx_http_flowdash_record_begin(t.record, &t.mac, &line) == NGX_ERROR,
       "no id");

    end_record(&t);
}


static ngx_str_t
random_text(ngx_pool_t *pool)
{
    size_t     i;
    ngx_str_t  s;

    s.len = dice(4) ? dice(12) : dice(3000);
    s.data = ngx_pnalloc(pool, s.len + 1);

    for (i = 0; i < s.len; i++) {
        s.data[i] = dice(20) ? "ab\"\\/\n\t{}[]:, "[dice(14)]
                             : (u_char) dice(dice(8) ? 128 : 256);
    }

    return s;
}


static void
random_delivery(ngx_http_flowdash_delivery_t *delivery, ngx_pool_t *pool)
{
    size_t                              i, j, n;
    ngx_array_t                        *pieces;
    ngx_http_flowdash_record_header_t  *h;

    ngx_memzero(delivery, sizeof(ngx_http_flowdash_delivery_t));

    delivery->name = random_text(pool);
    delivery->key = random_text(pool);
    delivery->host = random_text(pool);
    delivery->error = random_text(pool);
    delivery->state = (ngx_http_flowdash_delivery_e) dice(3);
    delivery->tries = dice(3);
    delivery->status = dice(3) ? 0 : dice(600);

    for (n = dice(4); n; n--) {
        h = header(delivery, pool, random_text(pool));

        for (j = dice(3); j; j--) {
            piece(&h->value, pool, 0, 0, random_text(pool));
        }
    }

    for (i = 0; i < 2; i++) {
        pieces = i ? &delivery->uri : &delivery->body;

        for (j = dice(4); j; j--) {
            n = dice(5);
            piece(pieces, pool, n,
                  n == NGX_HTTP_FLOWDASH_PIECE_SECRET ? dice(5) : 0,
                  n <= NGX_HTTP_FLOWDASH_PIECE_SECRET ? random_text(pool)
                                                      : no_key);
        }
    }
}


/* each line of a random record, as it comes */

static ngx_uint_t
random_record(void)
{
    ngx_str_t                         line, file;
    ngx_uint_t                        i, good, begun;
    ngx_pool_t                       *pool;
    test_record_t                     t;
    ngx_http_flowdash_record_t       *record;
    ngx_http_flowdash_delivery_t     *undo, *after;
    ngx_http_flowdash_record_step_t  *step;

    begin_record(&t, dice(2) ? secret_key : no_key, "a");
    record = t.record;
    pool = record->pool;

    do {
        record->id = random_text(pool);
    } while (record->id.len == 0);

    record->boot = random_text(pool);
    record->start = dice(2000000000);
    record->server = random_text(pool);
    record->location = random_text(pool);
    record->action = random_text(pool);
    record->trace = random_text(pool);
    record->sync = dice(2) & 1;

    put(&t, ngx_http_flowdash_record_begin(record, &t.mac, &line), &line);

    for (begun = dice(30); begun; begun--) {
        step = record->steps.elts;
        step += dice(record->steps.nelts ? record->steps.nelts : 1);

        switch (dice(8)) {

        case 0:
        case 1:
            if (record->steps.nelts == 16) {
                break;
            }

            step = ngx_array_push(&record->steps);
            ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));
            step->name = random_text(pool);
            step->key = random_text(pool);

            if (dice(3)) {
                step->undo = ngx_palloc(pool,
                                        sizeof(ngx_http_flowdash_delivery_t));
                random_delivery(step->undo, pool);
            }

            put(&t, ngx_http_flowdash_record_call(record, step, &t.mac,
                                                  &line), &line);
            break;

        case 2:
            if (record->steps.nelts == 0) {
                break;
            }

            undo = NULL;
            step->ended = 1;
            step->counts = dice(2) & 1;

            if (dice(2)) {
                undo = ngx_palloc(pool, sizeof(ngx_http_flowdash_delivery_t));
                random_delivery(undo, pool);
                step->undo = undo;
            }

            put(&t, ngx_http_flowdash_record_answer(record, step, undo,
                                                    &t.mac, &line), &line);
            break;

        case 3:
            record->afters.nelts = 0;

            for (i = dice(3); i; i--) {
                random_delivery(ngx_array_push(&record->afters), pool);
            }

            record->marked = 1;
            put(&t, ngx_http_flowdash_record_mark(record, &t.mac, &line),
                &line);
            break;

        case 4:
            record->outcome = (ngx_http_flowdash_outcome_e) (1 + dice(4));
            record->reason = random_text(pool);
            record->failed_step = random_text(pool);
            record->status = dice(600);
            record->redirect = random_text(pool);
            record->truncated = dice(2) & 1;
            put(&t, ngx_http_flowdash_record_outcome(record, &t.mac, &line),
                &line);
            break;

        case 5:
            record->response = random_text(pool);
            record->truncated = dice(2) & 1;
            put(&t, ngx_http_flowdash_record_response(record, &t.mac, &line),
                &line);
            break;

        case 6:
            after = record->afters.nelts ? record->afters.elts
                    : record->steps.nelts ? step->undo : NULL;

            if (after == NULL) {
                break;
            }

            after->state = (ngx_http_flowdash_delivery_e) dice(3);
            after->tries = dice(5);
            after->status = dice(600);
            put(&t, ngx_http_flowdash_record_delivery(record, after, &t.mac,
                                                      &line), &line);
            break;

        default:
            record->again = dice(2000000000);
            put(&t, ngx_http_flowdash_record_again(record, &t.mac, &line),
                &line);
        }
    }

    good = 1;

    for (i = 0; i <= t.n; i++) {
        file = exactly(t.file.data, i ? t.end[i - 1] : 0);
        good &= reads_as(&t, &file, i);
        free(file.data);
    }

    end_record(&t);

    return good;
}


/* the format itself: what one version has written, the next has to read */

static void
test_format(void)
{
    ngx_str_t      line;
    test_record_t  t;

    begin_record(&t, no_key, "1d9bfe");
    fill(&t, NGX_HTTP_FLOWDASH_OUTCOME_OK);

    line.data = t.file.data + 65;
    line.len = t.end[0] - 65;

    ok(is_text(&line, "{\"line\":\"begin\",\"v\":1,\"id\":\"1d9bfe\","
               "\"boot\":\"5c0b2a1e-0000-4000-8000-000000000001\","
               "\"start\":1764259200,\"server\":\"tasks.example.com\","
               "\"location\":\"~* ^/tasks/(?<id>[^/]+)/finish\","
               "\"action\":\"Finish\","
               "\"trace\":\"0af7651916cd43dd8448eb211c80319c01\","
               "\"sync\":true}\n"), "the first line");

    line.data = t.file.data + t.end[2] + 65;
    line.len = t.end[3] - t.end[2] - 65;

    ok(is_text(&line, "{\"line\":\"call\",\"n\":1,\"step\":\"Invoice\","
               "\"key\":\"1d9b-b\",\"undo\":{\"name\":\"Invoice\","
               "\"key\":\"1d9b-undo\",\"uri\":\"/hooks/undo?id=7&@ \","
               "\"headers\":[[\"Authorization\","
               "[\"Bearer \",{\"secret\":\"crm_token\",\"as\":\"raw\"}]],"
               "[\"X-Name\",{\"base64\":\"SvZyZw==\"}]],"
               "\"body\":[\"{\\\"action\\\":\\\"Finish\\\",\\\"task\\\":"
               "{\\\"a\\\":\\\"\\\\n\\\"},\\\"undo\\\":{\\\"reason\\\":\","
               "{\"insert\":\"undo\"},\"}}\"]}}\n"), "a call");

    /* sha256sum of 32 zeros and that line, without its end */

    ok(ngx_memcmp(t.file.data, "0742523be719638ebfc73913c6c52a5b", 32) == 0,
       "the first MAC");

    end_record(&t);
}


/* as an operator does */

static void
test_person(void)
{
    int            n;
    char           command[1024], said[256];
    FILE          *pipe;
    char           name[] = "/tmp/flowdash-record-XXXXXX";
    test_record_t  t;

    begin_record(&t, secret_key, "1d9bfe");
    fill(&t, NGX_HTTP_FLOWDASH_OUTCOME_OK);

    n = mkstemp(name);
    ok(n != -1 && write(n, t.file.data, t.file.len) == (ssize_t) t.file.len,
       "a file of lines");
    (void) close(n);

    snprintf(command, sizeof(command),
             "cut -c66- %s | jq -r '.line + \" \" + (.step // \"\")' "
             "| tr '\\n' '/'", name);

    said[0] = '\0';
    pipe = popen(command, "r");
    ok(pipe && fgets(said, sizeof(said), pipe), "cut -c66- FILE | jq");
    (void) (pipe && pclose(pipe));
    (void) unlink(name);

    ok(strcmp(said, "begin /call Update CRM/answer /call Invoice/answer /"
              "call T\xc3\xa9l//answer /mark /outcome /response /delivery /"
              "delivery /again /") == 0, "a person can read it");
    printf("# %s\n", said);

    end_record(&t);
}


/* each call that needs memory fails once; nothing is left behind */

static void
test_memory(void)
{
    size_t                           length;
    ngx_int_t                        rc;
    ngx_str_t                        line;
    ngx_uint_t                       i, good, n;
    ngx_pool_t                      *pool;
    const char                      *error;
    test_record_t                    t;
    ngx_http_flowdash_record_t      *record;
    ngx_http_flowdash_record_mac_t   mac;

    begin_record(&t, literal("a key that is longer than sixty-four octets, "
                             "so that it is hashed first"), "1d9bfe");
    fill(&t, NGX_HTTP_FLOWDASH_OUTCOME_OK);

    good = 1;
    error = "";

    for (i = 0, rc = NGX_ERROR; rc != NGX_OK; i++) {
        ngx_http_flowdash_record_mac_free();

        pool = ngx_create_pool(1024, &test_log);
        mac.key = t.mac.key;

        test_budget = i;
        rc = ngx_http_flowdash_record_read(&t.file, pool, &mac, &record,
                                           &length, &error);
        test_budget = -1;

        good &= (rc == NGX_OK || rc == NGX_ERROR);
        good &= (ERR_peek_error() == 0);
        ngx_destroy_pool(pool);
    }

    ok(good && i > 100, "reading without memory is an error");

    good = 1;

    for (n = 0, rc = NGX_ERROR; rc != NGX_OK; n++) {
        ngx_http_flowdash_record_mac_free();
        ngx_str_null(&t.record->buffer);

        test_budget = n;
        rc = ngx_http_flowdash_record_outcome(t.record, &t.mac, &line);
        test_budget = -1;

        good &= (rc == NGX_OK || rc == NGX_ERROR);
        good &= (ERR_peek_error() == 0);
    }

    ok(good && n > 5, "so is writing");

    end_record(&t);
}


int
main(void)
{
    ngx_uint_t  rounds, good;

    rounds = test_begin(300);

    test_macs();
    test_format();
    test_cuts(secret_key, fill, 13, "with a key");
    test_cuts(no_key, fill, 13, "without a key");
    test_cuts(secret_key, fill_held, 3, "what was held, with a key");
    test_cuts(no_key, fill_held, 3, "without one");
    test_flips(fill);
    test_flips(fill_held);
    test_lines();
    test_held();
    test_refusals();
    test_todo();
    test_next();

    for (good = 1; rounds; rounds--) {
        good &= random_record();
    }

    ok(good, "what was written is read");

    test_person();
    test_memory();

    return test_end();
}
