
/*
 * The variables of flowdash_secret, which have their values only while a call
 * is made.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_secret.h>


ngx_int_t
ngx_http_flowdash_secret_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_flowdash_secret_t *secret = (ngx_http_flowdash_secret_t *) data;

    ngx_str_t                        marker;
    ngx_http_flowdash_ctx_t         *ctx;
    ngx_http_flowdash_evaluation_t  *ev;

    ctx = ngx_http_flowdash_get_ctx(r);
    ev = ctx ? ctx->evaluation : NULL;

    if (ev) {
        ev->secret = 1;
    }

    if (ev == NULL || !ev->secrets) {

        v->not_found = 1;

        if (!secret->warned) {
            secret->warned = 1;

            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "flowdash: the secret \"$%V\" is empty wherever "
                          "a directive other than \"flowdash_set_header\", "
                          "\"flowdash_set_body\" or \"flowdash_call\" uses "
                          "it", &secret->name);
        }

        return NGX_OK;
    }

    ev->value->secret = 1;

    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    if (ctx->dry_run) {
        v->len = sizeof("***") - 1;
        v->data = (u_char *) "***";
        return NGX_OK;
    }

    if (ctx->markers) {

        if (ngx_http_flowdash_marker_add(ctx->markers, &secret->name, &marker)
            != NGX_OK)
        {
            ev->failed = 1;
            return NGX_ERROR;
        }

        v->len = marker.len;
        v->data = marker.data;
        return NGX_OK;
    }

    v->len = secret->value.len;
    v->data = secret->value.data;

    return NGX_OK;
}


ngx_http_flowdash_secret_t *
ngx_http_flowdash_secret_in(ngx_array_t *secrets, ngx_str_t *text)
{
    u_char                      *p, *last, *end;
    ngx_str_t                    name;
    ngx_http_flowdash_secret_t  *secret;

    last = text->data + text->len;

    for (p = text->data; p < last; p = end) {

        if (*p != '$') {
            end = p + 1;
            continue;
        }

        end = ngx_http_flowdash_text_variable_end(p, last);

        name.data = p + 1;
        name.len = end - name.data;

        if (name.len > 1 && name.data[0] == '{') {
            name.data++;
            name.len--;
            name.len -= (end[-1] == '}');
        }

        secret = ngx_http_flowdash_secret_named(secrets, &name);

        if (secret) {
            return secret;
        }
    }

    return NULL;
}


ngx_http_flowdash_secret_t *
ngx_http_flowdash_secret_named(ngx_array_t *secrets, ngx_str_t *name)
{
    ngx_uint_t                    i;
    ngx_http_flowdash_secret_t  **secret;

    if (secrets == NULL) {
        return NULL;
    }

    secret = secrets->elts;

    for (i = 0; i < secrets->nelts; i++) {

        /* to nginx, the case of a variable's name does not matter */

        if (name->len == secret[i]->name.len
            && ngx_strncasecmp(name->data, secret[i]->name.data, name->len)
               == 0)
        {
            return secret[i];
        }
    }

    return NULL;
}
