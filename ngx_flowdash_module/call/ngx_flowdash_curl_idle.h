
#ifndef _NGX_FLOWDASH_CURL_IDLE_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_IDLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* An idle connection; its memory is the caller's, and zeroed at first. */

typedef struct {
    ngx_queue_t   queue;
    ngx_msec_t    since;      /* when it became idle */
    unsigned      added:1;    /* it is idle */
    unsigned      suspect:1;  /* it may be dead: something came, or it
                                 was shut down */
} ngx_flowdash_curl_idle_t;


/* Called when it is time for a sweep. */
typedef void (*ngx_flowdash_curl_idle_sweep_pt)(void);


/*
 * Prepares the worker, whose multi closes connections that are idle for
 * "timeout" seconds.
 */
void ngx_flowdash_curl_idle_init(ngx_log_t *log,
    ngx_flowdash_curl_idle_sweep_pt sweep, time_t timeout);

/* The worker exits: there are no more sweeps. */
void ngx_flowdash_curl_idle_exit(void);


/* A connection has become idle: plans a sweep for when its time is over. */
void ngx_flowdash_curl_idle_add(ngx_flowdash_curl_idle_t *idle);

/* It is idle no longer. */
void ngx_flowdash_curl_idle_remove(ngx_flowdash_curl_idle_t *idle);

/*
 * Something has come on an idle connection, or it was shut down: sweeps soon,
 * and again until libcurl has closed it.
 */
void ngx_flowdash_curl_idle_suspect(ngx_flowdash_curl_idle_t *idle);

/*
 * Returns the connection that has been idle longest, or NULL if there are no
 * more than "max"; suspects do not count.
 */
ngx_flowdash_curl_idle_t *ngx_flowdash_curl_idle_get_excess(ngx_uint_t max);

/*
 * Shuts an idle socket down, so that libcurl finds it dead and drops it, and
 * sweeps soon, and once more, because libcurl may not look in the first sweep:
 * it is not known when it closes the socket.  libcurl 7.88 would use an idle
 * connection with something to read, and take what the endpoint has sent
 * unasked, such as 408 before it closes, for the answer to the next call.
 * Over HTTP/2 libcurl reads it: it may be a frame of the connection itself.
 */
void ngx_flowdash_curl_idle_shutdown(ngx_socket_t fd);

/* To be called when a sweep has ended: plans the next. */
void ngx_flowdash_curl_idle_swept(void);

/* To be called when a sweep could not start: plans another. */
void ngx_flowdash_curl_idle_postpone(void);


#endif /* _NGX_FLOWDASH_CURL_IDLE_H_INCLUDED_ */
