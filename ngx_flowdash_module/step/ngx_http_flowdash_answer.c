
/*
 * The answer to a step, whatever content handler gets it: its body is
 * collected in memory, and it is judged.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#if (NGX_HTTP_SSI)
#include <ngx_http_ssi_filter_module.h>
#endif
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_clean.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_timeout.h>
#include <ngx_http_flowdash_answer.h>


static void ngx_http_flowdash_answer_skip_mark(
    ngx_http_flowdash_exchange_t *ex);
static void ngx_http_flowdash_answer_trim(ngx_str_t *type);
static void ngx_http_flowdash_answer_status_failed(
    ngx_http_flowdash_exchange_t *ex);
static void ngx_http_flowdash_answer_check_coding(
    ngx_http_flowdash_exchange_t *ex);
static ngx_uint_t ngx_http_flowdash_answer_is_complete(
    ngx_http_flowdash_exchange_t *ex);
static void ngx_http_flowdash_answer_no_header(
    ngx_http_flowdash_exchange_t *ex, ngx_int_t rc);
static void ngx_http_flowdash_answer_upstream_url(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex);


ngx_int_t
ngx_http_flowdash_answer_add(ngx_http_flowdash_exchange_t *ex,
    ngx_pool_t *pool, u_char *p, size_t len)
{
    u_char                        *data;
    size_t                         size;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (len > flcf->max_response_size - ex->body.len) {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE,
                   "the answer is over flowdash_max_response_size");
    }

    if (len > ex->allocated - ex->body.len) {

        size = ngx_max(ex->body.len + len, 2 * ex->allocated);
        size = ngx_min(size, flcf->max_response_size);

        data = ngx_pnalloc(pool, size);
        if (data == NULL) {
            return ngx_http_flowdash_exchange_fail(ex,
                       NGX_HTTP_FLOWDASH_INTERNAL,
                       "no memory for the answer");
        }

        if (ex->allocated) {
            ngx_memcpy(data, ex->body.data, ex->body.len);
            (void) ngx_pfree(pool, ex->body.data);
        }

        ex->body.data = data;
        ex->allocated = size;
    }

    ngx_memcpy(ex->body.data + ex->body.len, p, len);
    ex->body.len += len;

    return NGX_OK;
}


void
ngx_http_flowdash_answer_judge(ngx_http_flowdash_exchange_t *ex, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = ex->request;

    if (r->upstream) {
        ngx_http_flowdash_answer_upstream_url(r, ex);
    }

    ngx_http_flowdash_answer_skip_mark(ex);

    if (ex->error) {
        return;
    }

    if (!ex->fetch
        && ngx_http_get_module_ctx(r, ngx_http_flowdash_module) != ex)
    {
        (void) ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
                   "the step was redirected to another location");
        return;
    }

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE && r->upstream && !r->header_sent) {
        ngx_http_flowdash_answer_no_header(ex, rc);
        return;
    }

    if (rc >= NGX_HTTP_OK) {

        /* "return", or a handler that leaves the page to nginx */

        ex->status = rc;

    } else if (rc == NGX_OK && ngx_http_flowdash_answer_is_complete(ex)) {

        if (ex->status == 0) {
            ex->status = r->headers_out.status;
            ex->content_type = r->headers_out.content_type;
        }

        ngx_http_flowdash_answer_trim(&ex->content_type);

    } else if (r->header_sent) {
        (void) ngx_http_flowdash_exchange_fail(ex, NGX_HTTP_FLOWDASH_CONNECT,
                                               "the answer broke off");
        return;

    } else {
        (void) ngx_http_flowdash_exchange_fail(ex, NGX_HTTP_FLOWDASH_INTERNAL,
                   "the gateway could not make the call");
        return;
    }

    if (ex->status == 0) {

        /* proxy_pass takes an answer that is not HTTP for HTTP/0.9 */

        (void) ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
                   "the answer has no status");
        return;
    }

    if (ex->status < NGX_HTTP_OK
        || ex->status >= NGX_HTTP_SPECIAL_RESPONSE)
    {
        ngx_http_flowdash_answer_status_failed(ex);
        return;
    }

    ngx_http_flowdash_answer_check_coding(ex);
}


/*
 * Nginx leaves what is no white space in HTTP; libcurl removes all that C has,
 * and both kinds of steps must see the same media type.
 */

static void
ngx_http_flowdash_answer_trim(ngx_str_t *type)
{
    u_char  *p, *last;

    p = type->data;
    last = p + type->len;

    while (p < last && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) {
        p++;
    }

    while (p < last
           && (last[-1] == ' ' || (last[-1] >= '\t' && last[-1] <= '\r')))
    {
        last--;
    }

    type->data = p;
    type->len = last - p;
}


/* to nginx's gunzip, and to libcurl, the header is gone when it is undone */

static void
ngx_http_flowdash_answer_check_coding(ngx_http_flowdash_exchange_t *ex)
{
    ngx_table_elt_t  *h;

    h = ex->request->headers_out.content_encoding;

    if (h == NULL || h->hash == 0 || ex->body.len == 0 || h->value.len == 0
        || ngx_http_flowdash_text_is(&h->value, "identity"))
    {
        return;
    }

    (void) ngx_http_flowdash_exchange_fail_text(ex,
               NGX_HTTP_FLOWDASH_RESPONSE_INVALID, ex->request->pool,
               "the answer has the Content-Encoding %V", &h->value);
}


static void
ngx_http_flowdash_answer_status_failed(ngx_http_flowdash_exchange_t *ex)
{
    ngx_table_elt_t      *location;
    ngx_http_request_t   *r;
    ngx_http_upstream_t  *u;

    ex->error = NGX_HTTP_FLOWDASH_STATUS;

    r = ex->request;
    u = r->upstream;

    /* where proxy_redirect has changed it, the original is damaged */

    location = r->headers_out.location;

    if (location == NULL && u && u->headers_in.status_n == ex->status) {
        location = u->headers_in.location;
    }

    if (location) {
        ngx_http_flowdash_answer_redirects(ex, r->pool, &location->value);
    }
}


/* a byte order mark, which RFC 8259, 8.1, allows to ignore */

static void
ngx_http_flowdash_answer_skip_mark(ngx_http_flowdash_exchange_t *ex)
{
    static ngx_str_t  mark = ngx_string("\xef\xbb\xbf");

    if (ex->body.len >= mark.len
        && ngx_memcmp(ex->body.data, mark.data, mark.len) == 0)
    {
        ex->body.data += mark.len;
        ex->body.len -= mark.len;
        ex->allocated -= mark.len;
    }
}


/*
 * An upstream that breaks off after the header is finalized with NGX_OK like
 * any other, but does not send the buffer that marks the end.
 */

static ngx_uint_t
ngx_http_flowdash_answer_is_complete(ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_request_t  *r;

    r = ex->request;

    if (ex->complete || r->upstream == NULL) {
        return 1;
    }

#if (NGX_HTTP_CACHE)

    if (r->cached && r->cache
        && r->cache->length == (off_t) r->cache->body_start)
    {
        /* an empty body from the cache: nginx sends no buffer at all */

        return 1;
    }

#endif

#if (NGX_HTTP_SSI)

    if (r->keepalive
        && ngx_http_get_module_ctx(r, ngx_http_ssi_filter_module))
    {
        /* SSI holds the mark back; r->keepalive is cleared if it broke off */

        return 1;
    }

#endif

    return 0;
}


void
ngx_http_flowdash_answer_redirects(ngx_http_flowdash_exchange_t *ex,
    ngx_pool_t *pool, ngx_str_t *location)
{
    u_char     *p;
    ngx_str_t   begin, end;

    switch (ex->status) {

    case NGX_HTTP_MOVED_PERMANENTLY:
    case NGX_HTTP_MOVED_TEMPORARILY:
    case NGX_HTTP_SEE_OTHER:
    case NGX_HTTP_TEMPORARY_REDIRECT:
    case NGX_HTTP_PERMANENT_REDIRECT:
        break;

    default:
        return;
    }

    ngx_http_flowdash_clean_url(location, &begin, &end);

    p = ngx_pnalloc(pool, sizeof("Location: ") + location->len);
    if (p == NULL) {
        return;
    }

    ex->detail.data = p;
    ex->detail.len = ngx_sprintf(p, "Location: %V%V", &begin, &end) - p;
}


/* nginx's upstream gave up before it had an answer to pass on */

static void
ngx_http_flowdash_answer_no_header(ngx_http_flowdash_exchange_t *ex,
    ngx_int_t rc)
{
    const char                  *detail;
    ngx_http_upstream_t         *u;
    ngx_http_flowdash_reason_e   reason;

    u = ex->request->upstream;

    if (u->headers_in.status_n && rc == (ngx_int_t) u->headers_in.status_n) {

        /* the endpoint's own status, with proxy_intercept_errors on */

        ex->status = rc;
        ngx_http_flowdash_answer_status_failed(ex);
        return;
    }

    if (rc == NGX_HTTP_INTERNAL_SERVER_ERROR) {
        reason = NGX_HTTP_FLOWDASH_INTERNAL;
        detail = "the upstream could not be called";

    } else if (rc == NGX_HTTP_GATEWAY_TIME_OUT) {
        ngx_http_flowdash_timeout_upstream(ex);
        return;

    } else if (u->resolved && u->resolved->naddrs == 0
               && u->resolved->sockaddr == NULL)
    {
        reason = NGX_HTTP_FLOWDASH_RESOLVE;
        detail = "the upstream's name was not resolved";

    } else if (u->state && u->state->bytes_received) {
        reason = NGX_HTTP_FLOWDASH_RESPONSE_INVALID;
        detail = "the upstream's answer was not valid";

    } else {
        reason = NGX_HTTP_FLOWDASH_CONNECT;
        detail = "the upstream was not reached, or gave no answer";
    }

    (void) ngx_http_flowdash_exchange_fail(ex, reason, detail);
}


static void
ngx_http_flowdash_answer_upstream_url(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex)
{
    u_char               *p, *args;
    size_t                len;
    ngx_str_t             uri, *peer;
    ngx_http_upstream_t  *u;

    u = r->upstream;
    peer = u->peer.name;

    if (peer == NULL) {
        return;
    }

    /* the query is left out: it may carry a key */

    uri = u->uri;
    args = ngx_strlchr(uri.data, uri.data + uri.len, '?');

    if (args) {
        uri.len = args - uri.data;
    }

    len = u->schema.len + peer->len + uri.len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return;
    }

    ex->url.data = p;
    ex->url.len = ngx_sprintf(p, "%V%V%V", &u->schema, peer, &uri) - p;
}
