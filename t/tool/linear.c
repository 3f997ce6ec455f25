
/*
 * What the readers of requests cost: t/linear.t runs this under callgrind, and
 * compares the instructions for inputs of one size and of twice that size.
 *
 * Each row of the table below is a kind of input that a client can make longer
 * and longer.  All of it is read, merged, checked and written as the module
 * does it, once with all rules of flowdash_strict and once with none.  For
 * each, a line on standard output has its name, its size, "ok" or the verdict,
 * and the milliseconds, which say nothing under callgrind.
 *
 * The argument is the size in bytes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <time.h>
#include <valgrind/callgrind.h>
#include <zlib.h>

#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_task_write.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_index.h>
#include <ngx_http_flowdash_form_task.h>
#include <ngx_http_flowdash_form_urlencoded.h>
#include <ngx_http_flowdash_form_check.h>
#include <ngx_http_flowdash_form_edit.h>
#include <ngx_http_flowdash_multipart.h>
#include <ngx_http_flowdash_gzip.h>


#define TOOL_PIECE     65536
#define TOOL_NAME_LEN  56     /* 32 of these bits make a CRC32 */

#define TOOL_NAME_CASES  24   /* letters */

#define TOOL_PART      "--x-x\r\nContent-Disposition: form-data; name="
#define TOOL_FILE      "; filename=\"f#\"\r\nContent-Type: text/plain\r\n\r\n"
#define TOOL_END       "--x-x--\r\n"


/*
 * An input: "head", then "unit" again and again, then "tail".  In a unit, "#"
 * becomes a number that grows, "@" a name whose CRC32 is that of the others,
 * and "^" a name that differs from the others in case only.  In a head, "~"
 * becomes a 24th of the size.
 */

typedef struct {
    const char  *name;
    char         kind;        /* j: JSON, u: urlencoded, m: multipart; v: the
                                 same, but the boundary consists of dashes;
                                 h: what is limited to 16k, of a tenth of the
                                 size; l: JSON of four times the size; a: the
                                 JSON of an answer, whose fields a task and a
                                 form get */
    const char  *pointer;     /* tokens, each with a null at its end */
    const char  *head;
    const char  *unit;
    const char  *tail;
} tool_case_t;


static const tool_case_t  tool_cases[] = {

    { "JSON: a long value", 'j', "task\0",
      "{\"task\":{\"a\":\"", "xyz\xc3\xa9", "\"}}" },
    { "JSON: escapes in a value", 'j', "task\0",
      "{\"task\":{\"a\":\"", "\\u0061\\n", "\"}}" },
    { "JSON: escapes in a name", 'j', "task\0",
      "{\"task\":{\"", "\\u0061", "\":1}}" },
    { "JSON: a long name", 'j', "task\0",
      "{\"task\":{\"", "a", "\":1}}" },
    { "JSON: a long number", 'j', "task\0", "{\"task\":{\"a\":1", "0", "}}" },
    { "JSON: white space", 'j', "task\0", "{\"task\":{\"a\":", " \n", "1}}" },
    { "JSON: white space between fields", 'j', "task\0",
      "{\"task\":{\"a\":1", " , \"f#\" : 1 ", "}}" },
    { "JSON: fields", 'j', "task\0",
      "{\"task\":{\"a\":1", ",\"f#\":#", "}}" },
    { "JSON: fields with escapes", 'j', "task\0",
      "{\"task\":{\"a\":1", ",\"\\u0061#\":\"\\n\"", "}}" },
    { "JSON: fields that collide", 'j', "task\0",
      "{\"task\":{\"a\":1", ",\"@\":1", "}}" },
    { "JSON: fields in other cases", 'j', "task\0",
      "{\"task\":{\"a\":1", ",\"^\":1", "}}" },
    { "JSON: fields beside long parts of dates", 'l', "task\0",
      "{\"task\":{\"a\":1,\"a~(1i)\":1,\"b~(1i)\":1,\"c~(1i)\":1,"
      "\"d~(1i)\":1,\"e~(1i)\":1,\"f~(1i)\":1,\"g~(1i)\":1,"
      "\"h~(1i)\":1,\"i~(1i)\":1,\"j~(1i)\":1,\"k~(1i)\":1,"
      "\"l~(1i)\":1", ",\"#\":1", "}}" },
    { "JSON: fields beside the task", 'j', "task\0",
      "{\"task\":{\"a\":1}", ",\"f#\":#", "}" },
    { "JSON: the same field", 'j', "task\0",
      "{\"task\":{\"a\":1", ",\"a\":1", "}}" },
    { "JSON: names in a value", 'j', "task\0",
      "{\"task\":{\"a\":{\"x\":1", ",\"f#\":#", "}}}" },
    { "JSON: names in a value that collide", 'j', "task\0",
      "{\"task\":{\"a\":{\"x\":1", ",\"@\":1", "}}}" },
    { "JSON: names in open objects", 'j', "task\0",
      "{\"task\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
      "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
      "[0", ",{\"a\":{\"a\":1}}", "]}}}}}}}}}}}}}}}}}}}" },
    { "JSON: objects in a value", 'j', "task\0",
      "{\"task\":{\"a\":[0", ",{\"a\":{\"b\":1},\"c\":2}", "]}}" },
    { "JSON: an array", 'j', "task\0", "{\"task\":{\"a\":[1", ",#", "]}}" },
    { "JSON: nested arrays", 'j', "task\0",
      "{\"task\":{\"a\":[1", ",[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
      "]}}" },
    { "JSON: too deep", 'j', "task\0", "{\"task\":5,\"x\":", "[", "" },
    { "JSON: too deep, objects", 'j', "task\0",
      "{\"task\":5,\"x\":", "{\"a\":", "" },
    { "JSON: elements on the way", 'j', "1000000\0", "[1", ",#", "]" },
    { "JSON: objects on the way", 'j', "task\0a\0a\0",
      "{\"task\":{\"b\":1", ",\"f#\":{\"a\":{}}", ",\"a\":{\"a\":{}}}}" },
    { "JSON: no task", 'j', "task\0", "{\"a\":1", ",\"f#\":#", "}" },
    { "JSON: a long pointer", 'j', "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0",
      "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":{\"j\":"
      "{\"k\":{\"l\":{\"x\":1", ",\"f#\":#", "}}}}}}}}}}}}}" },

    { "answer: new fields", 'a', "task\0",
      "{\"task\":{\"a\":1", ",\"f#\":#", "}}" },
    { "answer: parts of dates", 'a', "task\0",
      "{\"task\":{\"a\":1", ",\"f#(1i)\":#", "}}" },
    { "answer: parts of one date", 'a', "task\0",
      "{\"task\":{\"a\":1", ",\"f(#i)\":#", "}}" },
    { "answer: fields with dots", 'a', "",
      "{\"a\":1", ",\"f#.a.b.c\":#", "}" },
    { "answer: a field of dots", 'a', "", "{\"a\":1,\"f", ".f", "\":1}" },

    { "form: a long value", 'u', "task\0", "task[a]=", "x", "" },
    { "form: escapes in a value", 'u', "task\0", "task[a]=", "%61+", "" },
    { "form: a long name", 'u', "task\0", "task[", "a", "]=1" },
    { "form: escapes in a name", 'u', "task\0", "task[", "%61", "]=1" },
    { "form: fields", 'u', "task\0", "task[a]=1", "&task[f#]=#", "" },
    { "form: fields of all", 'u', "", "a=1", "&f#=#", "" },
    { "form: fields that collide", 'u', "task\0",
      "task[a]=1", "&task[@]=1", "" },
    { "form: other pairs", 'u', "task\0", "task[a]=1", "&f#=#", "" },
    { "form: other pairs with escapes", 'u', "task\0",
      "task[a]=1", "&%66#=%66", "" },
    { "form: empty pairs", 'u', "task\0", "task[a]=1", "&", "" },
    { "form: a repeated name", 'u', "task\0", "task[a]=1", "&task[a]=#", "" },
    { "form: an array", 'u', "task\0", "task[a][]=1", "&task[a][]=#", "" },
    { "form: indexes", 'u', "task\0", "task[a][x]=1", "&task[a][#]=#", "" },
    { "form: deep names", 'u', "task\0", "task[a][x]=1",
      "&task[a][a][b][c][d][e][f][g][h][i][j][k][l][m][n][o][p][#]=#", "" },
    { "form: many objects", 'u', "task\0", "task[a][x]=1",
      "&task[a][b#][c]=#", "" },
    { "form: closing brackets", 'u', "task\0", "task[a]=1&x", "]", "=1" },
    { "form: opening brackets", 'u', "task\0", "task[a]=1&", "[", "=1" },
    { "form: brackets in other names", 'u', "task\0",
      "task[a]=1&x", "[a]", "=1" },
    { "form: names of brackets", 'u', "task\0", "task[a]=1", "&]]]]=#", "" },
    { "form: brackets in a field", 'u', "task\0", "task", "[a]", "=1" },
    { "form: pluses before a name", 'u', "task\0",
      "task[a]=1&", "+", "tasks=1" },
    { "form: semicolons", 'u', "task\0", "task[a]=1&x=1", ";y#=1", "" },
    { "form: semicolons only", 'u', "task\0", "task[a]=1&x=1", ";", "" },
    { "form: semicolons, escapes", 'u', "task\0",
      "task[a]=1&x=1", ";%79#=%31", "" },
    { "form: dots", 'u', "task\0", "task[a]=1&x", ".a", "=1" },
    { "form: dots in a field", 'u', "", "a=1&x", ".a", "=1" },
    { "form: dots in fields", 'u', "", "a=1", "&f#.a.b.c=1", "" },
    { "form: equals signs", 'u', "task\0", "task[a]=1&x", "=", "" },
    { "form: percents", 'u', "task\0", "task[a]=1&x=", "%", "" },

    { "multipart: a long value", 'm', "task\0",
      TOOL_PART "\"task[a]\"\r\n\r\n", "x", "\r\n" TOOL_END },
    { "multipart: a long file", 'm', "task\0",
      TOOL_PART "\"task[a]\"" TOOL_FILE, "x", "\r\n" TOOL_END },
    { "multipart: fields", 'm', "task\0",
      "", TOOL_PART "\"task[f#]\"\r\n\r\n#\r\n", TOOL_END },
    { "multipart: fields that collide", 'm', "task\0",
      "", TOOL_PART "\"task[@]\"\r\n\r\n1\r\n", TOOL_END },
    { "multipart: a repeated name", 'm', "task\0",
      "", TOOL_PART "\"task[a]\"\r\n\r\n#\r\n", TOOL_END },
    { "multipart: files", 'm', "task\0",
      "", TOOL_PART "\"task[f#]\"" TOOL_FILE "x\r\n", TOOL_END },
    { "multipart: files of one name", 'm', "task\0",
      "", TOOL_PART "\"task[a]\"" TOOL_FILE "x\r\n", TOOL_END },
    { "multipart: files in one field", 'm', "task\0",
      "", TOOL_PART "\"task[a][#]\"" TOOL_FILE "x\r\n", TOOL_END },
    { "multipart: other parts", 'm', "task\0",
      "", TOOL_PART "\"f#\"\r\n\r\n#\r\n", TOOL_END },
    { "multipart: a long name", 'h', "task\0",
      TOOL_PART "\"f#\"\r\n\r\n#\r\n" TOOL_PART "\"", "a",
      "\"\r\n\r\n1\r\n" TOOL_END },
    { "multipart: headers of parts", 'm', "task\0",
      "", "--x-x\r\nContent-Type: text/plain; a=b; c=\"d;e\"\r\n"
      "Content-Disposition: form-data; name=\"f#\"; x=y; z=\"u\"\r\n"
      "X-A: b\r\nX-B: ccccccccccccccccccccccccccccccccccccccccccccc\r\n"
      "X-C: d\r\nX-E: f\r\nX-G: h\r\nX-I: j\r\nX-K: l\r\nX-M: n\r\n"
      "\r\n#\r\n", TOOL_END },
    { "multipart: headers of a part", 'h', "task\0",
      TOOL_PART "\"f\"", "\r\nX-A: b", "\r\n\r\n1\r\n" TOOL_END },
    { "multipart: parameters of a part", 'h', "task\0",
      TOOL_PART "\"f\"", "; a=b", "\r\n\r\n1\r\n" TOOL_END },
    { "multipart: ampersands in a filename", 'h', "task\0",
      TOOL_PART "\"task[a]\"; filename=\"", "&",
      "\"\r\nContent-Type: text/plain\r\n\r\n1\r\n" TOOL_END },
    { "multipart: almost the boundary", 'm', "task\0",
      TOOL_PART "\"task[a]\"\r\n\r\n", "\r\n--x-", "\r\n" TOOL_END },
    { "multipart: dashes", 'm', "task\0",
      TOOL_PART "\"task[a]\"" TOOL_FILE, "-", "\r\n" TOOL_END },
    { "multipart: line ends", 'm', "task\0",
      TOOL_PART "\"task[a]\"" TOOL_FILE, "\r\n", "\r\n" TOOL_END },
    { "multipart: a boundary of dashes", 'v', "task\0",
      "--------------------------------------------------x\r\n"
      "Content-Disposition: form-data; name=\"task[a]\"" TOOL_FILE, "-",
      "\r\n--------------------------------------------------x--\r\n" },
};


static ngx_str_t  tool_boundary = ngx_string("x-x");
static ngx_str_t  tool_dashes =
            ngx_string("------------------------------------------------x");

static ngx_log_t  tool_log;
static u_char    *tool_text;
static char       tool_flips[TOOL_NAME_LEN - 32][TOOL_NAME_LEN];


static void tool_names(void);
static u_char *tool_name(u_char *p, ngx_uint_t n);
static void tool_make(const tool_case_t *c, size_t size, ngx_str_t *text);
static u_char *tool_unit(u_char *p, const char *unit, ngx_uint_t n,
    size_t size);
static void tool_run(const tool_case_t *c, ngx_uint_t strict, size_t size);
static const char *tool_json(ngx_pool_t *pool, const tool_case_t *c,
    ngx_array_t *pointer, ngx_uint_t strict, ngx_str_t *text);
static const char *tool_answer(ngx_pool_t *pool, const tool_case_t *c,
    ngx_array_t *pointer, ngx_uint_t strict, ngx_str_t *text);
static const char *tool_add(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task, ngx_http_flowdash_task_t *answer,
    const char *prefix);
static const char *tool_form(ngx_pool_t *pool, const tool_case_t *c,
    ngx_array_t *pointer, ngx_uint_t strict, ngx_str_t *text);
static ngx_int_t tool_read(ngx_pool_t *pool, const tool_case_t *c,
    ngx_http_flowdash_form_t *form, ngx_str_t *text);
static void tool_change(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task);
static u_char *tool_reversed(u_char *p, ngx_str_t *value);
static void tool_gzip(const char *name, ngx_uint_t level, size_t size);
static void tool_measured(const char *name, ngx_uint_t strict, size_t size,
    const char *verdict, clock_t start);
static void fatal(const char *error);


/* what the core needs of the rest of nginx */

volatile ngx_cycle_t  *ngx_cycle;
ngx_pid_t              ngx_pid;


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    fatal(fmt);
}


int
main(int argc, char **argv)
{
    size_t      size;
    ngx_uint_t  i, twice;

    if (argc != 2) {
        fatal("the argument is a size");
    }

    size = (size_t) atol(argv[1]);

    ngx_pagesize = getpagesize();
    tool_text = malloc(4 * 2 * size + 4096);

    if (tool_text == NULL) {
        fatal("no memory");
    }

    tool_names();

    for (i = 0; i < sizeof(tool_cases) / sizeof(tool_case_t); i++) {
        for (twice = 1; twice <= 2; twice++) {
            tool_run(&tool_cases[i], NGX_HTTP_FLOWDASH_STRICT_NONE,
                     twice * size);
            tool_run(&tool_cases[i], NGX_HTTP_FLOWDASH_STRICT_ALL,
                     twice * size);
        }
    }

    for (twice = 1; twice <= 2; twice++) {
        tool_gzip("gzip: compressed", 9, twice * size);
        tool_gzip("gzip: stored", 0, twice * size);
    }

    return 0;
}


/*
 * Finds which sets of bits of a name can be flipped without a change of its
 * CRC32: by Gauss, since it is linear in them.
 */

static void
tool_names(void)
{
    char        rows[TOOL_NAME_LEN][TOOL_NAME_LEN];
    u_char      name[TOOL_NAME_LEN];
    uint32_t    zero, crcs[TOOL_NAME_LEN], bit;
    ngx_uint_t  i, n, k, used, found;

    ngx_memzero(rows, sizeof(rows));
    ngx_memset(name, 'b', sizeof(name));
    zero = ngx_crc32_long(name, sizeof(name));

    for (i = 0; i < TOOL_NAME_LEN; i++) {
        name[i] ^= 1;
        crcs[i] = ngx_crc32_long(name, sizeof(name)) ^ zero;
        name[i] ^= 1;
        rows[i][i] = 1;
    }

    used = 0;

    for (bit = 1; bit; bit <<= 1) {

        for (i = used; i < TOOL_NAME_LEN && !(crcs[i] & bit); i++) {
            /* void */
        }

        if (i == TOOL_NAME_LEN) {
            continue;
        }

        for (n = 0; n < TOOL_NAME_LEN; n++) {

            if (n == i || !(crcs[n] & bit)) {
                continue;
            }

            crcs[n] ^= crcs[i];

            for (k = 0; k < TOOL_NAME_LEN; k++) {
                rows[n][k] ^= rows[i][k];
            }
        }

        zero = crcs[used];
        crcs[used] = crcs[i];
        crcs[i] = zero;

        for (k = 0; k < TOOL_NAME_LEN; k++) {
            n = rows[used][k];
            rows[used][k] = rows[i][k];
            rows[i][k] = (char) n;
        }

        used++;
    }

    for (found = 0; found < TOOL_NAME_LEN - 32; found++) {
        ngx_memcpy(tool_flips[found], rows[32 + found], TOOL_NAME_LEN);

        if (crcs[32 + found]) {
            fatal("names that do not collide");
        }
    }
}


static u_char *
tool_name(u_char *p, ngx_uint_t n)
{
    ngx_uint_t  i, k;

    ngx_memset(p, 'b', TOOL_NAME_LEN);

    for (i = 0; i < TOOL_NAME_LEN - 32; i++) {

        if (!(n & ((ngx_uint_t) 1 << i))) {
            continue;
        }

        for (k = 0; k < TOOL_NAME_LEN; k++) {
            p[k] ^= tool_flips[i][k];
        }
    }

    return p + TOOL_NAME_LEN;
}


static void
tool_make(const tool_case_t *c, size_t size, ngx_str_t *text)
{
    u_char      *p, *last;
    ngx_uint_t   n;

    p = tool_unit(tool_text, c->head, 0, size);
    last = tool_text + size;

    for (n = 1; p < last; n++) {
        p = tool_unit(p, c->unit, n, size);
    }

    p = ngx_cpymem(p, c->tail, strlen(c->tail));

    text->data = tool_text;
    text->len = p - tool_text;
}


static u_char *
tool_unit(u_char *p, const char *unit, ngx_uint_t n, size_t size)
{
    ngx_uint_t  i;

    for ( /* void */ ; *unit; unit++) {

        if (*unit == '#') {
            p = ngx_sprintf(p, "%ui", n);

        } else if (*unit == '@') {
            p = tool_name(p, n);

        } else if (*unit == '^') {

            for (i = 0; i < TOOL_NAME_CASES; i++) {
                *p++ = (n & ((ngx_uint_t) 1 << i)) ? 'A' : 'a';
            }

        } else if (*unit == '~') {
            ngx_memset(p, 'x', size / 24);
            p += size / 24;

        } else {
            *p++ = *unit;
        }
    }

    return p;
}


static void
tool_run(const tool_case_t *c, ngx_uint_t strict, size_t size)
{
    clock_t       start;
    ngx_str_t     text, *token;
    ngx_pool_t   *pool;
    const char   *p, *verdict;
    ngx_array_t   pointer;

    tool_make(c, (c->kind == 'h') ? size / 10
                 : (c->kind == 'l') ? 4 * size : size, &text);

    pool = ngx_create_pool(4096, &tool_log);

    if (pool == NULL
        || ngx_array_init(&pointer, pool, 4, sizeof(ngx_str_t)) != NGX_OK)
    {
        fatal("no memory");
    }

    for (p = c->pointer; *p; p += strlen(p) + 1) {
        token = ngx_array_push(&pointer);
        token->data = (u_char *) p;
        token->len = strlen(p);
    }

    start = clock();
    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;

    switch (c->kind) {

    case 'j':
    case 'l':
        verdict = tool_json(pool, c, &pointer, strict, &text);
        break;

    case 'a':
        verdict = tool_answer(pool, c, &pointer, strict, &text);
        break;

    default:
        verdict = tool_form(pool, c, &pointer, strict, &text);
    }

    CALLGRIND_TOGGLE_COLLECT;

    tool_measured(c->name, strict, size, verdict, start);

    ngx_destroy_pool(pool);
}


static void
tool_write(ngx_pool_t *pool, ngx_http_flowdash_task_write_pt write,
    ngx_http_flowdash_task_t *task)
{
    ngx_http_flowdash_slices_t  slices;

    if (ngx_http_flowdash_task_write_slices(write, task, pool, &slices)
        != NGX_OK)
    {
        fatal("no memory");
    }

    ngx_http_flowdash_slices_free(&slices, pool);
}


static const char *
tool_json(ngx_pool_t *pool, const tool_case_t *c, ngx_array_t *pointer,
    ngx_uint_t strict, ngx_str_t *text)
{
    ngx_http_flowdash_task_t          task, copy;
    ngx_http_flowdash_json_verdict_e  verdict;

    if (ngx_http_flowdash_task_init(&task, pool, text, pointer, strict,
                                    NGX_MAX_SIZE_T_VALUE, &verdict)
        != NGX_OK
        || ngx_http_flowdash_task_copy(&copy, pool, &task) != NGX_OK)
    {
        fatal("no memory");
    }

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        return task.json.error;
    }

    if (ngx_http_flowdash_task_has_conflict(&task)) {
        return "a field and a part of it";
    }

    tool_change(NULL, &copy);

    if (ngx_http_flowdash_task_merge(&task, &copy) != NGX_OK) {
        fatal("no memory");
    }

    tool_write(pool, ngx_http_flowdash_task_write_object, &task);
    tool_write(pool, ngx_http_flowdash_task_write_text, &task);

    return "ok";
}


/*
 * Two answers to a form.  The second one's fields are new, too, where the task
 * has many already, and a part of a date, to which each could be the date.
 */

static const char *
tool_answer(ngx_pool_t *pool, const tool_case_t *c, ngx_array_t *pointer,
    ngx_uint_t strict, ngx_str_t *text)
{
    ngx_str_t                         none, body;
    const char                       *error;
    ngx_http_flowdash_form_t          form;
    ngx_http_flowdash_task_t          task, answer;
    ngx_http_flowdash_json_verdict_e  verdict;

    ngx_str_null(&none);

    if (pointer->nelts) {
        ngx_str_set(&body, "task[x(1i)]=1");

    } else {
        ngx_str_set(&body, "x(1i)=1");
    }

    ngx_http_flowdash_form_init(&form, pool, pointer, &none,
                                NGX_MAX_INT_T_VALUE, strict);

    if (ngx_http_flowdash_form_urlencoded_parse(&form, &body) != NGX_OK
        || ngx_http_flowdash_form_task(&form, &task) != NGX_OK
        || ngx_http_flowdash_task_init(&answer, pool, text, pointer, strict,
                                       NGX_MAX_SIZE_T_VALUE, &verdict)
           != NGX_OK)
    {
        fatal("no memory");
    }

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        return answer.json.error;
    }

    error = tool_add(&form, &task, &answer, "");

    if (error == NULL) {
        error = tool_add(&form, &task, &answer, "n");
    }

    return error ? error : "ok";
}


/* adds the fields of an answer, with "prefix" before their names */

static const char *
tool_add(ngx_http_flowdash_form_t *form, ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_task_t *answer, const char *prefix)
{
    u_char                     *p;
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    const char                 *error;
    ngx_http_flowdash_field_t  *field, new, room;

    for (i = 0; (field = ngx_http_flowdash_task_get(answer, i, &room)); i++) {

        p = ngx_pnalloc(task->pool, strlen(prefix) + field->name.len);
        if (p == NULL) {
            fatal("no memory");
        }

        new = *field;
        new.name.data = p;
        p = ngx_cpymem(p, prefix, strlen(prefix));
        p = ngx_cpymem(p, field->name.data, field->name.len);
        new.name.len = p - new.name.data;

        if (ngx_http_flowdash_task_has(task, &new.name)
            || ngx_http_flowdash_task_has_similar(task, &new.name)
            || ngx_http_flowdash_task_conflicts(task, &new.name))
        {
            return "a field and a part of it";
        }

        rc = ngx_http_flowdash_form_check(form, &new, NULL, &error);

        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_task_set(task, &new);

        } else if (rc == NGX_DECLINED) {
            return error;
        }

        if (rc != NGX_OK) {
            fatal("no memory");
        }
    }

    return ngx_http_flowdash_task_has_conflict(task)
           ? "a field and a part of it" : NULL;
}


static const char *
tool_form(ngx_pool_t *pool, const tool_case_t *c, ngx_array_t *pointer,
    ngx_uint_t strict, ngx_str_t *text)
{
    ngx_int_t                    rc;
    ngx_str_t                    none;
    ngx_array_t                 *edits;
    ngx_http_flowdash_form_t     form;
    ngx_http_flowdash_task_t     task;
    ngx_http_flowdash_slices_t   slices;

    ngx_str_null(&none);

    ngx_http_flowdash_form_init(&form, pool, pointer,
                                c->kind == 'u' ? &none
                                : c->kind == 'v' ? &tool_dashes
                                : &tool_boundary,
                                NGX_MAX_INT_T_VALUE, strict);

    rc = tool_read(pool, c, &form, text);

    if (rc == NGX_DECLINED) {
        return form.error;
    }

    if (rc != NGX_OK || ngx_http_flowdash_form_task(&form, &task) != NGX_OK) {
        fatal("no memory");
    }

    tool_write(pool, ngx_http_flowdash_task_write_object, &task);

    tool_change(&form, &task);

    edits = ngx_http_flowdash_form_edits(&form, &task);

    if (edits == NULL
        || ngx_http_flowdash_form_urlencoded_write(&form, text, edits,
                                                   &slices)
           != NGX_OK)
    {
        fatal("no memory");
    }

    return "ok";
}


static ngx_int_t
tool_read(ngx_pool_t *pool, const tool_case_t *c,
    ngx_http_flowdash_form_t *form, ngx_str_t *text)
{
    size_t                          n, len;
    ngx_int_t                       rc;
    ngx_http_flowdash_multipart_t  *mp;

    if (c->kind == 'u') {
        return ngx_http_flowdash_form_urlencoded_parse(form, text);
    }

    mp = ngx_http_flowdash_multipart_create(form);

    if (mp == NULL) {
        return NGX_ERROR;
    }

    for (n = 0; n < text->len; n += len) {
        len = ngx_min(text->len - n, TOOL_PIECE);
        rc = ngx_http_flowdash_multipart_read(mp, text->data + n, len);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_flowdash_multipart_end(mp);
}


/*
 * Changes each field: one with a file to the same in another spelling, others
 * to an array with the old value in it and to a string, in turns.
 */

static void
tool_change(ngx_http_flowdash_form_t *form, ngx_http_flowdash_task_t *task)
{
    u_char                         *p;
    ngx_int_t                       rc;
    ngx_uint_t                      i, n;
    const char                     *error;
    ngx_http_flowdash_field_t      *field, new, room;
    ngx_http_flowdash_form_node_t  *node;

    n = 0;

    for (i = 0; (field = ngx_http_flowdash_task_get(task, i, &room)); i++) {

        new = *field;
        node = form ? ngx_http_flowdash_form_index_lookup(form, &field->name)
                    : NULL;

        p = ngx_pnalloc(task->pool, field->value.len + sizeof("[,\"new\"]"));
        if (p == NULL) {
            fatal("no memory");
        }

        new.value.data = p;

        if (node && node->file) {
            p = tool_reversed(p, &field->value);

        } else if (n++ % 2) {
            p = ngx_cpymem(p, "\"new\"", sizeof("\"new\"") - 1);

        } else {
            *p++ = '[';
            p = ngx_cpymem(p, field->value.data, field->value.len);
            p = ngx_cpymem(p, ",\"new\"]", sizeof(",\"new\"]") - 1);
        }

        new.value.len = p - new.value.data;

        rc = form ? ngx_http_flowdash_form_check(form, &new, &field->value,
                                                 &error)
                  : NGX_OK;

        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_task_set(task, &new);
        }

        if (rc == NGX_ERROR) {
            fatal("no memory");
        }

        if (node && node->file && rc != NGX_DONE) {
            fatal("a file that is not the same");
        }
    }
}


/* the sizes of files first, and their names last */

static u_char *
tool_reversed(u_char *p, ngx_str_t *value)
{
    u_char  *v, *last, *type, *size, *end;

    v = value->data;
    last = v + value->len;

    while (v < last) {

        if (*v != '{' || ngx_strncmp(v, "{\"filename\":", 12) != 0) {
            *p++ = *v++;
            continue;
        }

        type = (u_char *) strstr((char *) v, ",\"contentType\"");
        size = (u_char *) strstr((char *) type, ",\"size\"");
        end = (u_char *) strchr((char *) size, '}');

        *p++ = '{';
        p = ngx_cpymem(p, size + 1, end - size - 1);
        p = ngx_cpymem(p, type, size - type);
        *p++ = ',';
        p = ngx_cpymem(p, v + 1, type - v - 1);

        v = end;
    }

    return p;
}


/* the size is that of what is decoded */

static void
tool_gzip(const char *name, ngx_uint_t level, size_t size)
{
    clock_t                    start;
    ngx_int_t                  rc;
    ngx_str_t                  in, out;
    z_stream                   z;
    ngx_pool_t                *pool;
    ngx_http_flowdash_gzip_t  *gz;

    ngx_memset(tool_text, 'x', size);
    ngx_memzero(&z, sizeof(z_stream));

    if (deflateInit2(&z, (int) level, Z_DEFLATED, MAX_WBITS + 16, 8,
                     Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        fatal("zlib");
    }

    in.len = deflateBound(&z, size);
    in.data = malloc(in.len);

    z.next_in = tool_text;
    z.avail_in = size;
    z.next_out = in.data;
    z.avail_out = in.len;

    pool = ngx_create_pool(4096, &tool_log);

    if (in.data == NULL || pool == NULL
        || deflate(&z, Z_FINISH) != Z_STREAM_END)
    {
        fatal("zlib");
    }

    in.len -= z.avail_out;
    (void) deflateEnd(&z);

    start = clock();
    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;

    gz = ngx_http_flowdash_gzip_create(pool, NGX_MAX_INT_T_VALUE);

    if (gz == NULL) {
        fatal("no memory");
    }

    rc = ngx_http_flowdash_gzip_read(gz, in.data, in.len);

    while (rc == NGX_AGAIN) {
        rc = ngx_http_flowdash_gzip_read(gz, NULL, 0);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_gzip_end(gz, &out);
    }

    CALLGRIND_TOGGLE_COLLECT;

    tool_measured(name, NGX_HTTP_FLOWDASH_STRICT_NONE, size,
                  rc == NGX_OK ? "ok" : gz->error, start);

    ngx_destroy_pool(pool);
    free(in.data);
}


static void
tool_measured(const char *name, ngx_uint_t strict, size_t size,
    const char *verdict, clock_t start)
{
    char  line[256];

    (void) snprintf(line, sizeof(line), "%s, %s\t%zu", name,
                    strict ? "strict" : "not strict", size);

    CALLGRIND_DUMP_STATS_AT(line);

    (void) printf("%s\t%s\t%.1f\n", line, verdict,
                  1000.0 * (double) (clock() - start) / CLOCKS_PER_SEC);
}


static void
fatal(const char *error)
{
    (void) fprintf(stderr, "linear: %s\n", error);
    exit(1);
}
