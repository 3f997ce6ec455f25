
/*
 * A urlencoded form or a query: its settings, the pointer, the form and the
 * changes in JSON.
 */


#include "form.h"
#include "urlencoded.h"


static ngx_int_t
form_read(form_case_t *c, ngx_http_flowdash_form_t *form, ngx_str_t *text)
{
    form_init(c, form);

    return ngx_http_flowdash_form_urlencoded_parse(form, text);
}


static ngx_uint_t
form_model(form_case_t *c, ngx_str_t *text, form_pairs_t *pairs)
{
    return urlencoded_model(c, text, pairs);
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    ngx_str_t     text, changes;
    form_case_t   c;
    fuzz_input_t  in;

    fuzz_begin(&in, data, size);

    if (form_begin(&c, &in)) {
        text = fuzz_text(&in);
        changes = fuzz_rest(&in);

        form_check(&c, &text, &changes);
    }

    return fuzz_end(&in);
}
