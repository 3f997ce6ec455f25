
/*
 * How a step has failed, for the conditions of flowdash_optional.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_call_result.h>
#include <ngx_http_flowdash_tolerance.h>


static ngx_uint_t ngx_http_flowdash_tolerance_upstream(
    ngx_http_flowdash_exchange_t *ex);
static ngx_uint_t ngx_http_flowdash_tolerance_unanswered(
    ngx_http_request_t *r, ngx_http_upstream_state_t *state,
    ngx_uint_t timedout);
static ngx_uint_t ngx_http_flowdash_tolerance_status(ngx_uint_t status);


void
ngx_http_flowdash_tolerance_attempt(ngx_http_flowdash_call_t *call)
{
    ngx_uint_t                     condition;
    ngx_http_flowdash_exchange_t  *ex;

    ex = call->ex;

    if (ex->error == NGX_HTTP_FLOWDASH_OK) {
        ex->failures |= ngx_http_flowdash_tolerance_status(ex->status);
        return;
    }

    condition = 0;

    if (ex->error != NGX_HTTP_FLOWDASH_TLS
        && !(call->transferred
             && (call->header_size
                 || (call->sent && ex->error == NGX_HTTP_FLOWDASH_CONNECT))))
    {
        condition = ngx_http_flowdash_call_result_retry_condition(call);
    }

    ex->failures |= condition ? condition : NGX_HTTP_FLOWDASH_RETRY_NONE;
}


void
ngx_http_flowdash_tolerance_end(ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_request_t  *r;

    r = ex->request;

    if (ex->attempts.nelts == 0
        && r->upstream_states && r->upstream_states->nelts)
    {
        ex->failures |= ngx_http_flowdash_tolerance_upstream(ex);
        return;
    }

    switch (ex->error) {

    case NGX_HTTP_FLOWDASH_STATUS:
        ex->failures |= ngx_http_flowdash_tolerance_status(ex->status);
        break;

    case NGX_HTTP_FLOWDASH_TIMEOUT:
        ex->failures |= NGX_HTTP_FLOWDASH_RETRY_TIMEOUT;
        break;

    case NGX_HTTP_FLOWDASH_CONNECT:
    case NGX_HTTP_FLOWDASH_RESOLVE:
        ex->failures |= NGX_HTTP_FLOWDASH_RETRY_ERROR;
        break;

    default:
        ex->failures |= NGX_HTTP_FLOWDASH_RETRY_NONE;
    }
}


static ngx_uint_t
ngx_http_flowdash_tolerance_upstream(ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t                  i, last, failures;
    ngx_http_upstream_state_t  *state;

    failures = 0;
    state = ex->request->upstream_states->elts;
    last = ex->request->upstream_states->nelts - 1;

    for (i = 0; i < last; i++) {

        failures |= (state[i].header_time != (ngx_msec_t) -1)
                    ? ngx_http_flowdash_tolerance_status(state[i].status)
                    : ngx_http_flowdash_tolerance_unanswered(ex->request,
                          &state[i],
                          state[i].status == NGX_HTTP_GATEWAY_TIME_OUT);
    }

    /* the status of the last one may be nginx's, or that of half an answer */

    switch (ex->error) {

    case NGX_HTTP_FLOWDASH_STATUS:
        return failures | ngx_http_flowdash_tolerance_status(ex->status);

    case NGX_HTTP_FLOWDASH_TIMEOUT:
    case NGX_HTTP_FLOWDASH_CONNECT:
    case NGX_HTTP_FLOWDASH_RESOLVE:
        return failures
               | ngx_http_flowdash_tolerance_unanswered(ex->request,
                     &state[last], ex->error == NGX_HTTP_FLOWDASH_TIMEOUT);

    default:
        return failures | NGX_HTTP_FLOWDASH_RETRY_NONE;
    }
}


/*
 * While nothing was sent over TLS, a handshake that failed looks like a server
 * that was not reached.
 */

static ngx_uint_t
ngx_http_flowdash_tolerance_unanswered(ngx_http_request_t *r,
    ngx_http_upstream_state_t *state, ngx_uint_t timedout)
{
    if (state->header_time != (ngx_msec_t) -1 || state->bytes_received) {
        return NGX_HTTP_FLOWDASH_RETRY_NONE;
    }

    if (timedout) {
        return NGX_HTTP_FLOWDASH_RETRY_TIMEOUT;
    }

#if (NGX_HTTP_SSL)
    if (r->upstream && r->upstream->ssl) {
        return NGX_HTTP_FLOWDASH_RETRY_NONE;
    }
#endif

    return state->bytes_sent ? NGX_HTTP_FLOWDASH_RETRY_NONE
                             : NGX_HTTP_FLOWDASH_RETRY_ERROR;
}


static ngx_uint_t
ngx_http_flowdash_tolerance_status(ngx_uint_t status)
{
    ngx_uint_t  condition;

    condition = ngx_http_flowdash_retry_condition(status);

    return condition ? condition : NGX_HTTP_FLOWDASH_RETRY_NONE;
}
