
/*
 * What a step waited for when its time was over: a host that is not reached
 * and an endpoint that is slow need different people.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_flowdash_curl.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_timeout.h>


static void ngx_http_flowdash_timeout_deadline(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, const char *state);
static const char *ngx_http_flowdash_timeout_call_state(
    ngx_http_flowdash_call_t *call);
static const char *ngx_http_flowdash_timeout_connecting(
    ngx_http_flowdash_call_t *call);
static const char *ngx_http_flowdash_timeout_upstream_state(
    ngx_http_upstream_t *u);
static void ngx_http_flowdash_timeout_text(ngx_http_flowdash_exchange_t *ex,
    ngx_pool_t *pool, ngx_http_flowdash_reason_e error, const char *state,
    const char *limit, ngx_msec_t time);


static const char  ngx_http_flowdash_timeout_no_tls[] =
    "no connection, or no complete TLS handshake";


void
ngx_http_flowdash_timeout(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex)
{
    const char                    *state;
    ngx_http_flowdash_loc_conf_t  *flcf;

    state = ex->call ? ngx_http_flowdash_timeout_call_state(ex->call)
            : ngx_http_flowdash_timeout_upstream_state(ex->request->upstream);

    if (ex->deadline) {
        ngx_http_flowdash_timeout_deadline(r, ex, state);
        return;
    }

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    ngx_http_flowdash_timeout_text(ex, ex->request->pool,
                                   NGX_HTTP_FLOWDASH_TIMEOUT, state,
                                   "flowdash_timeout", flcf->timeout);
}


/* this step may be the one that has had no time left, and not be slow */

static void
ngx_http_flowdash_timeout_deadline(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, const char *state)
{
    ngx_msec_t                left;
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    left = ctx->deadline - ex->start;

    if (left >= ctx->conf->deadline / 2) {
        ngx_http_flowdash_timeout_text(ex, ex->request->pool,
                                       NGX_HTTP_FLOWDASH_DEADLINE, state,
                                       "flowdash_deadline",
                                       ctx->conf->deadline);
        return;
    }

    (void) ngx_http_flowdash_exchange_fail_text(ex,
               NGX_HTTP_FLOWDASH_DEADLINE, ex->request->pool,
               "%s within %Mms, all that was left of flowdash_deadline",
               state, left);
}


void
ngx_http_flowdash_timeout_call(ngx_http_flowdash_call_t *call)
{
    ngx_http_flowdash_timeout_text(call->ex, call->pool,
                                   NGX_HTTP_FLOWDASH_TIMEOUT,
                                   ngx_http_flowdash_timeout_call_state(call),
                                   "flowdash_timeout", call->conf->timeout);
}


ngx_int_t
ngx_http_flowdash_timeout_attempt(ngx_http_flowdash_call_t *call)
{
    const char                    *limit;
    ngx_msec_t                     time;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = call->conf;

    limit = "timeout of flowdash_retry";
    time = ngx_http_flowdash_retry_time(call->retry, flcf->timeout);

    if (!call->sent && (time == 0 || flcf->connect_timeout < time)) {
        limit = "flowdash_connect_timeout";
        time = flcf->connect_timeout;
    }

    ngx_http_flowdash_timeout_text(call->ex, call->pool,
                                   NGX_HTTP_FLOWDASH_TIMEOUT,
                                   ngx_http_flowdash_timeout_call_state(call),
                                   limit, time);

    return NGX_DECLINED;
}


void
ngx_http_flowdash_timeout_upstream(ngx_http_flowdash_exchange_t *ex)
{
    const char                *limit;
    ngx_msec_t                 time;
    ngx_http_upstream_t       *u;
    ngx_http_upstream_conf_t  *conf;

    u = ex->request->upstream;
    conf = u->conf;

    if (u->state == NULL || u->state->connect_time == (ngx_msec_t) -1) {
        limit = "proxy_connect_timeout or similar";
        time = conf->connect_timeout;

    } else if (u->request_body_sent) {
        limit = "proxy_read_timeout or similar";
        time = conf->read_timeout;

    } else {
        limit = "proxy_send_timeout or similar";
        time = conf->send_timeout;
    }

    ngx_http_flowdash_timeout_text(ex, ex->request->pool,
                                   NGX_HTTP_FLOWDASH_TIMEOUT,
                                   ngx_http_flowdash_timeout_upstream_state(u),
                                   limit, time);
}


static const char *
ngx_http_flowdash_timeout_call_state(ngx_http_flowdash_call_t *call)
{
    curl_off_t  sent;

    if (!call->attempting) {
        return "the next attempt did not begin";
    }

    if (!call->transferred) {
        return "the resolver did not answer";
    }

    if (!call->sent) {
        return ngx_http_flowdash_timeout_connecting(call);
    }

    if (call->header_size) {
        return "connected, the answer did not end";
    }

    if (curl_easy_getinfo(call->transfer.easy, CURLINFO_SIZE_UPLOAD_T, &sent)
        == CURLE_OK
        && sent > 0 && sent < (curl_off_t) call->ex->payload.len)
    {
        return "connected, the endpoint did not read the whole request";
    }

    return "connected, request sent, no answer";
}


/* for libcurl, a connection exists when the TLS handshake has ended */

static const char *
ngx_http_flowdash_timeout_connecting(ngx_http_flowdash_call_t *call)
{
    curl_off_t  resolved;

    if (curl_easy_getinfo(call->transfer.easy, CURLINFO_NAMELOOKUP_TIME_T,
                          &resolved)
        == CURLE_OK
        && resolved == 0)
    {
        return "the name of the host was not resolved";
    }

    return call->conf->proxy ? "no connection through the proxy"
           : call->conf->url->ssl ? ngx_http_flowdash_timeout_no_tls
           : "no connection";
}


/* "u" is NULL for a handler without an upstream, such as one in Lua */

static const char *
ngx_http_flowdash_timeout_upstream_state(ngx_http_upstream_t *u)
{
    if (u == NULL) {
        return "no answer";
    }

    if (u->resolved && u->resolved->ctx) {
        return "the resolver did not answer";
    }

    if (u->state == NULL || u->state->connect_time == (ngx_msec_t) -1) {
        return u->ssl ? ngx_http_flowdash_timeout_no_tls : "no connection";
    }

    if (u->state->header_time != (ngx_msec_t) -1) {
        return "connected, the answer did not end";
    }

    return u->request_body_sent
           ? "connected, request sent, no answer"
           : "connected, the endpoint did not read the whole request";
}


static void
ngx_http_flowdash_timeout_text(ngx_http_flowdash_exchange_t *ex,
    ngx_pool_t *pool, ngx_http_flowdash_reason_e error, const char *state,
    const char *limit, ngx_msec_t time)
{
    ngx_uint_t  seconds;

    seconds = (time % 1000 == 0);

    (void) ngx_http_flowdash_exchange_fail_text(ex, error, pool,
                                          "%s within %M%s (%s)", state,
                                          seconds ? time / 1000 : time,
                                          seconds ? "s" : "ms", limit);
}
