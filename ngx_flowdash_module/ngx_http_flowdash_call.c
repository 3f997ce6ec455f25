
/*
 * flowdash_call, the content handler of a step: the attempts of its call, the
 * options of each transfer, and the answer into the step's run.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


/* how long calls wait for a connection that they may share, in ms */

#define NGX_HTTP_FLOWDASH_CALL_PATIENCE  250

/* no libcurl waits for "100 Continue" with a body up to here, in octets */

#define NGX_HTTP_FLOWDASH_CALL_EXPECT    1024


struct ngx_http_flowdash_call_s {
    ngx_flowdash_curl_transfer_t   transfer;
    ngx_http_flowdash_resolve_t    resolve;
    struct curl_slist              addresses;  /* of the host, if looked up */

    ngx_http_request_t            *request;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_loc_conf_t  *conf;

    ngx_str_t                      url;
    ngx_str_t                      host;

    ngx_msec_t                     start;      /* of the attempt */
    ngx_event_t                    again;      /* the wait for the next one */
    size_t                         header_size;

    unsigned                       attempting:1;
    unsigned                       transferred:1;
    unsigned                       denied:1;   /* an address was */
    unsigned                       opened:1;   /* one was not */
    unsigned                       reused:1;   /* a connection, but denied */
    unsigned                       fresh:1;    /* none is to be reused */
};


static ngx_http_flowdash_call_t *ngx_http_flowdash_call_create(
    ngx_http_request_t *r, ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_call_attempt(
    ngx_http_flowdash_call_t *call);
static ngx_int_t ngx_http_flowdash_call_resolve(
    ngx_http_flowdash_call_t *call);
static ngx_uint_t ngx_http_flowdash_call_setup_named(
    ngx_http_flowdash_loc_conf_t *flcf);
static ngx_int_t ngx_http_flowdash_call_resolved(
    ngx_http_flowdash_call_t *call);
static void ngx_http_flowdash_call_resolve_handler(
    ngx_http_flowdash_resolve_t *rs);
static ngx_int_t ngx_http_flowdash_call_transfer(
    ngx_http_flowdash_call_t *call);
static struct curl_slist *ngx_http_flowdash_call_transfer_headers(
    ngx_http_flowdash_call_t *call);
static u_char *ngx_http_flowdash_call_transfer_host_line(
    ngx_http_flowdash_call_t *call);
static ngx_uint_t ngx_http_flowdash_call_transfer_has_header(
    ngx_array_t *headers, ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_call_transfer_header_lines(ngx_pool_t *pool,
    ngx_array_t *headers, struct curl_slist *list, ngx_uint_t *n);
static ngx_int_t ngx_http_flowdash_call_transfer_options(
    ngx_http_flowdash_call_t *call, struct curl_slist *headers);
static ngx_int_t ngx_http_flowdash_call_transfer_times(
    ngx_http_flowdash_call_t *call);
static ngx_int_t ngx_http_flowdash_call_setup_tls(CURL *easy,
    ngx_http_flowdash_loc_conf_t *flcf);
static long ngx_http_flowdash_call_setup_tls_versions(
    ngx_http_flowdash_loc_conf_t *flcf);
static CURLcode ngx_http_flowdash_call_setup_blob(CURL *easy,
    CURLoption option, ngx_str_t *content);
static ngx_int_t ngx_http_flowdash_call_setup_proxy(CURL *easy,
    ngx_http_flowdash_loc_conf_t *flcf);

static curl_socket_t ngx_http_flowdash_call_setup_open_socket(void *data,
    curlsocktype type, struct curl_sockaddr *addr);
static int ngx_http_flowdash_call_setup_connected(void *data, char *ip,
    char *local_ip, int port, int local_port);
static size_t ngx_http_flowdash_call_result_header(char *p, size_t size,
    size_t n,
    void *data);
static size_t ngx_http_flowdash_call_result_write(char *p, size_t size,
    size_t n,
    void *data);

static void ngx_http_flowdash_call_transfer_handler(
    ngx_flowdash_curl_transfer_t *t);
static ngx_int_t ngx_http_flowdash_call_result_read_response(
    ngx_http_flowdash_call_t *call);
static ngx_uint_t ngx_http_flowdash_call_result_whole_answer(
    ngx_http_flowdash_call_t *call);
static ngx_int_t ngx_http_flowdash_call_result_set_error(
    ngx_http_flowdash_call_t *call, ngx_http_flowdash_reason_e error,
    const char *detail);
static ngx_http_flowdash_reason_e ngx_http_flowdash_call_result_map_curl_error(
    ngx_http_flowdash_call_t *call);
static ngx_int_t ngx_http_flowdash_call_attempt_complete(
    ngx_http_flowdash_call_t *call);
static ngx_uint_t ngx_http_flowdash_call_result_retry_condition(
    ngx_http_flowdash_call_t *call);
static long ngx_http_flowdash_call_result_proxy_status(
    ngx_http_flowdash_call_t *call);
static void ngx_http_flowdash_call_schedule_retry(
    ngx_http_flowdash_call_t *call, ngx_msec_t wait);
static void ngx_http_flowdash_call_retry_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_flowdash_call_result_record(
    ngx_http_flowdash_call_t *call);
static void ngx_http_flowdash_call_finalize(ngx_http_flowdash_call_t *call,
    ngx_int_t rc);
static void ngx_http_flowdash_call_cleanup(void *data);


/*
 * What libcurl sends on its own, unless it is told not to by a line without a
 * value: these are for flowdash_set_header to say.
 */

static ngx_keyval_t  ngx_http_flowdash_own_headers[] = {
    { ngx_string("Content-Type"), ngx_string("Content-Type:") },
    { ngx_string("Accept"), ngx_string("Accept:") },
    { ngx_null_string, ngx_null_string }
};


ngx_int_t
ngx_http_flowdash_call_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_call_t      *call;

    ex = ngx_http_get_module_ctx(r, ngx_http_flowdash_module);

    if (r == r->main || ex == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call = ngx_http_flowdash_call_create(r, ex);
    if (call == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_url_make(r->main, ex, call->conf->url, &call->url,
                                    &call->host);

    if (rc == NGX_OK) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "flowdash call \"%V\"", &ex->url);

        rc = ngx_http_flowdash_call_attempt(call);
    }

    if (rc != NGX_AGAIN) {
        ngx_http_flowdash_call_abort(call);
        return (rc == NGX_DECLINED) ? NGX_HTTP_BAD_REQUEST : rc;
    }

    r->main->count++;

    return NGX_DONE;
}


static ngx_http_flowdash_call_t *
ngx_http_flowdash_call_create(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_cleanup_t            *cln;
    ngx_http_flowdash_call_t      *call;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    call = ngx_pcalloc(r->pool, sizeof(ngx_http_flowdash_call_t));
    if (call == NULL) {
        return NULL;
    }

    if (ngx_array_init(&ex->attempts, r->pool, 1,
                       sizeof(ngx_http_flowdash_attempt_t))
        != NGX_OK)
    {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_flowdash_call_cleanup;
    cln->data = ex;

    call->request = r;
    call->ex = ex;
    call->conf = flcf;
    call->transfer.handler = ngx_http_flowdash_call_transfer_handler;
    call->transfer.data = call;

    if (flcf->url->ssl && flcf->http_version == CURL_HTTP_VERSION_2TLS) {

        /* without TLS, libcurl learns too late that it can't be shared */

        call->transfer.patience = ngx_min(flcf->connect_timeout / 4 + 1,
                                          NGX_HTTP_FLOWDASH_CALL_PATIENCE);
    }

    if (ngx_flowdash_curl_create(&call->transfer, flcf->handles) != NGX_OK) {
        return NULL;
    }

    ex->call = call;

    return call;
}


/*
 * Returns NGX_AGAIN when it will go on by itself, or what the subrequest is to
 * be finalized with.
 */

static ngx_int_t
ngx_http_flowdash_call_attempt(ngx_http_flowdash_call_t *call)
{
    ngx_int_t  rc;

    call->start = ngx_current_msec;
    call->header_size = 0;
    call->attempting = 1;
    call->transferred = 0;
    call->denied = 0;
    call->opened = 0;
    call->reused = 0;
    call->fresh = 0;

    rc = ngx_http_flowdash_call_resolve(call);

    if (rc == NGX_OK) {
        return ngx_http_flowdash_call_transfer(call);
    }

    return (rc == NGX_DECLINED)
           ? ngx_http_flowdash_call_attempt_complete(call) : rc;
}


/*
 * Looks the host up, or that of the proxy, by nginx's resolver if there is
 * one.  Returns NGX_OK, NGX_AGAIN, NGX_DECLINED with run->error set if it has
 * no address, or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_call_resolve(ngx_http_flowdash_call_t *call)
{
    ngx_int_t                       rc;
    ngx_str_t                      *host;
    ngx_msec_t                      time;
    ngx_http_request_t             *r;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_flowdash_resolve_t    *rs;
    ngx_http_flowdash_loc_conf_t   *flcf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    r = call->request;
    flcf = call->conf;

    if (!ngx_http_flowdash_call_setup_named(flcf)) {
        return NGX_OK;
    }

    host = flcf->proxy ? &flcf->proxy->host : &call->host;

    if (flcf->url->variable_host && !ngx_http_flowdash_resolve_needed(host)) {
        return NGX_OK;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    time = ngx_http_flowdash_retry_time(flcf);

    rs = &call->resolve;

    ngx_memzero(rs, sizeof(ngx_http_flowdash_resolve_t));

    rs->host = *host;
    rs->port = flcf->proxy ? flcf->proxy->port : flcf->url->port;
    rs->resolver = clcf->resolver;
    rs->timeout = time ? ngx_min(time, flcf->connect_timeout)
                       : flcf->connect_timeout;
    rs->pool = r->pool;
    rs->log = r->connection->log;
    rs->handler = ngx_http_flowdash_call_resolve_handler;
    rs->data = call;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    rc = ngx_http_flowdash_resolve(rs, fmcf->hosts);

    if (rc == NGX_DECLINED) {

        /* there is none: libcurl asks the system's */

        return NGX_OK;
    }

    return (rc == NGX_OK) ? ngx_http_flowdash_call_resolved(call) : rc;
}


/* tells if calls may have to wait for the address of a name */

static ngx_uint_t
ngx_http_flowdash_call_setup_named(ngx_http_flowdash_loc_conf_t *flcf)
{
    return flcf->proxy ? flcf->proxy->named : flcf->url->named;
}


static ngx_int_t
ngx_http_flowdash_call_resolved(ngx_http_flowdash_call_t *call)
{
    ngx_http_flowdash_resolve_t  *rs;

    rs = &call->resolve;

    if (rs->state == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rs->state == NGX_RESOLVE_TIMEDOUT) {
        return ngx_http_flowdash_call_result_set_error(call,
                                                NGX_HTTP_FLOWDASH_TIMEOUT,
                                                "the resolver did not answer");
    }

    if (rs->state != NGX_OK) {
        return ngx_http_flowdash_call_result_set_error(call,
                                             NGX_HTTP_FLOWDASH_RESOLVE,
                                             ngx_resolver_strerror(rs->state));
    }

    call->addresses.data = (char *) rs->entry.data;

    return NGX_OK;
}


static void
ngx_http_flowdash_call_resolve_handler(ngx_http_flowdash_resolve_t *rs)
{
    ngx_http_flowdash_call_t *call = rs->data;

    ngx_int_t  rc;

    ngx_http_set_log_request(call->request->connection->log, call->request);

    rc = ngx_http_flowdash_call_resolved(call);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_call_transfer(call);

    } else if (rc == NGX_DECLINED) {
        rc = ngx_http_flowdash_call_attempt_complete(call);
    }

    ngx_http_flowdash_call_finalize(call, rc);
}


static ngx_int_t
ngx_http_flowdash_call_transfer(ngx_http_flowdash_call_t *call)
{
    struct curl_slist  *headers;

    headers = ngx_http_flowdash_call_transfer_headers(call);

    if (headers == NULL
        || ngx_http_flowdash_call_transfer_options(call, headers) != NGX_OK
        || ngx_http_flowdash_call_transfer_times(call) != NGX_OK
        || ngx_flowdash_curl_start(&call->transfer) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->transferred = 1;

    return NGX_AGAIN;
}


/*
 * The list that libcurl gets, in memory of the request: libcurl only reads it.
 */

static struct curl_slist *
ngx_http_flowdash_call_transfer_headers(ngx_http_flowdash_call_t *call)
{
    u_char                        *line;
    ngx_uint_t                     i, n;
    ngx_array_t                    headers;
    ngx_pool_t                    *pool;
    ngx_keyval_t                  *own;
    struct curl_slist             *list;
    ngx_http_request_t            *r;
    ngx_http_flowdash_exchange_t  *ex;

    static ngx_str_t  host = ngx_string("Host");

    r = call->request;
    ex = call->ex;
    pool = r->pool;

    if (ngx_array_init(&headers, pool, 4, sizeof(ngx_keyval_t)) != NGX_OK
        || ngx_http_flowdash_identity_call(r->main,
                                           ngx_http_flowdash_get_ctx(r), ex,
                                           &headers)
           != NGX_OK)
    {
        return NULL;
    }

    n = sizeof(ngx_http_flowdash_own_headers) / sizeof(ngx_keyval_t) - 1
        + 3 + ex->headers.nelts + headers.nelts;

    list = ngx_palloc(pool, n * sizeof(struct curl_slist));
    if (list == NULL) {
        return NULL;
    }

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

        /* instead of libcurl's own */

        list[n++].data = "Host:";
        list[n++].data = (char *) line;
    }

    if (ngx_http_flowdash_call_transfer_header_lines(pool, &ex->headers, list,
                                                     &n)
        != NGX_OK
        || ngx_http_flowdash_call_transfer_header_lines(pool, &headers, list,
                                                        &n)
           != NGX_OK)
    {
        return NULL;
    }

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

    return ngx_http_flowdash_url_host_line(call->request->pool, url,
                                           &call->host);
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
            && ngx_strncasecmp(header[i].key.data, name->data, name->len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_flowdash_call_transfer_header_lines(ngx_pool_t *pool,
    ngx_array_t *headers,
    struct curl_slist *list, ngx_uint_t *n)
{
    u_char        *line, *p;
    ngx_uint_t     i;
    ngx_keyval_t  *header;

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        line = ngx_pnalloc(pool, header[i].key.len + sizeof(": ")
                                 + header[i].value.len);
        if (line == NULL) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(line, header[i].key.data, header[i].key.len);
        *p++ = ':';
        *p++ = ' ';
        p = ngx_cpymem(p, header[i].value.data, header[i].value.len);
        *p = '\0';

        list[(*n)++].data = (char *) line;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_call_transfer_options(ngx_http_flowdash_call_t *call,
    struct curl_slist *headers)
{
    CURL       *easy;
    ngx_str_t  *payload;

    easy = call->transfer.easy;
    payload = &call->ex->payload;

    if (call->conf->url->parsed == NULL
        && curl_easy_setopt(easy, CURLOPT_URL, (char *) call->url.data))
    {
        return NGX_ERROR;
    }

    if (curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers)
        || curl_easy_setopt(easy, CURLOPT_POSTFIELDS, payload->data)
        || curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t) payload->len)
        || curl_easy_setopt(easy, CURLOPT_HEADERDATA, call)
        || curl_easy_setopt(easy, CURLOPT_WRITEDATA, call))
    {
        return NGX_ERROR;
    }

    if (call->conf->rules
        && (curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call)
            || curl_easy_setopt(easy, CURLOPT_PREREQDATA, call)
            || curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
                                call->fresh ? 1L : 0L)))
    {
        return NGX_ERROR;
    }

    /* also without: a transfer that was ended early has left its own there */

    if (ngx_http_flowdash_call_setup_named(call->conf)
        && curl_easy_setopt(easy, CURLOPT_RESOLVE,
                            call->addresses.data ? &call->addresses : NULL))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* what the look-up has taken is part of the time */

static ngx_int_t
ngx_http_flowdash_call_transfer_times(ngx_http_flowdash_call_t *call)
{
    CURL            *easy;
    ngx_msec_int_t   elapsed, connect, time;

    easy = call->transfer.easy;

    elapsed = ngx_current_msec - call->start;
    connect = call->conf->connect_timeout - elapsed;
    time = ngx_http_flowdash_retry_time(call->conf);

    if (time) {
        time = ngx_max(time - elapsed, 1);
    }

    if (curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                         (long) ngx_max(connect, 1))
        || curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) time))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_call_setup(CURL *easy, void *data)
{
    ngx_http_flowdash_loc_conf_t *flcf = data;

    if (curl_easy_setopt(easy, CURLOPT_POST, 1L)
        || curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
                            ngx_http_flowdash_call_result_header)
        || curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION,
                            ngx_http_flowdash_call_result_write)
        || curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                            (long) flcf->http_version))
    {
        return NGX_ERROR;
    }

    if (flcf->rules
        && (curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
                             ngx_http_flowdash_call_setup_open_socket)
            || curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION,
                                ngx_http_flowdash_call_setup_connected)))
    {
        return NGX_ERROR;
    }

    if (flcf->url->parsed
        && curl_easy_setopt(easy, CURLOPT_CURLU, flcf->url->parsed))
    {
        return NGX_ERROR;
    }

    /* nothing is looked up, so that nothing of it can be too old */

    if (!ngx_http_flowdash_call_setup_named(flcf)
        && curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L))
    {
        return NGX_ERROR;
    }

    if (flcf->url->socket.len
        && curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH,
                            (char *) flcf->url->socket.data))
    {
        return NGX_ERROR;
    }

    if (flcf->proxy
        && ngx_http_flowdash_call_setup_proxy(easy, flcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (flcf->handles->tls) {
        return ngx_http_flowdash_call_setup_tls(easy, flcf);
    }

    /*
     * libcurl would copy the names of the system's CAs for each transfer; a
     * TLS backend that has no such option does not matter
     */

    (void) curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    (void) curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    (void) curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
    (void) curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_call_setup_tls(CURL *easy,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    if (curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER,
                         flcf->ssl_verify ? 1L : 0L)
        || curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST,
                            flcf->ssl_verify ? 2L : 0L)
        || curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                            ngx_http_flowdash_call_setup_tls_versions(flcf)))
    {
        return NGX_ERROR;
    }

    if (flcf->ssl_trusted_certificate.content.len
        && (ngx_http_flowdash_call_setup_blob(easy, CURLOPT_CAINFO_BLOB,
                                      &flcf->ssl_trusted_certificate.content)
            || curl_easy_setopt(easy, CURLOPT_CAPATH, NULL)))
    {
        return NGX_ERROR;
    }

    if (flcf->ssl_certificate.content.len
        && (ngx_http_flowdash_call_setup_blob(easy, CURLOPT_SSLCERT_BLOB,
                                              &flcf->ssl_certificate.content)
            || ngx_http_flowdash_call_setup_blob(easy, CURLOPT_SSLKEY_BLOB,
                                          &flcf->ssl_certificate_key.content)))
    {
        return NGX_ERROR;
    }

    if (flcf->ssl_pinned_key.len
        && curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY,
                            (char *) flcf->ssl_pinned_key.data))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static long
ngx_http_flowdash_call_setup_tls_versions(ngx_http_flowdash_loc_conf_t *flcf)
{
    long        min, max;
    ngx_uint_t  i;

    static struct {
        ngx_uint_t  protocol;
        long        min;
        long        max;
    }  versions[] = {
        { NGX_HTTP_FLOWDASH_TLSV1_3, CURL_SSLVERSION_TLSv1_3,
          CURL_SSLVERSION_MAX_TLSv1_3 },
        { NGX_HTTP_FLOWDASH_TLSV1_2, CURL_SSLVERSION_TLSv1_2,
          CURL_SSLVERSION_MAX_TLSv1_2 },
        { NGX_HTTP_FLOWDASH_TLSV1_1, CURL_SSLVERSION_TLSv1_1,
          CURL_SSLVERSION_MAX_TLSv1_1 },
        { NGX_HTTP_FLOWDASH_TLSV1, CURL_SSLVERSION_TLSv1_0,
          CURL_SSLVERSION_MAX_TLSv1_0 }
    };

    min = 0;
    max = 0;

    for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {

        if (!(flcf->ssl_protocols & versions[i].protocol)) {
            continue;
        }

        min = versions[i].min;

        if (max == 0) {
            max = versions[i].max;
        }
    }

    return min | max;
}


static CURLcode
ngx_http_flowdash_call_setup_blob(CURL *easy, CURLoption option,
    ngx_str_t *content)
{
    struct curl_blob  blob;

    blob.data = content->data;
    blob.len = content->len;
    blob.flags = CURL_BLOB_NOCOPY;

    return curl_easy_setopt(easy, option, &blob);
}


static ngx_int_t
ngx_http_flowdash_call_setup_proxy(CURL *easy,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_http_flowdash_proxy_t  *proxy;

    proxy = flcf->proxy;

    if (curl_easy_setopt(easy, CURLOPT_PROXY, (char *) proxy->url.data)
        || curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L))
    {
        return NGX_ERROR;
    }

    if (proxy->user.data
        && (curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME,
                             (char *) proxy->user.data)
            || curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD,
                                (char *) proxy->password.data)))
    {
        return NGX_ERROR;
    }

    if (flcf->ssl_trusted_certificate.content.len
        && (ngx_http_flowdash_call_setup_blob(easy, CURLOPT_PROXY_CAINFO_BLOB,
                                      &flcf->ssl_trusted_certificate.content)
            || curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL)))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* a new connection: the address is known, and nothing was sent to it yet */

static curl_socket_t
ngx_http_flowdash_call_setup_open_socket(void *data, curlsocktype type,
    struct curl_sockaddr *addr)
{
    ngx_http_flowdash_call_t *call = data;

    if (ngx_http_flowdash_egress_denied(call->conf->rules, &addr->addr)) {
        call->denied = 1;
        return CURL_SOCKET_BAD;
    }

    call->opened = 1;

    return socket(addr->family, addr->socktype, addr->protocol);
}


/* also one that another location has opened, with other rules */

static int
ngx_http_flowdash_call_setup_connected(void *data, char *ip, char *local_ip,
    int port, int local_port)
{
    ngx_http_flowdash_call_t *call = data;

    ngx_uint_t                     denied;
    struct sockaddr                sa;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = call->conf;

    if (flcf->url->socket.len) {
        ngx_memzero(&sa, sizeof(struct sockaddr));
        sa.sa_family = AF_UNIX;

        denied = ngx_http_flowdash_egress_denied(flcf->rules, &sa);

    } else {
        denied = ngx_http_flowdash_egress_denied_text(flcf->rules, ip);
    }

    if (denied) {
        call->denied = 1;
        call->reused = !call->opened;
        call->opened = 0;
        return CURL_PREREQFUNC_ABORT;
    }

    return CURL_PREREQFUNC_OK;
}


/* the header counts for flowdash_max_response_size, but is not kept */

static size_t
ngx_http_flowdash_call_result_header(char *p, size_t size, size_t n,
    void *data)
{
    ngx_http_flowdash_call_t *call = data;

    if (call->header_size == 0) {
        ngx_flowdash_curl_answered(&call->transfer);
    }

    call->header_size += size * n;

    if (call->header_size > call->conf->max_response_size) {
        call->ex->error = NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE;
        ngx_str_set(&call->ex->detail, "the answer's header is over "
                                       "flowdash_max_response_size");
        return 0;
    }

    return size * n;
}


static size_t
ngx_http_flowdash_call_result_write(char *p, size_t size, size_t n, void *data)
{
    ngx_http_flowdash_call_t *call = data;

    if (ngx_http_flowdash_answer_add(call->ex, (u_char *) p, size * n)
        != NGX_OK)
    {
        return 0;
    }

    return size * n;
}


static void
ngx_http_flowdash_call_transfer_handler(ngx_flowdash_curl_transfer_t *t)
{
    ngx_http_flowdash_call_t *call = t->data;

    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = call->request;

    ngx_http_set_log_request(r->connection->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash call done: %d %s", t->result,
                   curl_easy_strerror(t->result));

    if (call->reused && !call->fresh) {

        /* the host may have an address that is not denied */

        call->denied = 0;
        call->fresh = 1;

        rc = ngx_http_flowdash_call_transfer(call);

    } else {
        rc = ngx_http_flowdash_call_result_read_response(call);

        if (rc != NGX_ERROR) {
            rc = ngx_http_flowdash_call_attempt_complete(call);
        }
    }

    ngx_http_flowdash_call_finalize(call, rc);
}


/*
 * Returns NGX_OK, NGX_DECLINED with run->error set if there is no answer, or
 * NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_call_result_read_response(ngx_http_flowdash_call_t *call)
{
    char                          *type;
    long                           status;
    ngx_http_request_t            *r;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_flowdash_curl_transfer_t  *t;

    t = &call->transfer;
    r = call->request;
    ex = call->ex;

    if (t->result == CURLE_HTTP2_STREAM
        && ngx_http_flowdash_call_result_whole_answer(call))
    {
        t->result = CURLE_OK;
    }

    if (t->result != CURLE_OK) {

        if (ex->error) {
            return NGX_DECLINED;
        }

        return ngx_http_flowdash_call_result_set_error(call,
                            ngx_http_flowdash_call_result_map_curl_error(call),
                            ngx_flowdash_curl_error(t));
    }

    if (curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status)
        || curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type))
    {
        return NGX_ERROR;
    }

    ex->status = status;
    r->headers_out.status = status;

    if (type) {
        ex->content_type.len = ngx_strlen(type);
        ex->content_type.data = ngx_pnalloc(r->pool, ex->content_type.len);
        if (ex->content_type.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(ex->content_type.data, type, ex->content_type.len);
    }

    return NGX_OK;
}


/*
 * libcurl 7.88 fails without a word when a stream of HTTP/2 was closed before
 * all of the call was sent, which an endpoint may do (RFC 9113, 8.1).  It may
 * have thrown away what it has read together with that, so that the answer's
 * length must tell.  Without one, only the end can be missing: a JSON text
 * without its end is none.
 */

static ngx_uint_t
ngx_http_flowdash_call_result_whole_answer(ngx_http_flowdash_call_t *call)
{
    char                          *value;
    long                           status;
    ngx_str_t                      type;
    curl_off_t                     length, received;
    ngx_flowdash_curl_transfer_t  *t;

    t = &call->transfer;

    if (call->ex->error
        || t->handle->error[0]
        || curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status)
           != CURLE_OK
        || curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &value)
           != CURLE_OK
        || ngx_flowdash_curl_received(t, &length, &received) != NGX_OK
        || status < NGX_HTTP_OK)
    {
        return 0;
    }

    if (status == NGX_HTTP_NO_CONTENT) {
        return 1;
    }

    if (length >= 0) {
        return received == length;
    }

    if (value == NULL || received == 0) {
        return 0;
    }

    type.data = (u_char *) value;
    type.len = ngx_strlen(value);

    return ngx_http_flowdash_text_is_json_type(&type);
}


static ngx_int_t
ngx_http_flowdash_call_result_set_error(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_reason_e error, const char *detail)
{
    ngx_http_flowdash_exchange_t  *ex;

    ex = call->ex;

    if (error == NGX_HTTP_FLOWDASH_DENIED) {
        detail = "flowdash_deny denies the address";
    }

    ex->error = error;
    ex->detail.len = ngx_strlen(detail);

    ex->detail.data = ngx_pnalloc(call->request->pool, ex->detail.len);
    if (ex->detail.data == NULL) {
        ex->detail.len = 0;
        return NGX_ERROR;
    }

    ngx_memcpy(ex->detail.data, detail, ex->detail.len);

    return NGX_DECLINED;
}


static ngx_http_flowdash_reason_e
ngx_http_flowdash_call_result_map_curl_error(ngx_http_flowdash_call_t *call)
{
    if (call->denied && !call->opened) {
        return NGX_HTTP_FLOWDASH_DENIED;
    }

    switch (call->transfer.result) {

    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return NGX_HTTP_FLOWDASH_RESOLVE;

    case CURLE_COULDNT_CONNECT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_PROXY:
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
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CLIENTCERT:
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


/*
 * An attempt has ended, and may be repeated.  Returns as
 * ngx_http_flowdash_call_attempt().
 */

static ngx_int_t
ngx_http_flowdash_call_attempt_complete(ngx_http_flowdash_call_t *call)
{
    curl_off_t                     after;
    ngx_msec_t                     wait;
    ngx_uint_t                     condition;
    ngx_msec_int_t                 left;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_ctx_t       *ctx;

    ex = call->ex;

    if (ngx_http_flowdash_call_result_record(call) != NGX_OK) {
        return NGX_ERROR;
    }

    condition = ngx_http_flowdash_call_result_retry_condition(call);

    if (condition) {
        after = 0;

        if (ex->status) {
            (void) curl_easy_getinfo(call->transfer.easy,
                                     CURLINFO_RETRY_AFTER, &after);
        }

        ctx = ngx_http_flowdash_get_ctx(call->request);

        left = ex->start + call->conf->timeout - ngx_current_msec;
        left = ngx_min(left, (ngx_msec_int_t) (ctx->deadline
                                               - ngx_current_msec));

        if (ngx_http_flowdash_retry(call->conf, condition,
                                    ex->attempts.nelts, after, left, &wait)
            == NGX_OK)
        {
            ngx_http_flowdash_call_schedule_retry(call, wait);
            return NGX_AGAIN;
        }
    }

    return ex->error ? NGX_ERROR : NGX_OK;
}


/* of flowdash_retry's, or 0 if the call has succeeded, or failed for good */

static ngx_uint_t
ngx_http_flowdash_call_result_retry_condition(ngx_http_flowdash_call_t *call)
{
    switch (call->ex->error) {

    case NGX_HTTP_FLOWDASH_OK:
        return ngx_http_flowdash_retry_condition(call->ex->status);

    case NGX_HTTP_FLOWDASH_CONNECT:

        /* a proxy that refuses will refuse again */

        return ngx_http_flowdash_call_result_proxy_status(call) < 400
               ? NGX_HTTP_FLOWDASH_RETRY_ERROR : 0;

    case NGX_HTTP_FLOWDASH_RESOLVE:
        return NGX_HTTP_FLOWDASH_RETRY_ERROR;

    case NGX_HTTP_FLOWDASH_TLS:

        /* a handshake that broke off; a wrong certificate stays wrong */

        return (call->transfer.result == CURLE_SSL_CONNECT_ERROR)
               ? NGX_HTTP_FLOWDASH_RETRY_ERROR : 0;

    case NGX_HTTP_FLOWDASH_TIMEOUT:
        return NGX_HTTP_FLOWDASH_RETRY_TIMEOUT;

    default:
        return 0;
    }
}


/* of its answer to CONNECT, or 0 */

static long
ngx_http_flowdash_call_result_proxy_status(ngx_http_flowdash_call_t *call)
{
    long  status;

    status = 0;

    if (call->conf->proxy) {
        (void) curl_easy_getinfo(call->transfer.easy,
                                 CURLINFO_HTTP_CONNECTCODE, &status);
    }

    return status;
}


static void
ngx_http_flowdash_call_schedule_retry(ngx_http_flowdash_call_t *call,
    ngx_msec_t wait)
{
    ngx_connection_t              *c;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_ctx_t       *ctx;

    c = call->request->connection;
    ex = call->ex;
    ctx = ngx_http_flowdash_get_ctx(call->request);

    ngx_http_flowdash_log_repeated(call->request, ctx, ex,
                                   ex->error ? ex->error
                                             : NGX_HTTP_FLOWDASH_STATUS,
                                   wait);

    ex->error = NGX_HTTP_FLOWDASH_OK;
    ngx_str_null(&ex->detail);

    ex->status = 0;
    ngx_str_null(&ex->content_type);
    ex->body.len = 0;

    call->again.handler = ngx_http_flowdash_call_retry_handler;
    call->again.data = c;
    call->again.log = c->log;

    ngx_add_timer(&call->again, wait);
}


static void
ngx_http_flowdash_call_retry_handler(ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_flowdash_call_t  *call;

    c = ev->data;
    r = c->data;

    call = ngx_http_flowdash_get_ctx(r)->exchange->call;

    ngx_http_set_log_request(c->log, call->request);

    ngx_http_flowdash_call_finalize(call,
                                    ngx_http_flowdash_call_attempt(call));
}


static ngx_int_t
ngx_http_flowdash_call_result_record(ngx_http_flowdash_call_t *call)
{
    long                           connects;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_attempt_t   *attempt;

    ex = call->ex;
    call->attempting = 0;
    connects = 0;

    if (call->transferred) {
        (void) curl_easy_getinfo(call->transfer.easy, CURLINFO_NUM_CONNECTS,
                                 &connects);
    }

    attempt = ngx_array_push(&ex->attempts);
    if (attempt == NULL) {
        return NGX_ERROR;
    }

    attempt->status = ex->status ? ex->status
                                : ngx_http_flowdash_reason_status(ex->error);
    attempt->time = ngx_current_msec - call->start;
    attempt->answered = (ex->status != 0);
    attempt->opened = (connects > 0);

    return NGX_OK;
}


/* from an event's handler: "rc" is NGX_AGAIN, or ends the subrequest */

static void
ngx_http_flowdash_call_finalize(ngx_http_flowdash_call_t *call, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (rc == NGX_AGAIN) {
        return;
    }

    r = call->request;
    c = r->connection;

    ngx_http_flowdash_call_abort(call);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}


void
ngx_http_flowdash_call_abort(ngx_http_flowdash_call_t *call)
{
    call->ex->call = NULL;

    if (call->attempting) {
        (void) ngx_http_flowdash_call_result_record(call);
    }

    ngx_http_flowdash_resolve_cancel(&call->resolve);

    if (call->again.timer_set) {
        ngx_del_timer(&call->again);
    }

    ngx_flowdash_curl_free(&call->transfer);
}


static void
ngx_http_flowdash_call_cleanup(void *data)
{
    ngx_http_flowdash_exchange_t *ex = data;

    if (ex->call) {
        ngx_http_flowdash_call_abort(ex->call);
    }
}
