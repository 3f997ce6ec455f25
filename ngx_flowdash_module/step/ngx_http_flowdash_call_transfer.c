
/*
 * One attempt of a call as a transfer: its headers and options.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_flowdash_curl.h>
#include <ngx_http_flowdash_payload.h>
#include <ngx_http_flowdash_call_setup.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_call_transfer.h>


/* up to this size of a body, no libcurl asks for "100 Continue"; octets */

#define NGX_HTTP_FLOWDASH_CALL_EXPECT  1024

/*
 * What libcurl reads at once of a large body, at most and as a part of it, in
 * octets: it keeps such a buffer until the answer has come.
 */

#define NGX_HTTP_FLOWDASH_CALL_UPLOAD  65536
#define NGX_HTTP_FLOWDASH_CALL_PART    32


static ngx_int_t ngx_http_flowdash_call_transfer_renew(
    ngx_http_flowdash_call_t *call);
static struct curl_slist *ngx_http_flowdash_call_transfer_headers(
    ngx_http_flowdash_call_t *call);
static u_char *ngx_http_flowdash_call_transfer_host_line(
    ngx_http_flowdash_call_t *call);
static ngx_uint_t ngx_http_flowdash_call_transfer_has_header(
    ngx_array_t *headers, ngx_str_t *name);
static size_t ngx_http_flowdash_call_transfer_lines_length(
    ngx_array_t *headers);
static u_char *ngx_http_flowdash_call_transfer_lines(u_char *p,
    ngx_array_t *headers, struct curl_slist *list, ngx_uint_t *n);
static ngx_int_t ngx_http_flowdash_call_transfer_options(
    ngx_http_flowdash_call_t *call, struct curl_slist *headers);
static ngx_int_t ngx_http_flowdash_call_transfer_body(
    ngx_http_flowdash_call_t *call);
static size_t ngx_http_flowdash_call_transfer_read(char *p, size_t size,
    size_t n, void *data);
static int ngx_http_flowdash_call_transfer_seek(void *data, curl_off_t offset,
    int origin);
static ngx_int_t ngx_http_flowdash_call_transfer_times(
    ngx_http_flowdash_call_t *call);


/*
 * Headers that libcurl adds unless a line without a value forbids it: they are
 * sent only if flowdash_set_header sets them.
 */

static ngx_keyval_t  ngx_http_flowdash_own_headers[] = {
    { ngx_string("Content-Type"), ngx_string("Content-Type:") },
    { ngx_string("Accept"), ngx_string("Accept:") },
    { ngx_string("Accept-Encoding"), ngx_string("Accept-Encoding:") },
    { ngx_null_string, ngx_null_string }
};


ngx_int_t
ngx_http_flowdash_call_transfer(ngx_http_flowdash_call_t *call)
{
    struct curl_slist  *headers;

    call->sent = 0;
    call->lost = 0;
    call->header_size = 0;
    call->header_ended = 0;

    headers = ngx_http_flowdash_call_transfer_headers(call);

    if (headers == NULL
        || ngx_http_flowdash_call_transfer_renew(call) != NGX_OK
        || ngx_http_flowdash_call_transfer_options(call, headers) != NGX_OK
        || ngx_http_flowdash_call_transfer_times(call) != NGX_OK
        || ngx_flowdash_curl_start(&call->transfer) != NGX_OK)
    {
        (void) ngx_http_flowdash_exchange_fail(call->ex,
                                               NGX_HTTP_FLOWDASH_INTERNAL,
                                               "the call was not started");
        return NGX_ERROR;
    }

    call->transferred = 1;

    return NGX_AGAIN;
}


/* the next attempt is not made by a worn handle either */

static ngx_int_t
ngx_http_flowdash_call_transfer_renew(ngx_http_flowdash_call_t *call)
{
    ngx_flowdash_curl_transfer_t  *t;

    t = &call->transfer;

    if (!t->worn) {
        return NGX_OK;
    }

    ngx_flowdash_curl_free(t);

    return ngx_flowdash_curl_create(t, call->conf->handles);
}


/* The list is in the call's pool: libcurl only reads it. */

static struct curl_slist *
ngx_http_flowdash_call_transfer_headers(ngx_http_flowdash_call_t *call)
{
    size_t                         size;
    u_char                        *line, *p;
    ngx_uint_t                     i, n;
    ngx_array_t                    headers;
    ngx_pool_t                    *pool;
    ngx_keyval_t                  *own;
    struct curl_slist             *list;
    ngx_http_flowdash_exchange_t  *ex;

    static ngx_str_t  host = ngx_string("Host");

    ex = call->ex;
    pool = call->pool;

    if (ngx_array_init(&headers, pool, call->conf->sign_keys ? 4 : 1,
                       sizeof(ngx_keyval_t))
        != NGX_OK
        || call->add_headers(call, &headers) != NGX_OK)
    {
        return NULL;
    }

    n = sizeof(ngx_http_flowdash_own_headers) / sizeof(ngx_keyval_t) - 1
        + 3 + ex->headers.nelts + headers.nelts;

    size = n * sizeof(struct curl_slist)
           + ngx_http_flowdash_call_transfer_lines_length(&ex->headers)
           + ngx_http_flowdash_call_transfer_lines_length(&headers);

    list = ngx_palloc(pool, size);
    if (list == NULL) {
        return NULL;
    }

    p = (u_char *) &list[n];
    n = 0;

    for (own = ngx_http_flowdash_own_headers; own->key.len; own++) {

        if (!ngx_http_flowdash_call_transfer_has_header(&ex->headers,
                                                        &own->key)) {
            list[n++].data = (char *) own->value.data;
        }
    }

    if (ex->payload.len > NGX_HTTP_FLOWDASH_CALL_EXPECT) {
        list[n++].data = "Expect:";
    }

    if (!ngx_http_flowdash_call_transfer_has_header(&ex->headers, &host)) {

        line = ngx_http_flowdash_call_transfer_host_line(call);
        if (line == NULL) {
            return NULL;
        }

        /* the first line forbids libcurl's own */

        list[n++].data = "Host:";
        list[n++].data = (char *) line;
    }

    p = ngx_http_flowdash_call_transfer_lines(p, &ex->headers, list, &n);
    (void) ngx_http_flowdash_call_transfer_lines(p, &headers, list, &n);

    for (i = 0; i < n; i++) {
        list[i].next = (i + 1 < n) ? &list[i + 1] : NULL;
    }

    return list;
}


static u_char *
ngx_http_flowdash_call_transfer_host_line(ngx_http_flowdash_call_t *call)
{
    ngx_http_flowdash_url_t  *url;

    url = call->conf->url;

    if (url->host_line) {
        return url->host_line;
    }

    return ngx_http_flowdash_url_host_line(call->pool, url, &call->host);
}


static ngx_uint_t
ngx_http_flowdash_call_transfer_has_header(ngx_array_t *headers,
    ngx_str_t *name)
{
    ngx_uint_t     i;
    ngx_keyval_t  *header;

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        if (header[i].key.len == name->len
            && (ngx_memcmp(header[i].key.data, name->data, name->len) == 0
                || ngx_strncasecmp(header[i].key.data, name->data, name->len)
                   == 0))
        {
            return 1;
        }
    }

    return 0;
}


static size_t
ngx_http_flowdash_call_transfer_lines_length(ngx_array_t *headers)
{
    size_t         len;
    ngx_uint_t     i;
    ngx_keyval_t  *header;

    len = 0;
    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {
        len += header[i].key.len + sizeof(": ") + header[i].value.len;
    }

    return len;
}


/* writes lines to "p", each with its zero, and returns their end */

static u_char *
ngx_http_flowdash_call_transfer_lines(u_char *p, ngx_array_t *headers,
    struct curl_slist *list, ngx_uint_t *n)
{
    ngx_uint_t     i;
    ngx_keyval_t  *header;

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        list[(*n)++].data = (char *) p;

        p = ngx_cpymem(p, header[i].key.data, header[i].key.len);
        *p++ = ':';
        *p++ = ' ';
        p = ngx_cpymem(p, header[i].value.data, header[i].value.len);
        *p++ = '\0';
    }

    return p;
}


static ngx_int_t
ngx_http_flowdash_call_transfer_options(ngx_http_flowdash_call_t *call,
    struct curl_slist *headers)
{
    CURL  *easy;

    easy = call->transfer.easy;

    if (call->conf->url->parsed == NULL
        && curl_easy_setopt(easy, CURLOPT_URL, (char *) call->url.data))
    {
        return NGX_ERROR;
    }

    if (curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers)
        || curl_easy_setopt(easy, CURLOPT_HEADERDATA, call)
        || curl_easy_setopt(easy, CURLOPT_WRITEDATA, call)
        || curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call)
        || curl_easy_setopt(easy, CURLOPT_PREREQDATA, call))
    {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_payload_type(call->conf)
        && ngx_http_flowdash_call_transfer_body(call) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (call->fresh) {

        /* a handle that is used again must not have this option */

        call->transfer.worn = 1;

        if (curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L)) {
            return NGX_ERROR;
        }
    }

    call->transfer.http2 = !call->http1
                           && call->conf->http_version
                              != CURL_HTTP_VERSION_1_1;

    if (call->http1) {
        call->transfer.worn = 1;

        if (curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                             (long) CURL_HTTP_VERSION_1_1))
        {
            return NGX_ERROR;
        }
    }

    /* NULL, too: the addresses of the handle's last transfer must go */

    if (ngx_http_flowdash_call_setup_named(call->conf)
        && curl_easy_setopt(easy, CURLOPT_RESOLVE,
                            call->addresses.data ? &call->addresses : NULL))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * libcurl copies a small body behind the header, to send both at once.  It
 * reads a large one piece by piece, each attempt from the begin.
 */

static ngx_int_t
ngx_http_flowdash_call_transfer_body(ngx_http_flowdash_call_t *call)
{
    CURL                        *easy;
    const char                  *text;
    ngx_http_flowdash_slices_t  *payload;

    easy = call->transfer.easy;
    payload = &call->ex->payload;

    ngx_memzero(&call->place, sizeof(ngx_http_flowdash_slices_place_t));

    if (payload->len < NGX_HTTP_FLOWDASH_SLICES_TEXT) {
        text = payload->nelts ? (char *) payload->elts[0].data : "";

    } else {
        text = NULL;

        if (curl_easy_setopt(easy, CURLOPT_READFUNCTION,
                             ngx_http_flowdash_call_transfer_read)
            || curl_easy_setopt(easy, CURLOPT_READDATA, call)
            || curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION,
                                ngx_http_flowdash_call_transfer_seek)
            || curl_easy_setopt(easy, CURLOPT_SEEKDATA, call)
            || curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
                                (long) ngx_min(payload->len
                                          / NGX_HTTP_FLOWDASH_CALL_PART,
                                          NGX_HTTP_FLOWDASH_CALL_UPLOAD)))
        {
            return NGX_ERROR;
        }
    }

    if (curl_easy_setopt(easy, CURLOPT_POSTFIELDS, text)
        || curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t) payload->len))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static size_t
ngx_http_flowdash_call_transfer_read(char *p, size_t size, size_t n,
    void *data)
{
    ngx_http_flowdash_call_t *call = data;

    return ngx_http_flowdash_slices_read(&call->ex->payload, &call->place,
                                         (u_char *) p, size * n);
}


/* libcurl begins again when it has sent a part of the body in vain */

static int
ngx_http_flowdash_call_transfer_seek(void *data, curl_off_t offset, int origin)
{
    ngx_http_flowdash_call_t *call = data;

    if (origin != SEEK_SET || offset < 0) {
        return CURL_SEEKFUNC_FAIL;
    }

    ngx_http_flowdash_slices_seek(&call->ex->payload, &call->place, offset);

    return CURL_SEEKFUNC_OK;
}


/*
 * The look-up of the host has taken part of the time.  libcurl has to know how
 * much is left: it gives the first of several addresses half of that.
 */

static ngx_int_t
ngx_http_flowdash_call_transfer_times(ngx_http_flowdash_call_t *call)
{
    ngx_msec_int_t  left;

    left = ngx_max(ngx_http_flowdash_call_transfer_left(call), 1);

    if (curl_easy_setopt(call->transfer.easy, CURLOPT_CONNECTTIMEOUT_MS,
                         (long) left))
    {
        return NGX_ERROR;
    }

    ngx_add_timer(&call->timer, (ngx_msec_t) left);

    return NGX_OK;
}


ngx_msec_int_t
ngx_http_flowdash_call_transfer_left(ngx_http_flowdash_call_t *call)
{
    ngx_msec_t      time;
    ngx_msec_int_t  left;

    time = ngx_http_flowdash_retry_time(call->retry, call->conf->timeout);

    if (!call->sent) {
        time = time ? ngx_min(time, call->conf->connect_timeout)
                    : call->conf->connect_timeout;
    }

    if (time == 0) {
        return 0;
    }

    left = call->start + time - ngx_current_msec;

    return (left > 0) ? left : -1;
}
