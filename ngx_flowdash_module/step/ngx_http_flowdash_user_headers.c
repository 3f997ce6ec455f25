
/*
 * Headers of the answer about the user that the client gets, whatever becomes
 * of the action: an app that renews a session with each request takes the old
 * one for stolen.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_user_headers.h>


static ngx_table_elt_t *ngx_http_flowdash_user_headers_find(
    ngx_http_request_t *sr, const char *name);
static ngx_uint_t ngx_http_flowdash_user_headers_has(ngx_http_request_t *r,
    ngx_table_elt_t *header);


ngx_int_t
ngx_http_flowdash_user_headers_take(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *copy;

    i = 0;
    part = &ex->request->headers_out.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (h->hash == 0
            || (!ngx_http_flowdash_text_is(&h->key, "Set-Cookie")
                && (ex->status != NGX_HTTP_UNAUTHORIZED
                    || !ngx_http_flowdash_text_is(&h->key,
                                                  "WWW-Authenticate"))))
        {
            continue;
        }

        if (ctx->user_headers == NULL) {
            ctx->user_headers = ngx_array_create(r->pool, 2,
                                                 sizeof(ngx_table_elt_t));
            if (ctx->user_headers == NULL) {
                return NGX_ERROR;
            }
        }

        copy = ngx_array_push(ctx->user_headers);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(copy, sizeof(ngx_table_elt_t));

        copy->hash = 1;
        copy->key = h->key;
        copy->value = h->value;
    }

    /* now, since the app's own cookies must come after these, and win */

    return ngx_http_flowdash_user_headers_add(r, ctx);
}


ngx_int_t
ngx_http_flowdash_user_headers_add(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *h, *header;

    if (ctx->user_headers == NULL) {
        return NGX_OK;
    }

    header = ctx->user_headers->elts;

    for (i = 0; i < ctx->user_headers->nelts; i++) {

        if (ngx_http_flowdash_user_headers_has(r, &header[i])) {
            continue;
        }

        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = header[i];
    }

    return NGX_OK;
}


/* the value is the same bytes, not only an equal text */

static ngx_uint_t
ngx_http_flowdash_user_headers_has(ngx_http_request_t *r,
    ngx_table_elt_t *header)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = 0;
    part = &r->headers_out.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (h->value.data == header->value.data) {
            return 1;
        }
    }

    return 0;
}


/*
 * A target that is relative to the page about the user gets that page's path.
 */

ngx_int_t
ngx_http_flowdash_user_headers_location(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_str_t *location)
{
    u_char           *p;
    size_t            len;
    ngx_str_t         path;
    ngx_table_elt_t  *h;

    h = ngx_http_flowdash_user_headers_find(ex->request, "Location");

    if (h == NULL || h->value.len == 0) {
        return NGX_DECLINED;
    }

    *location = h->value;

    for (len = 0; len < location->len; len++) {
        if (ngx_strchr(":/?#", location->data[len])) {
            break;
        }
    }

    if (len < location->len
        && (location->data[len] == ':' || (len == 0
                                           && location->data[0] == '/')))
    {
        return NGX_OK;
    }

    path = ex->request->unparsed_uri;

    p = ngx_strlchr(path.data, path.data + path.len, '?');

    if (p) {
        path.len = p - path.data;
    }

    if (location->data[0] != '?') {
        while (path.len && path.data[path.len - 1] != '/') {
            path.len--;
        }
    }

    p = ngx_pnalloc(r->pool, path.len + location->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    location->len = ngx_sprintf(p, "%V%V", &path, &h->value) - p;
    location->data = p;

    return NGX_OK;
}


static ngx_table_elt_t *
ngx_http_flowdash_user_headers_find(ngx_http_request_t *sr, const char *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = 0;
    part = &sr->headers_out.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (h->hash && ngx_http_flowdash_text_is(&h->key, name)) {
            return h;
        }
    }

    return NULL;
}
