
/*
 * The call of a delivery, made of its pieces when it is sent.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_url_text.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_http_flowdash_url_make.h>
#include <ngx_http_flowdash_payload.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_compose_piece.h>
#include <ngx_http_flowdash_compose.h>


/* what the names of headers, and paths, cannot have */

#define NGX_HTTP_FLOWDASH_COMPOSE_UNPRINTABLE                                 \
    (NGX_HTTP_FLOWDASH_TEXT_CONTROL|NGX_HTTP_FLOWDASH_TEXT_HIGH)


static ngx_int_t ngx_http_flowdash_compose_url(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *delivery);
static ngx_int_t ngx_http_flowdash_compose_check_url(
    ngx_http_flowdash_call_t *call, ngx_str_t *uri);
static ngx_uint_t ngx_http_flowdash_compose_host_fits(ngx_array_t *parts,
    ngx_str_t *host);
static ngx_int_t ngx_http_flowdash_compose_join(ngx_http_flowdash_call_t *call,
    ngx_str_t *uri, ngx_str_t *shown);
static ngx_int_t ngx_http_flowdash_compose_headers(
    ngx_http_flowdash_call_t *call, ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *delivery);
static ngx_uint_t ngx_http_flowdash_compose_is_header(ngx_keyval_t *header);
static ngx_int_t ngx_http_flowdash_compose_text(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_record_t *record, ngx_array_t *pieces, ngx_str_t *text,
    ngx_str_t *shown);


ngx_int_t
ngx_http_flowdash_compose(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery)
{
    ngx_int_t                      rc;
    ngx_str_t                      text;
    ngx_http_flowdash_exchange_t  *ex;

    ex = call->ex;

    /* the quotes are the header's */

    ex->id = delivery->key;

    if (ex->id.len > 2 && ex->id.data[0] == '"') {
        ex->id.data++;
        ex->id.len -= 2;
    }

    rc = ngx_http_flowdash_compose_url(call, record, delivery);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_compose_headers(call, record, delivery);
    }

    if (rc == NGX_OK && ngx_http_flowdash_payload_type(call->conf)) {
        rc = ngx_http_flowdash_compose_text(call, record, &delivery->body,
                                            &text, NULL);

        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_slices_set(&ex->payload, &text, call->pool);
        }
    }

    return rc;
}


/*
 * A URL without variables is the present configuration's, also its path: it
 * has nothing of the request, and may have been wrong.
 */

static ngx_int_t
ngx_http_flowdash_compose_url(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery)
{
    ngx_int_t                 rc;
    ngx_str_t                 uri, shown;
    ngx_http_flowdash_url_t  *url;

    url = call->conf->url;
    call->host = url->host;

    if (url->parsed) {
        call->ex->url = url->redacted;
        return NGX_OK;
    }

    if (url->variable_host) {
        call->host = delivery->host;
    }

    rc = ngx_http_flowdash_compose_text(call, record, &delivery->uri, &uri,
                                        &shown);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_compose_check_url(call, &uri);
    }

    return (rc == NGX_OK) ? ngx_http_flowdash_compose_join(call, &uri, &shown)
                          : rc;
}


static ngx_int_t
ngx_http_flowdash_compose_check_url(ngx_http_flowdash_call_t *call,
    ngx_str_t *uri)
{
    u_char  *query, *last;

    if (call->conf->url->variable_host
        && (!ngx_http_flowdash_url_make_host_valid(&call->host)
            || !ngx_http_flowdash_compose_host_fits(
                                             call->conf->url->variable_host,
                                             &call->host)))
    {
        return ngx_http_flowdash_exchange_fail(call->ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID,
                   "the host of the record is invalid");
    }

    last = uri->data + uri->len;
    query = ngx_strlchr(uri->data, last, '?');

    if (uri->len == 0 || uri->data[0] != '/'
        || ngx_strlchr(uri->data, last, ' ')
        || ngx_strlchr(uri->data, last, '#')
        || ngx_http_flowdash_text_find(uri,
                                       NGX_HTTP_FLOWDASH_COMPOSE_UNPRINTABLE)
        || ngx_http_flowdash_url_text_dot_segment(uri->data,
                                                  query ? query : last))
    {
        return ngx_http_flowdash_exchange_fail(call->ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID,
                   "the path of the record is invalid");
    }

    return NGX_OK;
}


/* what the configuration says of the host must be there, in its place */

static ngx_uint_t
ngx_http_flowdash_compose_host_fits(ngx_array_t *parts, ngx_str_t *host)
{
    u_char                        *p, *last;
    ngx_str_t                     *text;
    ngx_uint_t                     i, variable;
    ngx_http_flowdash_url_part_t  *part;

    part = parts->elts;
    p = host->data;
    last = p + host->len;
    variable = 0;

    for (i = 0; i < parts->nelts; i++) {

        if (part[i].value) {
            variable = 1;
            continue;
        }

        text = &part[i].text;

        if ((size_t) (last - p) < text->len) {
            return 0;
        }

        if (variable && i == parts->nelts - 1) {
            p = last - text->len;

        } else if (variable) {

            while (ngx_strncasecmp(p, text->data, text->len) != 0) {

                if ((size_t) (last - p) == text->len) {
                    return 0;
                }

                p++;
            }
        }

        if (ngx_strncasecmp(p, text->data, text->len) != 0) {
            return 0;
        }

        p += text->len;
        variable = 0;
    }

    return variable || p == last;
}


/* as url_make() does: the log gets no secret, and no query */

static ngx_int_t
ngx_http_flowdash_compose_join(ngx_http_flowdash_call_t *call, ngx_str_t *uri,
    ngx_str_t *shown)
{
    u_char                   *p, *query;
    size_t                    len;
    ngx_http_flowdash_url_t  *url;

    url = call->conf->url;

    query = ngx_strlchr(shown->data, shown->data + shown->len, '?');

    if (query) {
        shown->len = query - shown->data;
    }

    len = url->origin.len + url->redacted_origin.len
          + 2 * (call->host.len + url->port_text.len)
          + uri->len + 1 + shown->len;

    p = ngx_pnalloc(call->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    call->url.data = p;

    p = ngx_http_flowdash_url_make_origin(p, &url->origin, url, &call->host);
    p = ngx_cpymem(p, uri->data, uri->len);

    call->url.len = p - call->url.data;
    *p++ = '\0';

    call->ex->url.data = p;

    p = ngx_http_flowdash_url_make_origin(p, &url->redacted_origin, url,
                                          &call->host);
    p = ngx_cpymem(p, shown->data, shown->len);

    call->ex->url.len = p - call->ex->url.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_compose_headers(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery)
{
    ngx_int_t                           rc;
    ngx_uint_t                          i;
    ngx_keyval_t                       *header;
    ngx_http_flowdash_record_header_t  *stored;

    stored = delivery->headers.elts;

    if (ngx_array_init(&call->ex->headers, call->pool,
                       delivery->headers.nelts + 1, sizeof(ngx_keyval_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < delivery->headers.nelts; i++) {

        header = ngx_array_push(&call->ex->headers);
        if (header == NULL) {
            return NGX_ERROR;
        }

        header->key = stored[i].name;

        rc = ngx_http_flowdash_compose_text(call, record, &stored[i].value,
                                            &header->value, NULL);
        if (rc != NGX_OK) {
            return rc;
        }

        if (!ngx_http_flowdash_compose_is_header(header)) {
            return ngx_http_flowdash_exchange_fail(call->ex,
                       NGX_HTTP_FLOWDASH_REQUEST_INVALID,
                       "a header of the record is invalid");
        }
    }

    return NGX_OK;
}


/* the length of the payload is libcurl's to say */

static ngx_uint_t
ngx_http_flowdash_compose_is_header(ngx_keyval_t *header)
{
    ngx_str_t  *name;

    name = &header->key;

    return name->len
           && !ngx_strlchr(name->data, name->data + name->len, ':')
           && !ngx_strlchr(name->data, name->data + name->len, ';')
           && !ngx_strlchr(name->data, name->data + name->len, ' ')
           && !ngx_http_flowdash_text_find(name,
                                       NGX_HTTP_FLOWDASH_COMPOSE_UNPRINTABLE)
           && !ngx_http_flowdash_text_is(name, "Content-Length")
           && !ngx_http_flowdash_text_is(name, "Transfer-Encoding")
           && !ngx_http_flowdash_text_find(&header->value,
                                           NGX_HTTP_FLOWDASH_TEXT_NO_HEADER);
}


/* "shown" has no secret; it is NULL if that is not needed */

static ngx_int_t
ngx_http_flowdash_compose_text(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_record_t *record, ngx_array_t *pieces, ngx_str_t *text,
    ngx_str_t *shown)
{
    u_char                     *p, *s;
    size_t                      len;
    ngx_int_t                   rc;
    ngx_str_t                  *part;
    ngx_uint_t                  i;
    ngx_http_flowdash_piece_t  *piece;

    piece = pieces->elts;
    len = 0;

    part = ngx_palloc(call->pool, (pieces->nelts + 1) * sizeof(ngx_str_t));
    if (part == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < pieces->nelts; i++) {

        rc = ngx_http_flowdash_compose_piece(call, record, &piece[i],
                                             &part[i]);
        if (rc != NGX_OK) {
            return rc;
        }

        len += ngx_max(part[i].len, sizeof("***") - 1);
    }

    p = ngx_pnalloc(call->pool, 2 * len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    s = p + len;

    text->data = p;

    if (shown) {
        shown->data = s;
    }

    for (i = 0; i < pieces->nelts; i++) {

        p = ngx_cpymem(p, part[i].data, part[i].len);

        if (shown == NULL) {
            continue;
        }

        s = (piece[i].kind == NGX_HTTP_FLOWDASH_PIECE_SECRET)
            ? ngx_cpymem(s, "***", sizeof("***") - 1)
            : ngx_cpymem(s, part[i].data, part[i].len);
    }

    text->len = p - text->data;

    if (shown) {
        shown->len = s - shown->data;
    }

    return NGX_OK;
}
