
/*
 * Whether anything has come on a TCP connection since a request was sent.
 * libcurl reads without waiting for an event, and says nothing of less than a
 * line; but the kernel counts octets.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_flowdash_curl_tcp.h>


/*
 * Fields of struct tcp_info in <linux/tcp.h>, which glibc's header lacks, and
 * which cannot be included beside it: where they are, in octets
 */

#define NGX_FLOWDASH_CURL_TCP_STATE     0
#define NGX_FLOWDASH_CURL_TCP_RECEIVED  128


static ngx_int_t ngx_flowdash_curl_tcp_info(ngx_socket_t fd, ngx_uint_t *state,
    uint64_t *received);
static ngx_uint_t ngx_flowdash_curl_tcp_port(ngx_socket_t fd);


static ngx_queue_t  ngx_flowdash_curl_tcp_uses;


void
ngx_flowdash_curl_tcp_init(void)
{
    ngx_queue_init(&ngx_flowdash_curl_tcp_uses);
}


void
ngx_flowdash_curl_tcp_begin(ngx_flowdash_curl_tcp_use_t *use, int port)
{
    ngx_flowdash_curl_tcp_end(use);

    if (port > 0) {
        use->port = port;
        ngx_queue_insert_tail(&ngx_flowdash_curl_tcp_uses, &use->queue);
    }
}


void
ngx_flowdash_curl_tcp_end(ngx_flowdash_curl_tcp_use_t *use)
{
    use->received = 0;

    if (use->port) {
        use->port = 0;
        ngx_queue_remove(&use->queue);
    }
}


uint64_t
ngx_flowdash_curl_tcp_received(ngx_socket_t fd)
{
    uint64_t    received;
    ngx_uint_t  state;

    return (ngx_flowdash_curl_tcp_info(fd, &state, &received) == NGX_OK)
           ? received : 0;
}


void
ngx_flowdash_curl_tcp_check(ngx_socket_t fd, uint64_t received)
{
    uint64_t                      now;
    ngx_uint_t                    state, port;
    ngx_queue_t                  *q;
    ngx_flowdash_curl_tcp_use_t  *use;

    if (ngx_flowdash_curl_tcp_info(fd, &state, &now) != NGX_OK
        || now <= received

        /* the end of the connection counts as an octet, too */

        || (now - received == 1 && state != TCP_ESTABLISHED))
    {
        return;
    }

    port = ngx_flowdash_curl_tcp_port(fd);

    /* connections to several endpoints may have the same port: take all */

    for (q = ngx_queue_head(&ngx_flowdash_curl_tcp_uses);
         q != ngx_queue_sentinel(&ngx_flowdash_curl_tcp_uses);
         q = ngx_queue_next(q))
    {
        use = ngx_queue_data(q, ngx_flowdash_curl_tcp_use_t, queue);

        if (use->port == port) {
            use->received = 1;
        }
    }
}


static ngx_int_t
ngx_flowdash_curl_tcp_info(ngx_socket_t fd, ngx_uint_t *state,
    uint64_t *received)
{
#if (NGX_LINUX && defined TCP_INFO)

    u_char     info[NGX_FLOWDASH_CURL_TCP_RECEIVED + sizeof(uint64_t)];
    socklen_t  len;

    len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0
        && len == sizeof(info))
    {
        *state = info[NGX_FLOWDASH_CURL_TCP_STATE];
        ngx_memcpy(received, info + NGX_FLOWDASH_CURL_TCP_RECEIVED,
                   sizeof(uint64_t));

        return NGX_OK;
    }

#endif

    return NGX_DECLINED;
}


static ngx_uint_t
ngx_flowdash_curl_tcp_port(ngx_socket_t fd)
{
    socklen_t       len;
    ngx_sockaddr_t  own;

    len = sizeof(ngx_sockaddr_t);

    if (getsockname(fd, &own.sockaddr, &len) == -1) {
        return 0;
    }

    return ngx_inet_get_port(&own.sockaddr);
}
