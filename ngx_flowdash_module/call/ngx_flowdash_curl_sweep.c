
/*
 * libcurl closes connections that are idle for too long, or that the endpoint
 * has closed, only when a transfer starts.  In a worker without calls they
 * would stay, so a sweep starts a transfer that gets no socket and fails.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl_sweep.h>


/* libcurl looks at most once a second */

#define NGX_FLOWDASH_CURL_SWEEP_SOON  1000


typedef struct {
    CURLM             *multi;
    CURL              *sweeper;
    ngx_log_t         *log;
    ngx_event_t        timer;
    ngx_connection_t   dummy;      /* for debug logs about the timer */
    ngx_uint_t         running;
} ngx_flowdash_curl_sweep_t;


static void ngx_flowdash_curl_sweep(ngx_event_t *ev);
static curl_socket_t ngx_flowdash_curl_sweep_open(void *data,
    curlsocktype type, struct curl_sockaddr *addr);


static ngx_flowdash_curl_sweep_t  ngx_flowdash_curl_sweeps;


ngx_int_t
ngx_flowdash_curl_sweep_init(ngx_log_t *log, CURLM *multi, CURL *sweeper)
{
    ngx_flowdash_curl_sweep_t  *sw;

    sw = &ngx_flowdash_curl_sweeps;

    ngx_memzero(sw, sizeof(ngx_flowdash_curl_sweep_t));

    sw->multi = multi;
    sw->sweeper = sweeper;
    sw->log = log;

    sw->dummy.fd = (ngx_socket_t) -1;

    sw->timer.handler = ngx_flowdash_curl_sweep;
    sw->timer.data = &sw->dummy;
    sw->timer.log = log;
    sw->timer.cancelable = 1;

    if (curl_easy_setopt(sweeper, CURLOPT_URL, "http://127.0.0.1/")
        || curl_easy_setopt(sweeper, CURLOPT_FRESH_CONNECT, 1L)
        || curl_easy_setopt(sweeper, CURLOPT_OPENSOCKETFUNCTION,
                            ngx_flowdash_curl_sweep_open))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_flowdash_curl_sweep_exit(void)
{
    ngx_flowdash_curl_sweep_t  *sw;

    sw = &ngx_flowdash_curl_sweeps;

    if (sw->running) {
        ngx_flowdash_curl_sweep_end();
    }

    /* closing connections must not plan another one */

    sw->running = 1;

    if (sw->timer.timer_set) {
        ngx_del_timer(&sw->timer);
    }
}


void
ngx_flowdash_curl_sweep_after(ngx_msec_t time)
{
    ngx_flowdash_curl_sweep_t  *sw;

    sw = &ngx_flowdash_curl_sweeps;

    if (!sw->timer.timer_set && !sw->running) {
        ngx_add_timer(&sw->timer, time);
    }
}


void
ngx_flowdash_curl_sweep_soon(void)
{
    ngx_event_t  *timer;

    timer = &ngx_flowdash_curl_sweeps.timer;

    if (timer->timer_set) {
        ngx_del_timer(timer);
    }

    ngx_flowdash_curl_sweep_after(NGX_FLOWDASH_CURL_SWEEP_SOON);
}


static void
ngx_flowdash_curl_sweep(ngx_event_t *ev)
{
    ngx_flowdash_curl_sweep_t  *sw;

    sw = &ngx_flowdash_curl_sweeps;

    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, sw->log, 0, "flowdash curl sweep");

    if (curl_multi_add_handle(sw->multi, sw->sweeper) == CURLM_OK) {
        sw->running = 1;
    }
}


static curl_socket_t
ngx_flowdash_curl_sweep_open(void *data, curlsocktype type,
    struct curl_sockaddr *addr)
{
    return CURL_SOCKET_BAD;
}


void
ngx_flowdash_curl_sweep_end(void)
{
    ngx_flowdash_curl_sweep_t  *sw;

    sw = &ngx_flowdash_curl_sweeps;

    (void) curl_multi_remove_handle(sw->multi, sw->sweeper);
    sw->running = 0;
}


void
ngx_flowdash_curl_sweep_shutdown(ngx_socket_t fd)
{
    ssize_t  n;
    u_char   buf[4096];

    (void) ngx_shutdown_socket(fd, SHUT_RDWR);

    do {
        n = recv(fd, buf, sizeof(buf), 0);
    } while (n > 0 || (n == -1 && ngx_socket_errno == NGX_EINTR));
}
