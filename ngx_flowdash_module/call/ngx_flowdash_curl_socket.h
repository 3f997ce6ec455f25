
#ifndef _NGX_FLOWDASH_CURL_SOCKET_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_SOCKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <curl/curl.h>


/* Called when a socket is ready; "events" is CURL_CSELECT_IN or _OUT. */
typedef void (*ngx_flowdash_curl_socket_event_pt)(curl_socket_t fd,
    int events);

/*
 * Called when a transfer's socket gets no connection of nginx's.  libcurl is
 * on the stack, so the transfer can be ended only later.
 */
typedef void (*ngx_flowdash_curl_socket_refuse_pt)(CURL *easy);

/* Called when a transfer's connection is kept: it is watched from now on. */
typedef void (*ngx_flowdash_curl_socket_keep_pt)(CURL *easy);


/*
 * Watches the sockets of the worker's multi.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_socket_init(ngx_log_t *log, CURLM *multi,
    ngx_flowdash_curl_socket_event_pt event,
    ngx_flowdash_curl_socket_refuse_pt refuse,
    ngx_flowdash_curl_socket_keep_pt keep);

/* Gives nginx's connections back; the multi is gone, its sockets closed. */
void ngx_flowdash_curl_socket_exit(void);

/* Closes a socket: CURLOPT_CLOSESOCKETFUNCTION of every easy handle. */
int ngx_flowdash_curl_socket_close(void *data, curl_socket_t fd);

/*
 * To be called when a transfer has ended without a keep_pt for it: libcurl may
 * keep a connection whose socket it never had to wait for, which is watched
 * from now on.
 */
void ngx_flowdash_curl_socket_find_kept(CURL *easy);

/* Shuts down those sockets that have been idle longest, but for "max". */
void ngx_flowdash_curl_socket_limit(ngx_uint_t max);


#endif /* _NGX_FLOWDASH_CURL_SOCKET_H_INCLUDED_ */
