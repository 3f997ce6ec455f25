
/*
 * The worker's multi handle and its timer.  When libcurl's multi interface
 * fails, as it does without memory, what it knows of sockets and transfers is
 * wrong from then on, and the next call into it may crash.  So the handle is
 * abandoned with all that is in it, and another one is made.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl_socket.h>
#include <ngx_flowdash_curl_handle.h>
#include <ngx_flowdash_curl_multi.h>


typedef struct ngx_flowdash_curl_multi_s  ngx_flowdash_curl_multi_t;

struct ngx_flowdash_curl_multi_s {
    CURLM                           *handle;
    ngx_flowdash_curl_multi_t       *abandoned;  /* those before it: known, so
                                                    that they do not look like
                                                    leaks */
};


typedef struct {
    ngx_flowdash_curl_multi_t       *current;   /* NULL: there was no memory */
    ngx_flowdash_curl_multi_t       *abandoned;
    ngx_flowdash_curl_multi_user_t  *user;
    ngx_log_t                       *log;

    ngx_event_t                      timer;
    ngx_msec_t                       due;       /* when libcurl wants to be
                                                   called */
    ngx_connection_t                 dummy;     /* for debug logs about the
                                                   timer */
    unsigned                         waiting:1; /* for "due" */
} ngx_flowdash_curl_multis_t;


static ngx_int_t ngx_flowdash_curl_multi_make(ngx_flowdash_curl_multis_t *fm);
static void ngx_flowdash_curl_multi_fail(const char *name, CURLMcode rc);
static void ngx_flowdash_curl_multi_stop_timer(ngx_flowdash_curl_multis_t *fm);
static int ngx_flowdash_curl_multi_timer_handler(CURLM *multi, long ms,
    void *data);
static void ngx_flowdash_curl_multi_timeout(ngx_event_t *ev);


static ngx_flowdash_curl_multis_t  ngx_flowdash_curl_multis;


ngx_int_t
ngx_flowdash_curl_multi_init(ngx_log_t *log,
    ngx_flowdash_curl_multi_user_t *user)
{
    ngx_flowdash_curl_multis_t  *fm;

    fm = &ngx_flowdash_curl_multis;

    ngx_memzero(fm, sizeof(ngx_flowdash_curl_multis_t));

    fm->log = log;
    fm->user = user;

    fm->dummy.fd = (ngx_socket_t) -1;

    fm->timer.handler = ngx_flowdash_curl_multi_timeout;
    fm->timer.data = &fm->dummy;
    fm->timer.log = log;
    fm->timer.cancelable = 1;

    return ngx_flowdash_curl_multi_make(fm);
}


static ngx_int_t
ngx_flowdash_curl_multi_make(ngx_flowdash_curl_multis_t *fm)
{
    ngx_flowdash_curl_multi_t  *multi;

    multi = ngx_alloc(sizeof(ngx_flowdash_curl_multi_t), fm->log);
    if (multi == NULL) {
        return NGX_ERROR;
    }

    multi->abandoned = fm->abandoned;
    multi->handle = curl_multi_init();

    if (multi->handle == NULL) {
        ngx_free(multi);
        return NGX_ERROR;
    }

    if (curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION,
                          ngx_flowdash_curl_multi_timer_handler)
        || ngx_flowdash_curl_socket_attach(multi->handle) != NGX_OK)
    {
        (void) curl_multi_cleanup(multi->handle);
        ngx_free(multi);
        return NGX_ERROR;
    }

    fm->current = multi;

    return NGX_OK;
}


void
ngx_flowdash_curl_multi_exit(void)
{
    ngx_flowdash_curl_multis_t  *fm;

    fm = &ngx_flowdash_curl_multis;

    if (fm->current) {
        (void) curl_multi_cleanup(fm->current->handle);

        fm->abandoned = fm->current->abandoned;

        ngx_free(fm->current);
        fm->current = NULL;
    }

    ngx_flowdash_curl_multi_stop_timer(fm);
}


ngx_int_t
ngx_flowdash_curl_multi_add(CURL *easy)
{
    CURLMcode                    rc;
    ngx_flowdash_curl_multis_t  *fm;

    fm = &ngx_flowdash_curl_multis;

    if (fm->current == NULL && ngx_flowdash_curl_multi_make(fm) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, fm->log, 0,
                      "flowdash: no memory for libcurl");
        return NGX_DECLINED;
    }

    rc = curl_multi_add_handle(fm->current->handle, easy);

    switch (rc) {

    case CURLM_OK:
        return NGX_OK;

    case CURLM_ADDED_ALREADY:
    case CURLM_RECURSIVE_API_CALL:
    case CURLM_OUT_OF_MEMORY:

        /* libcurl has changed nothing: the other transfers are sound */

        ngx_log_error(NGX_LOG_ALERT, fm->log, 0,
                      "flowdash: curl_multi_add_handle() failed: %s; "
                      "this call ends", curl_multi_strerror(rc));
        return NGX_DECLINED;

    default:
        ngx_flowdash_curl_multi_fail("curl_multi_add_handle", rc);
        return NGX_ERROR;
    }
}


/*
 * A handle that cannot be removed, whatever the reason, would continue using
 * the memory of a call that has ended.
 */

ngx_int_t
ngx_flowdash_curl_multi_remove(CURL *easy)
{
    CURLMcode                    rc;
    ngx_flowdash_curl_multis_t  *fm;

    fm = &ngx_flowdash_curl_multis;

    rc = curl_multi_remove_handle(fm->current->handle, easy);

    if (rc != CURLM_OK) {
        ngx_flowdash_curl_multi_fail("curl_multi_remove_handle", rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Sockets are closed here, because libcurl will not do it.  The pipes to its
 * threads stay open: a thread may write to one at any time.
 */

static void
ngx_flowdash_curl_multi_fail(const char *name, CURLMcode rc)
{
    ngx_flowdash_curl_multi_t   *multi;
    ngx_flowdash_curl_multis_t  *fm;

    fm = &ngx_flowdash_curl_multis;

    ngx_log_error(NGX_LOG_ALERT, fm->log, 0,
                  "flowdash: %s() failed: %s; the calls of this worker end",
                  name, curl_multi_strerror(rc));

    multi = fm->current;

    fm->abandoned = multi;
    fm->current = NULL;

    ngx_flowdash_curl_multi_stop_timer(fm);
    ngx_flowdash_curl_socket_close_all();

    /* if there is no memory now, the next call tries again */

    (void) ngx_flowdash_curl_multi_make(fm);

    fm->user->abandoned(multi->handle);

    ngx_flowdash_curl_multi_post();
}


static void
ngx_flowdash_curl_multi_stop_timer(ngx_flowdash_curl_multis_t *fm)
{
    fm->waiting = 0;

    if (fm->timer.timer_set) {
        ngx_del_timer(&fm->timer);
    }

    if (fm->timer.posted) {
        ngx_delete_posted_event(&fm->timer);
    }
}


void
ngx_flowdash_curl_multi_keep(ngx_uint_t n)
{
    ngx_flowdash_curl_multis_t  *fm;

    fm = &ngx_flowdash_curl_multis;

    if (fm->current) {
        (void) curl_multi_setopt(fm->current->handle, CURLMOPT_MAXCONNECTS,
                                 (long) ngx_max(n, 1));
    }
}


void
ngx_flowdash_curl_multi_hold(ngx_uint_t hold)
{
    ngx_flowdash_curl_multis.timer.cancelable = !hold;
}


void
ngx_flowdash_curl_multi_post(void)
{
    ngx_post_event(&ngx_flowdash_curl_multis.timer, &ngx_posted_events);
}


ngx_uint_t
ngx_flowdash_curl_multi_posted(void)
{
    return ngx_flowdash_curl_multis.timer.posted;
}


/* libcurl says when it wants to be called: in "ms", now (0), or not (-1) */

static int
ngx_flowdash_curl_multi_timer_handler(CURLM *multi, long ms, void *data)
{
    ngx_event_t                 *timer;
    ngx_flowdash_curl_multis_t  *fm;

    fm = &ngx_flowdash_curl_multis;

    timer = &fm->timer;

    fm->waiting = (ms > 0);

    if (ms == 0) {
        ngx_flowdash_curl_multi_post();
    }

    if (ms <= 0) {
        return 0;
    }

    fm->due = ngx_current_msec + ms;

    if (timer->timer_set) {

        /*
         * Each transfer puts the timer off.  A timer that expires too early is
         * cheaper than one that is moved each time.
         */

        if ((ngx_msec_int_t) (fm->due - timer->timer.key) >= 0) {
            return 0;
        }

        ngx_del_timer(timer);
    }

    ngx_add_timer(timer, (ngx_msec_t) ms);

    return 0;
}


static void
ngx_flowdash_curl_multi_timeout(ngx_event_t *ev)
{
    ngx_msec_int_t               left;
    ngx_flowdash_curl_multis_t  *fm;

    fm = &ngx_flowdash_curl_multis;

    if (!ev->timedout) {

        /* it was posted */

        ngx_flowdash_curl_multi_action(CURL_SOCKET_TIMEOUT, 0);
        return;
    }

    ev->timedout = 0;

    if (!fm->waiting) {
        return;
    }

    left = fm->due - ngx_current_msec;

    if (left > 0) {
        ngx_add_timer(ev, (ngx_msec_t) left);
        return;
    }

    fm->waiting = 0;

    ngx_flowdash_curl_multi_action(CURL_SOCKET_TIMEOUT, 0);
}


void
ngx_flowdash_curl_multi_action(curl_socket_t fd, int events)
{
    int                          n;
    CURLMsg                     *msg;
    CURLMcode                    rc;
    ngx_flowdash_curl_multis_t  *fm;

    fm = &ngx_flowdash_curl_multis;

    fm->user->prepare();

    if (fm->current) {
        rc = curl_multi_socket_action(fm->current->handle, fd, events, &n);

        ngx_flowdash_curl_handle_clear_errors();

        if (rc == CURLM_RECURSIVE_API_CALL) {

            /* a callback of libcurl's has come here */

            ngx_log_error(NGX_LOG_ALERT, fm->log, 0,
                          "flowdash: curl_multi_socket_action() failed: %s",
                          curl_multi_strerror(rc));

            (void) ngx_flowdash_curl_multi_timer_handler(NULL, 1, NULL);
            return;
        }

        if (rc != CURLM_OK) {
            ngx_flowdash_curl_multi_fail("curl_multi_socket_action", rc);
        }
    }

    /* what is called here may start other transfers, or fail */

    while (fm->current
           && (msg = curl_multi_info_read(fm->current->handle, &n)))
    {
        if (msg->msg == CURLMSG_DONE) {
            fm->user->ended(msg->easy_handle, msg->data.result);
        }
    }

    fm->user->turn();
}
