
/*
 * The options that all calls of a step have in common: set once for each easy
 * handle.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_flowdash_curl_open.h>
#include <ngx_http_flowdash_egress.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_http_flowdash_payload.h>
#include <ngx_http_flowdash_call_result.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_call_setup.h>


static ngx_int_t ngx_http_flowdash_call_setup_method(CURL *easy,
    ngx_http_flowdash_loc_conf_t *flcf);
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
static void ngx_http_flowdash_call_setup_lose(
    ngx_http_flowdash_call_t *call);
static void ngx_http_flowdash_call_setup_user_timeout(
    ngx_http_flowdash_call_t *call, curl_socket_t fd, int family);
static int ngx_http_flowdash_call_setup_connected(void *data, char *ip,
    char *local_ip, int port, int local_port);


ngx_uint_t
ngx_http_flowdash_call_setup_named(ngx_http_flowdash_loc_conf_t *flcf)
{
    return flcf->proxy ? flcf->proxy->named : flcf->url->named;
}


ngx_int_t
ngx_http_flowdash_call_setup(CURL *easy, void *data)
{
    ngx_http_flowdash_loc_conf_t *flcf = data;

    if (ngx_http_flowdash_call_setup_method(easy, flcf) != NGX_OK
        || curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION,
                            ngx_http_flowdash_call_setup_connected)
        || curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
                            ngx_http_flowdash_call_setup_open_socket)
        || curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
                            ngx_http_flowdash_call_result_header)
        || curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION,
                            ngx_http_flowdash_call_result_write)
        || curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                            (long) flcf->http_version)

        /* undo all codings that libcurl knows */

        || curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ""))
    {
        return NGX_ERROR;
    }

    if (flcf->url->parsed
        && curl_easy_setopt(easy, CURLOPT_CURLU, flcf->url->parsed))
    {
        return NGX_ERROR;
    }

    /* without a name there is nothing to look up that could become stale */

    if (!ngx_http_flowdash_call_setup_named(flcf)
        && curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L))
    {
        return NGX_ERROR;
    }

    /*
     * The kernel does not count what comes on a UNIX-domain socket.  A new one
     * costs little, and is not closed just as a call is sent.
     */

    if (flcf->url->socket.len
        && (curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH,
                             (char *) flcf->url->socket.data)
            || curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L)
            || curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L)))
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
     * Without TLS there is no need for the names of the system's CA files,
     * which libcurl copies for each transfer.  Some TLS backends lack these
     * options: never mind.
     */

    (void) curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    (void) curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    (void) curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
    (void) curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);

    return NGX_OK;
}


/* to libcurl, a request with a body is a POST of whatever name */

static ngx_int_t
ngx_http_flowdash_call_setup_method(CURL *easy,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    CURLoption  option;

    option = ngx_http_flowdash_payload_type(flcf) ? CURLOPT_POST
                                                  : CURLOPT_HTTPGET;

    if (curl_easy_setopt(easy, option, 1L)
        || (flcf->method.len
            && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                                (char *) flcf->method.data)))
    {
        return NGX_ERROR;
    }

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

    if (proxy->user
        && (curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, proxy->user)
            || curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, proxy->password)))
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


/*
 * Checks the address of a new connection before it is opened.  libcurl would
 * send a request again, several times, if kept connections turn out to be
 * dead.  That is for the module to decide, so it gets no other connection.
 */

static curl_socket_t
ngx_http_flowdash_call_setup_open_socket(void *data, curlsocktype type,
    struct curl_sockaddr *addr)
{
    ngx_http_flowdash_call_t *call = data;

    curl_socket_t  fd;

    if (call->sent) {
        ngx_http_flowdash_call_setup_lose(call);
        return CURL_SOCKET_BAD;
    }

    if (call->conf->rules
        && ngx_http_flowdash_egress_denied(call->conf->rules, &addr->addr))
    {
        call->denied = 1;
        return CURL_SOCKET_BAD;
    }

    call->opened = 1;

    fd = ngx_flowdash_curl_open(addr->family, addr->socktype, addr->protocol);

    if (fd == (ngx_socket_t) -1) {
        call->transfer.no_socket = call->made ? 0 : ngx_socket_errno;
        return CURL_SOCKET_BAD;
    }

    /* whatever kept it from one address does not explain another's failure */

    call->made = 1;
    call->transfer.no_socket = 0;

    ngx_http_flowdash_call_setup_user_timeout(call, fd, addr->family);

    return fd;
}


/*
 * libcurl got no answer and would send again.  Whether it would use HTTP/1.1,
 * because the endpoint has asked for that by HTTP_1_1_REQUIRED, can only be
 * seen by what it says of the attempt: on a new connection it then misses an
 * answer, which it does not when it repeats for another reason.
 */

static void
ngx_http_flowdash_call_setup_lose(ngx_http_flowdash_call_t *call)
{
    const char  *error;

    call->lost = 1;

    error = ngx_flowdash_curl_error(&call->transfer);

    if (ngx_strstr(error, "HTTP_1_1_REQUIRED")
        || (!call->kept && ngx_strcmp(error, "Empty reply from server") == 0))
    {
        call->http1 = 1;
    }
}


/*
 * A peer that is gone without a word: the kernel gives up a connection on
 * which nothing was acknowledged for as long as a step may take, so that it is
 * not used for the next calls, too.
 */

static void
ngx_http_flowdash_call_setup_user_timeout(ngx_http_flowdash_call_t *call,
    curl_socket_t fd, int family)
{
#ifdef TCP_USER_TIMEOUT

    int  ms;

    if (family != AF_INET && family != AF_INET6) {
        return;
    }

    /* steps share connections, and may have more time than this one */

    ms = ngx_min(call->main_conf->longest_timeout, NGX_MAX_INT32_VALUE);

    if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(int)) == -1)
    {
        ngx_log_error(NGX_LOG_INFO, call->log, ngx_socket_errno,
                      "setsockopt(TCP_USER_TIMEOUT) failed");
    }

#endif
}


/*
 * Called before a request is sent.  Checks the address of the connection: a
 * step with other rules may have opened it.
 */

static int
ngx_http_flowdash_call_setup_connected(void *data, char *ip, char *local_ip,
    int port, int local_port)
{
    ngx_http_flowdash_call_t *call = data;

    ngx_uint_t                     denied;
    struct sockaddr                sa;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = call->conf;

    if (call->sent) {

        /* again, on another kept connection */

        ngx_http_flowdash_call_setup_lose(call);
        return CURL_PREREQFUNC_ABORT;
    }

    call->sent = 1;
    call->kept = !call->opened;

    if (ngx_flowdash_curl_send(&call->transfer, ngx_max(local_port, 0))
        != NGX_OK)
    {
        call->unfit = 1;
        return CURL_PREREQFUNC_ABORT;
    }

    if (flcf->rules == NULL) {
        return CURL_PREREQFUNC_OK;
    }

    if (flcf->url->socket.len) {
        ngx_memzero(&sa, sizeof(struct sockaddr));
        sa.sa_family = AF_UNIX;

        denied = ngx_http_flowdash_egress_denied(flcf->rules, &sa);

    } else {
        denied = ngx_http_flowdash_egress_denied_text(flcf->rules, ip);
    }

    if (denied) {
        call->denied = 1;
        call->unfit = !call->opened;
        call->opened = 0;
        return CURL_PREREQFUNC_ABORT;
    }

    return CURL_PREREQFUNC_OK;
}
