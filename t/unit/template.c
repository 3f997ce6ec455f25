
/*
 * Templates of a call's body: how they are split, what is refused, how values
 * are written, and memory that runs out.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#define ngx_pnalloc  test_pnalloc
#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_json_unescape.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_json_embed.c"
#include "ngx_http_flowdash_template.c"
#undef ngx_pnalloc


typedef ngx_int_t (*template_pt)(ngx_str_t *text, ngx_array_t *parts,
    ngx_http_flowdash_template_error_t *error, ngx_pool_t *pool);


static template_pt  json = ngx_http_flowdash_template_json;
static template_pt  form = ngx_http_flowdash_template_form;


/* "wanted" has each part: a letter for the place, the text, a line feed */

static ngx_uint_t
splits(template_pt read, const char *template, const char *wanted)
{
    char                                 got[256], *p;
    ngx_int_t                            rc;
    ngx_str_t                            text;
    ngx_uint_t                           i;
    ngx_pool_t                          *pool;
    ngx_array_t                          parts;
    ngx_http_flowdash_template_part_t   *part;
    ngx_http_flowdash_template_error_t   error;

    pool = ngx_create_pool(1024, &test_log);
    text = exactly(template, strlen(template));

    rc = read(&text, &parts, &error, pool);

    p = got;
    *p = '\0';

    part = parts.elts;

    for (i = 0; rc == NGX_OK && i < parts.nelts; i++) {
        p += snprintf(p, got + sizeof(got) - p, "%c%.*s\n",
                      "tjsf"[part[i].place], (int) part[i].text.len,
                      part[i].text.data);
    }

    if (rc != NGX_OK || strcmp(got, wanted) != 0) {
        printf("# %d\n# %s\n", (int) rc, got);
        wanted = NULL;
    }

    ngx_destroy_pool(pool);
    free(text.data);

    return wanted != NULL;
}


/* "near" is what the message shows */

static ngx_uint_t
refuses(template_pt read, const char *template, const char *near,
    const char *reason)
{
    ngx_int_t                            rc;
    ngx_str_t                            text;
    ngx_uint_t                           good;
    ngx_pool_t                          *pool;
    ngx_array_t                          parts;
    ngx_http_flowdash_template_error_t   error;

    pool = ngx_create_pool(1024, &test_log);
    text = exactly(template, strlen(template));

    ngx_memzero(&error, sizeof(error));

    rc = read(&text, &parts, &error, pool);

    good = rc == NGX_DECLINED && is_text(&error.near, near)
           && strstr(error.reason, reason) != NULL;

    if (!good) {
        printf("# %d \"%.*s\": %s\n", (int) rc, (int) error.near.len,
               error.near.data, error.reason ? error.reason : "");
    }

    ngx_destroy_pool(pool);
    free(text.data);

    return good;
}


static ngx_uint_t
writes(ngx_http_flowdash_template_place_e place, const char *value,
    const char *wanted)
{
    size_t      n;
    ngx_str_t   s, written;
    ngx_uint_t  good;

    s = exactly(value, strlen(value));
    n = ngx_http_flowdash_template_write(NULL, place, &s);

    written.len = n;
    written.data = malloc(n ? n : 1);

    good = ngx_http_flowdash_template_write(written.data, place, &s) == n
           && is_text(&written, wanted);

    free(written.data);
    free(s.data);

    return good;
}


/* whatever allocation is the first to fail, it says so */

static ngx_uint_t
out_of_memory(template_pt read, const char *template)
{
    ngx_int_t                            rc;
    ngx_str_t                            text;
    ngx_uint_t                           n;
    ngx_pool_t                          *pool;
    ngx_array_t                          parts;
    ngx_http_flowdash_template_error_t   error;

    text = exactly(template, strlen(template));
    rc = NGX_ERROR;

    for (n = 0; n < 100 && rc == NGX_ERROR; n++) {

        pool = ngx_create_pool(1024, &test_log);

        test_budget = n;
        rc = read(&text, &parts, &error, pool);
        test_budget = -1;

        ngx_destroy_pool(pool);
    }

    free(text.data);

    return rc == NGX_OK && n > 1;
}


static void
test_json(void)
{
    ok(splits(json, "{}", "t{}\n") && splits(json, " [1, \"a\"] ",
                                             "t [1, \"a\"] \n"),
       "JSON without variables");
    ok(splits(json, "$flowdash_json_task", "j$flowdash_json_task\n")
       && splits(json, "{\"a\":${FlowDash_JSON_x} ,\"b\":\"$1$2-${c}d\"}",
                 "t{\"a\":\nj${FlowDash_JSON_x}\nt ,\"b\":\"\n"
                 "s$1\ns$2\nt-\ns${c}\ntd\"}\n"),
       "JSON with variables");
    ok(splits(json, "[\"a\nb\r\tc\\\"\\\\$x\"]",
              "t[\"a\\nb\\r\\tc\\\"\\\\\ns$x\nt\"]\n"),
       "line breaks and tabs in a string");
    ok(splits(json, "[\"$a:\" ,\":$a\"]",
              "t[\"\ns$a\nt:\" ,\":\ns$a\nt\"]\n")
       && splits(json, "[\"$a\" ,\":\"]", "t[\"\ns$a\nt\" ,\":\"]\n"),
       "colons in strings are none");

    ok(refuses(json, "", "", "not JSON") && refuses(json, "{", "{", "not JSON")
       && refuses(json, "{\"a\":$flowdash_json_x$flowdash_json_x}",
                  "{\"a\":nullnull}", "not JSON")
       && refuses(json, "[$flowdash_json_x 1]", "[null 1]", "not JSON")
       && refuses(json, "[\"$a]", "[\"x]", "not JSON"), "what is not JSON");
    ok(refuses(json, "{\"a$b\":1}", "{\"a$b\":1}", "the name of a member")
       && refuses(json, "{\"$b\"\n\t :1}", "{\"$b\"", "the name of a member")
       && refuses(json, "{$flowdash_json_x\r:1}", "{$flowdash_json_x",
                  "the name of a member"),
       "variables in names");
    ok(refuses(json, "[$a]", "[$a]", "outside of quotes")
       && refuses(json, "[$flowdash_json_]", "[$flowdash_json_]",
                  "outside of quotes")
       && refuses(json, "[\"$flowdash_json_x\"]", "[\"$flowdash_json_x\"]",
                  "complete JSON value"),
       "variables in the wrong place");
    ok(refuses(json, "[\"$\"]", "[\"$\"]", "a \"$\" without")
       && refuses(json, "[\"${\"]", "[\"${\"]", "a \"$\" without")
       && refuses(json, "[\"${}\"]", "[\"${}\"]", "a \"$\" without")
       && refuses(json, "$", "$", "a \"$\" without"), "dollar signs");
    ok(refuses(json, "[\"\\$a\"]", "[\"\\$a\"]", "a backslash")
       && refuses(json, "[\"\\", "[\"\\", "a backslash")
       && refuses(json, "[\"\\u00$a\"]", "[\"\\u00x\"]", "not JSON"),
       "escapes that a variable would end");
    ok(refuses(json, "[\"\\ud800$a\"]", "[\"\\ud800x\"]", "surrogate")
       && refuses(json, "[\"\x01\"]", "[\"", "a control character")
       && refuses(json, "[\"\xff\"]", "[\"\xff\"]", "a control character"),
       "what is no text");
    ok(refuses(json, "[\"0123456789\xc3\xa9\xc3\xa9\xc3\xa9$flowdash_json_x"
                     "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"]",
               "0123456789\xc3\xa9\xc3\xa9\xc3\xa9$flowdash_json_x"
               "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", "outside of quotes")
       && refuses(json, "[\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                  "\xc3\xa9-\xc3\xa9$\"]",
                  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9-\xc3\xa9$\"]",
                  "a \"$\" without")
       && refuses(json, "{\n  \"a\": 1,\n  \"b\" 2\n}", "  \"b\" 2", "not JSON"),
       "one line, and no half of a character");
}


static void
test_form(void)
{
    ok(splits(form, "", "") && splits(form, "a=1&b", "ta=1&b\n")
       && splits(form, "a=$a&b=x+${b}%20=$c",
                 "ta=\nf$a\nt&b=x+\nf${b}\nt%20=\nf$c\n"), "forms");
    ok(refuses(form, "a b", "a b", "visible")
       && refuses(form, "a=\xc3\xa9", "a=\xc3\xa9", "visible")
       && refuses(form, "a=1\n&b=2", "a=1", "visible"), "what is not encoded");
    ok(refuses(form, "a=%", "a=%", "%25") && refuses(form, "a=%4", "a=%4", "%25")
       && refuses(form, "%4g=1", "%4g=1", "%25"), "percent signs");
    ok(refuses(form, "$a", "$a", "after the")
       && refuses(form, "a=1&b$c=1", "a=1&b$c=1", "after the")
       && refuses(form, "a=$", "a=$", "a \"$\" without"),
       "variables in the wrong place");
}


int
main(void)
{
    (void) test_begin(0);

    test_json();
    test_form();

    ok(writes(NGX_HTTP_FLOWDASH_TEMPLATE_TEXT, "a\"&", "a\"&")
       && writes(NGX_HTTP_FLOWDASH_TEMPLATE_JSON, "[1]", "[1]")
       && writes(NGX_HTTP_FLOWDASH_TEMPLATE_STRING, "a\"\n<",
                 "a\\\"\\n\\u003c")
       && writes(NGX_HTTP_FLOWDASH_TEMPLATE_FORM, "a&b= +%\xc3\xa9",
                 "a%26b%3D%20%2B%25%C3%A9")
       && writes(NGX_HTTP_FLOWDASH_TEMPLATE_FORM, "", ""), "values");

    ok(out_of_memory(json, "[\"$a\"]") && out_of_memory(form, "a=$a"),
       "memory runs out");

    return test_end();
}
