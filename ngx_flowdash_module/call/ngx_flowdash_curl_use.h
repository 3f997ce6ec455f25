
#ifndef _NGX_FLOWDASH_CURL_USE_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_USE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_flowdash_curl_tcp.h>
#include <ngx_flowdash_curl_tls.h>

#include <curl/curl.h>


typedef struct ngx_flowdash_curl_use_s  ngx_flowdash_curl_use_t;


/*
 * A request that is sent on a kept connection, which has place for a pointer
 * to it.  Not over HTTP/2, where several may share one.
 */

struct ngx_flowdash_curl_use_s {
    ngx_flowdash_curl_use_t        **place;     /* NULL: not used */
    ngx_flowdash_curl_tcp_count_t    count;     /* when the connection became
                                                   idle */
    ngx_flowdash_curl_tls_t          tls;
    unsigned                         silent:1;  /* the connection was closed,
                                                   and no octet of an answer
                                                   had come */
};


/*
 * A transfer's request is sent on a kept connection, which had received
 * "count" when it became idle, and keeps the pointer in "place".
 */
void ngx_flowdash_curl_use_begin(ngx_flowdash_curl_use_t *use,
    ngx_flowdash_curl_use_t **place, ngx_flowdash_curl_tcp_count_t *count,
    CURL *easy);

/* The connection is closed next: sets use->silent. */
void ngx_flowdash_curl_use_judge(ngx_flowdash_curl_use_t *use,
    ngx_socket_t fd);

/* Parts request and connection; use->silent stays. */
void ngx_flowdash_curl_use_end(ngx_flowdash_curl_use_t *use);


#endif /* _NGX_FLOWDASH_CURL_USE_H_INCLUDED_ */
