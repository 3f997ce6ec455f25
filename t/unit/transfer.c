/*
 * What a transfer's result is when libcurl and the module both know of one:
 * libcurl says that it has ended, or nothing; and before that, its socket could
 * not be made, or could not be watched.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "tap.h"

#include "ngx_flowdash_curl_idle.c"
#include "ngx_flowdash_curl_open.c"
#include "ngx_flowdash_curl_conn.c"
#include "ngx_flowdash_curl_socket.c"
#include "ngx_flowdash_curl_handle.c"
#include "ngx_flowdash_curl_multi.c"
#include "ngx_flowdash_curl_sweep.c"
#include "ngx_flowdash_curl_tcp.c"
#include "ngx_flowdash_curl_tls.c"
#include "ngx_flowdash_curl_use.c"
#include "ngx_flowdash_curl.c"


#define SILENT  -1      /* libcurl says nothing */


typedef struct {
    const char   *name;
    ngx_int_t     unwatched;    /* why its socket is; 0: it is watched */
    ngx_err_t     no_socket;
    int           said;         /* libcurl's result */

    CURLcode      result;
    const char   *error;        /* NULL: libcurl's own words */
} test_case_t;


static test_case_t  cases[] = {

    { "an answer", 0, 0, CURLE_OK, CURLE_OK, NULL },

    { "an answer, though its socket could not be watched",
      NGX_ERROR, 0, CURLE_OK, CURLE_OK, NULL },

    { "an answer, though connections were not enough",
      NGX_BUSY, 0, CURLE_OK, CURLE_OK, NULL },

    { "no answer, and its socket could not be watched",
      NGX_ERROR, 0, CURLE_RECV_ERROR, CURLE_FAILED_INIT,
      "nginx cannot watch the connection: its alert before this line says "
      "why" },

    { "no answer, and connections were not enough",
      NGX_BUSY, 0, CURLE_RECV_ERROR, CURLE_FAILED_INIT,
      "worker_connections are not enough" },

    { "nothing, and its socket could not be watched",
      NGX_ERROR, 0, SILENT, CURLE_FAILED_INIT,
      "nginx cannot watch the connection: its alert before this line says "
      "why" },

    { "no connection", 0, 0, CURLE_COULDNT_CONNECT, CURLE_COULDNT_CONNECT,
      NULL },

    { "no connection, for want of descriptors",
      0, EMFILE, CURLE_COULDNT_CONNECT, CURLE_FAILED_INIT,
      "file descriptors are not enough" },

    { "no connection, for want of memory",
      0, ENOMEM, CURLE_COULDNT_CONNECT, CURLE_FAILED_INIT,
      "memory ran out for a socket" },

    { "no connection, and no IPv6",
      0, EAFNOSUPPORT, CURLE_COULDNT_CONNECT, CURLE_COULDNT_CONNECT, NULL },

    { "an answer, though one address got no socket",
      0, EMFILE, CURLE_OK, CURLE_OK, NULL }
};


static ngx_uint_t  test_ends;


static void
ended(ngx_flowdash_curl_transfer_t *t)
{
    test_ends++;
}


static ngx_int_t
setup(CURL *easy, void *data)
{
    return NGX_OK;
}


static void
run(test_case_t *test, ngx_flowdash_curl_handles_t *handles)
{
    ngx_uint_t                    good;
    const char                   *error;
    ngx_flowdash_curl_transfer_t  t;

    ngx_memzero(&t, sizeof(ngx_flowdash_curl_transfer_t));
    t.handler = ended;
    test_ends = 0;

    if (ngx_flowdash_curl_create(&t, handles) != NGX_OK
        || ngx_flowdash_curl_start(&t) != NGX_OK)
    {
        ok(0, test->name);
        return;
    }

    t.no_socket = test->no_socket;

    if (test->unwatched) {
        ngx_flowdash_curl_fail(t.easy, test->unwatched);
    }

    if (test->said != SILENT) {
        ngx_flowdash_curl_ended(t.easy, test->said);
    }

    ngx_flowdash_curl_turn();

    error = test->error ? test->error : curl_easy_strerror(test->result);

    good = test_ends == 1
           && t.result == test->result
           && ngx_strcmp(ngx_flowdash_curl_error(&t), error) == 0;

    ngx_flowdash_curl_free(&t);

    ok(good, test->name);
}


int
main(void)
{
    ngx_uint_t                   i;
    ngx_cycle_t                  cycle;
    ngx_flowdash_curl_handles_t  handles;

    (void) test_begin(0);

    test_log_keep();
    (void) ngx_event_timer_init(&test_log);
    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);

    ngx_memzero(&cycle, sizeof(ngx_cycle_t));
    cycle.log = &test_log;

    ngx_memzero(&handles, sizeof(ngx_flowdash_curl_handles_t));
    handles.setup = setup;

    ok(ngx_flowdash_curl_init(&cycle, 32, 60, 3600) == NGX_OK,
       "a worker starts");

    for (i = 0; i < sizeof(cases) / sizeof(test_case_t); i++) {
        run(&cases[i], &handles);
    }

    ngx_flowdash_curl_exit();

    return test_end();
}
