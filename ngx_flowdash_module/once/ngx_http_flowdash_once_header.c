
/*
 * The header of a response that is kept.  nginx has a list of its fields, and
 * pointers to some of them by which filters find and replace these: both are
 * the same again when the response is replayed.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_once_response.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_once_header.h>


/* since 1.23.0, fields of the same name are linked */

#if (nginx_version >= 1023000)

typedef ngx_table_elt_t  *ngx_http_flowdash_once_fields_t;

#else

typedef ngx_array_t       ngx_http_flowdash_once_fields_t;

#endif


/* the pointers, by their place; 0: none */

static size_t  ngx_http_flowdash_once_header_places[] = {
    0,
    offsetof(ngx_http_headers_out_t, server),
    offsetof(ngx_http_headers_out_t, content_encoding),
    offsetof(ngx_http_headers_out_t, location),
    offsetof(ngx_http_headers_out_t, refresh),
    offsetof(ngx_http_headers_out_t, last_modified),
    offsetof(ngx_http_headers_out_t, content_range),
    offsetof(ngx_http_headers_out_t, www_authenticate),
    offsetof(ngx_http_headers_out_t, expires),
    offsetof(ngx_http_headers_out_t, etag)
};

#define NGX_HTTP_FLOWDASH_ONCE_HEADER_PLACES                                  \
    (sizeof(ngx_http_flowdash_once_header_places) / sizeof(size_t))

/* these can have several fields */

#define NGX_HTTP_FLOWDASH_ONCE_HEADER_CACHE                                   \
    NGX_HTTP_FLOWDASH_ONCE_HEADER_PLACES
#define NGX_HTTP_FLOWDASH_ONCE_HEADER_LINK                                    \
    (NGX_HTTP_FLOWDASH_ONCE_HEADER_PLACES + 1)


static ngx_uint_t ngx_http_flowdash_once_header_is_users(
    ngx_http_request_t *r, ngx_table_elt_t *h);
static ngx_uint_t ngx_http_flowdash_once_header_place(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static ngx_uint_t ngx_http_flowdash_once_header_has(
    ngx_http_flowdash_once_fields_t *fields, ngx_table_elt_t *h);
static ngx_int_t ngx_http_flowdash_once_header_add(ngx_http_request_t *r,
    ngx_http_flowdash_once_header_t *header);
static ngx_int_t ngx_http_flowdash_once_header_link(ngx_pool_t *pool,
    ngx_http_flowdash_once_fields_t *fields, ngx_table_elt_t *h);


ngx_int_t
ngx_http_flowdash_once_header_take(ngx_http_request_t *r,
    ngx_http_flowdash_once_response_t *response)
{
    ngx_uint_t                        i;
    ngx_list_part_t                  *part;
    ngx_table_elt_t                  *h;
    ngx_http_flowdash_once_header_t  *header;

    response->status = r->headers_out.status;
    response->content_length = r->headers_out.content_length_n;
    response->last_modified = r->headers_out.last_modified_time;
    response->content_type = r->headers_out.content_type;
    response->content_type_len = r->headers_out.content_type_len;
    response->charset = r->headers_out.charset;

    if (ngx_array_init(&response->headers, r->pool, 8,
                       sizeof(ngx_http_flowdash_once_header_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    i = 0;
    part = &r->headers_out.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (h->hash == 0
            || !ngx_http_flowdash_once_response_keeps(&h->key)
            || ngx_http_flowdash_once_header_is_users(r, h))
        {
            continue;
        }

        header = ngx_array_push(&response->headers);
        if (header == NULL) {
            return NGX_ERROR;
        }

        header->place = ngx_http_flowdash_once_header_place(r, h);
        header->name = h->key;
        header->value = h->value;
    }

    return NGX_OK;
}


/*
 * Whether it comes from the app's page about the user: each request asks for
 * that itself, and an older cookie must not replace a newer one.
 */

static ngx_uint_t
ngx_http_flowdash_once_header_is_users(ngx_http_request_t *r,
    ngx_table_elt_t *h)
{
    ngx_uint_t                i;
    ngx_table_elt_t          *header;
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx->user_headers == NULL) {
        return 0;
    }

    header = ctx->user_headers->elts;

    for (i = 0; i < ctx->user_headers->nelts; i++) {
        if (header[i].value.data == h->value.data) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_once_header_place(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    size_t             offset;
    ngx_uint_t         i;
    ngx_table_elt_t  **ph;

    for (i = 1; i < NGX_HTTP_FLOWDASH_ONCE_HEADER_PLACES; i++) {

        offset = ngx_http_flowdash_once_header_places[i];
        ph = (ngx_table_elt_t **) ((u_char *) &r->headers_out + offset);

        if (*ph == h) {
            return i;
        }
    }

    if (ngx_http_flowdash_once_header_has(&r->headers_out.cache_control, h)) {
        return NGX_HTTP_FLOWDASH_ONCE_HEADER_CACHE;
    }

    if (ngx_http_flowdash_once_header_has(&r->headers_out.link, h)) {
        return NGX_HTTP_FLOWDASH_ONCE_HEADER_LINK;
    }

    return 0;
}


#if (nginx_version >= 1023000)

static ngx_uint_t
ngx_http_flowdash_once_header_has(ngx_http_flowdash_once_fields_t *fields,
    ngx_table_elt_t *h)
{
    ngx_table_elt_t  *field;

    for (field = *fields; field; field = field->next) {
        if (field == h) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_flowdash_once_header_link(ngx_pool_t *pool,
    ngx_http_flowdash_once_fields_t *fields, ngx_table_elt_t *h)
{
    while (*fields) {
        fields = &(*fields)->next;
    }

    *fields = h;

    return NGX_OK;
}

#else

static ngx_uint_t
ngx_http_flowdash_once_header_has(ngx_http_flowdash_once_fields_t *fields,
    ngx_table_elt_t *h)
{
    ngx_uint_t         i;
    ngx_table_elt_t  **field;

    field = fields->elts;

    for (i = 0; field && i < fields->nelts; i++) {
        if (field[i] == h) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_flowdash_once_header_link(ngx_pool_t *pool,
    ngx_http_flowdash_once_fields_t *fields, ngx_table_elt_t *h)
{
    ngx_table_elt_t  **field;

    if (fields->elts == NULL
        && ngx_array_init(fields, pool, 2, sizeof(ngx_table_elt_t *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    field = ngx_array_push(fields);
    if (field == NULL) {
        return NGX_ERROR;
    }

    *field = h;

    return NGX_OK;
}

#endif


ngx_int_t
ngx_http_flowdash_once_header_put(ngx_http_request_t *r,
    ngx_http_flowdash_once_response_t *response)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_once_header_t  *header;

    r->headers_out.status = response->status;
    r->headers_out.content_length_n = response->content_length;
    r->headers_out.last_modified_time = response->last_modified;
    r->headers_out.content_type = response->content_type;
    r->headers_out.content_type_len = response->content_type_len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset = response->charset;

    header = response->headers.elts;

    for (i = 0; i < response->headers.nelts; i++) {
        if (ngx_http_flowdash_once_header_add(r, &header[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_once_header_add(ngx_http_request_t *r,
    ngx_http_flowdash_once_header_t *header)
{
    size_t             offset;
    ngx_table_elt_t   *h, **ph;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key = header->name;
    h->value = header->value;

    switch (header->place) {

    case 0:
        return NGX_OK;

    case NGX_HTTP_FLOWDASH_ONCE_HEADER_CACHE:
        return ngx_http_flowdash_once_header_link(r->pool,
                                          &r->headers_out.cache_control, h);

    case NGX_HTTP_FLOWDASH_ONCE_HEADER_LINK:
        return ngx_http_flowdash_once_header_link(r->pool,
                                                  &r->headers_out.link, h);

    default:
        offset = ngx_http_flowdash_once_header_places[header->place];
        ph = (ngx_table_elt_t **) ((u_char *) &r->headers_out + offset);

        *ph = h;
    }

    return NGX_OK;
}
