
/*
 * A GET subrequest to the same server, which the app answers as if the client
 * had sent it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_url_text.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_http_flowdash_url_make.h>
#include <ngx_http_flowdash_subrequest.h>
#include <ngx_http_flowdash_fetch_request.h>


static ngx_int_t ngx_http_flowdash_fetch_request_join(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_array_t *parts, ngx_uint_t query,
    ngx_str_t *s);
static ngx_int_t ngx_http_flowdash_fetch_request_part(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_part_t *part,
    ngx_uint_t query, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_fetch_request_set_uri(
    ngx_http_request_t *sr);
static ngx_int_t ngx_http_flowdash_fetch_request_headers(
    ngx_http_request_t *r, ngx_http_request_t *sr);
static ngx_int_t ngx_http_flowdash_fetch_request_add_header(
    ngx_http_request_t *sr, ngx_table_elt_t *header);
static ngx_uint_t ngx_http_flowdash_fetch_request_begins(ngx_str_t *name,
    ngx_str_t *s);


static ngx_str_t  ngx_http_flowdash_get_method = ngx_string("GET");


ngx_http_flowdash_exchange_t *
ngx_http_flowdash_fetch_request_create(ngx_http_request_t *r,
    const char *name)
{
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_step_t      *step;

    ex = ngx_pcalloc(r->pool, sizeof(ngx_http_flowdash_exchange_t));
    step = ngx_pcalloc(r->pool, sizeof(ngx_http_flowdash_step_t));

    if (ex == NULL || step == NULL) {
        return NULL;
    }

    step->name.data = (u_char *) name;
    step->name.len = ngx_strlen(name);
    step->loc_conf = r->loc_conf;

    ex->step = step;
    ex->fetch = 1;
    ex->start = ngx_current_msec;

    return ex;
}


/*
 * nginx keeps paths decoded, so variables in the path, such as "$uri", are
 * used as they are.  Variables in the arguments are percent-encoded.
 */

ngx_int_t
ngx_http_flowdash_fetch_request_uri(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_from_t *from,
    ngx_str_t *uri, ngx_str_t *args)
{
    ngx_int_t  rc;

    rc = ngx_http_flowdash_fetch_request_join(r, ex, &from->path, 0, uri);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_fetch_request_join(r, ex, &from->args, 1, args);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (uri->len == 0 || uri->data[0] != '/'
        || ngx_http_flowdash_url_text_dot_segment(uri->data,
                                                  uri->data + uri->len))
    {
        return ngx_http_flowdash_exchange_fail_text(ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID, r->pool,
                   "the URI of flowdash_%V_from does not begin with \"/\", "
                   "or a part of its path is \".\" or \"..\"",
                   &ex->step->name);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_fetch_request_join(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_array_t *parts, ngx_uint_t query,
    ngx_str_t *s)
{
    u_char                        *p;
    ngx_int_t                      rc;
    ngx_str_t                     *text;
    ngx_uint_t                     i;
    ngx_http_flowdash_url_part_t  *part;

    text = ngx_palloc(r->pool, parts->nelts * sizeof(ngx_str_t));
    if (text == NULL) {
        return NGX_ERROR;
    }

    part = parts->elts;
    s->len = 0;

    for (i = 0; i < parts->nelts; i++) {

        rc = ngx_http_flowdash_fetch_request_part(r, ex, &part[i], query,
                                                  &text[i]);

        if (rc != NGX_OK) {
            return rc;
        }

        s->len += text[i].len;
    }

    p = ngx_pnalloc(r->pool, s->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    s->data = p;

    for (i = 0; i < parts->nelts; i++) {
        p = ngx_cpymem(p, text[i].data, text[i].len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_fetch_request_part(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_part_t *part,
    ngx_uint_t query, ngx_str_t *text)
{
    ngx_http_flowdash_value_t  value;

    if (part->value == NULL || query) {
        return ngx_http_flowdash_url_make_part(r, ex, part, text, NULL);
    }

    if (ngx_http_flowdash_value(r, part->value, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    *text = value.text;

    if (text->len == 0 || value.escaped
        || ngx_http_flowdash_text_find(text, NGX_HTTP_FLOWDASH_TEXT_CONTROL))
    {
        return ngx_http_flowdash_exchange_fail_text(ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID, r->pool,
                   "a variable of flowdash_%V_from is empty, or has a control "
                   "character", &ex->step->name);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_fetch_request_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *uri, ngx_str_t *args)
{
    ngx_http_request_t            *sr;
    ngx_http_flowdash_exchange_t  *ex;

    ex = ctx->exchange;
    ex->url = *uri;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash fetch the %V from \"%V\"", &ex->step->name,
                   uri);

    sr = ngx_http_flowdash_subrequest_create(r, ex, uri,
                                             args->len ? args : NULL);
    if (sr == NULL) {
        return NGX_ERROR;
    }

    sr->request_body = NULL;
    sr->error_page = 1;

    ngx_http_flowdash_subrequest_set_method(sr, NGX_HTTP_GET,
                                            &ngx_http_flowdash_get_method);

    if (ngx_http_flowdash_fetch_request_set_uri(sr) != NGX_OK
        || ngx_http_flowdash_fetch_request_headers(r, sr) != NGX_OK)
    {
        ngx_http_flowdash_subrequest_undo(r, ex);
        return NGX_ERROR;
    }

    ngx_http_flowdash_subrequest_set_timer(r, ctx, ctx->conf);

    return NGX_OK;
}


/*
 * Sets $request_uri, which caches use as a key, and $request.  They would be
 * the client's.
 */

static ngx_int_t
ngx_http_flowdash_fetch_request_set_uri(ngx_http_request_t *sr)
{
    u_char  *p;
    size_t   escape;

    escape = 2 * ngx_escape_uri(NULL, sr->uri.data, sr->uri.len,
                                NGX_ESCAPE_URI);

    p = ngx_pnalloc(sr->pool, sizeof("GET ? HTTP/1.1") - 1 + sr->uri.len
                              + escape + sr->args.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    sr->request_line.data = p;

    p = ngx_cpymem(p, "GET ", sizeof("GET ") - 1);

    sr->unparsed_uri.data = p;

    p = (u_char *) ngx_escape_uri(p, sr->uri.data, sr->uri.len,
                                  NGX_ESCAPE_URI);

    if (sr->args.len) {
        *p++ = '?';
        p = ngx_cpymem(p, sr->args.data, sr->args.len);
    }

    sr->unparsed_uri.len = p - sr->unparsed_uri.data;

    p = ngx_cpymem(p, " HTTP/1.1", sizeof(" HTTP/1.1") - 1);

    sr->request_line.len = p - sr->request_line.data;

    return NGX_OK;
}


/*
 * Copies the client's headers, since the app may recognize the user by any of
 * them, except those that describe the client's own request, and those by
 * which some apps find another page than that of the URI.
 */

static ngx_int_t
ngx_http_flowdash_fetch_request_headers(ngx_http_request_t *r,
    ngx_http_request_t *sr)
{
    ngx_uint_t              i;
    ngx_list_part_t        *part;
    ngx_table_elt_t        *h, accept;
    ngx_http_headers_in_t  *in;

    in = &sr->headers_in;

    ngx_memzero(in, sizeof(ngx_http_headers_in_t));

    in->server = r->headers_in.server;
    in->content_length_n = -1;
    in->keep_alive_n = -1;

    if (ngx_list_init(&in->headers, sr->pool, 8, sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (!ngx_http_flowdash_fetch_request_leaves_out(&h[i].key)
                && ngx_http_flowdash_fetch_request_add_header(sr, &h[i])
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    ngx_memzero(&accept, sizeof(ngx_table_elt_t));

    ngx_str_set(&accept.key, "Accept");
    ngx_str_set(&accept.value, "application/json");
    accept.lowcase_key = (u_char *) "accept";
    accept.hash = ngx_hash_key(accept.lowcase_key, accept.key.len);

    return ngx_http_flowdash_fetch_request_add_header(sr, &accept);
}


static ngx_int_t
ngx_http_flowdash_fetch_request_add_header(ngx_http_request_t *sr,
    ngx_table_elt_t *header)
{
    ngx_uint_t                  count;
    ngx_table_elt_t            *h;
    ngx_http_header_t          *hh;
    ngx_http_core_main_conf_t  *cmcf;

    h = ngx_list_push(&sr->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = *header;

    /* nginx keeps pointers to some headers */

    cmcf = ngx_http_get_module_main_conf(sr, ngx_http_core_module);

    hh = ngx_hash_find(&cmcf->headers_in_hash, h->hash, h->lowcase_key,
                       h->key.len);

    count = sr->main->count;

    if (hh && hh->handler(sr, h, hh->offset) != NGX_OK) {

        /* if memory has run out, it has closed the request */

        sr->main->count = count;
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_fetch_request_leaves_out(ngx_str_t *name)
{
    ngx_str_t  *s;

    static ngx_str_t  names[] = {
        ngx_string("accept"),
        ngx_string("accept-encoding"),
        ngx_string("connection"),
        ngx_string("digest"),
        ngx_string("expect"),
        ngx_string("http2-settings"),
        ngx_string("idempotency-key"),
        ngx_string("keep-alive"),
        ngx_string("proxy-connection"),
        ngx_string("range"),
        ngx_string("repr-digest"),
        ngx_string("te"),
        ngx_string("trailer"),
        ngx_string("transfer-encoding"),
        ngx_string("upgrade"),
        ngx_string("x-http-method"),
        ngx_string("x-http-method-override"),
        ngx_string("x-method-override"),
        ngx_string("x-original-url"),
        ngx_string("x-override-url"),
        ngx_string("x-rewrite-url"),
        ngx_null_string
    };

    static ngx_str_t  prefixes[] = {
        ngx_string("content-"),
        ngx_string("if-"),
        ngx_null_string
    };

    for (s = prefixes; s->len; s++) {
        if (name->len > s->len
            && ngx_http_flowdash_fetch_request_begins(name, s))
        {
            return 1;
        }
    }

    for (s = names; s->len; s++) {
        if (name->len == s->len
            && ngx_http_flowdash_fetch_request_begins(name, s))
        {
            return 1;
        }
    }

    return 0;
}


/* to apps behind CGI or its like, "_" in a header's name is the same as "-" */

static ngx_uint_t
ngx_http_flowdash_fetch_request_begins(ngx_str_t *name, ngx_str_t *s)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < s->len; i++) {

        c = ngx_tolower(name->data[i]);

        if (c == '_') {
            c = '-';
        }

        if (c != s->data[i]) {
            return 0;
        }
    }

    return 1;
}
