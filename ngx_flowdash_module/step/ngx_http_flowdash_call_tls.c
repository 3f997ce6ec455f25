
/*
 * Calls that fail because the endpoint does not accept the gateway's own
 * certificate.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_call_tls.h>


static const char *ngx_http_flowdash_call_tls_alert(
    ngx_http_flowdash_call_t *call);
static ngx_uint_t ngx_http_flowdash_call_tls_is_closed(
    ngx_http_flowdash_call_t *call);


ngx_uint_t
ngx_http_flowdash_call_tls_is_alert(ngx_http_flowdash_call_t *call)
{
    return ngx_http_flowdash_call_tls_alert(call) != NULL;
}


/* returns the alert, as OpenSSL names it, or NULL */

static const char *
ngx_http_flowdash_call_tls_alert(ngx_http_flowdash_call_t *call)
{
    char        *p;
    const char  *text;

    if (!call->transferred || call->header_size) {
        return NULL;
    }

    text = ngx_flowdash_curl_error(&call->transfer);

    switch (call->transfer.result) {

    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:

        if (ngx_strncmp(text, "OpenSSL SSL_", 12) != 0) {
            return NULL;
        }

        break;

    case CURLE_PEER_FAILED_VERIFICATION:

        /*
         * libcurl takes the alert "certificate expired" for a failure of its
         * own verification, which has found nothing to object to.
         */

        return (call->conf->ssl_certificate.content.len
                && ngx_strcmp(text, "SSL certificate verification failed")
                   == 0)
               ? "certificate expired" : NULL;

    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CLIENTCERT:
        break;

    default:
        return NULL;
    }

    p = ngx_strstr(text, " alert ");

    return p ? p + sizeof(" alert ") - 1 : NULL;
}


ngx_uint_t
ngx_http_flowdash_call_tls_is_refused(ngx_http_flowdash_call_t *call)
{
    const char  *alert;

    alert = ngx_http_flowdash_call_tls_alert(call);

    return alert
           && (ngx_strstr(alert, "certificate")
               || ngx_strstr(alert, "unknown ca")
               || ngx_strstr(alert, "access denied"));
}


ngx_uint_t
ngx_http_flowdash_call_tls_explain(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_reason_e error, const char *detail)
{
    const char  *fmt;
    ngx_uint_t   own;

    fmt = NULL;
    own = (call->conf->ssl_certificate.content.len != 0);

    if (error == NGX_HTTP_FLOWDASH_TLS
        && ngx_http_flowdash_call_tls_is_refused(call))
    {
        if (call->transfer.result == CURLE_PEER_FAILED_VERIFICATION) {
            detail = "alert certificate expired";
        }

        fmt = own ? "the endpoint refused the gateway's certificate: %s"
                  : "the endpoint requires a certificate of the gateway "
                    "(flowdash_ssl_certificate): %s";

    } else if (error == NGX_HTTP_FLOWDASH_CONNECT
               && own && ngx_http_flowdash_call_tls_is_closed(call))
    {
        fmt = "%s; has flowdash_ssl_certificate expired?";
    }

    if (fmt == NULL) {
        return 0;
    }

    (void) ngx_http_flowdash_exchange_fail_text(call->ex, error, call->pool,
                                                fmt, detail);

    return 1;
}


/*
 * Was a new connection closed after the handshake, without an octet of an
 * answer?  An alert that the endpoint has sent is lost if it closes while
 * libcurl sends.
 */

static ngx_uint_t
ngx_http_flowdash_call_tls_is_closed(ngx_http_flowdash_call_t *call)
{
    curl_off_t  time;

    switch (call->transfer.result) {

    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
        return !call->kept
               && call->header_size == 0
               && curl_easy_getinfo(call->transfer.easy,
                                    CURLINFO_APPCONNECT_TIME_T, &time)
                  == CURLE_OK
               && time > 0;

    default:
        return 0;
    }
}
