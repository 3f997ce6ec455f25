
/*
 * What the fields of a form, and a value that is to become one, may take: all
 * of flowdash_max_fields_size, and not an octet more.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_strict.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_fold.c"
#include "ngx_http_flowdash_json_names.c"
#include "ngx_http_flowdash_json_pointer.c"
#include "ngx_http_flowdash_json_leaves.c"
#include "ngx_http_flowdash_task.c"
#include "ngx_http_flowdash_form.c"
#include "ngx_http_flowdash_form_rules.c"
#include "ngx_http_flowdash_form_alias.c"
#include "ngx_http_flowdash_form_name.c"
#include "ngx_http_flowdash_form_index.c"
#include "ngx_http_flowdash_form_check.c"


static void test_charge(void);
static void test_check(void);
static ngx_int_t check(size_t max_size, const char **error);


static ngx_pool_t  *test_pool;


int
main(void)
{
    (void) test_begin(0);

    test_pool = ngx_create_pool(4096, &test_log);

    test_charge();
    test_check();

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


/* issue[a][b] and xyz have 14 octets */

static void
test_check(void)
{
    const char  *error;

    ok(check(14, &error) == NGX_OK, "a value that just fits");
    ok(check(13, &error) == NGX_DECLINED, "one octet more");
}


static ngx_int_t
check(size_t max_size, const char **error)
{
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
    ngx_str_set(&field.node.str, "a");
    ngx_str_set(&field.value, "{\"b\":\"xyz\"}");

    return ngx_http_flowdash_form_check(&form, &field, NULL, error);
}
