
/*
 * flowdash_call, the content handler of a step: one transfer's options, and
 * its answer into the step's run.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>
#include <ngx_flowdash_curl.h>


struct ngx_http_flowdash_call_s {
    ngx_flowdash_curl_transfer_t   transfer;
    struct curl_slist             *headers;
    size_t                         header_size;
    ngx_http_request_t            *request;
    ngx_http_flowdash_run_t       *run;
};


static ngx_http_flowdash_call_t *ngx_http_flowdash_call_create(
    ngx_http_request_t *r, ngx_http_flowdash_run_t *run);
static ngx_int_t ngx_http_flowdash_call_url(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_http_flowdash_url_t *url,
    ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_call_shown_url(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_http_flowdash_url_t *url, u_char *path,
    u_char *last);
static ngx_int_t ngx_http_flowdash_call_headers(ngx_http_request_t *r,
    ngx_http_flowdash_call_t *call);
static ngx_int_t ngx_http_flowdash_call_options(
    ngx_http_flowdash_call_t *call, ngx_http_flowdash_loc_conf_t *flcf,
    ngx_str_t *url);
static size_t ngx_http_flowdash_call_header(char *p, size_t size, size_t n,
    void *data);
static size_t ngx_http_flowdash_call_write(char *p, size_t size, size_t n,
    void *data);
static void ngx_http_flowdash_call_done(ngx_flowdash_curl_transfer_t *t);
static ngx_int_t ngx_http_flowdash_call_answer(
    ngx_http_flowdash_call_t *call);
static ngx_http_flowdash_error_e ngx_http_flowdash_call_error(CURLcode code);
static void ngx_http_flowdash_call_cleanup(void *data);


static const char  *ngx_http_flowdash_own_headers[] = {
    "Expect:",
    "Content-Type:",
    "Accept:",
    NULL
};


ngx_int_t
ngx_http_flowdash_call_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_str_t                      url;
    ngx_http_flowdash_run_t       *run;
    ngx_http_flowdash_call_t      *call;
    ngx_http_flowdash_loc_conf_t  *flcf;

    run = ngx_http_get_module_ctx(r, ngx_http_flowdash_module);

    if (r == r->main || run == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    flcf = run->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    rc = ngx_http_flowdash_call_url(r->main, run, flcf->url, &url);

    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? NGX_HTTP_BAD_REQUEST : NGX_ERROR;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash call \"%V\"", &run->url);

    call = ngx_http_flowdash_call_create(r, run);
    if (call == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_call_headers(r, call) != NGX_OK
        || ngx_http_flowdash_call_options(call, flcf, &url) != NGX_OK
        || ngx_flowdash_curl_start(&call->transfer) != NGX_OK)
    {
        ngx_http_flowdash_call_abort(call);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


static ngx_http_flowdash_call_t *
ngx_http_flowdash_call_create(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run)
{
    ngx_http_cleanup_t        *cln;
    ngx_http_flowdash_call_t  *call;

    call = ngx_pcalloc(r->pool, sizeof(ngx_http_flowdash_call_t));
    if (call == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_flowdash_call_cleanup;
    cln->data = run;

    call->request = r;
    call->run = run;
    call->transfer.handler = ngx_http_flowdash_call_done;
    call->transfer.data = call;

    if (ngx_flowdash_curl_create(&call->transfer) != NGX_OK) {
        return NULL;
    }

    run->call = call;

    return call;
}


/*
 * Makes the URL, and run->url for the log.  Returns NGX_OK, NGX_ERROR, or
 * NGX_DECLINED with run->error set when a value would lead elsewhere.
 */

static ngx_int_t
ngx_http_flowdash_call_url(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_http_flowdash_url_t *url,
    ngx_str_t *text)
{
    u_char                        *p, *path, *last;
    size_t                         len;
    ngx_int_t                      rc;
    ngx_str_t                     *value;
    ngx_uint_t                     i, n;
    ngx_http_flowdash_url_part_t  *part;

    part = url->parts.elts;
    n = url->parts.nelts;
    len = url->origin.len + 1;

    value = ngx_palloc(r->pool, n * sizeof(ngx_str_t));
    if (value == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        rc = ngx_http_flowdash_call_url_part(r, run, &part[i], &value[i]);

        if (rc != NGX_OK) {
            return rc;
        }

        len += value[i].len;
    }

    text->data = ngx_pnalloc(r->pool, len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(text->data, url->origin.data, url->origin.len);
    path = p;

    for (i = 0; i < n; i++) {

        if (value[i].len == 0 && p[-1] == '/'
            && (i + 1 == n || value[i + 1].len == 0
                || value[i + 1].data[0] == '/'
                || value[i + 1].data[0] == '?')
            && ngx_strlchr(path, p, '?') == NULL)
        {
            run->error = NGX_HTTP_FLOWDASH_REQUEST_INVALID;
            ngx_str_set(&run->detail, "a variable of flowdash_call leaves a "
                                      "part of the path empty");
            return NGX_DECLINED;
        }

        p = ngx_cpymem(p, value[i].data, value[i].len);
    }

    *p = '\0';
    text->len = p - text->data;

    last = ngx_strlchr(path, p, '?');

    if (last == NULL) {
        last = p;
    }

    if (ngx_http_flowdash_call_dot_segment(path, last)) {
        run->error = NGX_HTTP_FLOWDASH_REQUEST_INVALID;
        ngx_str_set(&run->detail, "a variable of flowdash_call makes a \".\" "
                                  "or \"..\" of a part of the path");
        return NGX_DECLINED;
    }

    return ngx_http_flowdash_call_shown_url(r, run, url, path, last);
}


/* the query is left out of the log: it may carry a key */

static ngx_int_t
ngx_http_flowdash_call_shown_url(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_http_flowdash_url_t *url, u_char *path,
    u_char *last)
{
    u_char  *p;

    run->url.len = url->shown.len + (last - path);
    run->url.data = ngx_pnalloc(r->pool, run->url.len);
    if (run->url.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(run->url.data, url->shown.data, url->shown.len);
    ngx_memcpy(p, path, last - path);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_call_url_part(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_http_flowdash_url_part_t *part,
    ngx_str_t *text)
{
    u_char     *p, *last;
    ngx_str_t   value;

    if (part->value == NULL) {
        *text = part->text;
        return NGX_OK;
    }

    if (ngx_http_flowdash_value(r, part->value, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    last = value.data + value.len;

    for (p = value.data; p < last; p++) {
        if (*p < 0x20 || *p == 0x7f) {
            break;
        }
    }

    if (p < last || ngx_http_flowdash_get_ctx(r)->escaped) {
        run->error = NGX_HTTP_FLOWDASH_REQUEST_INVALID;
        ngx_str_set(&run->detail, "a variable in the URL has a "
                                  "control character");
        return NGX_DECLINED;
    }

    text->data = ngx_pnalloc(r->pool, 3 * value.len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    last = (u_char *) ngx_escape_uri(text->data, value.data, value.len,
                                     NGX_ESCAPE_URI_COMPONENT);
    text->len = last - text->data;

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_call_dot_segment(u_char *p, u_char *last)
{
    u_char  *end;

    /* the path starts with a slash */

    while (p < last) {
        p++;

        end = ngx_strlchr(p, last, '/');

        if (end == NULL) {
            end = last;
        }

        if ((end - p == 1 && p[0] == '.')
            || (end - p == 2 && p[0] == '.' && p[1] == '.'))
        {
            return 1;
        }

        p = end;
    }

    return 0;
}


static ngx_int_t
ngx_http_flowdash_call_headers(ngx_http_request_t *r,
    ngx_http_flowdash_call_t *call)
{
    u_char             *line;
    ngx_uint_t          i;
    const char        **own;
    ngx_keyval_t       *header;
    struct curl_slist  *list;

    /*
     * Without a value libcurl's own headers are not sent: it would wait for
     * "100 Continue", and the others are for flowdash_set_header to say.
     */

    for (own = ngx_http_flowdash_own_headers; *own; own++) {

        list = curl_slist_append(call->headers, *own);
        if (list == NULL) {
            return NGX_ERROR;
        }

        call->headers = list;
    }

    header = call->run->headers.elts;

    for (i = 0; i < call->run->headers.nelts; i++) {

        if (header[i].key.len == sizeof("Content-Length") - 1
            && ngx_strncasecmp(header[i].key.data, (u_char *) "Content-Length",
                               header[i].key.len) == 0)
        {
            continue;
        }

        line = ngx_pnalloc(r->pool, header[i].key.len + sizeof(": ")
                                    + header[i].value.len);
        if (line == NULL) {
            return NGX_ERROR;
        }

        ngx_sprintf(line, "%V: %V%Z", &header[i].key, &header[i].value);

        list = curl_slist_append(call->headers, (char *) line);
        if (list == NULL) {
            return NGX_ERROR;
        }

        call->headers = list;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_call_options(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *url)
{
    CURL              *easy;
    ngx_str_t         *payload, *socket;
    struct curl_blob   ca;

    easy = call->transfer.easy;
    payload = &call->run->payload;
    socket = &flcf->url->socket;

    if (curl_easy_setopt(easy, CURLOPT_URL, (char *) url->data)
        || curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers)

        || curl_easy_setopt(easy, CURLOPT_POST, 1L)
        || curl_easy_setopt(easy, CURLOPT_POSTFIELDS, payload->data)
        || curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t) payload->len)

        || curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
                            ngx_http_flowdash_call_header)
        || curl_easy_setopt(easy, CURLOPT_HEADERDATA, call)
        || curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION,
                            ngx_http_flowdash_call_write)
        || curl_easy_setopt(easy, CURLOPT_WRITEDATA, call)

        || curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                            (long) flcf->connect_timeout)

        || curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER,
                            flcf->ssl_verify ? 1L : 0L)
        || curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST,
                            flcf->ssl_verify ? 2L : 0L))
    {
        return NGX_ERROR;
    }

    if (socket->len
        && curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH,
                            (char *) socket->data))
    {
        return NGX_ERROR;
    }

    if (flcf->ssl_trusted.len) {

        ca.data = flcf->ssl_trusted.data;
        ca.len = flcf->ssl_trusted.len;
        ca.flags = CURL_BLOB_NOCOPY;

        if (curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca)
            || curl_easy_setopt(easy, CURLOPT_CAPATH, NULL))
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the header counts for flowdash_max_response_size, but is not kept */

static size_t
ngx_http_flowdash_call_header(char *p, size_t size, size_t n, void *data)
{
    ngx_http_flowdash_call_t *call = data;

    ngx_http_flowdash_run_t       *run;
    ngx_http_flowdash_loc_conf_t  *flcf;

    run = call->run;
    flcf = run->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    call->header_size += size * n;

    if (call->header_size > flcf->max_response_size) {
        run->error = NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE;
        ngx_str_set(&run->detail, "the answer's header is over "
                                  "flowdash_max_response_size");
        return 0;
    }

    return size * n;
}


static size_t
ngx_http_flowdash_call_write(char *p, size_t size, size_t n, void *data)
{
    ngx_http_flowdash_call_t *call = data;

    if (ngx_http_flowdash_answer_add(call->run, (u_char *) p, size * n)
        != NGX_OK)
    {
        return 0;
    }

    return size * n;
}


static void
ngx_http_flowdash_call_done(ngx_flowdash_curl_transfer_t *t)
{
    ngx_http_flowdash_call_t *call = t->data;

    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = call->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "flowdash call done: %d %s", t->result,
                   curl_easy_strerror(t->result));

    rc = ngx_http_flowdash_call_answer(call);

    ngx_http_flowdash_call_abort(call);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_flowdash_call_answer(ngx_http_flowdash_call_t *call)
{
    char                          *type;
    long                           status;
    const char                    *detail;
    ngx_http_request_t            *r;
    ngx_http_flowdash_run_t       *run;
    ngx_flowdash_curl_transfer_t  *t;

    t = &call->transfer;
    r = call->request;
    run = call->run;

    if (t->result != CURLE_OK) {

        if (run->error) {
            return NGX_ERROR;
        }

        run->error = ngx_http_flowdash_call_error(t->result);

        detail = t->refused ? "worker_connections are not enough"
                 : t->error[0] ? t->error : curl_easy_strerror(t->result);

        run->detail.len = ngx_strlen(detail);
        run->detail.data = ngx_pnalloc(r->pool, run->detail.len);
        if (run->detail.data == NULL) {
            run->detail.len = 0;
            return NGX_ERROR;
        }

        ngx_memcpy(run->detail.data, detail, run->detail.len);

        return NGX_ERROR;
    }

    if (curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status)
        || curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type))
    {
        return NGX_ERROR;
    }

    run->status = status;
    r->headers_out.status = status;

    if (type) {
        run->content_type.len = ngx_strlen(type);
        run->content_type.data = ngx_pnalloc(r->pool, run->content_type.len);
        if (run->content_type.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(run->content_type.data, type, run->content_type.len);
    }

    return NGX_OK;
}


static ngx_http_flowdash_error_e
ngx_http_flowdash_call_error(CURLcode code)
{
    switch (code) {

    case CURLE_COULDNT_RESOLVE_HOST:
        return NGX_HTTP_FLOWDASH_RESOLVE;

    case CURLE_COULDNT_CONNECT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return NGX_HTTP_FLOWDASH_CONNECT;

    case CURLE_OPERATION_TIMEDOUT:
        return NGX_HTTP_FLOWDASH_TIMEOUT;

    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return NGX_HTTP_FLOWDASH_TLS;

    /* a header that is none: HTTP/0.9, or no HTTP at all */

    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return NGX_HTTP_FLOWDASH_RESPONSE_INVALID;

    case CURLE_URL_MALFORMAT:
        return NGX_HTTP_FLOWDASH_REQUEST_INVALID;

    default:
        return NGX_HTTP_FLOWDASH_INTERNAL;
    }
}


void
ngx_http_flowdash_call_abort(ngx_http_flowdash_call_t *call)
{
    call->run->call = NULL;

    ngx_flowdash_curl_free(&call->transfer);

    curl_slist_free_all(call->headers);
    call->headers = NULL;
}


static void
ngx_http_flowdash_call_cleanup(void *data)
{
    ngx_http_flowdash_run_t *run = data;

    if (run->call) {
        ngx_http_flowdash_call_abort(run->call);
    }
}
