
#ifndef _NGX_FLOWDASH_CURL_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_flowdash_curl_handle.h>
#include <ngx_flowdash_curl_use.h>

#include <curl/curl.h>


typedef struct ngx_flowdash_curl_transfer_s  ngx_flowdash_curl_transfer_t;

typedef void (*ngx_flowdash_curl_handler_pt)(ngx_flowdash_curl_transfer_t *t);


/*
 * A transfer: one exchange with an endpoint.  Its memory belongs to the caller
 * and must live until ngx_flowdash_curl_free().
 */

struct ngx_flowdash_curl_transfer_s {
    CURL                          *easy;
    ngx_flowdash_curl_handler_pt   handler;    /* called once, at the end */
    void                          *data;
    CURLcode                       result;
    ngx_err_t                      no_socket;  /* set by the caller: why it got
                                                  none; or 0 */
    unsigned                       worn:1;     /* set by the caller: t->easy
                                                  must not be used again */
    unsigned                       timedout:1; /* set by the caller, too, if it
                                                  ends it for that */
    unsigned                       http2:1;    /* set by the caller: it may use
                                                  HTTP/2 */
    unsigned                       scarce:1;   /* it got no connection, because
                                                  the process has none left */

    /* for ngx_flowdash_curl.c alone */

    ngx_flowdash_curl_handle_t    *handle;
    ngx_queue_t                    queue;
    ngx_flowdash_curl_use_t        use;
    const char                    *failure;    /* not libcurl's; or NULL */
    ngx_msec_t                     sent_at;
    long                           opened;     /* connections, when its socket
                                                  became idle; -1: not yet */
    unsigned                       running:1;
    unsigned                       sent:1;     /* at sent_at */
    unsigned                       shared:1;   /* its connection, if it is a
                                                  kept one: by HTTP/2 */
    unsigned                       abandoned:1; /* libcurl has failed */
};


/*
 * Prepares the worker.  libcurl keeps up to "keepalive" idle connections, each
 * for "keepalive_timeout" seconds, and uses none that was opened more than
 * "keepalive_time" seconds ago.  Returns NGX_OK or NGX_ERROR, which is
 * logged.
 */
ngx_int_t ngx_flowdash_curl_init(ngx_cycle_t *cycle, ngx_uint_t keepalive,
    time_t keepalive_timeout, time_t keepalive_time);

/*
 * Ends all transfers without calling their handlers, and closes all
 * connections.
 */
void ngx_flowdash_curl_exit(void);

/*
 * Gives a transfer its t->easy, with the options of "handles" set; the caller
 * sets those of its request.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_create(ngx_flowdash_curl_transfer_t *t,
    ngx_flowdash_curl_handles_t *handles);

/*
 * Starts a transfer, or repeats one that has ended.  The handler is called
 * from the event loop, never from here.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_start(ngx_flowdash_curl_transfer_t *t);

/*
 * Ends a transfer that is running, with this result unless another is known
 * already, and calls its handler.
 */
void ngx_flowdash_curl_end(ngx_flowdash_curl_transfer_t *t, CURLcode result);

/*
 * To be called when libcurl is about to send a request by a connection whose
 * own port is "port", 0 if it has none.  Returns NGX_OK, or NGX_DECLINED if it
 * must not be sent on this connection: an earlier request has timed out on it,
 * and nothing has come since.
 */
ngx_int_t ngx_flowdash_curl_send(ngx_flowdash_curl_transfer_t *t,
    ngx_uint_t port);

/*
 * Tells whether the kept connection of a transfer that has ended was closed
 * before an octet of an answer came; 0 if that is not certain.  Over HTTP/2,
 * it is libcurl that tells: returns 1.
 */
ngx_uint_t ngx_flowdash_curl_closed_unanswered(
    ngx_flowdash_curl_transfer_t *t);

/* Returns why a transfer has failed, as text that lives as long as t->easy. */
const char *ngx_flowdash_curl_error(ngx_flowdash_curl_transfer_t *t);

/*
 * Ends a transfer, if it is running, without calling its handler, and gives
 * t->easy back.  Does nothing if there is none.
 */
void ngx_flowdash_curl_free(ngx_flowdash_curl_transfer_t *t);

/* Returns the version of the libcurl that is loaded: "7.88.1". */
const char *ngx_flowdash_curl_version(void);


#endif /* _NGX_FLOWDASH_CURL_H_INCLUDED_ */
