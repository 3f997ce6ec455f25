
#ifndef _NGX_FLOWDASH_CURL_TCP_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_TCP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a request that was sent on a TCP connection */

typedef struct {
    ngx_queue_t    queue;
    ngx_uint_t     port;            /* the connection's own; 0: none */
    unsigned       received:1;      /* octets have come since */
} ngx_flowdash_curl_tcp_use_t;


/* Prepares the worker. */
void ngx_flowdash_curl_tcp_init(void);

/*
 * A request is sent on a connection whose own port is "port"; nothing is known
 * of it if that is not greater than 0.
 */
void ngx_flowdash_curl_tcp_begin(ngx_flowdash_curl_tcp_use_t *use, int port);

/* It has ended, if one was sent.  Clears use->received. */
void ngx_flowdash_curl_tcp_end(ngx_flowdash_curl_tcp_use_t *use);

/*
 * Returns how many octets a connection has received, for
 * ngx_flowdash_curl_tcp_check(); 0 for any other socket, and where the kernel
 * does not tell.
 */
uint64_t ngx_flowdash_curl_tcp_received(ngx_socket_t fd);

/*
 * Sets "received" of the request that was sent on a connection if octets have
 * come since it had received so many.
 */
void ngx_flowdash_curl_tcp_check(ngx_socket_t fd, uint64_t received);


#endif /* _NGX_FLOWDASH_CURL_TCP_H_INCLUDED_ */
