
/*
 * A call's answer, and the reasons why there is none.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_flowdash_curl.h>
#include <ngx_http_flowdash_answer.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_call_result.h>


static ngx_http_flowdash_reason_e ngx_http_flowdash_call_result_map_curl_error(
    ngx_http_flowdash_call_t *call);
static long ngx_http_flowdash_call_result_proxy_status(
    ngx_http_flowdash_call_t *call);
static ngx_uint_t ngx_http_flowdash_call_result_has_opened(
    ngx_http_flowdash_call_t *call);


size_t
ngx_http_flowdash_call_result_header(char *p, size_t size, size_t n,
    void *data)
{
    ngx_http_flowdash_call_t *call = data;

    call->header_size += size * n;

    if (call->header_size > call->conf->max_response_size) {
        call->ex->error = NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE;
        ngx_str_set(&call->ex->detail, "the answer's header is over "
                                       "flowdash_max_response_size");
        return 0;
    }

    return size * n;
}


size_t
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


ngx_int_t
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


ngx_int_t
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

    case NGX_HTTP_FLOWDASH_TLS:

        /* a broken handshake may succeed, a wrong certificate stays wrong */

        return (call->transfer.result == CURLE_SSL_CONNECT_ERROR)
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


ngx_int_t
ngx_http_flowdash_call_result_record(ngx_http_flowdash_call_t *call)
{
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_attempt_t   *attempt;

    ex = call->ex;
    call->attempting = 0;

    attempt = ngx_array_push(&ex->attempts);
    if (attempt == NULL) {
        return NGX_ERROR;
    }

    attempt->status = ex->status ? ex->status
                                 : ngx_http_flowdash_reason_status(ex->error);
    attempt->time = ngx_current_msec - call->start;
    attempt->answered = (ex->status != 0);
    attempt->opened = ngx_http_flowdash_call_result_has_opened(call);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_call_result_has_opened(ngx_http_flowdash_call_t *call)
{
    long  connects;

    return call->transferred
           && curl_easy_getinfo(call->transfer.easy, CURLINFO_NUM_CONNECTS,
                                &connects)
              == CURLE_OK
           && connects > 0;
}
