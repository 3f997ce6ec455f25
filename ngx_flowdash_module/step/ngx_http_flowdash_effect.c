
/*
 * Whether the call of a step may have taken effect, so that it has to be
 * undone if the action does not happen.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_effect.h>


static ngx_uint_t ngx_http_flowdash_effect_attempts(
    ngx_http_flowdash_exchange_t *ex);
static ngx_uint_t ngx_http_flowdash_effect_upstream(ngx_http_request_t *r);
static ngx_uint_t ngx_http_flowdash_effect_status(ngx_uint_t status);


ngx_uint_t
ngx_http_flowdash_effect(ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_request_t  *r;

    r = ex->request;

    if (r == NULL) {
        return 0;
    }

    if (ex->attempts.elts) {

        /* of flowdash_call */

        return ngx_http_flowdash_effect_attempts(ex);
    }

    if (r->upstream_states && r->upstream_states->nelts) {
        return ngx_http_flowdash_effect_upstream(r);
    }

    /* another handler: nobody knows what it has done if it says nothing */

    return ex->status == 0 || ngx_http_flowdash_effect_status(ex->status);
}


static ngx_uint_t
ngx_http_flowdash_effect_attempts(ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t                    i;
    ngx_http_flowdash_attempt_t  *attempt;

    attempt = ex->attempts.elts;

    for (i = 0; i < ex->attempts.nelts; i++) {

        if (attempt[i].header
            ? ngx_http_flowdash_effect_status(attempt[i].header)
            : attempt[i].sent)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_effect_upstream(ngx_http_request_t *r)
{
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {

        if (state[i].header_time != (ngx_msec_t) -1
            ? ngx_http_flowdash_effect_status(state[i].status)
            : state[i].bytes_sent != 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_effect_status(ngx_uint_t status)
{
    return (status >= NGX_HTTP_OK && status < NGX_HTTP_SPECIAL_RESPONSE)
           || status >= NGX_HTTP_INTERNAL_SERVER_ERROR;
}
