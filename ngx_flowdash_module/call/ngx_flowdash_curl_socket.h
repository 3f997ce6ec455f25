
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


/*
 * Watches the sockets of the worker's multi, which keeps idle ones for
 * "keepalive_timeout" seconds.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_socket_init(ngx_log_t *log, CURLM *multi,
    time_t keepalive_timeout,
    ngx_flowdash_curl_socket_event_pt event,
    ngx_flowdash_curl_socket_refuse_pt refuse);

/* Gives nginx's connections back; the multi is gone, its sockets closed. */
void ngx_flowdash_curl_socket_exit(void);

/* Closes a socket: CURLOPT_CLOSESOCKETFUNCTION of every easy handle. */
int ngx_flowdash_curl_socket_close(void *data, curl_socket_t fd);

/* To be called after a sweep: plans the next one, if sockets are idle. */
void ngx_flowdash_curl_socket_swept(void);


#endif /* _NGX_FLOWDASH_CURL_SOCKET_H_INCLUDED_ */
