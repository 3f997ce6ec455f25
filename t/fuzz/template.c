
/*
 * Templates of a call's body, and the values of their variables.  A second
 * parser says what the body has become: whatever the values are, it has the
 * shape that it has with plain ones.
 */


#include "json.h"

#include <ngx_http_flowdash_json_embed.h>
#include <ngx_http_flowdash_template.h>


/* a string with its quotes, as a variable $flowdash_json_... would have it */

static ngx_str_t
quote(ngx_pool_t *pool, ngx_str_t *value)
{
    ngx_str_t  s;

    s.len = ngx_http_flowdash_json_embed_text(NULL, value) + 2;
    s.data = fuzz_alloc(pool, s.len);

    s.data[0] = '"';
    s.data[s.len - 1] = '"';

    fuzz_check(ngx_http_flowdash_json_embed_text(s.data + 1, value)
               == s.len - 2, "the length is right");

    return s;
}


/* the body with this value for each variable */

static ngx_str_t
fill(ngx_pool_t *pool, ngx_array_t *parts, ngx_str_t *value)
{
    size_t                              n;
    ngx_str_t                           body, quoted, *s;
    ngx_uint_t                          i;
    ngx_http_flowdash_template_part_t  *part;

    quoted = quote(pool, value);

    part = parts->elts;
    body.len = 0;

    for (i = 0; i < parts->nelts; i++) {
        body.len += part[i].text.len + 6 * value->len + 2;
    }

    body.data = fuzz_alloc(pool, body.len);
    body.len = 0;

    for (i = 0; i < parts->nelts; i++) {

        s = part[i].place == NGX_HTTP_FLOWDASH_TEMPLATE_TEXT ? &part[i].text
            : part[i].place == NGX_HTTP_FLOWDASH_TEMPLATE_JSON ? &quoted
            : value;

        n = ngx_http_flowdash_template_write(NULL, part[i].place, s);

        fuzz_check(ngx_http_flowdash_template_write(body.data + body.len,
                                                    part[i].place, s)
                   == n, "the length is right");
        body.len += n;
    }

    return body;
}


static void
check_shape(json_t *a, json_t *b)
{
    json_t  *x, *y;

    fuzz_check(a->type == b->type && a->members == b->members
               && fuzz_is(&a->name, &b->name), "the same shape");

    for (x = a->first, y = b->first; x; x = x->next, y = y->next) {
        check_shape(x, y);
    }
}


static void
check_json(ngx_pool_t *pool, ngx_array_t *parts, ngx_str_t *value)
{
    json_t      *plain, *filled;
    ngx_str_t    x, body;
    ngx_uint_t   depth;

    ngx_str_set(&x, "x");

    body = fill(pool, parts, &x);
    plain = json_parse(pool, &body, &depth);
    fuzz_check(plain, "JSON with plain values");

    body = fill(pool, parts, value);
    filled = json_parse(pool, &body, &depth);
    fuzz_check(filled, "JSON with any values");

    check_shape(plain, filled);
}


/* the number of each byte that divides a form */

static size_t
count(ngx_str_t *s, u_char c)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < s->len; i++) {
        n += (s->data[i] == c);
    }

    return n;
}


static void
check_form(ngx_pool_t *pool, ngx_array_t *parts, ngx_str_t *value)
{
    size_t     i;
    ngx_str_t  x, plain, filled;

    ngx_str_set(&x, "x");

    plain = fill(pool, parts, &x);
    filled = fill(pool, parts, value);

    fuzz_check(count(&plain, '&') == count(&filled, '&')
               && count(&plain, '=') == count(&filled, '=')
               && count(&plain, '+') == count(&filled, '+'),
               "the same pairs");

    for (i = 0; i < filled.len; i++) {
        fuzz_check(filled.data[i] > 0x20 && filled.data[i] < 0x7f,
                   "it is encoded");
    }
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    ngx_int_t                            rc;
    ngx_str_t                            settings, text, value;
    ngx_uint_t                           form;
    ngx_array_t                          parts;
    fuzz_input_t                         in;
    ngx_http_flowdash_template_error_t   error;

    fuzz_begin(&in, data, size);

    settings = fuzz_text(&in);
    text = fuzz_text(&in);
    value = fuzz_rest(&in);

    form = (fuzz_setting(&settings, 0, 'j') == 'f');

    ngx_memzero(&error, sizeof(ngx_http_flowdash_template_error_t));

    rc = form ? ngx_http_flowdash_template_form(&text, &parts, &error, in.pool)
              : ngx_http_flowdash_template_json(&text, &parts, &error,
                                                in.pool);

    fuzz_check(rc == NGX_OK || rc == NGX_DECLINED, "there is memory");
    fuzz_check((rc == NGX_OK) == (error.reason == NULL),
               "a refusal has a reason");

    if (rc == NGX_OK && form) {
        check_form(in.pool, &parts, &value);

    } else if (rc == NGX_OK) {
        check_json(in.pool, &parts, &value);
    }

    return fuzz_end(&in);
}
