
/*
 * The answer to a step, whatever content handler gets it: its body is
 * collected in memory, it is judged, and its fields are merged into the task.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#if (NGX_HTTP_SSI)
#include <ngx_http_ssi_filter_module.h>
#endif
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_clean.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_answer.h>


static void ngx_http_flowdash_answer_skip_mark(
    ngx_http_flowdash_exchange_t *ex);
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
static ngx_uint_t ngx_http_flowdash_answer_is_empty(
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_answer_merge_fields(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_task_t *answer);
static ngx_uint_t ngx_http_flowdash_answer_accepts(
    ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *name);
static void ngx_http_flowdash_answer_ignored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_field_t *new);


ngx_int_t
ngx_http_flowdash_answer_add(ngx_http_flowdash_exchange_t *ex, u_char *p,
    size_t len)
{
    u_char                        *data;
    size_t                         size;
    ngx_pool_t                    *pool;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (len > flcf->max_response_size - ex->body.len) {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE,
                   "the answer is over flowdash_max_response_size");
    }

    if (len > ex->allocated - ex->body.len) {

        pool = ex->request->pool;

        size = ngx_max(ex->body.len + len, 2 * ex->allocated);
        size = ngx_min(size, flcf->max_response_size);

        data = ngx_pnalloc(pool, size);
        if (data == NULL) {
            return NGX_ERROR;
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
                   "the step was led to another location");
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

    } else if (r->header_sent) {
        (void) ngx_http_flowdash_exchange_fail(ex, NGX_HTTP_FLOWDASH_CONNECT,
                                               "the answer broke off");
        return;

    } else {
        ex->error = NGX_HTTP_FLOWDASH_INTERNAL;
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
        ngx_http_flowdash_answer_redirects(ex, &location->value);
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
    ngx_str_t *location)
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

    p = ngx_pnalloc(ex->request->pool, sizeof("Location: ") + location->len);
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
        ex->error = NGX_HTTP_FLOWDASH_INTERNAL;
        return;
    }

    if (rc == NGX_HTTP_GATEWAY_TIME_OUT) {
        reason = NGX_HTTP_FLOWDASH_TIMEOUT;
        detail = "the upstream timed out";

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


ngx_int_t
ngx_http_flowdash_answer_merge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_str_t                          token;
    ngx_array_t                        pointer;
    ngx_http_flowdash_task_t          *answer;
    ngx_http_flowdash_json_verdict_e   verdict;

    if (ngx_http_flowdash_answer_is_empty(ex)
        || (ex->content_type.len
            && !ngx_http_flowdash_text_is_json_type(&ex->content_type)))
    {
        return NGX_OK;
    }

    answer = ngx_palloc(r->pool, sizeof(ngx_http_flowdash_task_t));
    if (answer == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&token, "task");

    pointer.elts = &token;
    pointer.nelts = 1;

    if (ngx_http_flowdash_task_init(answer, r->pool, &ex->body, &pointer,
                                    ctx->conf->strict,
                                    ctx->conf->max_fields_size, &verdict)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_OK) {
        return ngx_http_flowdash_answer_merge_fields(r, ctx, ex, answer);
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_NO_OBJECT && !answer->json.map) {

        /* JSON, but not an object: it changes nothing */

        return NGX_OK;
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED
        && ex->content_type.len == 0)
    {
        /* it did not claim to be JSON */

        return NGX_OK;
    }

    return ngx_http_flowdash_answer_invalid(r, ex, &answer->json, verdict);
}


/* nothing, or white space only */

static ngx_uint_t
ngx_http_flowdash_answer_is_empty(ngx_http_flowdash_exchange_t *ex)
{
    size_t  i;

    for (i = 0; i < ex->body.len; i++) {

        switch (ex->body.data[i]) {

        case ' ':
        case '\t':
        case CR:
        case LF:
            continue;

        default:
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_flowdash_answer_invalid(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_json_verdict_e verdict)
{
    return ngx_http_flowdash_exchange_fail_text(ex,
               verdict == NGX_HTTP_FLOWDASH_JSON_LARGE
               ? NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE
               : NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
               r->pool,
               "the answer's body: %s, at byte %uz", json->error,
               json->offset);
}


/*
 * Sets the fields that this step may change: all of them, or none if one is
 * invalid.
 */

static ngx_int_t
ngx_http_flowdash_answer_merge_fields(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_task_t *answer)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    const char                    *error;
    ngx_list_part_t               *part;
    ngx_http_flowdash_field_t     *new;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    ngx_http_flowdash_source_begin(ctx);

    i = 0;
    part = &answer->fields.part;

    while ((new = ngx_http_flowdash_task_next(&part, &i))) {

        if (!ngx_http_flowdash_answer_accepts(flcf, &new->node.str)) {
            ngx_http_flowdash_answer_ignored(r, ctx, ex, new);
            continue;
        }

        rc = ngx_http_flowdash_source_check(ctx, new, &error);

        if (rc == NGX_DECLINED) {
            ngx_http_flowdash_source_cancel(ctx);

            return ngx_http_flowdash_exchange_fail_text(ex,
                       NGX_HTTP_FLOWDASH_RESPONSE_INVALID, r->pool,
                       "the answer's field %V: %s", &new->spelling, error);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        new->changed = (rc == NGX_OK);
    }

    return ngx_http_flowdash_source_commit(ctx, answer);
}


static ngx_uint_t
ngx_http_flowdash_answer_accepts(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_str_t *name)
{
    ngx_str_t   *field;
    ngx_uint_t   i;

    if (flcf->accept == NULL) {
        return 1;
    }

    field = flcf->accept->elts;

    for (i = 0; i < flcf->accept->nelts; i++) {
        if (ngx_http_flowdash_text_equal(&field[i], name)) {
            return 1;
        }
    }

    return 0;
}


/* warns once per action: such an endpoint sends the field in each answer */

static void
ngx_http_flowdash_answer_ignored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_field_t *new)
{
    ngx_str_t                   name;
    ngx_http_flowdash_field_t  *field;

    field = ngx_http_flowdash_task_lookup(ctx->task, &new->node.str);

    if (ctx->warned || (field && ngx_http_flowdash_task_same(field, new))) {
        return;
    }

    ctx->warned = 1;

    name = new->spelling;
    name.len = ngx_min(name.len, 256);

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "flowdash: the answer to step \"%V\" has the field %V, "
                  "which flowdash_accept does not name: ignored, id %V",
                  &ex->step->name, &name, &ctx->id);
}
