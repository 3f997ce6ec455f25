
/*
 * The calls that an exchange has made, whoever has made them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_count_calls.h>


static ngx_uint_t ngx_http_flowdash_count_calls_attempts(
    ngx_http_flowdash_counters_t *counters, ngx_http_flowdash_exchange_t *ex);
static ngx_uint_t ngx_http_flowdash_count_calls_upstream(
    ngx_http_flowdash_counters_t *counters, ngx_http_flowdash_exchange_t *ex);
static ngx_uint_t ngx_http_flowdash_count_calls_handler(
    ngx_http_flowdash_counters_t *counters, ngx_http_flowdash_exchange_t *ex);


ngx_uint_t
ngx_http_flowdash_count_calls(ngx_http_flowdash_counters_t *counters,
    ngx_http_flowdash_exchange_t *ex)
{
    if (ex->attempts.nelts) {
        return ngx_http_flowdash_count_calls_attempts(counters, ex);
    }

    if (ex->request && ex->request->upstream && ex->request->upstream_states) {
        return ngx_http_flowdash_count_calls_upstream(counters, ex);
    }

    return ngx_http_flowdash_count_calls_handler(counters, ex);
}


/* calls by flowdash_call */

static ngx_uint_t
ngx_http_flowdash_count_calls_attempts(ngx_http_flowdash_counters_t *counters,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t                    i;
    ngx_http_flowdash_attempt_t  *attempt;

    attempt = ex->attempts.elts;

    for (i = 0; i < ex->attempts.nelts; i++) {

        ngx_http_flowdash_count_calls_status(counters,
                             attempt[i].answered ? attempt[i].status : 0);

        if (attempt[i].opened) {
            (void) ngx_atomic_fetch_add(&counters->opened, 1);

        } else if (attempt[i].answered) {
            (void) ngx_atomic_fetch_add(&counters->reused, 1);

        } else {
            continue;
        }

        (void) ngx_atomic_fetch_add(&counters->sent, ex->payload.len);
    }

    return ex->attempts.nelts;
}


/*
 * Calls by nginx's upstream, which tells only of the last one whether its
 * connection was new.
 */

static ngx_uint_t
ngx_http_flowdash_count_calls_upstream(ngx_http_flowdash_counters_t *counters,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t                  i, n, status;
    ngx_http_upstream_state_t  *state;

    state = ex->request->upstream_states->elts;
    n = ex->request->upstream_states->nelts;

    for (i = 0; i < n; i++) {

        /* the last one may have been cut; without an answer, it's nginx's */

        status = (i == n - 1) ? ex->status : state[i].status;

        ngx_http_flowdash_count_calls_status(counters,
                                   state[i].header_time != (ngx_msec_t) -1
                                   ? status : 0);

        if (state[i].bytes_sent == 0) {
            continue;
        }

        (void) ngx_atomic_fetch_add(&counters->sent, ex->payload.len);

        if (i == n - 1 && ex->request->upstream->peer.cached) {
            (void) ngx_atomic_fetch_add(&counters->reused, 1);

        } else {
            (void) ngx_atomic_fetch_add(&counters->opened, 1);
        }
    }

    return n;
}


/* the call by another content handler; flowdash_call did not get to one */

static ngx_uint_t
ngx_http_flowdash_count_calls_handler(ngx_http_flowdash_counters_t *counters,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (ex->request == NULL || flcf->url) {
        return 0;
    }

    ngx_http_flowdash_count_calls_status(counters, ex->status);

    return 1;
}


void
ngx_http_flowdash_count_calls_status(ngx_http_flowdash_counters_t *counters,
    ngx_uint_t status)
{
    ngx_uint_t  class;

    class = status / 100;

    (void) ngx_atomic_fetch_add(&counters->statuses[class < 6 ? class : 0], 1);
}
