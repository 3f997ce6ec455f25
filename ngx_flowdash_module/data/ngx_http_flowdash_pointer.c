
/*
 * Pointers as they are written in the configuration: RFC 6901, and selectors
 * such as [id=7].
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_pointer.h>


static const char *ngx_http_flowdash_pointer_selector(
    ngx_http_flowdash_token_t *token);


ngx_int_t
ngx_http_flowdash_pointer_token(u_char **start, u_char *last,
    ngx_str_t *token, ngx_pool_t *pool)
{
    u_char  *p, *dst;

    p = *start;

    if (*p++ != '/') {
        return NGX_DECLINED;
    }

    token->data = ngx_pnalloc(pool, last - p + 1);
    if (token->data == NULL) {
        return NGX_ERROR;
    }

    for (dst = token->data; p < last && *p != '/'; p++) {

        if (*p != '~') {
            *dst++ = *p;
            continue;
        }

        if (++p == last || (*p != '0' && *p != '1')) {
            return NGX_DECLINED;
        }

        *dst++ = (*p == '0') ? '~' : '/';
    }

    token->len = dst - token->data;
    *start = p;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_pointer_read(ngx_str_t *text, ngx_array_t *tokens,
    const char **error, ngx_pool_t *pool)
{
    u_char                     *p, *last;
    ngx_int_t                   rc;
    ngx_http_flowdash_token_t  *token;

    if (ngx_array_init(tokens, pool, 4, sizeof(ngx_http_flowdash_token_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_text_check_utf8(text)) {
        *error = "the pointer must be UTF-8";
        return NGX_DECLINED;
    }

    p = text->data;
    last = p + text->len;

    while (p < last) {

        token = ngx_array_push(tokens);
        if (token == NULL) {
            return NGX_ERROR;
        }

        ngx_str_null(&token->value);

        rc = ngx_http_flowdash_pointer_token(&p, last, &token->name, pool);

        if (rc == NGX_DECLINED) {
            *error = "a JSON pointer is empty or starts with \"/\"; in a "
                     "name, write \"~0\" for \"~\" and \"~1\" for \"/\"";
        }

        if (rc != NGX_OK) {
            return rc;
        }

        *error = ngx_http_flowdash_pointer_selector(token);

        if (*error == NULL && token->value.data && tokens->nelts > 1
            && token[-1].value.data)
        {
            *error = "a selector stands behind a name or an index";
        }

        if (*error) {
            return NGX_DECLINED;
        }
    }

    if (tokens->nelts >= NGX_HTTP_FLOWDASH_JSON_DEPTH) {
        *error = "the pointer is deeper than any accepted body";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* splits a selector; returns what is expected, or NULL */

static const char *
ngx_http_flowdash_pointer_selector(ngx_http_flowdash_token_t *token)
{
    u_char  *p, *last;

    p = token->name.data;
    last = p + token->name.len;

    if (p == last || *p != '[') {
        return NULL;
    }

    p = ngx_strlchr(p, last, '=');

    if (p == NULL || last[-1] != ']' || p == token->name.data + 1
        || p + 1 == last - 1)
    {
        return "a selector names a member and its value, as in \"/[id=7]\"; "
               "an index has no brackets, as in \"/0\"";
    }

    token->name.data++;
    token->name.len = p - token->name.data;

    token->value.data = p + 1;
    token->value.len = last - 1 - token->value.data;

    return NULL;
}
