
/*
 * A request that nginx ends before its action has ended: what is counted and
 * logged of the step that was running, or had just ended.  The functions that
 * count and log are replaced, and what they get is compared.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


#include "ngx_http_flowdash_reason.c"
#include "ngx_http_flowdash_exchange.c"
#include "ngx_http_flowdash_error_internal.c"


#define ENDED   "nginx ended the request"
#define OWN     "what the endpoint did"


typedef struct {
    const char                  *name;
    ngx_http_flowdash_state_e    state;
    unsigned                     step:1;     /* there is a step, or a fetch */
    unsigned                     fetch:1;
    unsigned                     done:1;
    unsigned                     optional:1;
    ngx_http_flowdash_reason_e   error;      /* of the step, before */

    int                          counted;    /* its error then; -1: not */
    ngx_http_flowdash_reason_e   result;     /* 0: nothing is recorded */
    unsigned                     blamed:1;   /* the step is */
    const char                  *detail;
} test_case_t;


static test_case_t  cases[] = {

    { "a step runs", NGX_HTTP_FLOWDASH_RUNNING, 1, 0, 0, 0, 0,
      NGX_HTTP_FLOWDASH_INTERNAL, NGX_HTTP_FLOWDASH_INTERNAL, 1, ENDED },

    { "a step runs, and has failed already", NGX_HTTP_FLOWDASH_RUNNING,
      1, 0, 0, 0, NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE,
      NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE,
      NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE, 1, OWN },

    { "a step was refused", NGX_HTTP_FLOWDASH_RUNNING,
      1, 0, 1, 0, NGX_HTTP_FLOWDASH_STATUS,
      NGX_HTTP_FLOWDASH_STATUS, NGX_HTTP_FLOWDASH_STATUS, 1, OWN },

    { "a step has timed out", NGX_HTTP_FLOWDASH_RUNNING,
      1, 0, 1, 0, NGX_HTTP_FLOWDASH_TIMEOUT,
      NGX_HTTP_FLOWDASH_TIMEOUT, NGX_HTTP_FLOWDASH_TIMEOUT, 1, OWN },

    { "its connection broke off, as nginx closes it",
      NGX_HTTP_FLOWDASH_RUNNING, 1, 0, 1, 0, NGX_HTTP_FLOWDASH_CONNECT,
      NGX_HTTP_FLOWDASH_INTERNAL, NGX_HTTP_FLOWDASH_INTERNAL, 1, ENDED },

    { "an optional step runs", NGX_HTTP_FLOWDASH_RUNNING, 1, 0, 0, 1, 0,
      NGX_HTTP_FLOWDASH_INTERNAL, NGX_HTTP_FLOWDASH_INTERNAL, 1, ENDED },

    { "an optional step has failed", NGX_HTTP_FLOWDASH_RUNNING,
      1, 0, 1, 1, NGX_HTTP_FLOWDASH_STATUS,
      NGX_HTTP_FLOWDASH_STATUS, NGX_HTTP_FLOWDASH_INTERNAL, 0, ENDED },

    { "an optional step runs, and has failed already",
      NGX_HTTP_FLOWDASH_RUNNING, 1, 0, 0, 1,
      NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE,
      NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE,
      NGX_HTTP_FLOWDASH_INTERNAL, 0, ENDED },

    { "an optional step could not be called for the request",
      NGX_HTTP_FLOWDASH_RUNNING, 1, 0, 1, 1,
      NGX_HTTP_FLOWDASH_REQUEST_INVALID, NGX_HTTP_FLOWDASH_REQUEST_INVALID,
      NGX_HTTP_FLOWDASH_REQUEST_INVALID, 1, OWN },

    { "the connection of an optional step broke off",
      NGX_HTTP_FLOWDASH_RUNNING, 1, 0, 1, 1, NGX_HTTP_FLOWDASH_CONNECT,
      NGX_HTTP_FLOWDASH_INTERNAL, NGX_HTTP_FLOWDASH_INTERNAL, 1, ENDED },

    { "a step has succeeded", NGX_HTTP_FLOWDASH_RUNNING, 1, 0, 1, 0, 0,
      NGX_HTTP_FLOWDASH_OK, NGX_HTTP_FLOWDASH_INTERNAL, 0, ENDED },

    { "the task is fetched", NGX_HTTP_FLOWDASH_FETCHING, 1, 1, 0, 0, 0,
      -1, NGX_HTTP_FLOWDASH_INTERNAL, 1, ENDED },

    { "the task was refused", NGX_HTTP_FLOWDASH_FETCHING,
      1, 1, 1, 0, NGX_HTTP_FLOWDASH_STATUS,
      -1, NGX_HTTP_FLOWDASH_STATUS, 1, OWN },

    { "the body is written", NGX_HTTP_FLOWDASH_WRITING, 0, 0, 0, 0, 0,
      -1, NGX_HTTP_FLOWDASH_INTERNAL, 0, ENDED },

    { "the body is read", NGX_HTTP_FLOWDASH_READING, 0, 0, 0, 0, 0,
      -1, NGX_HTTP_FLOWDASH_OK, 0, "" },

    { "the action has failed", NGX_HTTP_FLOWDASH_FAILED,
      1, 0, 1, 0, NGX_HTTP_FLOWDASH_STATUS,
      -1, NGX_HTTP_FLOWDASH_OK, 0, "" }
};


ngx_module_t  ngx_http_flowdash_module;

static int                         test_counted;
static ngx_uint_t                  test_started;
static ngx_uint_t                  test_ended;
static ngx_uint_t                  test_blamed;
static ngx_uint_t                  test_tolerated;
static ngx_http_flowdash_reason_e  test_result;
static ngx_str_t                   test_detail;


void
ngx_http_flowdash_count_started(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    test_started++;
}


void
ngx_http_flowdash_count_ended(ngx_http_flowdash_ctx_t *ctx)
{
    test_ended++;
}


void
ngx_http_flowdash_count_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    test_counted = ex->error;
}


void
ngx_http_flowdash_log_failed(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_reason_e error,
    ngx_str_t *detail)
{
    test_blamed = ctx->exchange != NULL;
    test_result = error;
    test_detail = *detail;
}


void
ngx_http_flowdash_log_tolerated(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    test_tolerated++;
}


ngx_int_t
ngx_http_flowdash_error(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_reason_e error, ngx_uint_t status, ngx_str_t *detail)
{
    return NGX_DONE;
}


static ngx_uint_t
is_right(test_case_t *test, ngx_http_flowdash_ctx_t *ctx, ngx_uint_t dry_run)
{
    ngx_uint_t  recorded;

    recorded = test->result != NGX_HTTP_FLOWDASH_OK;

    if (test_counted != test->counted
        || test_result != test->result
        || test_blamed != test->blamed
        || test_tolerated != (test->optional && !test->blamed)
        || test_detail.len != ngx_strlen(test->detail)
        || ngx_memcmp(test_detail.data, test->detail, test_detail.len) != 0
        || test_started != (recorded && !dry_run)
        || test_ended != recorded)
    {
        return 0;
    }

    return !recorded
           || (ctx->state == NGX_HTTP_FLOWDASH_FAILED
               && ctx->error == test->result
               && ctx->status
                  == ngx_http_flowdash_reason_status(test->result));
}


static void
run(test_case_t *test, ngx_uint_t dry_run)
{
    ngx_http_request_t            r;
    ngx_http_flowdash_ctx_t       ctx;
    ngx_http_flowdash_step_t      step;
    ngx_http_flowdash_exchange_t  ex;

    ngx_memzero(&r, sizeof(ngx_http_request_t));
    ngx_memzero(&ctx, sizeof(ngx_http_flowdash_ctx_t));
    ngx_memzero(&step, sizeof(ngx_http_flowdash_step_t));
    ngx_memzero(&ex, sizeof(ngx_http_flowdash_exchange_t));

    test_counted = -1;
    test_started = 0;
    test_ended = 0;
    test_blamed = 0;
    test_tolerated = 0;
    test_result = NGX_HTTP_FLOWDASH_OK;
    ngx_str_set(&test_detail, "");

    step.optional = test->optional;

    ex.step = &step;
    ex.fetch = test->fetch;
    ex.done = test->done;

    if (test->error) {
        (void) ngx_http_flowdash_exchange_fail(&ex, test->error, OWN);
    }

    ctx.state = test->state;
    ctx.exchange = test->step ? &ex : NULL;
    ctx.dry_run = dry_run;

    ngx_http_flowdash_error_internal_end(&r, &ctx);

    ok(is_right(test, &ctx, dry_run), test->name);
}


int
main(void)
{
    ngx_uint_t  i;

    (void) test_begin(1);

    for (i = 0; i < sizeof(cases) / sizeof(test_case_t); i++) {
        run(&cases[i], 0);

        if (cases[i].fetch && !cases[i].done) {

            /* not known to be a dry run before the task was there */

            run(&cases[i], 1);
        }
    }

    return test_end();
}
