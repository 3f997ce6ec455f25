
/*
 * The URL of a call, with the values of its variables.
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


static ngx_int_t ngx_http_flowdash_url_make_host(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_t *url,
    ngx_str_t *host);
static ngx_uint_t ngx_http_flowdash_url_make_lacks(
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_value_t *value);
static ngx_int_t ngx_http_flowdash_url_make_values(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_t *url,
    ngx_str_t *value, ngx_str_t *shown);
static ngx_uint_t ngx_http_flowdash_url_make_empty_segment(ngx_str_t *value,
    ngx_uint_t n);
static ngx_int_t ngx_http_flowdash_url_make_text(ngx_http_request_t *r,
    ngx_http_flowdash_url_t *url, ngx_str_t *value, ngx_str_t *host,
    ngx_str_t *text, ngx_str_t *path);
static ngx_int_t ngx_http_flowdash_url_make_redacted(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_t *url,
    ngx_str_t *shown, ngx_str_t *host);


ngx_int_t
ngx_http_flowdash_url_make(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_t *url,
    ngx_str_t *text, ngx_str_t *host)
{
    ngx_int_t   rc;
    ngx_str_t  *value, *shown, path;

    if (url->parsed) {
        *host = url->host;
        ex->url = url->redacted;
        return NGX_OK;
    }

    value = ngx_palloc(r->pool, 2 * url->parts.nelts * sizeof(ngx_str_t));
    if (value == NULL) {
        return NGX_ERROR;
    }

    shown = value + url->parts.nelts;

    rc = ngx_http_flowdash_url_make_host(r, ex, url, host);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_url_make_values(r, ex, url, value, shown);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_url_make_text(r, url, value, host, text, &path);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_flowdash_url_text_dot_segment(path.data,
                                               path.data + path.len))
    {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID,
                   "a variable of flowdash_call turns a part of the path into "
                   "\".\" or \"..\"");
    }

    return ngx_http_flowdash_url_make_redacted(r, ex, url, shown, host);
}


/*
 * A host with variables may have only the characters of host names, so that no
 * value adds another part of a URL.
 */

static ngx_int_t
ngx_http_flowdash_url_make_host(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_t *url,
    ngx_str_t *host)
{
    u_char                        *p;
    size_t                         len;
    ngx_str_t                     *text;
    ngx_uint_t                     i, n;
    ngx_http_flowdash_value_t      value;
    ngx_http_flowdash_url_part_t  *part;

    if (url->variable_host == NULL) {
        *host = url->host;
        return NGX_OK;
    }

    part = url->variable_host->elts;
    n = url->variable_host->nelts;
    len = 0;

    text = ngx_palloc(r->pool, n * sizeof(ngx_str_t));
    if (text == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        text[i] = part[i].text;

        if (part[i].value) {

            if (ngx_http_flowdash_value_sent(r,
                                          ngx_http_flowdash_exchange_conf(ex),
                                          part[i].value, &value)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            if (ngx_http_flowdash_url_make_lacks(ex, &value)) {
                return NGX_DECLINED;
            }

            text[i] = value.text;
        }

        len += text[i].len;
    }

    host->data = ngx_pnalloc(r->pool, len);
    if (host->data == NULL) {
        return NGX_ERROR;
    }

    p = host->data;

    for (i = 0; i < n; i++) {
        p = ngx_cpymem(p, text[i].data, text[i].len);
    }

    host->len = len;

    if (!ngx_http_flowdash_url_make_host_valid(host)) {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID,
                   "a variable of flowdash_call makes the host of the URL "
                   "invalid");
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_url_make_host_valid(ngx_str_t *host)
{
    u_char  c;
    size_t  i;

    if (host->len == 0 || host->len > 253 || host->data[0] == '.') {
        return 0;
    }

    for (i = 0; i < host->len; i++) {
        c = ngx_tolower(host->data[i]);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')
            && c != '-' && c != '_' && c != '.')
        {
            return 0;
        }
    }

    return 1;
}


/*
 * Before its step has answered, an undo may lack what names the thing that it
 * deletes: without it, the URL could name all of them.
 */

static ngx_uint_t
ngx_http_flowdash_url_make_lacks(ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_value_t *value)
{
    if (!value->missing || ex->step == NULL
        || ex->step->kind != NGX_HTTP_FLOWDASH_KIND_UNDO)
    {
        return 0;
    }

    (void) ngx_http_flowdash_exchange_fail(ex,
               NGX_HTTP_FLOWDASH_REQUEST_INVALID,
               "the URL of flowdash_undo depends on a field that the task "
               "lacks");

    return 1;
}


static ngx_int_t
ngx_http_flowdash_url_make_values(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_t *url,
    ngx_str_t *value, ngx_str_t *shown)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_http_flowdash_url_part_t  *part;

    part = url->parts.elts;

    for (i = 0; i < url->parts.nelts; i++) {

        rc = ngx_http_flowdash_url_make_part(r, ex, &part[i], &value[i],
                                             &shown[i]);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ngx_http_flowdash_url_make_empty_segment(value, url->parts.nelts)) {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID,
                   "a variable of flowdash_call leaves a part of the path "
                   "empty");
    }

    return NGX_OK;
}


/* values are percent-encoded: any slash or "?" is from the configuration */

static ngx_uint_t
ngx_http_flowdash_url_make_empty_segment(ngx_str_t *value, ngx_uint_t n)
{
    u_char      *last;
    ngx_uint_t   i, slash;

    slash = 0;

    for (i = 0; i < n; i++) {

        if (value[i].len == 0) {

            if (slash
                && (i + 1 == n || value[i + 1].len == 0
                    || value[i + 1].data[0] == '/'
                    || value[i + 1].data[0] == '?'))
            {
                return 1;
            }

            continue;
        }

        last = value[i].data + value[i].len;

        if (ngx_strlchr(value[i].data, last, '?')) {
            return 0;
        }

        slash = (last[-1] == '/');
    }

    return 0;
}


/* "path" is the part of the text up to the query */

static ngx_int_t
ngx_http_flowdash_url_make_text(ngx_http_request_t *r,
    ngx_http_flowdash_url_t *url, ngx_str_t *value, ngx_str_t *host,
    ngx_str_t *text, ngx_str_t *path)
{
    u_char      *p, *query;
    size_t       len;
    ngx_uint_t   i;

    len = url->origin.len + host->len + url->port_text.len + 1;

    for (i = 0; i < url->parts.nelts; i++) {
        len += value[i].len;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    p = ngx_http_flowdash_url_make_origin(p, &url->origin, url, host);

    path->data = p;

    for (i = 0; i < url->parts.nelts; i++) {
        p = ngx_cpymem(p, value[i].data, value[i].len);
    }

    *p = '\0';
    text->len = p - text->data;

    query = ngx_strlchr(path->data, p, '?');

    path->len = (query ? query : p) - path->data;

    return NGX_OK;
}


u_char *
ngx_http_flowdash_url_make_origin(u_char *p, ngx_str_t *origin,
    ngx_http_flowdash_url_t *url, ngx_str_t *host)
{
    p = ngx_cpymem(p, origin->data, origin->len);

    if (url->variable_host) {
        p = ngx_cpymem(p, host->data, host->len);
        p = ngx_cpymem(p, url->port_text.data, url->port_text.len);
    }

    return p;
}


/* the log gets no secret, and no query: that may have a key */

static ngx_int_t
ngx_http_flowdash_url_make_redacted(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_t *url,
    ngx_str_t *shown, ngx_str_t *host)
{
    u_char      *p, *path, *query;
    size_t       len;
    ngx_uint_t   i;

    len = url->redacted_origin.len + host->len + url->port_text.len;

    for (i = 0; i < url->parts.nelts; i++) {
        len += shown[i].len;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ex->url.data = p;

    p = ngx_http_flowdash_url_make_origin(p, &url->redacted_origin, url, host);
    path = p;

    for (i = 0; i < url->parts.nelts; i++) {
        p = ngx_cpymem(p, shown[i].data, shown[i].len);
    }

    query = ngx_strlchr(path, p, '?');

    ex->url.len = (query ? query : p) - ex->url.data;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_url_make_part(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_part_t *part,
    ngx_str_t *text, ngx_str_t *shown)
{
    u_char                        *last;
    ngx_int_t                      rc;
    ngx_http_flowdash_value_t      value;
    ngx_http_flowdash_loc_conf_t  *conf;

    if (part->value == NULL) {
        *text = part->text;

        if (shown) {
            *shown = *text;
        }

        return NGX_OK;
    }

    conf = ngx_http_flowdash_exchange_conf(ex);

    rc = shown ? ngx_http_flowdash_value_secret(r, conf, part->value, &value)
               : ngx_http_flowdash_value_sent(r, conf, part->value, &value);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_url_make_lacks(ex, &value)) {
        return NGX_DECLINED;
    }

    if (value.escaped
        || ngx_http_flowdash_text_find(&value.text,
                                       NGX_HTTP_FLOWDASH_TEXT_CONTROL))
    {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID,
                   "a variable in the URL has a control character");
    }

    text->data = ngx_pnalloc(r->pool, 3 * value.text.len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    last = (u_char *) ngx_escape_uri(text->data, value.text.data,
                                     value.text.len, NGX_ESCAPE_URI_COMPONENT);
    text->len = last - text->data;

    if (shown) {
        *shown = *text;

        if (value.secret) {
            ngx_str_set(shown, "***");
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_url_make_uri(ngx_http_flowdash_url_t *url, ngx_str_t *text,
    ngx_str_t *host, ngx_str_t *uri, ngx_pool_t *pool)
{
    u_char                        *p;
    size_t                         len;
    ngx_uint_t                     i;
    ngx_http_flowdash_url_part_t  *part;

    if (url->parsed == NULL) {
        len = url->origin.len;

        if (url->variable_host) {
            len += host->len + url->port_text.len;
        }

        uri->data = text->data + len;
        uri->len = text->len - len;

        return NGX_OK;
    }

    part = url->parts.elts;
    uri->len = 0;

    for (i = 0; i < url->parts.nelts; i++) {
        uri->len += part[i].text.len;
    }

    p = ngx_pnalloc(pool, uri->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    uri->data = p;

    for (i = 0; i < url->parts.nelts; i++) {
        p = ngx_cpymem(p, part[i].text.data, part[i].text.len);
    }

    return NGX_OK;
}
