
/*
 * What the fields of a form, and a value that is to become one, may take: all
 * of flowdash_max_fields_size, and not an octet more.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_strict.c"
#include "ngx_http_flowdash_json_unescape.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_json_scan.c"
#include "ngx_http_flowdash_hash.c"
#include "ngx_http_flowdash_slices.c"
#include "ngx_http_flowdash_table.c"
#include "ngx_http_flowdash_fold.c"
#include "ngx_http_flowdash_json_names.c"
#include "ngx_http_flowdash_json_pointer.c"
#include "ngx_http_flowdash_json_leaves.c"
#include "ngx_http_flowdash_field.c"
#include "ngx_http_flowdash_field_index.c"
#include "ngx_http_flowdash_task.c"
#include "ngx_http_flowdash_form.c"
#include "ngx_http_flowdash_form_grammar.c"
#include "ngx_http_flowdash_form_rules.c"
#include "ngx_http_flowdash_form_alias.c"
#include "ngx_http_flowdash_form_name.c"
#include "ngx_http_flowdash_form_index.c"
#include "ngx_http_flowdash_method.c"
#include "ngx_http_flowdash_multipart_media.c"
#include "ngx_http_flowdash_multipart_state.c"
#include "ngx_http_flowdash_multipart_delimiter.c"
#include "ngx_http_flowdash_multipart_grammar.c"
#include "ngx_http_flowdash_form_check.c"


static void test_charge(void);
static void test_check(void);
static void test_fields(void);
static void test_alias(void);
static void test_empty_token(void);
static void test_grammar(void);
static ngx_uint_t grammar(const char *pair, ngx_uint_t query);
static ngx_int_t check(size_t max_size, const char **error);
static void test_check_name(void);
static ngx_int_t check_name(const char *name, const char *boundary);
static ngx_int_t check_field(const char *root, const char *name,
    const char *boundary);


static ngx_pool_t  *test_pool;


int
main(void)
{
    (void) test_begin(0);

    test_pool = ngx_create_pool(4096, &test_log);

    test_charge();
    test_check();
    test_check_name();
    test_fields();
    test_alias();
    test_empty_token();
    test_grammar();

    ngx_destroy_pool(test_pool);

    return test_end();
}


static void
test_charge(void)
{
    ngx_str_t                 boundary = ngx_null_string;
    ngx_http_flowdash_form_t  form;

    ngx_http_flowdash_form_init(&form, NULL, NULL, &boundary, 100,
                                NGX_HTTP_FLOWDASH_STRICT_ALL);

    ok(ngx_http_flowdash_form_charge(&form, 40) == NGX_OK, "less than all");
    ok(ngx_http_flowdash_form_charge(&form, 60) == NGX_OK, "all");
    ok(ngx_http_flowdash_form_charge(&form, 0) == NGX_OK, "all, again");
    ok(form.verdict == NGX_HTTP_FLOWDASH_FORM_OK, "nothing is refused");

    ok(ngx_http_flowdash_form_charge(&form, 1) != NGX_OK, "one octet more");
    ok(form.verdict == NGX_HTTP_FLOWDASH_FORM_LARGE, "is refused");
}


/* issue[...][b] and "xyz" have 513 octets, its nodes less */

static void
test_check(void)
{
    const char  *error;

    ok(check(513, &error) == NGX_OK, "a value that just fits");
    ok(check(512, &error) == NGX_DECLINED, "one octet more");
}


static ngx_int_t
check(size_t max_size, const char **error)
{
    u_char                      name[500];
    ngx_str_t                   boundary = ngx_null_string;
    ngx_str_t                  *token;
    ngx_array_t                *pointer;
    ngx_http_flowdash_form_t    form;
    ngx_http_flowdash_field_t   field;

    pointer = ngx_array_create(test_pool, 1, sizeof(ngx_str_t));
    token = ngx_array_push(pointer);
    ngx_str_set(token, "issue");

    ngx_http_flowdash_form_init(&form, test_pool, pointer, &boundary,
                                max_size, NGX_HTTP_FLOWDASH_STRICT_ALL);

    ngx_memzero(&field, sizeof(ngx_http_flowdash_field_t));
    ngx_memset(name, 'a', sizeof(name));
    field.name.data = name;
    field.name.len = sizeof(name);
    ngx_str_set(&field.value, "{\"b\":\"xyz\"}");

    return ngx_http_flowdash_form_check(&form, &field, NULL, error);
}


/* a part that is written must be one that is read, whatever an answer names */

static void
test_check_name(void)
{
    ok(check_name("name", "B") == NGX_OK, "a name");
    ok(check_name("a name=x", "B") == NGX_DECLINED, "another name in it");
    ok(check_name("a name=x", "") == NGX_OK, "in no multipart form");
    ok(check_name("xcontent-Dispositionx", "B") == NGX_DECLINED,
       "another header in it");
    ok(check_name("xcontent-Dispositionx", "") == NGX_OK,
       "in no multipart form");

    ok(check_name("name ", "") == NGX_DECLINED, "a space at the end");
    ok(check_field("issue", "name ", "") == NGX_OK, "in brackets");
    ok(check_field("issue ", "name", "") == NGX_DECLINED, "before brackets");

    ok(check_name("_charset_", "") == NGX_DECLINED
       && check_name("_charset_", "B") == NGX_DECLINED,
       "the form's charset");
    ok(check_field("issue", "_charset_", "") == NGX_OK, "in brackets");
}


static ngx_int_t
check_name(const char *name, const char *boundary)
{
    return check_field(NULL, name, boundary);
}


/* the name is root[name] */

static ngx_int_t
check_field(const char *root, const char *name, const char *boundary)
{
    ngx_str_t                   with, *token;
    ngx_array_t                *pointer;
    const char                 *error;
    ngx_http_flowdash_form_t    form;
    ngx_http_flowdash_field_t   field;

    with.data = (u_char *) boundary;
    with.len = ngx_strlen(boundary);

    pointer = ngx_array_create(test_pool, 1, sizeof(ngx_str_t));

    if (root) {
        token = ngx_array_push(pointer);
        token->data = (u_char *) root;
        token->len = ngx_strlen(root);
    }

    ngx_http_flowdash_form_init(&form, test_pool, pointer, &with, 1000,
                                NGX_HTTP_FLOWDASH_STRICT_NONE);

    ngx_memzero(&field, sizeof(ngx_http_flowdash_field_t));
    field.name.data = (u_char *) name;
    field.name.len = ngx_strlen(name);
    ngx_str_set(&field.value, "\"x\"");

    return ngx_http_flowdash_form_check(&form, &field, NULL, &error);
}


static void
test_fields(void)
{
    ngx_str_t                 boundary = ngx_null_string;
    ngx_http_flowdash_form_t  form;

    ngx_http_flowdash_form_init(&form, NULL, NULL, &boundary, 100,
                                NGX_HTTP_FLOWDASH_STRICT_ALL);
    form.max_fields = 2;

    ok(ngx_http_flowdash_form_count(&form, 1) == NGX_OK, "one pair");
    ok(ngx_http_flowdash_form_count(&form, 2) == NGX_OK, "two pairs");
    ok(ngx_http_flowdash_form_count(&form, 3) == NGX_DECLINED, "too many");
    ok(form.verdict == NGX_HTTP_FLOWDASH_FORM_LARGE && form.offset == 3
       && form.rule == NGX_HTTP_FLOWDASH_STRICT_FIELDS, "by a rule");

    form.strict = NGX_HTTP_FLOWDASH_STRICT_NONE;

    ok(ngx_http_flowdash_form_count(&form, 4) == NGX_OK, "without the rule");
}


/* names of a step that failed must not be in the way of later ones */

static void
test_alias(void)
{
    ngx_str_t                        boundary = ngx_null_string;
    ngx_array_t                     *pointer;
    ngx_http_flowdash_form_t         form;
    ngx_http_flowdash_form_mark_t    mark;

    static ngx_str_t  name = ngx_string("a");
    static ngx_str_t  dotted = ngx_string("b.c.d");
    static ngx_str_t  upper = ngx_string("A");
    static ngx_str_t  head = ngx_string("B.c");
    static ngx_str_t  mangled = ngx_string("b_c_D");

    pointer = ngx_array_create(test_pool, 1, sizeof(ngx_str_t));

    ngx_http_flowdash_form_init(&form, test_pool, pointer, &boundary, 100,
                                NGX_HTTP_FLOWDASH_STRICT_ALL);

    ok(ngx_http_flowdash_form_alias_add(&form, &name) == NGX_OK, "a name");
    ok(ngx_http_flowdash_form_alias_add(&form, &name) == NGX_DONE, "again");

    ngx_http_flowdash_form_alias_mark(&form, &mark);

    ok(ngx_http_flowdash_form_alias_add(&form, &dotted) == NGX_OK, "dots");
    ok(ngx_http_flowdash_form_alias_check(&form, &upper) == NGX_DECLINED
       && form.rule == NGX_HTTP_FLOWDASH_STRICT_CASE, "another case");
    ok(ngx_http_flowdash_form_alias_check(&form, &head) == NGX_DECLINED
       && form.rule == NGX_HTTP_FLOWDASH_STRICT_DOTS, "what dots lead to");
    ok(ngx_http_flowdash_form_alias_check(&form, &mangled) == NGX_DECLINED
       && form.rule == NGX_HTTP_FLOWDASH_STRICT_PHP, "PHP's name");

    ngx_http_flowdash_form_alias_remove(&form, &mark);

    ok(ngx_http_flowdash_form_alias_check(&form, &head) == NGX_OK
       && ngx_http_flowdash_form_alias_check(&form, &mangled) == NGX_OK,
       "removed");
    ok(ngx_http_flowdash_form_alias_check(&form, &name) == NGX_DONE, "kept");
}


/* every byte as part of a name and of a value */

/*
 * The pointer "/" has one token, of no byte.  Names that some apps read as one
 * with an empty root are refused, others are beside the task.
 */

static void
test_empty_token(void)
{
    ngx_str_t                      boundary = ngx_null_string;
    ngx_str_t                     *token, field, end;
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_array_t                   *pointer;
    ngx_http_flowdash_form_t       form;
    ngx_http_flowdash_form_pair_t  pair;

    static const struct {
        const char                *name;
        ngx_int_t                  rc;
        ngx_uint_t                 rule;
    } tests[] = {
        { "", NGX_DECLINED, 0 },
        { "]", NGX_DECLINED, 0 },
        { "[x]", NGX_DECLINED, 0 },
        { "[x][y]", NGX_DECLINED, 0 },
        { " [x]", NGX_DECLINED, 0 },
        { "![x]", NGX_DECLINED, NGX_HTTP_FLOWDASH_STRICT_MEANING },
        { "a", NGX_DONE, 0 },
        { "a[x]", NGX_DONE, 0 },
        { "a[", NGX_DONE, 0 },
        { "a]", NGX_DONE, 0 },
    };

    end = exactly("x", 1);

    pointer = ngx_array_create(test_pool, 1, sizeof(ngx_str_t));
    token = ngx_array_push(pointer);
    token->len = 0;
    token->data = end.data + 1;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {

        ngx_http_flowdash_form_init(&form, test_pool, pointer, &boundary, 100,
                                    NGX_HTTP_FLOWDASH_STRICT_ALL);
        ngx_memzero(&pair, sizeof(ngx_http_flowdash_form_pair_t));
        pair.name = exactly(tests[i].name, strlen(tests[i].name));

        rc = ngx_http_flowdash_form_name(&form, &pair, &field);

        ok(rc == tests[i].rc && form.rule == tests[i].rule,
           show("an empty token", tests[i].name));

        free(pair.name.data);
    }

    free(end.data);
}


static void
test_grammar(void)
{
    char        pair[5];
    ngx_uint_t  c, wrong;

    wrong = 0;

    for (c = 1; c < 256; c++) {

        ngx_memcpy(pair, "x_=1", 5);
        pair[1] = (char) c;

        wrong += grammar(pair, 0)
                 != (c <= 0x20 || c >= 0x7f || strchr("\"#<>{", (int) c));

        ngx_memcpy(pair, "x=_1", 5);
        pair[2] = (char) c;

        wrong += grammar(pair, 0)
                 != (c < 0x20 || c >= 0x7f || strchr("#<>", (int) c));
        wrong += grammar(pair, 1)
                 != (c <= 0x20 || c >= 0x7f || strchr("\"#<>", (int) c));
    }

    ok(wrong == 0, "every byte of names and values");

    ok(grammar("a[b]=c]=d", 0) == 0, "the name ends with a bracket");
    ok(grammar("a%5bb%5D=c]=d", 0) == 0, "with an escaped one");
    ok(grammar("a=c]=d", 0) == 1, "qs ends it in the value");
    ok(grammar("a=]=", 0) == 1, "at its beginning");
    ok(grammar("a=c%5d=d", 0) == 1, "at an escaped bracket");
    ok(grammar("a=c%5d%3Dd", 0) == 0, "not at an escaped sign");
    ok(grammar("a]", 0) == 0, "without a value");
    ok(grammar("=", 0) == 0, "without anything");
}


static ngx_uint_t
grammar(const char *pair, ngx_uint_t query)
{
    ngx_str_t                 text, boundary = ngx_null_string;
    ngx_http_flowdash_form_t  form;

    text.data = (u_char *) pair;
    text.len = ngx_strlen(pair);

    ngx_http_flowdash_form_init(&form, NULL, NULL, &boundary, 100,
                                NGX_HTTP_FLOWDASH_STRICT_ALL);
    form.query = query;

    return ngx_http_flowdash_form_grammar_pair(&form, &text, text.data,
                                               text.data + text.len)
           != NGX_OK;
}
