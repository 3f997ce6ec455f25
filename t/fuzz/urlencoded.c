
/*
 * A urlencoded form or a query: its settings, the pointer, the form and the
 * changes in JSON.
 */


#include "form.h"


static ngx_int_t
form_read(form_case_t *c, ngx_http_flowdash_form_t *form, ngx_str_t *text)
{
    form_init(c, form);

    return ngx_http_flowdash_form_urlencoded_parse(form, text);
}


/* a "%" that starts no escape stays: it is only in what is not the task's */

static ngx_str_t
model_decode(form_case_t *c, u_char *p, u_char *last)
{
    char        hex[3], *end;
    ngx_str_t   s;

    s.data = fuzz_alloc(c->pool, last - p);
    s.len = 0;
    hex[2] = '\0';

    while (p < last) {

        if (*p == '%' && last - p >= 3 && isxdigit(p[1]) && isxdigit(p[2])) {
            ngx_memcpy(hex, p + 1, 2);
            s.data[s.len++] = (u_char) strtoul(hex, &end, 16);
            p += 3;
            continue;
        }

        s.data[s.len++] = (*p == '+') ? ' ' : *p;
        p++;
    }

    return s;
}


static ngx_uint_t
form_model(form_case_t *c, ngx_str_t *text, form_pairs_t *pairs)
{
    u_char       *p, *end, *last, *value;
    form_pair_t  *pair;

    p = text->data;
    last = p + text->len;

    /* a "&" too many stands for a pair that is empty, and stays */

    for ( /* void */ ; text->len && p <= last; p = end + 1) {

        end = (p < last) ? memchr(p, '&', last - p) : NULL;

        if (end == NULL) {
            end = last;
        }

        pair = form_push(c, pairs);
        pair->raw.data = p;
        pair->raw.len = end - p;

        if (end == p) {
            continue;
        }

        value = memchr(p, '=', end - p);

        pair->name = model_decode(c, p, value ? value : end);

        if (value) {
            pair->value = model_decode(c, value + 1, end);
        }

        form_split(c, pair);
    }

    return 1;
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
