
/*
 * What the fields of a form may take: all of flowdash_max_fields_size, and not
 * an octet more.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_form.c"


int
main(void)
{
    ngx_str_t                 boundary = ngx_null_string;
    ngx_http_flowdash_form_t  form;

    (void) test_begin(0);

    ngx_http_flowdash_form_init(&form, NULL, NULL, &boundary, 100);

    ok(ngx_http_flowdash_form_charge(&form, 40) == NGX_OK, "less than all");
    ok(ngx_http_flowdash_form_charge(&form, 60) == NGX_OK, "all");
    ok(ngx_http_flowdash_form_charge(&form, 0) == NGX_OK, "all, again");
    ok(form.verdict == NGX_HTTP_FLOWDASH_FORM_OK, "nothing is refused");

    ok(ngx_http_flowdash_form_charge(&form, 1) != NGX_OK, "one octet more");
    ok(form.verdict == NGX_HTTP_FLOWDASH_FORM_LARGE, "is refused");

    return test_end();
}
