
/*
 * A JSON pointer as it is configured: it is refused, or its tokens are those
 * of RFC 6901, and make the same pointer again.
 */


#include "fuzz.h"

#include <ngx_http.h>

#include "ngx_http_flowdash_conf_task.c"


/* what else is in that file is not called */

char *
ngx_http_flowdash_conf_refuse_literal(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *error)
{
    fuzz_check(*error, "a refusal has a reason");

    return NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_refuse(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *error)
{
    abort();
}


char *
ngx_http_flowdash_conf_param(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t **params, ngx_uint_t raw)
{
    abort();
}


char *
ngx_http_flowdash_conf_field_name(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name)
{
    abort();
}


ngx_int_t
ngx_http_flowdash_url_parts(ngx_conf_t *cf, ngx_array_t *parts, u_char *p,
    u_char *last)
{
    abort();
}


ngx_uint_t
ngx_http_flowdash_url_text_dot_segment(u_char *p, u_char *last)
{
    abort();
}


static ngx_str_t
write_again(ngx_pool_t *pool, ngx_array_t *pointer, size_t len)
{
    size_t       n;
    u_char      *p, c;
    ngx_str_t   *token, s;
    ngx_uint_t   i;

    s.data = fuzz_alloc(pool, len);
    p = s.data;
    token = pointer->elts;

    for (i = 0; i < pointer->nelts; i++) {

        *p++ = '/';

        for (n = 0; n < token[i].len; n++) {
            c = token[i].data[n];

            if (c == '~' || c == '/') {
                *p++ = '~';
                c = (c == '~') ? '0' : '1';
            }

            *p++ = c;
        }
    }

    s.len = p - s.data;

    return s;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    char          *rv;
    ngx_str_t      text, again, *a, *b;
    ngx_conf_t     cf;
    ngx_uint_t     i;
    ngx_array_t   *pointer, *model;
    fuzz_input_t   in;

    fuzz_begin(&in, data, size);

    text = fuzz_rest(&in);

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    cf.pool = in.pool;

    rv = ngx_http_flowdash_conf_pointer(&cf, NULL, &text, &pointer);
    model = fuzz_pointer(in.pool, &text);

    if (model && model->nelts >= NGX_HTTP_FLOWDASH_JSON_DEPTH) {
        model = NULL;
    }

    fuzz_check((rv == NGX_CONF_OK) == (model != NULL), "a pointer is one");

    if (model) {
        fuzz_check(pointer->nelts == model->nelts, "as many tokens");

        a = pointer->elts;
        b = model->elts;

        for (i = 0; i < model->nelts; i++) {
            fuzz_check(fuzz_is(&a[i], &b[i]), "a token");
        }

        again = write_again(in.pool, pointer, text.len);
        fuzz_check(fuzz_is(&again, &text), "they make the same pointer");
    }

    return fuzz_end(&in);
}
