
/*
 * libcurl's multi interface on nginx's event loop: sockets are nginx's
 * connections, libcurl's timer is one of nginx's.  Knows no HTTP request.
 *
 * libcurl's functions are called from the handlers of events only, and the
 * transfers' handlers only after libcurl has returned.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl.h>


#define NGX_FLOWDASH_CURL_KEEPALIVE          32
#define NGX_FLOWDASH_CURL_KEEPALIVE_TIMEOUT  60


static int ngx_flowdash_curl_socket_handler(CURL *easy, curl_socket_t fd,
    int what, void *data, void *socket);
static ngx_connection_t *ngx_flowdash_curl_get_connection(curl_socket_t fd);
static ngx_int_t ngx_flowdash_curl_set_event(ngx_event_t *ev, ngx_int_t event,
    ngx_uint_t active);
static void ngx_flowdash_curl_free_connection(ngx_connection_t *c);
static void ngx_flowdash_curl_refuse(CURL *easy);
static int ngx_flowdash_curl_timer_handler(CURLM *multi, long ms, void *data);
static void ngx_flowdash_curl_event(ngx_event_t *ev);
static void ngx_flowdash_curl_timeout(ngx_event_t *ev);
static void ngx_flowdash_curl_action(curl_socket_t fd, int events);
static void ngx_flowdash_curl_clear_error(void);
static void ngx_flowdash_curl_done(ngx_flowdash_curl_transfer_t *t,
    CURLcode result);


typedef struct {
    CURLM            *multi;
    CURLSH           *share;
    ngx_log_t        *log;
    ngx_event_t       timer;
    ngx_connection_t  dummy;       /* for debug logs about the timer */
    ngx_queue_t       transfers;
    ngx_uint_t        refused;
    ngx_uint_t        cafile;      /* libcurl knows a file of the system's */
} ngx_flowdash_curl_t;


static ngx_flowdash_curl_t  ngx_flowdash_curl;


ngx_int_t
ngx_flowdash_curl_init(ngx_cycle_t *cycle)
{
    CURLM                *multi;
    CURLSH               *share;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    ngx_memzero(fc, sizeof(ngx_flowdash_curl_t));

    fc->log = cycle->log;
    fc->dummy.fd = (ngx_socket_t) -1;

    fc->timer.handler = ngx_flowdash_curl_timeout;
    fc->timer.data = &fc->dummy;
    fc->timer.log = cycle->log;
    fc->timer.cancelable = 1;

    ngx_queue_init(&fc->transfers);

    fc->cafile = (curl_version_info(CURLVERSION_NOW)->cainfo != NULL);

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "curl_global_init() failed");
        return NGX_ERROR;
    }

    multi = curl_multi_init();
    share = curl_share_init();

    fc->multi = multi;
    fc->share = share;

    if (multi == NULL || share == NULL

        || curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION,
                             ngx_flowdash_curl_socket_handler)
        || curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION,
                             ngx_flowdash_curl_timer_handler)
        || curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                             (long) NGX_FLOWDASH_CURL_KEEPALIVE)

        /* connections and names are the multi's, TLS sessions are not */

        || curl_share_setopt(share, CURLSHOPT_SHARE,
                             CURL_LOCK_DATA_SSL_SESSION))
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "libcurl could not be initialized");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_flowdash_curl_exit(void)
{
    ngx_queue_t                   *q;
    ngx_flowdash_curl_t           *fc;
    ngx_flowdash_curl_transfer_t  *t;

    fc = &ngx_flowdash_curl;

    if (fc->multi == NULL) {
        return;
    }

    while (!ngx_queue_empty(&fc->transfers)) {
        q = ngx_queue_head(&fc->transfers);
        t = ngx_queue_data(q, ngx_flowdash_curl_transfer_t, queue);

        ngx_flowdash_curl_free(t);
    }

    (void) curl_multi_cleanup(fc->multi);
    (void) curl_share_cleanup(fc->share);

    curl_global_cleanup();

    if (fc->timer.timer_set) {
        ngx_del_timer(&fc->timer);
    }

    if (fc->timer.posted) {
        ngx_delete_posted_event(&fc->timer);
    }

    fc->multi = NULL;
}


ngx_int_t
ngx_flowdash_curl_create(ngx_flowdash_curl_transfer_t *t)
{
    CURL                 *easy;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    easy = curl_easy_init();
    if (easy == NULL) {
        return NGX_ERROR;
    }

    t->easy = easy;
    t->error[0] = '\0';

    if (curl_easy_setopt(easy, CURLOPT_PRIVATE, t)
        || curl_easy_setopt(easy, CURLOPT_SHARE, fc->share)
        || curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error)

        /* no signals, and no waiting for a thread that resolves a name */

        || curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L)
        || curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L)

        || curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        || curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L)
        || curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L)

        /* nothing is taken from the environment */

        || curl_easy_setopt(easy, CURLOPT_PROXY, "")

        || curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
                            (long) NGX_FLOWDASH_CURL_KEEPALIVE_TIMEOUT))
    {
        ngx_flowdash_curl_free(t);
        return NGX_ERROR;
    }

    /*
     * The system's certificates are read from their file, which libcurl keeps
     * in memory; with a directory beside it they would be read again for each
     * connection, while the worker waits.
     */

    if (fc->cafile && curl_easy_setopt(easy, CURLOPT_CAPATH, NULL)) {
        ngx_flowdash_curl_free(t);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_flowdash_curl_start(ngx_flowdash_curl_transfer_t *t)
{
    CURLMcode             rc;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    rc = curl_multi_add_handle(fc->multi, t->easy);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ERR, fc->log, 0,
                      "curl_multi_add_handle() failed: %s",
                      curl_multi_strerror(rc));
        return NGX_ERROR;
    }

    /* a worker that waits for a transfer must not exit */

    fc->timer.cancelable = 0;

    ngx_queue_insert_tail(&fc->transfers, &t->queue);

    t->running = 1;
    t->refused = 0;

    return NGX_OK;
}


void
ngx_flowdash_curl_free(ngx_flowdash_curl_transfer_t *t)
{
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    if (t->easy == NULL) {
        return;
    }

    if (t->running) {
        t->running = 0;

        ngx_queue_remove(&t->queue);
        (void) curl_multi_remove_handle(fc->multi, t->easy);

        fc->timer.cancelable = ngx_queue_empty(&fc->transfers);
    }

    curl_easy_cleanup(t->easy);
    t->easy = NULL;

    ngx_flowdash_curl_clear_error();
}


/* what libcurl leaves in OpenSSL's queue, nginx would take for its own */

static void
ngx_flowdash_curl_clear_error(void)
{
#if (NGX_SSL)
    ERR_clear_error();
#endif
}


/*
 * Called by libcurl to say what it waits for.  An error returned would end
 * every transfer of the worker, so that it is kept for the one concerned.
 */

static int
ngx_flowdash_curl_socket_handler(CURL *easy, curl_socket_t fd, int what,
    void *data, void *socket)
{
    ngx_connection_t  *c = socket;

    ngx_uint_t            in, out;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    ngx_log_debug3(NGX_LOG_DEBUG_EVENT, fc->log, 0,
                   "flowdash curl socket:%d what:%d c:%p", fd, what, c);

    if (what == CURL_POLL_REMOVE) {

        /* not a close: the socket may rest in libcurl's pool, open */

        if (c) {
            ngx_flowdash_curl_free_connection(c);
        }

        return 0;
    }

    if (c == NULL) {
        c = ngx_flowdash_curl_get_connection(fd);

        if (c == NULL) {
            ngx_flowdash_curl_refuse(easy);
            return 0;
        }

        if (curl_multi_assign(fc->multi, fd, c) != CURLM_OK) {
            ngx_flowdash_curl_free_connection(c);
            ngx_flowdash_curl_refuse(easy);
            return 0;
        }
    }

    in = (what == CURL_POLL_IN || what == CURL_POLL_INOUT);
    out = (what == CURL_POLL_OUT || what == CURL_POLL_INOUT);

    if (ngx_flowdash_curl_set_event(c->read, NGX_READ_EVENT, in) != NGX_OK
        || ngx_flowdash_curl_set_event(c->write, NGX_WRITE_EVENT, out)
           != NGX_OK)
    {
        ngx_flowdash_curl_refuse(easy);
    }

    return 0;
}


static ngx_connection_t *
ngx_flowdash_curl_get_connection(curl_socket_t fd)
{
    ngx_connection_t     *c;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    if (ngx_cycle->free_connection_n == 0
        && ngx_cycle->reusable_connections_n == 0)
    {
        ngx_log_error(NGX_LOG_ERR, fc->log, 0,
                      "flowdash: worker_connections are not enough "
                      "for a call");
        return NULL;
    }

    c = ngx_get_connection(fd, fc->log);
    if (c == NULL) {
        return NULL;
    }

    c->read->handler = ngx_flowdash_curl_event;
    c->write->handler = ngx_flowdash_curl_event;

    c->read->log = fc->log;
    c->write->log = fc->log;

    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    return c;
}


/*
 * Level-triggered, which libcurl expects; ngx_handle_read_event() would not
 * be, where there is a choice.
 */

static ngx_int_t
ngx_flowdash_curl_set_event(ngx_event_t *ev, ngx_int_t event,
    ngx_uint_t active)
{
    if (active && !ev->active) {
        return ngx_add_event(ev, event, NGX_LEVEL_EVENT);
    }

    if (!active && ev->active) {
        return ngx_del_event(ev, event, 0);
    }

    return NGX_OK;
}


static void
ngx_flowdash_curl_free_connection(ngx_connection_t *c)
{
    /* with the flag NGX_CLOSE_EVENT the open socket would stay registered */

    (void) ngx_flowdash_curl_set_event(c->read, NGX_READ_EVENT, 0);
    (void) ngx_flowdash_curl_set_event(c->write, NGX_WRITE_EVENT, 0);

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    ngx_free_connection(c);

    /* only now: it is what ngx_free_connection() finds the connection by */

    c->fd = (ngx_socket_t) -1;
}


static void
ngx_flowdash_curl_refuse(CURL *easy)
{
    ngx_flowdash_curl_transfer_t  *t;

    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t) == CURLE_OK && t) {
        t->refused = 1;
    }

    ngx_flowdash_curl.refused = 1;

    /* libcurl is on the stack: the transfer is ended by the next event */

    ngx_post_event(&ngx_flowdash_curl.timer, &ngx_posted_events);
}


static int
ngx_flowdash_curl_timer_handler(CURLM *multi, long ms, void *data)
{
    ngx_event_t  *timer;

    timer = &ngx_flowdash_curl.timer;

    /* ngx_add_timer() would ignore a change of less than 300 ms */

    if (timer->timer_set) {
        ngx_del_timer(timer);
    }

    if (ms == 0) {
        ngx_post_event(timer, &ngx_posted_events);

    } else if (ms > 0) {
        ngx_add_timer(timer, (ngx_msec_t) ms);
    }

    return 0;
}


static void
ngx_flowdash_curl_event(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_flowdash_curl_action(c->fd, ev->write ? CURL_CSELECT_OUT
                                              : CURL_CSELECT_IN);
}


static void
ngx_flowdash_curl_timeout(ngx_event_t *ev)
{
    ngx_flowdash_curl_action(CURL_SOCKET_TIMEOUT, 0);
}


static void
ngx_flowdash_curl_action(curl_socket_t fd, int events)
{
    int                            n;
    CURLMsg                       *msg;
    CURLcode                       result;
    CURLMcode                      rc;
    ngx_queue_t                   *q;
    ngx_flowdash_curl_t           *fc;
    ngx_flowdash_curl_transfer_t  *t;

    fc = &ngx_flowdash_curl;

    rc = curl_multi_socket_action(fc->multi, fd, events, &n);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, fc->log, 0,
                      "curl_multi_socket_action() failed: %s",
                      curl_multi_strerror(rc));
    }

    ngx_flowdash_curl_clear_error();

    /* a handler may start and end other transfers */

    while ((msg = curl_multi_info_read(fc->multi, &n))) {

        if (msg->msg != CURLMSG_DONE) {
            continue;
        }

        result = msg->data.result;

        if (curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t)
            == CURLE_OK)
        {
            ngx_flowdash_curl_done(t, result);
        }
    }

    while (fc->refused) {
        fc->refused = 0;

        for (q = ngx_queue_head(&fc->transfers);
             q != ngx_queue_sentinel(&fc->transfers);
             q = ngx_queue_next(q))
        {
            t = ngx_queue_data(q, ngx_flowdash_curl_transfer_t, queue);

            if (t->refused) {
                ngx_flowdash_curl_done(t, CURLE_COULDNT_CONNECT);

                /* the queue may have become another one */

                fc->refused = 1;
                break;
            }
        }
    }
}


static void
ngx_flowdash_curl_done(ngx_flowdash_curl_transfer_t *t, CURLcode result)
{
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    t->result = result;
    t->running = 0;

    ngx_queue_remove(&t->queue);
    (void) curl_multi_remove_handle(fc->multi, t->easy);

    fc->timer.cancelable = ngx_queue_empty(&fc->transfers);

    t->handler(t);
}
