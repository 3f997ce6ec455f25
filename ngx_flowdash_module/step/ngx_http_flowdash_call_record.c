
/*
 * What is recorded of an attempt when it has ended.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_call_record.h>


static ngx_uint_t ngx_http_flowdash_call_record_header(
    ngx_http_flowdash_call_t *call);
static ngx_uint_t ngx_http_flowdash_call_record_has_opened(
    ngx_http_flowdash_call_t *call);


void
ngx_http_flowdash_call_record(ngx_http_flowdash_call_t *call)
{
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_attempt_t   *attempt;

    ex = call->ex;
    call->attempting = 0;

    /* there is room for all of them: what was sent is never left out */

    attempt = ex->attempts.elts;
    attempt += ex->attempts.nelts++;

    ngx_memzero(attempt, sizeof(ngx_http_flowdash_attempt_t));

    attempt->status = ex->status ? ex->status
                                 : ngx_http_flowdash_reason_status(ex->error);
    attempt->header = ngx_http_flowdash_call_record_header(call);
    attempt->time = ngx_current_msec - call->start;
    attempt->error = ex->error;
    attempt->answered = (ex->status != 0);
    attempt->sent = (call->transferred && call->sent
                     && !call->denied && !call->unfit);
    attempt->scarce = (call->transferred && call->transfer.scarce
                       && !call->sent);
    attempt->opened = ngx_http_flowdash_call_record_has_opened(call);
}


/*
 * The header alone tells whether the endpoint has done what it was asked to:
 * what follows it may break off, take too long, or be too large.
 */

static ngx_uint_t
ngx_http_flowdash_call_record_header(ngx_http_flowdash_call_t *call)
{
    long  status;

    if (call->ex->status) {
        return call->ex->status;
    }

    if (!call->transferred || !call->header_ended
        || curl_easy_getinfo(call->transfer.easy, CURLINFO_RESPONSE_CODE,
                             &status)
           != CURLE_OK
        || status < NGX_HTTP_OK)
    {
        return 0;
    }

    return status;
}


static ngx_uint_t
ngx_http_flowdash_call_record_has_opened(ngx_http_flowdash_call_t *call)
{
    long  connects;

    return call->transferred
           && curl_easy_getinfo(call->transfer.easy, CURLINFO_NUM_CONNECTS,
                                &connects)
              == CURLE_OK
           && connects > 0;
}
