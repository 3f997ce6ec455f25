
/*
 * Sweeps: transfers that get no socket and fail, because libcurl looks for
 * connections that are too old, or closed, only when a transfer starts.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl_idle.h>
#include <ngx_flowdash_curl_handle.h>
#include <ngx_flowdash_curl_multi.h>
#include <ngx_flowdash_curl_sweep.h>


typedef struct {
    CURL       *easy;           /* serves nothing else */
    unsigned    running:1;
} ngx_flowdash_curl_sweep_t;


static ngx_int_t ngx_flowdash_curl_sweep_create(
    ngx_flowdash_curl_sweep_t *sweep);
static void ngx_flowdash_curl_sweep_start(void);
static void ngx_flowdash_curl_sweep_end(ngx_flowdash_curl_sweep_t *sweep);
static curl_socket_t ngx_flowdash_curl_sweep_open(void *data,
    curlsocktype type, struct curl_sockaddr *addr);


static ngx_flowdash_curl_sweep_t  ngx_flowdash_curl_sweep;


ngx_int_t
ngx_flowdash_curl_sweep_init(ngx_log_t *log, time_t timeout)
{
    ngx_memzero(&ngx_flowdash_curl_sweep, sizeof(ngx_flowdash_curl_sweep_t));

    ngx_flowdash_curl_idle_init(log, ngx_flowdash_curl_sweep_start, timeout);

    return ngx_flowdash_curl_sweep_create(&ngx_flowdash_curl_sweep);
}


static ngx_int_t
ngx_flowdash_curl_sweep_create(ngx_flowdash_curl_sweep_t *sweep)
{
    CURL  *easy;

    easy = ngx_flowdash_curl_handle_create_easy();
    if (easy == NULL) {
        return NGX_ERROR;
    }

    if (curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1/")
        || curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L)
        || curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
                            ngx_flowdash_curl_sweep_open))
    {
        curl_easy_cleanup(easy);
        return NGX_ERROR;
    }

    sweep->easy = easy;

    return NGX_OK;
}


void
ngx_flowdash_curl_sweep_exit(void)
{
    ngx_flowdash_curl_sweep_t  *sweep;

    sweep = &ngx_flowdash_curl_sweep;

    ngx_flowdash_curl_idle_exit();

    ngx_flowdash_curl_sweep_end(sweep);

    if (sweep->easy) {
        curl_easy_cleanup(sweep->easy);
        sweep->easy = NULL;
    }
}


static void
ngx_flowdash_curl_sweep_start(void)
{
    ngx_int_t                   rc;
    ngx_flowdash_curl_sweep_t  *sweep;

    sweep = &ngx_flowdash_curl_sweep;

    if (sweep->running) {

        /* when it ends, the next one is planned */

        return;
    }

    if (sweep->easy == NULL
        && ngx_flowdash_curl_sweep_create(sweep) != NGX_OK)
    {
        ngx_flowdash_curl_idle_postpone();
        return;
    }

    rc = ngx_flowdash_curl_multi_add(sweep->easy);

    if (rc == NGX_OK) {
        sweep->running = 1;
        return;
    }

    if (rc == NGX_ERROR) {
        sweep->easy = NULL;
    }

    ngx_flowdash_curl_idle_postpone();
}


static void
ngx_flowdash_curl_sweep_end(ngx_flowdash_curl_sweep_t *sweep)
{
    if (!sweep->running) {
        return;
    }

    sweep->running = 0;

    if (ngx_flowdash_curl_multi_remove(sweep->easy) != NGX_OK) {
        sweep->easy = NULL;
    }
}


static curl_socket_t
ngx_flowdash_curl_sweep_open(void *data, curlsocktype type,
    struct curl_sockaddr *addr)
{
    return CURL_SOCKET_BAD;
}


ngx_uint_t
ngx_flowdash_curl_sweep_is_ended(CURL *easy)
{
    ngx_flowdash_curl_sweep_t  *sweep;

    sweep = &ngx_flowdash_curl_sweep;

    if (easy != sweep->easy) {
        return 0;
    }

    ngx_flowdash_curl_sweep_end(sweep);
    ngx_flowdash_curl_idle_swept();

    return 1;
}


void
ngx_flowdash_curl_sweep_abandon(void)
{
    ngx_flowdash_curl_sweep_t  *sweep;

    sweep = &ngx_flowdash_curl_sweep;

    if (sweep->running) {
        sweep->running = 0;
        sweep->easy = NULL;
    }
}
