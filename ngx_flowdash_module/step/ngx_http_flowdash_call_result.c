
/*
 * A call's answer, and the reasons why there is none.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_flowdash_curl.h>
#include <ngx_http_flowdash_answer.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_timeout.h>
#include <ngx_http_flowdash_call_tls.h>
#include <ngx_http_flowdash_call_result.h>


/* CURLE_TOO_LARGE of libcurl 8.6 and newer */

#define NGX_HTTP_FLOWDASH_CALL_TOO_LARGE  100

/* where libcurl limits all of a header, the limit is above this; octets */

#define NGX_HTTP_FLOWDASH_CALL_HEADERS    (256 * 1024)


static ngx_uint_t ngx_http_flowdash_call_result_is_status_line(
    ngx_str_t *line);
static ngx_int_t ngx_http_flowdash_call_result_read_error(
    ngx_http_flowdash_call_t *call);
static const char *ngx_http_flowdash_call_result_text(
    ngx_flowdash_curl_transfer_t *t);
static ngx_uint_t ngx_http_flowdash_call_result_is_of_proxy(
    ngx_http_flowdash_call_t *call, ngx_http_flowdash_reason_e error);
static ngx_http_flowdash_reason_e ngx_http_flowdash_call_result_map_curl_error(
    ngx_http_flowdash_call_t *call);
static ngx_uint_t ngx_http_flowdash_call_result_header_too_large(
    ngx_http_flowdash_call_t *call);
static long ngx_http_flowdash_call_result_proxy_status(
    ngx_http_flowdash_call_t *call);
static ngx_uint_t ngx_http_flowdash_call_result_is_number(ngx_str_t *value);


size_t
ngx_http_flowdash_call_result_header(char *p, size_t size, size_t n,
    void *data)
{
    ngx_http_flowdash_call_t *call = data;

    ngx_str_t  line;

    line.len = size * n;
    line.data = (u_char *) p;

    /* each 100 Continue has a header, too; a trailer has no status line */

    if (ngx_http_flowdash_call_result_is_status_line(&line)) {
        call->header_ended = 0;

    } else if (line.len && (line.data[0] == CR || line.data[0] == LF)) {
        call->header_ended = 1;
    }

    call->header_size += line.len;

    if (call->header_size > call->conf->max_response_size) {
        call->ex->error = NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE;
        ngx_str_set(&call->ex->detail, "the answer's header is over "
                                       "flowdash_max_response_size");
        return 0;
    }

    return line.len;
}


static ngx_uint_t
ngx_http_flowdash_call_result_is_status_line(ngx_str_t *line)
{
    return line->len >= sizeof("HTTP/") - 1
           && ngx_strncmp(line->data, "HTTP/", sizeof("HTTP/") - 1) == 0;
}


size_t
ngx_http_flowdash_call_result_write(char *p, size_t size, size_t n, void *data)
{
    ngx_http_flowdash_call_t *call = data;

    if (ngx_http_flowdash_answer_add(call->ex, call->pool, (u_char *) p,
                                     size * n)
        != NGX_OK)
    {
        return 0;
    }

    return size * n;
}


ngx_int_t
ngx_http_flowdash_call_result_read_response(ngx_http_flowdash_call_t *call)
{
    char                          *type;
    long                           status;
    ngx_str_t                      location;
    struct curl_header            *header;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_flowdash_curl_transfer_t  *t;

    t = &call->transfer;
    ex = call->ex;

    if (t->result != CURLE_OK) {
        return ngx_http_flowdash_call_result_read_error(call);
    }

    if (!call->header_ended) {

        /* for libcurl, the end of the connection ends a header, too */

        return ngx_http_flowdash_call_result_set_error(call,
                                          NGX_HTTP_FLOWDASH_CONNECT,
                                          "the answer's header broke off");
    }

    if (curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status)
        || curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type))
    {
        return NGX_ERROR;
    }

    ex->status = status;

    if (status >= NGX_HTTP_SPECIAL_RESPONSE && status < NGX_HTTP_BAD_REQUEST
        && curl_easy_header(t->easy, "Location", 0, CURLH_HEADER, -1, &header)
           == CURLHE_OK)
    {
        location.data = (u_char *) header->value;
        location.len = ngx_strlen(header->value);

        ngx_http_flowdash_answer_redirects(ex, call->pool, &location);
    }

    if (type) {
        ex->content_type.len = ngx_strlen(type);
        ex->content_type.data = ngx_pnalloc(call->pool, ex->content_type.len);
        if (ex->content_type.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(ex->content_type.data, type, ex->content_type.len);
    }

    return NGX_OK;
}


/* the transfer has failed; returns as ..._set_error() */

static ngx_int_t
ngx_http_flowdash_call_result_read_error(ngx_http_flowdash_call_t *call)
{
    const char                    *text;
    struct curl_header            *header;
    ngx_http_flowdash_reason_e     error;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_flowdash_curl_transfer_t  *t;

    t = &call->transfer;
    ex = call->ex;

    if (ex->error) {
        return NGX_DECLINED;
    }

    if (call->lost && call->http1) {
        return ngx_http_flowdash_call_result_set_error(call,
                                          NGX_HTTP_FLOWDASH_CONNECT,
                                          "the endpoint requires HTTP/1.1");
    }

    if (call->lost) {
        return ngx_http_flowdash_call_result_set_error(call,
                                      NGX_HTTP_FLOWDASH_CONNECT,
                                      call->kept
                                      ? "the endpoint closed a keepalive "
                                        "connection instead of answering"
                                      : "the endpoint refused the call "
                                        "before it processed it");
    }

    if (t->result == CURLE_BAD_CONTENT_ENCODING
        && curl_easy_header(t->easy, "Content-Encoding", 0, CURLH_HEADER,
                            -1, &header)
           == CURLHE_OK)
    {
        return ngx_http_flowdash_exchange_fail_text(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID, call->pool,
                   "the answer's Content-Encoding %s cannot be decoded",
                   header->value);
    }

    error = ngx_http_flowdash_call_result_map_curl_error(call);

    if (error == NGX_HTTP_FLOWDASH_TIMEOUT) {
        return ngx_http_flowdash_timeout_attempt(call);
    }

    text = ngx_http_flowdash_call_result_text(t);

    if (ngx_http_flowdash_call_tls_explain(call, error, text)) {
        return NGX_DECLINED;
    }

    return ngx_http_flowdash_call_result_set_error(call, error, text);
}


/*
 * libcurl keeps its first message.  If a kept connection was dead, and the new
 * one has failed for another reason, that message is about the dead one.
 */

static const char *
ngx_http_flowdash_call_result_text(ngx_flowdash_curl_transfer_t *t)
{
    const char  *text;

    text = ngx_flowdash_curl_error(t);

    switch (t->result) {

    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return text;

    default:
        return (ngx_strncmp(text, "Send failure", 12) == 0
                || ngx_strncmp(text, "Recv failure", 12) == 0)
               ? curl_easy_strerror(t->result) : text;
    }
}


ngx_int_t
ngx_http_flowdash_call_result_set_error(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_reason_e error, const char *detail)
{
    ngx_http_flowdash_exchange_t  *ex;

    ex = call->ex;

    if (error == NGX_HTTP_FLOWDASH_DENIED) {
        detail = "flowdash_deny denies the address";

    } else if (error == NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE) {
        detail = "the answer's header is larger than libcurl accepts";
    }

    if (ngx_http_flowdash_call_result_is_of_proxy(call, error)) {
        return ngx_http_flowdash_exchange_fail_text(ex, error, call->pool,
                                                    "proxy %V: %s",
                                                    &call->conf->proxy->url,
                                                    detail);
    }

    ex->error = error;
    ex->detail.len = ngx_strlen(detail);

    ex->detail.data = ngx_pnalloc(call->pool, ex->detail.len);
    if (ex->detail.data == NULL) {
        ex->detail.len = 0;
        return NGX_ERROR;
    }

    ngx_memcpy(ex->detail.data, detail, ex->detail.len);

    return NGX_DECLINED;
}


/* has the proxy failed, and not the endpoint? */

static ngx_uint_t
ngx_http_flowdash_call_result_is_of_proxy(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_reason_e error)
{
    if (call->conf->proxy == NULL) {
        return 0;
    }

    if (error == NGX_HTTP_FLOWDASH_RESOLVE) {

        /* the proxy looks up the endpoint's name */

        return 1;
    }

    return call->transferred
           && (call->transfer.result == CURLE_COULDNT_CONNECT
               || call->transfer.result == CURLE_PROXY);
}


static ngx_http_flowdash_reason_e
ngx_http_flowdash_call_result_map_curl_error(ngx_http_flowdash_call_t *call)
{
    if (call->denied && !call->opened) {
        return NGX_HTTP_FLOWDASH_DENIED;
    }

    if (ngx_http_flowdash_call_result_header_too_large(call)) {
        return NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE;
    }

    if (ngx_http_flowdash_call_tls_is_alert(call)) {
        return NGX_HTTP_FLOWDASH_TLS;
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

    /* HTTP/0.9, or no HTTP at all */

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
 * libcurl has limits of its own: 100 kB for a line of the header, which it
 * calls "out of memory", and, in many versions, 300 kB for all of it, which it
 * calls a failure to receive.  Memory that runs out, or a connection that is
 * reset, just there looks the same.
 */

static ngx_uint_t
ngx_http_flowdash_call_result_header_too_large(
    ngx_http_flowdash_call_t *call)
{
    if (call->header_size == 0 || call->header_ended) {
        return 0;
    }

    switch (call->transfer.result) {

    case CURLE_OUT_OF_MEMORY:
    case NGX_HTTP_FLOWDASH_CALL_TOO_LARGE:
        return 1;

    case CURLE_RECV_ERROR:
        return call->header_size > NGX_HTTP_FLOWDASH_CALL_HEADERS;

    default:
        return 0;
    }
}


ngx_uint_t
ngx_http_flowdash_call_result_can_resend(ngx_http_flowdash_call_t *call)
{
    if (call->resent) {
        return 0;
    }

    if (call->lost && call->http1) {
        return call->conf->resend;
    }

    if (call->lost) {

        /* on a new connection, it is HTTP/2 that has refused the stream */

        return !call->kept
               || (call->conf->resend
                   && ngx_flowdash_curl_closed_unanswered(&call->transfer));
    }

    if (!call->kept || !call->conf->resend) {
        return 0;
    }

    switch (call->transfer.result) {

    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:

        /* libcurl does not repeat what it has not sent to the end */

        return call->sent && call->header_size == 0
               && ngx_flowdash_curl_closed_unanswered(&call->transfer);

    default:
        return call->ex->status == NGX_HTTP_REQUEST_TIME_OUT;
    }
}


ngx_uint_t
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

    case NGX_HTTP_FLOWDASH_INTERNAL:

        /* a moment later, the gateway may have a connection for it */

        return (call->transferred && call->transfer.scarce)
               ? NGX_HTTP_FLOWDASH_RETRY_ERROR : 0;

    case NGX_HTTP_FLOWDASH_TLS:

        /* a broken handshake may succeed, a wrong certificate stays wrong */

        return (call->transfer.result == CURLE_SSL_CONNECT_ERROR
                && !ngx_http_flowdash_call_tls_is_refused(call))
               ? NGX_HTTP_FLOWDASH_RETRY_ERROR : 0;

    case NGX_HTTP_FLOWDASH_TIMEOUT:
        return NGX_HTTP_FLOWDASH_RETRY_TIMEOUT;

    default:
        return 0;
    }
}


/* the status of the proxy's answer to CONNECT, or 0 */

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


curl_off_t
ngx_http_flowdash_call_result_retry_after(ngx_http_flowdash_call_t *call)
{
    curl_off_t           after;
    ngx_str_t            value;
    struct curl_header  *header;

    after = 0;

    if (call->ex->status == 0
        || curl_easy_getinfo(call->transfer.easy, CURLINFO_RETRY_AFTER, &after)
           != CURLE_OK
        || after)
    {
        return after;
    }

    /* libcurl takes a number with too many digits for none */

    if (curl_easy_header(call->transfer.easy, "Retry-After", 0, CURLH_HEADER,
                         -1, &header)
        != CURLHE_OK)
    {
        return 0;
    }

    value.data = (u_char *) header->value;
    value.len = ngx_strlen(header->value);

    return ngx_http_flowdash_call_result_is_number(&value)
           && ngx_atoof(value.data, value.len) == NGX_ERROR
           ? NGX_MAX_OFF_T_VALUE : 0;
}


static ngx_uint_t
ngx_http_flowdash_call_result_is_number(ngx_str_t *value)
{
    size_t  i;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < '0' || value->data[i] > '9') {
            return 0;
        }
    }

    return value->len != 0;
}
