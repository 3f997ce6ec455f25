
#ifndef _NGX_FLOWDASH_CURL_SOCKET_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_SOCKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_flowdash_curl_use.h>

#include <curl/curl.h>


/* Called when a socket is ready; "events" is CURL_CSELECT_IN or _OUT. */
typedef void (*ngx_flowdash_curl_socket_event_pt)(curl_socket_t fd,
    int events);

/*
 * Called when a transfer's socket cannot be watched: "rc" is NGX_BUSY if
 * nginx has no connection for it, or NGX_ERROR.  libcurl is on the stack, so
 * the transfer can be ended only later.
 */
typedef void (*ngx_flowdash_curl_socket_fail_pt)(CURL *easy, ngx_int_t rc);

/*
 * Called when a transfer's socket has become idle.  It is watched from now on,
 * but libcurl may close it at once, and open another for the transfer.
 */
typedef void (*ngx_flowdash_curl_socket_idle_pt)(CURL *easy);


/* Prepares the worker. */
void ngx_flowdash_curl_socket_init(ngx_log_t *log,
    ngx_flowdash_curl_socket_event_pt event,
    ngx_flowdash_curl_socket_fail_pt fail,
    ngx_flowdash_curl_socket_idle_pt idle);

/* Watches the sockets of a multi handle.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_flowdash_curl_socket_attach(CURLM *multi);

/*
 * The multi handle was abandoned: gives nginx's connections back, and closes
 * the sockets, except those that libcurl has not opened by a callback.
 */
void ngx_flowdash_curl_socket_close_all(void);

/* Gives nginx's connections back; the multi is gone, its sockets closed. */
void ngx_flowdash_curl_socket_exit(void);

/* Closes a socket: CURLOPT_CLOSESOCKETFUNCTION of every easy handle. */
int ngx_flowdash_curl_socket_close(void *data, curl_socket_t fd);

/*
 * Watches the connection that a transfer has left to libcurl, if it is not
 * watched yet; takes down that it was used, if it is.  To be called before the
 * transfer is removed.
 */
void ngx_flowdash_curl_socket_watch_kept(CURL *easy);

/*
 * A transfer that may use HTTP/2 has timed out, and its request was sent at
 * "since".  If nothing has come on its connection since then, the connection
 * is frozen: it serves the transfers that use it, but no others, and is shut
 * down when the last has ended.
 */
void ngx_flowdash_curl_socket_check_frozen(CURL *easy, ngx_msec_t since);

/* Tells whether a transfer's connection is frozen. */
ngx_uint_t ngx_flowdash_curl_socket_is_frozen(CURL *easy);

/*
 * A transfer's request is sent next, on a connection whose own port is "port".
 * Returns 1 if that may be a kept one with HTTP/1: if it is clear which one it
 * is, use->silent will be known when it is closed.  Returns 0 otherwise.
 */
ngx_uint_t ngx_flowdash_curl_socket_use(ngx_flowdash_curl_use_t *use,
    CURL *easy, ngx_uint_t port);

/*
 * Shuts down idle sockets, those that have been idle longest first, until no
 * more than "max" are left.
 */
void ngx_flowdash_curl_socket_limit(ngx_uint_t max);


#endif /* _NGX_FLOWDASH_CURL_SOCKET_H_INCLUDED_ */
