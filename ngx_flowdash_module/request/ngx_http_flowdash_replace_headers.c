
/*
 * Updates the headers and variables that depend on the client's request body,
 * after it is replaced or discarded.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_replace_headers.h>


/* which headers to remove besides those that describe the old bytes */

#define NGX_HTTP_FLOWDASH_REPLACE_CODING  1
#define NGX_HTTP_FLOWDASH_REPLACE_ALL     2
#define NGX_HTTP_FLOWDASH_REPLACE_TRACE   3      /* only those of a trace */


static ngx_int_t ngx_http_flowdash_replace_headers_set(ngx_http_request_t *r,
    ngx_table_elt_t **header, const char *name, ngx_str_t *value);
static ngx_int_t ngx_http_flowdash_replace_headers_clean(ngx_http_request_t *r,
    ngx_uint_t what);
static ngx_uint_t ngx_http_flowdash_replace_headers_has_stale(
    ngx_list_t *headers, ngx_uint_t what);
static ngx_uint_t ngx_http_flowdash_replace_headers_stale(ngx_table_elt_t *h,
    ngx_uint_t what);


ngx_int_t
ngx_http_flowdash_replace_headers(ngx_http_request_t *r, ngx_uint_t decoded)
{
    ngx_str_t  value;

    if (ngx_http_flowdash_replace_headers_clean(r,
                             decoded ? NGX_HTTP_FLOWDASH_REPLACE_CODING : 0)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_in.transfer_encoding = NULL;
    r->headers_in.chunked = 0;

    value.data = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%O", r->headers_in.content_length_n)
                - value.data;

    ngx_http_flowdash_replace_headers_invalidate_variables(r);

    return ngx_http_flowdash_replace_headers_set(r,
                                              &r->headers_in.content_length,
                                              "Content-Length", &value);
}


ngx_int_t
ngx_http_flowdash_replace_headers_set_json(ngx_http_request_t *r)
{
    ngx_str_t  value;

    ngx_str_set(&value, "application/json");

    return ngx_http_flowdash_replace_headers_set(r,
                                                 &r->headers_in.content_type,
                                                 "Content-Type", &value);
}


ngx_int_t
ngx_http_flowdash_replace_headers_set_trace(ngx_http_request_t *r,
    ngx_str_t *traceparent)
{
    ngx_table_elt_t  *header;

    if (ngx_http_flowdash_replace_headers_clean(r,
                                             NGX_HTTP_FLOWDASH_REPLACE_TRACE)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_replace_headers_invalidate_variables(r);

    header = NULL;

    return ngx_http_flowdash_replace_headers_set(r, &header, "traceparent",
                                                 traceparent);
}


ngx_int_t
ngx_http_flowdash_replace_headers_discard_body(ngx_http_request_t *r)
{
    ngx_http_request_body_t  *rb;

    ngx_http_flowdash_body_leave(r);

    rb = r->request_body;

    if (rb) {

        /* nginx must not continue to read a part: there is no buffer */

        if (r->connection->read->timer_set) {
            ngx_del_timer(r->connection->read);
        }

        r->read_event_handler = ngx_http_block_reading;

        rb->bufs = NULL;
        rb->buf = NULL;
        rb->temp_file = NULL;
    }

    if (r->method != NGX_HTTP_HEAD) {
        r->method = NGX_HTTP_GET;
        ngx_str_set(&r->method_name, "GET");
    }

    r->headers_in.content_length_n = -1;
    r->headers_in.content_length = NULL;
    r->headers_in.content_type = NULL;
    r->headers_in.transfer_encoding = NULL;
    r->headers_in.chunked = 0;

    ngx_http_flowdash_replace_headers_invalidate_variables(r);

    return ngx_http_flowdash_replace_headers_clean(r,
                                              NGX_HTTP_FLOWDASH_REPLACE_ALL);
}


void
ngx_http_flowdash_replace_headers_invalidate_variables(ngx_http_request_t *r)
{
    ngx_int_t                      *index;
    ngx_uint_t                      i;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);
    index = fmcf->body_variables.elts;

    for (i = 0; i < fmcf->body_variables.nelts; i++) {
        r->variables[index[i]].valid = 0;
        r->variables[index[i]].not_found = 0;
    }
}


static ngx_int_t
ngx_http_flowdash_replace_headers_set(ngx_http_request_t *r,
    ngx_table_elt_t **header, const char *name, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    if (*header) {
        (*header)->value = *value;
        return NGX_OK;
    }

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    h->lowcase_key = ngx_pnalloc(r->pool, h->key.len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);

    *header = h;

    return NGX_OK;
}


/*
 * Removes the stale headers from the list.  Since there are pointers to the
 * others, these stay in place: the runs between stale ones become the list's
 * parts.
 */

static ngx_int_t
ngx_http_flowdash_replace_headers_clean(ngx_http_request_t *r, ngx_uint_t what)
{
    ngx_uint_t        i, ex;
    ngx_list_t       *headers;
    ngx_list_part_t  *part, *last, old;
    ngx_table_elt_t  *h;

    headers = &r->headers_in.headers;

    if (!ngx_http_flowdash_replace_headers_has_stale(headers, what)) {
        return NGX_OK;
    }

    old = headers->part;

    last = &headers->part;
    last->nelts = 0;
    last->next = NULL;

    for (part = &old; part; part = part->next) {

        h = part->elts;
        ex = 0;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_http_flowdash_replace_headers_stale(&h[i], what)) {
                ex = 0;
                continue;
            }

            if (ex) {
                last->nelts++;
                continue;
            }

            if (last->nelts) {
                last->next = ngx_palloc(r->pool, sizeof(ngx_list_part_t));
                if (last->next == NULL) {
                    return NGX_ERROR;
                }

                last = last->next;
                last->next = NULL;
            }

            last->elts = &h[i];
            last->nelts = 1;
            ex = 1;
        }
    }

    if (last->nelts == 0) {
        return ngx_list_init(headers, r->pool, 4, sizeof(ngx_table_elt_t));
    }

    /* the last part is full: ngx_list_push() allocates a new one */

    headers->last = last;
    headers->nalloc = last->nelts;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_replace_headers_has_stale(ngx_list_t *headers,
    ngx_uint_t what)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = 0;
    part = &headers->part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (ngx_http_flowdash_replace_headers_stale(h, what)) {
            return 1;
        }
    }

    return 0;
}


/*
 * Stale are headers that describe the old bytes or their transfer; and when
 * the body is discarded, all headers that describe a body, and overrides of
 * the method, which is GET then.
 */

static ngx_uint_t
ngx_http_flowdash_replace_headers_stale(ngx_table_elt_t *h, ngx_uint_t what)
{
    ngx_str_t  *name;

    static ngx_str_t  names[] = {
        ngx_string("transfer-encoding"),
        ngx_string("content-md5"),
        ngx_string("digest"),
        ngx_string("content-digest"),
        ngx_string("repr-digest"),
        ngx_null_string
    };

    if (what == NGX_HTTP_FLOWDASH_REPLACE_TRACE) {
        return ngx_http_flowdash_text_is(&h->key, "traceparent")
               || ngx_http_flowdash_text_is(&h->key, "tracestate");
    }

    if (what == NGX_HTTP_FLOWDASH_REPLACE_CODING
        && ngx_http_flowdash_text_is(&h->key, "Content-Encoding"))
    {
        return 1;
    }

    if (what == NGX_HTTP_FLOWDASH_REPLACE_ALL
        && h->key.len > sizeof("Content-") - 1
        && ngx_strncasecmp(h->key.data, (u_char *) "Content-",
                           sizeof("Content-") - 1)
           == 0)
    {
        return 1;
    }

    if (what == NGX_HTTP_FLOWDASH_REPLACE_ALL
        && ngx_http_flowdash_method_is_header(&h->key))
    {
        return 1;
    }

    for (name = names; name->len; name++) {
        if (h->key.len == name->len
            && ngx_strncasecmp(h->key.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
