
/*
 * Values at pointers with selectors, without nginx: what is found, what is
 * refused, and memory that runs out.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


static void *
test_palloc(ngx_pool_t *pool, size_t size)
{
    return test_fails() ? NULL : ngx_palloc(pool, size);
}


static void *
test_pcalloc(ngx_pool_t *pool, size_t size)
{
    return test_fails() ? NULL : ngx_pcalloc(pool, size);
}


static void *
test_alloc(size_t size, ngx_log_t *log)
{
    return test_fails() ? NULL : ngx_alloc(size, log);
}


#define ngx_alloc    test_alloc
#define ngx_palloc   test_palloc
#define ngx_pnalloc  test_pnalloc
#define ngx_pcalloc  test_pcalloc
#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_strict.c"
#include "ngx_http_flowdash_hash.c"
#include "ngx_http_flowdash_fold.c"
#include "ngx_http_flowdash_json_unescape.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_json_scan.c"
#include "ngx_http_flowdash_json_names.c"
#include "ngx_http_flowdash_json_match.c"
#include "ngx_http_flowdash_pointer.c"
#include "ngx_http_flowdash_json_path.c"
#include "ngx_http_flowdash_json_select.c"
#include "ngx_http_flowdash_json_elements.c"
#undef ngx_palloc
#undef ngx_pnalloc
#undef ngx_pcalloc


typedef struct {
    const char  *pointer;
    const char  *text;
    const char  *value;    /* NULL: there is none */
} test_found_t;


typedef struct {
    const char  *pointer;
    const char  *text;
    const char  *error;    /* its beginning */
    ngx_uint_t   rule;
} test_refused_t;


#define LIST  "{\"f\":[{\"id\":6,\"v\":\"a\"},{\"id\":7,\"v\":\"b\"}]}"


static test_found_t  test_found[] = {

    /* RFC 6901 */

    { "", " {\"a\":1} ", "{\"a\":1}" },
    { "", "7", "7" },
    { "", "\"x\"", "\"x\"" },
    { "/a", "{\"a\":1}", "1" },
    { "/a", "{\"b\":2,\"a\": \"x\" ,\"c\":3}", "\"x\"" },
    { "/a", "{\"\\u0061\":true}", "true" },
    { "/a", "{\"b\":{\"a\":1}}", NULL },
    { "/a", "{\"b\":[{\"a\":1}],\"a\":[ 1, 2 ]}", "[ 1, 2 ]" },
    { "/a", "[]", NULL },
    { "/a", "7", NULL },
    { "/a", "{}", NULL },
    { "/a", "{\"a\":null}", "null" },
    { "/", "{\"\":5}", "5" },
    { "/a~1b/~0", "{\"a/b\":{\"~\":-0.5e1}}", "-0.5e1" },
    { "/a/b", "{\"a\":{\"b\":{\"c\":[{}]}}}", "{\"c\":[{}]}" },
    { "/a/b", "{\"a\":null}", NULL },
    { "/a/b", "{\"a\":[{\"b\":1}]}", NULL },
    { "/1", "[5,[6],7]", "[6]" },
    { "/2", "[5,[6,1,1,1],7]", "7" },
    { "/02", "[5,6,7]", NULL },
    { "/-", "[5,6,7]", NULL },
    { "/0/a", "[{\"a\":1},{\"a\":2}]", "1" },
    { "/1/a", "[{\"a\":1},{\"a\":2}]", "2" },
    { "/0", "{\"0\":1}", "1" },

    /* selectors */

    { "/f/[id=7]/v", LIST, "\"b\"" },
    { "/f/[id=7]", LIST, "{\"id\":7,\"v\":\"b\"}" },
    { "/f/[id=7]/id", LIST, "7" },
    { "/f/[id=8]/v", LIST, NULL },
    { "/f/[id=7]/w", LIST, NULL },
    { "/f/[v=b]/id", LIST, "7" },
    { "/f/[id=7]/v", "{\"f\":[{\"v\":\"b\",\"id\":\"7\"}]}", "\"b\"" },
    { "/f/[id=7]/v", "{\"f\":[7,\"7\",null,[7],{\"id\":7,\"v\":1}]}", "1" },
    { "/f/[id=7]/v", "{\"f\":[]}", NULL },
    { "/f/[id=7]/v", "{\"f\":{\"id\":7,\"v\":1}}", NULL },
    { "/f/[id=7]/v", "{\"f\":7}", NULL },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":70,\"v\":1}]}", NULL },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":-7,\"v\":1}]}", NULL },
    { "/f/[id=7]/v", "{\"f\":[{\"v\":1},{\"id\":null,\"v\":2}]}", NULL },

    /* a member of an object: Rails reads both alike */

    { "/f/[id=7]/v", "{\"f\":{\"0\":{\"id\":6},\"1\":{\"id\":7,\"v\":2}}}",
      "2" },
    { "/[id=7]", "{\"x\":{\"id\":7}}", "{\"id\":7}" },

    /* one in another, and further containers */

    { "/[a=1]/l/[b=2]/v/0",
      "[{\"a\":2,\"l\":[{\"b\":2,\"v\":[1]}]},"
       "{\"l\":[{\"b\":1,\"v\":[2]},{\"v\":[3,9],\"b\":2}],\"a\":1}]", "3" },
    { "/[a=1]/l/[b=2]/v/0",
      "[{\"a\":1,\"l\":[]},{\"a\":2,\"l\":[{\"b\":2,\"v\":[1]}]}]", NULL },
    { "/f/[k=a~1b]/v", "{\"f\":[{\"k\":\"a/b\",\"v\":1}]}", "1" },
    { "/f/[k=a=b]/v", "{\"f\":[{\"k\":\"a=b\",\"v\":1}]}", "1" },
    { "/f/[k=true]/v", "{\"f\":[{\"k\":true,\"v\":1}]}", "1" },
    { "/f/[k=ready]/v", "{\"f\":[{\"k\":\"re\\u0061dy\",\"v\":1}]}", "1" },
    { NULL, NULL, NULL }
};


static test_refused_t  test_refused[] = {
    { "/a", "{\"a\":1,\"a\":2}", "a name on the way", 0 },
    { "/a", "{\"a\":1,\"\\u0061\":1}", "a name on the way", 0 },
    { "/a/b", "{\"a\":{\"b\":1},\"a\":{}}", "a name on the way", 0 },
    { "/a/b", "{\"a\":5,\"a\":{\"b\":1}}", "a name on the way", 0 },
    { "/a", "{\"A\":1}", "a name that differs only in case",
      NGX_HTTP_FLOWDASH_STRICT_CASE },
    { "/a/b", "{\"a\":{\"B\":1,\"b\":2}}", "a name that differs only in case",
      NGX_HTTP_FLOWDASH_STRICT_CASE },
    { "/a", "{\"a.b\":1}", "a name that some apps take for a path",
      NGX_HTTP_FLOWDASH_STRICT_DOTS },
    { "/a", "{\"a\\u0000\":1}", "a null character",
      NGX_HTTP_FLOWDASH_STRICT_CONTROL },
    { "/a", "{\"\\ud800\":1}", "half of a surrogate pair", 0 },
    { "/a", "{\"x\":{\"__proto__\":{\"a\":1}}}", "a name that has a special",
      NGX_HTTP_FLOWDASH_STRICT_MEANING },
    { "/a", "{\"a\":1", "not JSON", 0 },
    { "/a", "{\"a\":1}}", "not JSON", 0 },
    { "/a", "{\"a\":1,\"a\":2", "not JSON", 0 },
    { "/a", "{\"a\":\"\xff\"}", "a byte that is not allowed", 0 },
    { "/a", "\xef\xbb\xbf{\"a\":1}", "a byte order mark",
      NGX_HTTP_FLOWDASH_STRICT_BOM },

    { "/f/[id=7]/v", "{\"f\":[{\"id\":7},{\"id\":7,\"v\":1}]}",
      "two members that one", 0 },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":7},{\"id\":\"7\"}]}",
      "two members that one", 0 },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":7,\"id\":8,\"v\":1}]}",
      "a name on the way", 0 },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":8,\"id\":7,\"v\":1}]}",
      "a name on the way", 0 },
    { "/f/[id=7]/v", "{\"f\":[{\"v\":1,\"v\":2,\"id\":7}]}",
      "a name on the way", 0 },
    { "/f/[id=7]/v", "{\"f\":[{\"ID\":7,\"v\":1}]}",
      "a name that differs only in case", NGX_HTTP_FLOWDASH_STRICT_CASE },
    { "/f/[id=7]/v", "{\"f\":{\"0\":{\"id\":7},\"0\":{}}}",
      "a name occurs twice", 0 },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":7.0,\"v\":1}]}", "a value that some",
      NGX_HTTP_FLOWDASH_STRICT_MEANING },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":\"07\",\"v\":1}]}", "a value that some",
      NGX_HTTP_FLOWDASH_STRICT_MEANING },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":70e-1,\"v\":1}]}", "a value that some",
      NGX_HTTP_FLOWDASH_STRICT_MEANING },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":\" +7x\",\"v\":1}]}",
      "a value that some", NGX_HTTP_FLOWDASH_STRICT_MEANING },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":\"\\uff17\",\"v\":1}]}",
      "a value that some", NGX_HTTP_FLOWDASH_STRICT_MEANING },
    { "/f/[id=7]/v",
      "{\"f\":[{\"id\":\"\\u00a00\\ud835\\udfdf\",\"v\":1}]}",
      "a value that some", NGX_HTTP_FLOWDASH_STRICT_MEANING },
    { "/f/[id=10]/v", "{\"f\":[{\"id\":\"1_0\",\"v\":1}]}",
      "a value that some", NGX_HTTP_FLOWDASH_STRICT_MEANING },
    { "/f/[id=7]/v", "{\"f\":[{\"id\":[7],\"v\":1}]}", "an array or object",
      NGX_HTTP_FLOWDASH_STRICT_MEANING },
    { "/f/[k=ready]/v", "{\"f\":[{\"k\":\"READY\",\"v\":1}]}",
      "a value that some", NGX_HTTP_FLOWDASH_STRICT_MEANING },
    { NULL, NULL, NULL, 0 }
};


static ngx_int_t
find(ngx_pool_t *pool, const char *pointer, ngx_str_t *text,
    ngx_uint_t strict, ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_json_verdict_e *verdict)
{
    ngx_int_t           rc;
    ngx_str_t           s;
    const char         *error;
    static ngx_array_t  tokens;

    s.data = (u_char *) pointer;
    s.len = strlen(pointer);

    rc = ngx_http_flowdash_pointer_read(&s, &tokens, &error, pool);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(sel, sizeof(ngx_http_flowdash_json_select_t));

    sel->text = *text;
    sel->pointer = &tokens;
    sel->strict = strict;
    sel->max_size = 65536;

    rc = ngx_http_flowdash_json_select(sel, pool);
    *verdict = sel->verdict;

    return rc;
}


static void
finds(void)
{
    ngx_str_t                          text;
    ngx_pool_t                        *pool;
    test_found_t                      *t;
    ngx_http_flowdash_json_select_t    sel;
    ngx_http_flowdash_json_verdict_e   verdict;

    for (t = test_found; t->pointer; t++) {

        pool = ngx_create_pool(4096, &test_log);
        text = exactly(t->text, strlen(t->text));

        ok(find(pool, t->pointer, &text, NGX_HTTP_FLOWDASH_STRICT_ALL, &sel,
                &verdict)
           == NGX_OK
           && verdict == NGX_HTTP_FLOWDASH_JSON_OK
           && (t->value ? is_text(&sel.value, t->value)
                        : sel.value.data == NULL),
           show(t->pointer, t->text));

        free(text.data);
        ngx_destroy_pool(pool);
    }
}


static void
refuses(void)
{
    ngx_str_t                          text;
    ngx_pool_t                        *pool;
    test_refused_t                    *t;
    ngx_http_flowdash_json_select_t    sel;
    ngx_http_flowdash_json_verdict_e   verdict;

    for (t = test_refused; t->pointer; t++) {

        pool = ngx_create_pool(4096, &test_log);
        text = exactly(t->text, strlen(t->text));

        ok(find(pool, t->pointer, &text, NGX_HTTP_FLOWDASH_STRICT_ALL, &sel,
                &verdict)
           == NGX_OK
           && verdict != NGX_HTTP_FLOWDASH_JSON_OK
           && sel.value.data == NULL && sel.rule == t->rule
           && sel.offset <= text.len
           && strncmp(sel.error, t->error, strlen(t->error)) == 0,
           show(t->pointer, t->text));

        if (t->rule) {
            ok(find(pool, t->pointer, &text,
                    NGX_HTTP_FLOWDASH_STRICT_ALL & ~t->rule, &sel, &verdict)
               == NGX_OK
               && sel.rule != t->rule,
               show("without the rule", t->text));
        }

        free(text.data);
        ngx_destroy_pool(pool);
    }
}


static void
pointers(void)
{
    ngx_str_t     s;
    ngx_uint_t    i;
    ngx_pool_t   *pool;
    const char   *error;
    ngx_array_t   tokens;

    static const char  *bad[] = {
        "a", "/a~", "/a~2", "/[", "/[]", "/[0]", "/[id]", "/[=7]", "/[id=]",
        "/[id=7", "/[id=7]x", "/[id=7]/[a=1]", "/\xff"
    };

    pool = ngx_create_pool(4096, &test_log);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {

        s = exactly(bad[i], strlen(bad[i]));
        error = NULL;

        ok(ngx_http_flowdash_pointer_read(&s, &tokens, &error, pool)
           == NGX_DECLINED && error,
           show("no pointer", bad[i]));

        free(s.data);
    }

    s.len = 2 * NGX_HTTP_FLOWDASH_JSON_DEPTH;
    s.data = ngx_pnalloc(pool, s.len);

    for (i = 0; i < s.len; i++) {
        s.data[i] = (i % 2) ? 'a' : '/';
    }

    ok(ngx_http_flowdash_pointer_read(&s, &tokens, &error, pool)
       == NGX_DECLINED, "a pointer that is too deep");

    s.len -= 2;

    ok(ngx_http_flowdash_pointer_read(&s, &tokens, &error, pool) == NGX_OK,
       "one that is not");

    ngx_destroy_pool(pool);
}


/* "start", then "n" times "again", and "end" */

static ngx_http_flowdash_json_verdict_e
repeated(const char *pointer, const char *start, const char *again,
    ngx_uint_t n, const char *end)
{
    u_char                            *p;
    ngx_str_t                          text;
    ngx_pool_t                        *pool;
    ngx_http_flowdash_json_select_t    sel;
    ngx_http_flowdash_json_verdict_e   verdict;

    pool = ngx_create_pool(4096, &test_log);

    text.len = strlen(start) + n * strlen(again) + strlen(end);
    text.data = malloc(text.len);

    p = ngx_cpymem(text.data, start, strlen(start));

    while (n--) {
        p = ngx_cpymem(p, again, strlen(again));
    }

    ngx_memcpy(p, end, strlen(end));

    if (find(pool, pointer, &text, NGX_HTTP_FLOWDASH_STRICT_ALL, &sel,
             &verdict)
        != NGX_OK)
    {
        verdict = NGX_HTTP_FLOWDASH_JSON_LARGE;
    }

    ngx_destroy_pool(pool);
    free(text.data);

    return verdict;
}


static void
limits(void)
{
    u_char                            *p;
    ngx_str_t                          text;
    ngx_uint_t                         i;
    ngx_pool_t                        *pool;
    ngx_http_flowdash_json_select_t    sel;
    ngx_http_flowdash_json_verdict_e   verdict;

    ok(repeated("/a", "", "[", 100000, "") == NGX_HTTP_FLOWDASH_JSON_DEEP,
       "too deep");
    ok(repeated("/a", "{\"a\":1,\"a\":", "[", 100000, "")
       == NGX_HTTP_FLOWDASH_JSON_DEEP, "too deep after a refusal");
    ok(repeated("/0/[id=7]", "[[", "{\"id\":8},", 10000, "{\"id\":7}]]")
       == NGX_HTTP_FLOWDASH_JSON_OK, "an array needs no memory");

    pool = ngx_create_pool(4096, &test_log);

    text.data = malloc(200000);
    p = ngx_cpymem(text.data, "{", 1);

    for (i = 0; i < 10000; i++) {
        p = ngx_sprintf(p, "\"%ui\":0,", i);
    }

    p = ngx_cpymem(p, "\"x\":{\"id\":7}}", 13);
    text.len = p - text.data;

    ok(find(pool, "/[id=7]", &text, NGX_HTTP_FLOWDASH_STRICT_ALL, &sel,
            &verdict)
       == NGX_OK
       && verdict == NGX_HTTP_FLOWDASH_JSON_LARGE,
       "an object with too many names for a selector");

    free(text.data);
    ngx_destroy_pool(pool);
}


/*
 * Several pointers in one scan: what is wrong for one does not matter to the
 * others.  One that was stopped does not see that the text is no JSON.
 */

static void
several(void)
{
    ngx_str_t                         text, broken, s;
    ngx_uint_t                        i;
    ngx_pool_t                       *pool;
    ngx_array_t                       tokens[4];
    const char                       *error;
    ngx_http_flowdash_json_select_t   sel[4];

    static const char  *pointers[] = { "/b/c", "/x", "/b", "" };

    static const char  json[] =
        "{\"b\":{\"c\":[1,2]},\"x\":1,\"l\":{"
        "\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,"
        "\"h\":0,\"i\":0,\"j\":0,\"k\":0,\"l\":0,\"m\":0,\"n\":0,"
        "\"o\":0,\"p\":0,\"q\":0,\"r\":0},\"x\":2}";

    pool = ngx_create_pool(4096, &test_log);
    text = exactly(json, strlen(json));
    broken = text;
    broken.len--;

    for (i = 0; i < 4; i++) {
        s.data = (u_char *) pointers[i];
        s.len = strlen(pointers[i]);

        ngx_memzero(&sel[i], sizeof(ngx_http_flowdash_json_select_t));

        if (ngx_http_flowdash_pointer_read(&s, &tokens[i], &error, pool)
            != NGX_OK)
        {
            ok(0, "a pointer");
        }

        sel[i].text = text;
        sel[i].pointer = &tokens[i];
        sel[i].max_size = 65536;
    }

    /* the last one would have to remember all names */

    sel[3].unique = 1;
    sel[3].max_size = 0;

    ok(ngx_http_flowdash_json_select_all(sel, 0, pool) == NGX_OK, "none");

    ok(ngx_http_flowdash_json_select_all(sel, 4, pool) == NGX_OK
       && sel[0].verdict == NGX_HTTP_FLOWDASH_JSON_OK
       && is_text(&sel[0].value, "[1,2]")
       && sel[1].verdict == NGX_HTTP_FLOWDASH_JSON_DUPLICATE
       && sel[2].verdict == NGX_HTTP_FLOWDASH_JSON_OK
       && is_text(&sel[2].value, "{\"c\":[1,2]}"),
       "several values");
    ok(sel[3].verdict == NGX_HTTP_FLOWDASH_JSON_LARGE, "too many names");

    for (i = 0; i < 4; i++) {
        sel[i].text = broken;
    }

    ok(ngx_http_flowdash_json_select_all(sel, 4, pool) == NGX_OK
       && sel[0].verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED
       && sel[1].verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED
       && sel[2].verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED
       && sel[3].verdict == NGX_HTTP_FLOWDASH_JSON_LARGE, "no JSON");

    free(text.data);
    ngx_destroy_pool(pool);
}


/* no name may occur twice in a value that becomes a field */

static void
unique(void)
{
    ngx_str_t                          text;
    ngx_pool_t                        *pool;
    ngx_array_t                        tokens;
    const char                        *error;
    ngx_http_flowdash_json_select_t    sel;

    static ngx_str_t    pointer = ngx_string("/a");
    static const char   twice[] = "{\"b\":{\"x\":1,\"x\":1},"
                                  "\"a\":[{\"x\":1,\"x\":1}]}";

    pool = ngx_create_pool(4096, &test_log);
    text = exactly(twice, strlen(twice));

    ngx_memzero(&sel, sizeof(ngx_http_flowdash_json_select_t));

    ok(ngx_http_flowdash_pointer_read(&pointer, &tokens, &error, pool)
       == NGX_OK, "a pointer");

    sel.text = text;
    sel.pointer = &tokens;
    sel.max_size = 65536;

    ok(ngx_http_flowdash_json_select(&sel, pool) == NGX_OK
       && sel.verdict == NGX_HTTP_FLOWDASH_JSON_OK
       && is_text(&sel.value, "[{\"x\":1,\"x\":1}]"),
       "names in the value do not matter");

    sel.unique = 1;

    ok(ngx_http_flowdash_json_select(&sel, pool) == NGX_OK
       && sel.verdict == NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
       "but if it becomes a field, they do");

    free(text.data);
    ngx_destroy_pool(pool);
}


static void
scalars(void)
{
    ngx_str_t    value, text;
    ngx_uint_t   i;
    ngx_pool_t  *pool;

    static const char  *t[][2] = {
        { "null", "" }, { "true", "true" }, { "1e400", "1e400" },
        { "\"\"", "" }, { "\"a\\n\"", "a\n" }, { "\"x\"", "x" },
        { "[]", NULL }, { "{}", NULL }, { "\"\\udc00\"", NULL }
    };

    pool = ngx_create_pool(4096, &test_log);

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        value = exactly(t[i][0], strlen(t[i][0]));

        ok(t[i][1]
           ? ngx_http_flowdash_json_scalar(&value, &text, pool) == NGX_OK
             && is_text(&text, t[i][1])
           : ngx_http_flowdash_json_scalar(&value, &text, pool)
             == NGX_DECLINED,
           show("scalar", t[i][0]));

        free(value.data);
    }

    ngx_destroy_pool(pool);
}


/* an array of objects, and what is none; "wanted" joins the elements */

static void
elements(void)
{
    size_t        offset;
    ngx_int_t     rc;
    u_char        joined[64], *p;
    ngx_str_t     text, *element;
    ngx_uint_t    i, n;
    ngx_pool_t   *pool;
    const char   *error;
    ngx_array_t   array;

    static const char  *t[][2] = {
        { "[]", "" },
        { " [ {} ] ", "{}" },
        { "[{\"a\":[1,{}]},{},{\"b\":\"]\"} ]",
          "{\"a\":[1,{}]}{}{\"b\":\"]\"}" },
        { "[{},{},{},{}]", NULL },       /* too many */
        { "[{},7]", NULL }, { "[null]", NULL }, { "[true]", NULL },
        { "[\"\"]", NULL }, { "[[]]", NULL }, { "{}", NULL }, { "7", NULL },
        { "[{}", NULL }, { "[{}]]", NULL }, { "[{},]", NULL }, { "", NULL },
        { "[\x01]", NULL }
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        pool = ngx_create_pool(4096, &test_log);
        text = exactly(t[i][0], strlen(t[i][0]));
        error = NULL;

        rc = ngx_http_flowdash_json_elements(&text, &array, 3, &error, &offset,
                                             pool);
        p = joined;
        element = array.elts;

        for (n = 0; rc == NGX_OK && n < array.nelts; n++) {
            p = ngx_cpymem(p, element[n].data, element[n].len);
        }

        *p = '\0';

        ok(t[i][1] ? rc == NGX_OK && strcmp((char *) joined, t[i][1]) == 0
                   : rc == NGX_DECLINED && error && offset <= text.len,
           show("elements", t[i][0]));

        free(text.data);
        ngx_destroy_pool(pool);
    }
}


static void
memory(void)
{
    ngx_int_t                          n, rc;
    ngx_str_t                          text;
    ngx_pool_t                        *pool;
    ngx_http_flowdash_json_select_t    sel;
    ngx_http_flowdash_json_verdict_e   verdict;

    /* many names, and one that is long and has an escape */

    static const char  escaped[] =
        "{\"f\":{\"\\u0061aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "\":{\"id\":\"\\u0037\",\"v\":1},\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,"
        "\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,"
        "\"p\":1,\"q\":1,\"r\":1}}";

    text = exactly(escaped, strlen(escaped));

    for (n = 0, rc = NGX_ERROR; rc != NGX_OK && n < 1000; n++) {

        pool = ngx_create_pool(4096, &test_log);

        test_budget = n;
        rc = find(pool, "/f/[id=7]/v", &text, NGX_HTTP_FLOWDASH_STRICT_ALL,
                  &sel, &verdict);
        test_budget = -1;

        if (rc == NGX_OK) {
            ok(n > 5 && is_text(&sel.value, "1"),
               "without memory, it fails; with it, it does not");
        }

        ngx_destroy_pool(pool);
    }

    free(text.data);
}


int
main(void)
{
    (void) test_begin(0);

    pointers();
    finds();
    refuses();
    limits();
    several();
    unique();
    scalars();
    elements();
    memory();

    return test_end();
}
