
/*
 * Transfers by libcurl on nginx's event loop.  Knows no HTTP request.
 *
 * libcurl runs in the handlers of events only.  A transfer's own handler is
 * called only after libcurl has returned: it may start and end transfers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl_open.h>
#include <ngx_flowdash_curl_socket.h>
#include <ngx_flowdash_curl_handle.h>
#include <ngx_flowdash_curl_multi.h>
#include <ngx_flowdash_curl_sweep.h>
#include <ngx_flowdash_curl.h>


/* the result of a transfer that fails here, and not for its endpoint */

#define NGX_FLOWDASH_CURL_INTERNAL  CURLE_FAILED_INIT


typedef struct {
    CURLSH        *share;
    ngx_log_t     *log;
    ngx_uint_t     keepalive;

    ngx_queue_t    transfers;       /* those that have an easy handle */
    ngx_uint_t     running;         /* of them */

    unsigned       ready:1;
    unsigned       scarce:1;        /* descriptors are */
    unsigned       failing:1;       /* some transfer ends in the next turn */
} ngx_flowdash_curl_t;


static ngx_int_t ngx_flowdash_curl_init_handles(ngx_flowdash_curl_t *fc,
    time_t keepalive_timeout, time_t keepalive_time);
static void ngx_flowdash_curl_remove(ngx_flowdash_curl_transfer_t *t);
static void ngx_flowdash_curl_watch(ngx_flowdash_curl_transfer_t *t);
static void ngx_flowdash_curl_limit(void);

static void ngx_flowdash_curl_prepare(void);
static void ngx_flowdash_curl_ended(CURL *easy, CURLcode result);
static void ngx_flowdash_curl_turn(void);
static void ngx_flowdash_curl_abandoned(CURLM *multi);
static void ngx_flowdash_curl_idle(CURL *easy);
static void ngx_flowdash_curl_fail(CURL *easy, ngx_int_t rc);
static void ngx_flowdash_curl_end_failed(ngx_flowdash_curl_t *fc);


static ngx_flowdash_curl_multi_user_t  ngx_flowdash_curl_user = {
    ngx_flowdash_curl_prepare,
    ngx_flowdash_curl_ended,
    ngx_flowdash_curl_turn,
    ngx_flowdash_curl_abandoned
};


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

    ngx_queue_init(&fc->transfers);

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "curl_global_init() failed");
        return NGX_ERROR;
    }

    if (ngx_flowdash_curl_init_handles(fc, keepalive_timeout, keepalive_time)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "libcurl could not be initialized");
        return NGX_ERROR;
    }

#if (NGX_SSL)
    ERR_clear_error();
#endif

    fc->ready = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_flowdash_curl_init_handles(ngx_flowdash_curl_t *fc,
    time_t keepalive_timeout, time_t keepalive_time)
{
    ngx_flowdash_curl_socket_init(fc->log, ngx_flowdash_curl_multi_action,
                                  ngx_flowdash_curl_fail,
                                  ngx_flowdash_curl_idle);

    fc->share = curl_share_init();

    /* the multi shares connections and names, but no TLS sessions */

    if (fc->share == NULL
        || curl_share_setopt(fc->share, CURLSHOPT_SHARE,
                             CURL_LOCK_DATA_SSL_SESSION)
        || ngx_flowdash_curl_multi_init(fc->log, &ngx_flowdash_curl_user)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_flowdash_curl_handle_init(fc->log, fc->share, fc->keepalive,
                                  keepalive_timeout, keepalive_time);

    return ngx_flowdash_curl_sweep_init(fc->log, keepalive_timeout);
}


void
ngx_flowdash_curl_exit(void)
{
    ngx_queue_t                   *q;
    ngx_flowdash_curl_t           *fc;
    ngx_flowdash_curl_transfer_t  *t;

    fc = &ngx_flowdash_curl;

    if (!fc->ready) {
        return;
    }

    while (!ngx_queue_empty(&fc->transfers)) {
        q = ngx_queue_head(&fc->transfers);
        t = ngx_queue_data(q, ngx_flowdash_curl_transfer_t, queue);

        ngx_flowdash_curl_free(t);
    }

    ngx_flowdash_curl_handle_exit();

    ngx_flowdash_curl_sweep_exit();
    ngx_flowdash_curl_multi_exit();

    (void) curl_share_cleanup(fc->share);

    curl_global_cleanup();

    ngx_flowdash_curl_socket_exit();

    fc->ready = 0;
}


ngx_int_t
ngx_flowdash_curl_create(ngx_flowdash_curl_transfer_t *t,
    ngx_flowdash_curl_handles_t *handles)
{
    ngx_flowdash_curl_t         *fc;
    ngx_flowdash_curl_handle_t  *handle;

    fc = &ngx_flowdash_curl;

    if (!fc->ready) {

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
    t->abandoned = 0;

    ngx_queue_insert_tail(&fc->transfers, &t->queue);

    return NGX_OK;
}


ngx_int_t
ngx_flowdash_curl_start(ngx_flowdash_curl_transfer_t *t)
{
    ngx_int_t             rc;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    rc = ngx_flowdash_curl_multi_add(t->easy);

    if (rc != NGX_OK) {
        t->worn = 1;
        t->abandoned = (rc == NGX_ERROR);

        return NGX_ERROR;
    }

    t->handle->error[0] = '\0';
    t->failure = NULL;
    t->no_socket = 0;
    t->running = 1;
    t->timedout = 0;
    t->scarce = 0;
    t->sent = 0;
    t->shared = 0;
    t->use.silent = 0;
    t->opened = -1;

    fc->running++;

    /* a worker must not exit while a transfer is running */

    ngx_flowdash_curl_multi_hold(1);

    ngx_flowdash_curl_limit();

    return NGX_OK;
}


ngx_int_t
ngx_flowdash_curl_send(ngx_flowdash_curl_transfer_t *t, ngx_uint_t port)
{
    if (ngx_flowdash_curl_socket_is_frozen(t->easy)) {
        return NGX_DECLINED;
    }

    t->sent = 1;
    t->sent_at = ngx_current_msec;
    t->shared = !ngx_flowdash_curl_socket_use(&t->use, t->easy, port)
                && t->http2;

    return NGX_OK;
}


ngx_uint_t
ngx_flowdash_curl_closed_unanswered(ngx_flowdash_curl_transfer_t *t)
{
    return t->shared || t->use.silent;
}


const char *
ngx_flowdash_curl_error(ngx_flowdash_curl_transfer_t *t)
{
    if (t->failure) {
        return t->failure;
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

    if (t->abandoned) {
        ngx_flowdash_curl_handle_abandon(t->handle);
        return;
    }

    ngx_flowdash_curl_handle_put(t->handle, t->worn);
}


static void
ngx_flowdash_curl_remove(ngx_flowdash_curl_transfer_t *t)
{
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    t->running = 0;

    if (!t->abandoned) {

        /* over HTTP/1, libcurl closes the connection of such a transfer */

        if (t->timedout && t->sent && t->http2) {
            ngx_flowdash_curl_socket_check_frozen(t->easy, t->sent_at);
        }

        ngx_flowdash_curl_watch(t);

        t->abandoned = (ngx_flowdash_curl_multi_remove(t->easy) != NGX_OK);
    }

    if (t->abandoned) {

        /* another attempt needs another handle */

        t->worn = 1;
    }

    ngx_flowdash_curl_use_end(&t->use);

    fc->running--;
    ngx_flowdash_curl_multi_hold(fc->running);

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
    ngx_uint_t            n;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    n = fc->scarce ? 1 : fc->keepalive + fc->running;

    ngx_flowdash_curl_multi_keep(n > 1 ? n - 1 : 1);
}


/*
 * Without descriptors an action could not reach the app after its steps.  So
 * idle connections are given up: libcurl closes one for each transfer that
 * ends, and all those that were shut down in the next sweep.
 */

static void
ngx_flowdash_curl_prepare(void)
{
    ngx_uint_t            scarce;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    scarce = ngx_flowdash_curl_open_is_scarce();

    if (scarce) {
        ngx_flowdash_curl_socket_limit(0);
    }

    if (scarce != fc->scarce) {
        fc->scarce = scarce;
        ngx_flowdash_curl_limit();
    }
}


static void
ngx_flowdash_curl_ended(CURL *easy, CURLcode result)
{
    ngx_flowdash_curl_transfer_t  *t;

    if (ngx_flowdash_curl_sweep_is_ended(easy)) {
        return;
    }

    t = ngx_flowdash_curl_handle_user(easy);

    if (t) {    /* an answer that is there counts, whatever has failed since */
        t->failure = (result == CURLE_OK) ? NULL : t->failure;
        t->scarce = (t->failure != NULL && t->scarce);
        ngx_flowdash_curl_end(t, result);
    }
}


static void
ngx_flowdash_curl_turn(void)
{
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    ngx_flowdash_curl_end_failed(fc);

    /*
     * Of transfers that have ended together, libcurl keeps more connections
     * than it should.  Those that run next may use them.
     */

    if (!ngx_flowdash_curl_multi_posted()) {
        ngx_flowdash_curl_socket_limit(fc->keepalive);
    }
}


/*
 * The transfers end in the turn that follows: those for which libcurl has
 * still said so as it has said, and the others without a result.
 */

static void
ngx_flowdash_curl_abandoned(CURLM *multi)
{
    int                            n;
    CURLMsg                       *msg;
    ngx_queue_t                   *q;
    ngx_flowdash_curl_t           *fc;
    ngx_flowdash_curl_transfer_t  *t;

    fc = &ngx_flowdash_curl;

    for (q = ngx_queue_head(&fc->transfers);
         q != ngx_queue_sentinel(&fc->transfers);
         q = ngx_queue_next(q))
    {
        t = ngx_queue_data(q, ngx_flowdash_curl_transfer_t, queue);

        if (!t->running || t->abandoned) {
            continue;
        }

        t->abandoned = 1;

        if (t->failure == NULL) {
            t->failure = "libcurl has failed";
            t->result = NGX_FLOWDASH_CURL_INTERNAL;
        }
    }

    while ((msg = curl_multi_info_read(multi, &n))) {
        t = ngx_flowdash_curl_handle_user(msg->easy_handle);

        if (t && msg->msg == CURLMSG_DONE) {
            t->failure = NULL;
            t->result = msg->data.result;
        }
    }

    fc->failing = 1;

    ngx_flowdash_curl_sweep_abandon();
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


/*
 * libcurl would wait in vain: it gets no events of the transfer's socket.  It
 * is on the stack, so the next event ends the transfer.
 */

static void
ngx_flowdash_curl_fail(CURL *easy, ngx_int_t rc)
{
    ngx_flowdash_curl_t           *fc;
    ngx_flowdash_curl_transfer_t  *t;

    fc = &ngx_flowdash_curl;

    t = ngx_flowdash_curl_handle_user(easy);

    if (t) {
        t->failure = (rc == NGX_BUSY) ? "worker_connections are not enough"
                                      : "nginx cannot watch the connection: "
                                        "its alert before this line says why";
        t->result = NGX_FLOWDASH_CURL_INTERNAL;
        t->scarce = (rc == NGX_BUSY);
    }

    fc->failing = 1;

    ngx_flowdash_curl_multi_post();
}


static void
ngx_flowdash_curl_end_failed(ngx_flowdash_curl_t *fc)
{
    ngx_queue_t                   *q;
    ngx_flowdash_curl_transfer_t  *t;

    while (fc->failing) {
        fc->failing = 0;

        for (q = ngx_queue_head(&fc->transfers);
             q != ngx_queue_sentinel(&fc->transfers);
             q = ngx_queue_next(q))
        {
            t = ngx_queue_data(q, ngx_flowdash_curl_transfer_t, queue);

            if (t->running && (t->failure || t->abandoned)) {
                ngx_flowdash_curl_end(t, t->result);

                /* its handler may have changed the queue: begin again */

                fc->failing = 1;
                break;
            }
        }
    }
}


void
ngx_flowdash_curl_end(ngx_flowdash_curl_transfer_t *t, CURLcode result)
{
    if (t->failure == NULL) {
        t->result = result;

        /* libcurl does not know why it got no socket */

        if (result == CURLE_COULDNT_CONNECT && t->no_socket) {
            t->failure = ngx_flowdash_curl_open_error(t->no_socket);

            if (t->failure) {
                t->result = NGX_FLOWDASH_CURL_INTERNAL;
                t->scarce = (t->no_socket != NGX_ENOMEM);
            }
        }
    }

    t->timedout = (t->result == CURLE_OPERATION_TIMEDOUT);

    ngx_flowdash_curl_remove(t);

    t->handler(t);
}


const char *
ngx_flowdash_curl_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}
