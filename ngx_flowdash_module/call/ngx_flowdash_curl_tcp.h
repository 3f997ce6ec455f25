
#ifndef _NGX_FLOWDASH_CURL_TCP_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_TCP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what a TCP connection has received since it was opened */

typedef struct {
    uint64_t      octets;
    uint32_t      segments;       /* that had octets */
    ngx_uint_t    state;          /* TCP's */
    unsigned      known:1;        /* the kernel tells */
} ngx_flowdash_curl_tcp_count_t;


/* Asks the kernel what a connection has received. */
void ngx_flowdash_curl_tcp_count(ngx_socket_t fd,
    ngx_flowdash_curl_tcp_count_t *count);

/*
 * Tells whether a connection has received just so many octets since a count
 * was taken.  Returns 0 if the kernel does not tell.
 */
ngx_uint_t ngx_flowdash_curl_tcp_received_exactly(ngx_socket_t fd,
    ngx_flowdash_curl_tcp_count_t *since, uint64_t octets);

/* Returns a connection's own port, or 0 if it has none. */
ngx_uint_t ngx_flowdash_curl_tcp_port(ngx_socket_t fd);


#endif /* _NGX_FLOWDASH_CURL_TCP_H_INCLUDED_ */
