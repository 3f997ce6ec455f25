
/*
 * libcurl's multi interface on nginx's event loop: the worker's multi handle,
 * its timer, and the transfers.  Knows no HTTP request.
 *
 * libcurl runs in the handlers of events only.  A transfer's own handler is
 * called only after libcurl has returned: it may start and end transfers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl_idle.h>
#include <ngx_flowdash_curl_socket.h>
#include <ngx_flowdash_curl_handle.h>
#include <ngx_flowdash_curl.h>


typedef struct {
    CURLM             *multi;
    CURLSH            *share;
    CURL              *sweeper;    /* of ngx_flowdash_curl_idle.c */
    ngx_log_t         *log;
    ngx_uint_t         keepalive;

    ngx_event_t        timer;
    ngx_msec_t         due;        /* when libcurl wants to be called */
    ngx_connection_t   dummy;      /* for debug logs about the timer */

    ngx_queue_t        transfers;  /* those that have an easy handle */
    ngx_uint_t         running;    /* of them */

    unsigned           waiting:1;  /* for "due" */
    unsigned           refused:1;  /* some transfer is */
} ngx_flowdash_curl_t;


static ngx_int_t ngx_flowdash_curl_init_multi(ngx_flowdash_curl_t *fc,
    time_t keepalive_timeout, time_t keepalive_time);
static void ngx_flowdash_curl_remove(ngx_flowdash_curl_transfer_t *t);
static void ngx_flowdash_curl_watch(ngx_flowdash_curl_transfer_t *t);
static void ngx_flowdash_curl_limit(void);

static int ngx_flowdash_curl_timer_handler(CURLM *multi, long ms, void *data);
static void ngx_flowdash_curl_timeout(ngx_event_t *ev);
static void ngx_flowdash_curl_action(curl_socket_t fd, int events);
static void ngx_flowdash_curl_idle(CURL *easy);
static void ngx_flowdash_curl_receive(CURL *easy);
static void ngx_flowdash_curl_refuse(CURL *easy);
static void ngx_flowdash_curl_end_refused(ngx_flowdash_curl_t *fc);
static void ngx_flowdash_curl_done(ngx_flowdash_curl_transfer_t *t,
    CURLcode result);


static ngx_flowdash_curl_t  ngx_flowdash_curl;


ngx_int_t
ngx_flowdash_curl_init(ngx_cycle_t *cycle, ngx_uint_t keepalive,
    time_t keepalive_timeout, time_t keepalive_time)
{
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    ngx_memzero(fc, sizeof(ngx_flowdash_curl_t));

    fc->log = cycle->log;
    fc->keepalive = keepalive;

    fc->dummy.fd = (ngx_socket_t) -1;

    fc->timer.handler = ngx_flowdash_curl_timeout;
    fc->timer.data = &fc->dummy;
    fc->timer.log = cycle->log;
    fc->timer.cancelable = 1;

    ngx_queue_init(&fc->transfers);

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "curl_global_init() failed");
        return NGX_ERROR;
    }

    if (ngx_flowdash_curl_init_multi(fc, keepalive_timeout, keepalive_time)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "libcurl could not be initialized");
        return NGX_ERROR;
    }

#if (NGX_SSL)
    ERR_clear_error();
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_flowdash_curl_init_multi(ngx_flowdash_curl_t *fc, time_t keepalive_timeout,
    time_t keepalive_time)
{
    fc->multi = curl_multi_init();
    fc->share = curl_share_init();

    if (fc->multi == NULL || fc->share == NULL) {
        return NGX_ERROR;
    }

    if (curl_multi_setopt(fc->multi, CURLMOPT_TIMERFUNCTION,
                          ngx_flowdash_curl_timer_handler)

        /* the multi shares connections and names, but no TLS sessions */

        || curl_share_setopt(fc->share, CURLSHOPT_SHARE,
                             CURL_LOCK_DATA_SSL_SESSION))
    {
        return NGX_ERROR;
    }

    ngx_flowdash_curl_handle_init(fc->log, fc->share, fc->keepalive,
                                  keepalive_timeout, keepalive_time);

    fc->sweeper = ngx_flowdash_curl_handle_create_easy();

    if (fc->sweeper == NULL
        || ngx_flowdash_curl_idle_init(fc->log, fc->multi, fc->sweeper,
                                       keepalive_timeout)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_flowdash_curl_socket_init(fc->log, fc->multi,
                                         ngx_flowdash_curl_action,
                                         ngx_flowdash_curl_refuse,
                                         ngx_flowdash_curl_idle,
                                         ngx_flowdash_curl_receive);
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

    ngx_flowdash_curl_handle_exit();

    ngx_flowdash_curl_idle_exit();
    curl_easy_cleanup(fc->sweeper);

    (void) curl_multi_cleanup(fc->multi);
    (void) curl_share_cleanup(fc->share);

    curl_global_cleanup();

    ngx_flowdash_curl_socket_exit();

    if (fc->timer.timer_set) {
        ngx_del_timer(&fc->timer);
    }

    if (fc->timer.posted) {
        ngx_delete_posted_event(&fc->timer);
    }

    fc->multi = NULL;
}


ngx_int_t
ngx_flowdash_curl_create(ngx_flowdash_curl_transfer_t *t,
    ngx_flowdash_curl_handles_t *handles)
{
    ngx_flowdash_curl_t         *fc;
    ngx_flowdash_curl_handle_t  *handle;

    fc = &ngx_flowdash_curl;

    if (fc->multi == NULL) {

        /* the process has started without a call in its configuration */

        return NGX_ERROR;
    }

    handle = ngx_flowdash_curl_handle_get(handles, t);
    if (handle == NULL) {
        return NGX_ERROR;
    }

    t->handle = handle;
    t->easy = handle->easy;
    t->worn = 0;

    ngx_queue_insert_tail(&fc->transfers, &t->queue);

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

    t->handle->error[0] = '\0';
    t->running = 1;
    t->refused = 0;
    t->received = 0;
    t->opened = -1;

    fc->running++;

    /* a worker must not exit while a transfer is running */

    fc->timer.cancelable = 0;

    ngx_flowdash_curl_limit();

    return NGX_OK;
}


const char *
ngx_flowdash_curl_error(ngx_flowdash_curl_transfer_t *t)
{
    if (t->refused) {
        return "worker_connections are not enough";
    }

    return t->handle->error[0] ? t->handle->error
                               : curl_easy_strerror(t->result);
}


void
ngx_flowdash_curl_free(ngx_flowdash_curl_transfer_t *t)
{
    if (t->easy == NULL) {
        return;
    }

    if (t->running) {
        ngx_flowdash_curl_remove(t);
    }

    ngx_queue_remove(&t->queue);
    t->easy = NULL;

    ngx_flowdash_curl_handle_put(t->handle, t->worn);
}


static void
ngx_flowdash_curl_remove(ngx_flowdash_curl_transfer_t *t)
{
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    t->running = 0;

    ngx_flowdash_curl_watch(t);

    (void) curl_multi_remove_handle(fc->multi, t->easy);

    fc->running--;
    fc->timer.cancelable = (fc->running == 0);

    ngx_flowdash_curl_limit();

    ngx_flowdash_curl_handle_clear_errors();
}


/*
 * libcurl says nothing of a connection that a transfer has opened, or used
 * again, without having to wait for it.
 */

static void
ngx_flowdash_curl_watch(ngx_flowdash_curl_transfer_t *t)
{
    long  opened;

    if (ngx_flowdash_curl.keepalive
        && curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &opened)
           == CURLE_OK
        && opened != t->opened)
    {
        ngx_flowdash_curl_socket_watch_kept(t->easy);
    }
}


/*
 * libcurl's limit of idle connections counts those in use, too, so it changes
 * with the number of transfers.
 */

static void
ngx_flowdash_curl_limit(void)
{
    long                  n;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    n = fc->keepalive + fc->running;

    (void) curl_multi_setopt(fc->multi, CURLMOPT_MAXCONNECTS,
                             n > 1 ? n - 1 : 1L);
}


/* libcurl says when it wants to be called: in "ms", now (0), or not (-1) */

static int
ngx_flowdash_curl_timer_handler(CURLM *multi, long ms, void *data)
{
    ngx_event_t          *timer;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    timer = &fc->timer;

    fc->waiting = (ms > 0);

    if (ms == 0) {
        ngx_post_event(timer, &ngx_posted_events);
    }

    if (ms <= 0) {
        return 0;
    }

    fc->due = ngx_current_msec + ms;

    if (timer->timer_set) {

        /*
         * Each transfer puts the timer off.  A timer that expires too early is
         * cheaper than one that is moved each time.
         */

        if ((ngx_msec_int_t) (fc->due - timer->timer.key) >= 0) {
            return 0;
        }

        ngx_del_timer(timer);
    }

    ngx_add_timer(timer, (ngx_msec_t) ms);

    return 0;
}


static void
ngx_flowdash_curl_timeout(ngx_event_t *ev)
{
    ngx_msec_int_t        left;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    if (!ev->timedout) {

        /* it was posted */

        ngx_flowdash_curl_action(CURL_SOCKET_TIMEOUT, 0);
        return;
    }

    ev->timedout = 0;

    if (!fc->waiting) {
        return;
    }

    left = fc->due - ngx_current_msec;

    if (left > 0) {
        ngx_add_timer(ev, (ngx_msec_t) left);
        return;
    }

    fc->waiting = 0;

    ngx_flowdash_curl_action(CURL_SOCKET_TIMEOUT, 0);
}


static void
ngx_flowdash_curl_action(curl_socket_t fd, int events)
{
    int                            n;
    CURLMsg                       *msg;
    CURLcode                       result;
    CURLMcode                      rc;
    ngx_flowdash_curl_t           *fc;
    ngx_flowdash_curl_transfer_t  *t;

    fc = &ngx_flowdash_curl;

    rc = curl_multi_socket_action(fc->multi, fd, events, &n);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, fc->log, 0,
                      "curl_multi_socket_action() failed: %s",
                      curl_multi_strerror(rc));
    }

    ngx_flowdash_curl_handle_clear_errors();

    /* the handlers may start and end other transfers */

    while ((msg = curl_multi_info_read(fc->multi, &n))) {

        if (msg->msg != CURLMSG_DONE) {
            continue;
        }

        /* the message is gone once its handle is removed */

        result = msg->data.result;

        if (msg->easy_handle == fc->sweeper) {
            ngx_flowdash_curl_idle_swept();
            continue;
        }

        t = ngx_flowdash_curl_handle_user(msg->easy_handle);

        if (t) {
            ngx_flowdash_curl_done(t, result);
        }
    }

    ngx_flowdash_curl_end_refused(fc);

    /*
     * Of transfers that have ended together, libcurl keeps more connections
     * than it should.  Those that run next may use them.
     */

    if (!fc->timer.posted) {
        ngx_flowdash_curl_socket_limit(fc->keepalive);
    }
}


static void
ngx_flowdash_curl_idle(CURL *easy)
{
    ngx_flowdash_curl_transfer_t  *t;

    t = ngx_flowdash_curl_handle_user(easy);

    if (t) {
        (void) curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &t->opened);
    }
}


static void
ngx_flowdash_curl_receive(CURL *easy)
{
    ngx_flowdash_curl_transfer_t  *t;

    t = ngx_flowdash_curl_handle_user(easy);

    if (t) {
        t->received = 1;
    }
}


static void
ngx_flowdash_curl_refuse(CURL *easy)
{
    ngx_flowdash_curl_t           *fc;
    ngx_flowdash_curl_transfer_t  *t;

    fc = &ngx_flowdash_curl;

    t = ngx_flowdash_curl_handle_user(easy);

    if (t) {
        t->refused = 1;
    }

    fc->refused = 1;

    /* libcurl is on the stack: the next event ends the transfer */

    ngx_post_event(&fc->timer, &ngx_posted_events);
}


static void
ngx_flowdash_curl_end_refused(ngx_flowdash_curl_t *fc)
{
    ngx_queue_t                   *q;
    ngx_flowdash_curl_transfer_t  *t;

    while (fc->refused) {
        fc->refused = 0;

        for (q = ngx_queue_head(&fc->transfers);
             q != ngx_queue_sentinel(&fc->transfers);
             q = ngx_queue_next(q))
        {
            t = ngx_queue_data(q, ngx_flowdash_curl_transfer_t, queue);

            if (t->running && t->refused) {
                ngx_flowdash_curl_done(t, CURLE_COULDNT_CONNECT);

                /* its handler may have changed the queue: begin again */

                fc->refused = 1;
                break;
            }
        }
    }
}


static void
ngx_flowdash_curl_done(ngx_flowdash_curl_transfer_t *t, CURLcode result)
{
    t->result = result;

    ngx_flowdash_curl_remove(t);

    t->handler(t);
}
