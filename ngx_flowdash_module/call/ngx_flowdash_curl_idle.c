
/*
 * libcurl's idle connections.  It closes those that are idle for too long, or
 * that the endpoint has closed, only when a transfer starts.  In a worker
 * without calls they would stay, so sweeps are planned.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl_idle.h>


/*
 * libcurl looks at most once a second, and nginx's clock is a little behind
 * libcurl's; in milliseconds
 */

#define NGX_FLOWDASH_CURL_IDLE_SOON  1100


typedef struct {
    ngx_log_t                        *log;
    ngx_flowdash_curl_idle_sweep_pt   sweep;
    ngx_msec_t                        timeout;

    ngx_queue_t                       kept;       /* the newest first */
    ngx_queue_t                       suspects;
    ngx_uint_t                        nkept;

    ngx_event_t                       timer;
    ngx_connection_t                  dummy;      /* for debug logs about the
                                                     timer */
    unsigned                          again:1;    /* the next sweep is not
                                                     enough */
    unsigned                          exiting:1;
} ngx_flowdash_curl_idles_t;


static ngx_flowdash_curl_idle_t *ngx_flowdash_curl_idle_get(void);
static void ngx_flowdash_curl_idle_plan(ngx_msec_t time);
static void ngx_flowdash_curl_idle_timeout(ngx_event_t *ev);


static ngx_flowdash_curl_idles_t  ngx_flowdash_curl_idles;


void
ngx_flowdash_curl_idle_init(ngx_log_t *log,
    ngx_flowdash_curl_idle_sweep_pt sweep, time_t timeout)
{
    ngx_flowdash_curl_idles_t  *fi;

    fi = &ngx_flowdash_curl_idles;

    ngx_memzero(fi, sizeof(ngx_flowdash_curl_idles_t));

    fi->log = log;
    fi->sweep = sweep;

    /* libcurl counts whole seconds */

    fi->timeout = (timeout + 1) * 1000;

    ngx_queue_init(&fi->kept);
    ngx_queue_init(&fi->suspects);

    fi->dummy.fd = (ngx_socket_t) -1;

    fi->timer.handler = ngx_flowdash_curl_idle_timeout;
    fi->timer.data = &fi->dummy;
    fi->timer.log = log;
    fi->timer.cancelable = 1;
}


void
ngx_flowdash_curl_idle_exit(void)
{
    ngx_flowdash_curl_idles_t  *fi;

    fi = &ngx_flowdash_curl_idles;

    fi->exiting = 1;

    if (fi->timer.timer_set) {
        ngx_del_timer(&fi->timer);
    }
}


void
ngx_flowdash_curl_idle_add(ngx_flowdash_curl_idle_t *idle)
{
    ngx_flowdash_curl_idles_t  *fi;

    fi = &ngx_flowdash_curl_idles;

    idle->since = ngx_current_msec;
    idle->added = 1;
    idle->suspect = 0;

    ngx_queue_insert_head(&fi->kept, &idle->queue);
    fi->nkept++;

    ngx_flowdash_curl_idle_plan(fi->timeout);
}


void
ngx_flowdash_curl_idle_remove(ngx_flowdash_curl_idle_t *idle)
{
    if (!idle->suspect) {
        ngx_flowdash_curl_idles.nkept--;
    }

    ngx_queue_remove(&idle->queue);
    idle->added = 0;
}


void
ngx_flowdash_curl_idle_suspect(ngx_flowdash_curl_idle_t *idle)
{
    ngx_flowdash_curl_idle_remove(idle);

    idle->added = 1;
    idle->suspect = 1;

    ngx_queue_insert_head(&ngx_flowdash_curl_idles.suspects, &idle->queue);

    ngx_flowdash_curl_idle_plan(NGX_FLOWDASH_CURL_IDLE_SOON);
}


ngx_flowdash_curl_idle_t *
ngx_flowdash_curl_idle_get_excess(ngx_uint_t max)
{
    ngx_flowdash_curl_idles_t  *fi;

    fi = &ngx_flowdash_curl_idles;

    if (fi->nkept <= max) {
        return NULL;
    }

    return ngx_queue_data(ngx_queue_last(&fi->kept), ngx_flowdash_curl_idle_t,
                          queue);
}


/*
 * Returns a suspect, or, if there is none, the connection that has been idle
 * longest; NULL if none is idle.
 */

static ngx_flowdash_curl_idle_t *
ngx_flowdash_curl_idle_get(void)
{
    ngx_flowdash_curl_idles_t  *fi;

    fi = &ngx_flowdash_curl_idles;

    if (!ngx_queue_empty(&fi->suspects)) {
        return ngx_queue_data(ngx_queue_last(&fi->suspects),
                              ngx_flowdash_curl_idle_t, queue);
    }

    return ngx_flowdash_curl_idle_get_excess(0);
}


void
ngx_flowdash_curl_idle_shutdown(ngx_socket_t fd)
{
    u_char  buf[4096];

    (void) ngx_shutdown_socket(fd, SHUT_RDWR);

    while (recv(fd, buf, sizeof(buf), 0) > 0) { /* void */ }

    ngx_flowdash_curl_idles.again = 1;

    ngx_flowdash_curl_idle_plan(NGX_FLOWDASH_CURL_IDLE_SOON);
}


/* in "time" milliseconds, unless a sweep is planned for earlier */

static void
ngx_flowdash_curl_idle_plan(ngx_msec_t time)
{
    ngx_event_t                *timer;
    ngx_flowdash_curl_idles_t  *fi;

    fi = &ngx_flowdash_curl_idles;

    if (fi->exiting) {
        return;
    }

    timer = &fi->timer;

    if (timer->timer_set) {

        if ((ngx_msec_int_t) (timer->timer.key - ngx_current_msec)
            <= (ngx_msec_int_t) time)
        {
            return;
        }

        ngx_del_timer(timer);
    }

    ngx_add_timer(timer, time);
}


static void
ngx_flowdash_curl_idle_timeout(ngx_event_t *ev)
{
    ngx_flowdash_curl_idles_t  *fi;

    fi = &ngx_flowdash_curl_idles;

    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, fi->log, 0, "flowdash curl sweep");

    fi->sweep();
}


void
ngx_flowdash_curl_idle_swept(void)
{
    ngx_msec_int_t              left;
    ngx_flowdash_curl_idle_t   *idle;
    ngx_flowdash_curl_idles_t  *fi;

    fi = &ngx_flowdash_curl_idles;

    if (fi->again) {

        /* libcurl may have looked shortly before a socket was shut down */

        fi->again = 0;

        ngx_flowdash_curl_idle_plan(NGX_FLOWDASH_CURL_IDLE_SOON);
        return;
    }

    idle = ngx_flowdash_curl_idle_get();
    if (idle == NULL) {
        return;
    }

    left = fi->timeout - (ngx_current_msec - idle->since);

    if (!idle->suspect && left > 0) {
        ngx_flowdash_curl_idle_plan(left);
        return;
    }

    /* the sweep was too early, or what came was a mere frame */

    ngx_flowdash_curl_idle_plan(NGX_FLOWDASH_CURL_IDLE_SOON);
}


void
ngx_flowdash_curl_idle_postpone(void)
{
    ngx_flowdash_curl_idle_plan(NGX_FLOWDASH_CURL_IDLE_SOON);
}
