
/*
 * How much has come on a TCP connection.  libcurl reads without waiting for an
 * event, and says nothing of less than a line; but the kernel counts octets.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_flowdash_curl_tcp.h>


/*
 * Fields of struct tcp_info in <linux/tcp.h>, which glibc's header lacks, and
 * which cannot be included beside it: where they are, in octets
 */

#define NGX_FLOWDASH_CURL_TCP_STATE     0
#define NGX_FLOWDASH_CURL_TCP_OCTETS    128
#define NGX_FLOWDASH_CURL_TCP_SEGMENTS  152


void
ngx_flowdash_curl_tcp_count(ngx_socket_t fd,
    ngx_flowdash_curl_tcp_count_t *count)
{
#if (NGX_LINUX && defined TCP_INFO)

    u_char     info[NGX_FLOWDASH_CURL_TCP_SEGMENTS + sizeof(uint32_t)];
    socklen_t  len;

    len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0
        && len == sizeof(info))
    {
        count->state = info[NGX_FLOWDASH_CURL_TCP_STATE];
        ngx_memcpy(&count->octets, info + NGX_FLOWDASH_CURL_TCP_OCTETS,
                   sizeof(uint64_t));
        ngx_memcpy(&count->segments, info + NGX_FLOWDASH_CURL_TCP_SEGMENTS,
                   sizeof(uint32_t));
        count->known = 1;

        return;
    }

#endif

    ngx_memzero(count, sizeof(ngx_flowdash_curl_tcp_count_t));
}


ngx_uint_t
ngx_flowdash_curl_tcp_received_exactly(ngx_socket_t fd,
    ngx_flowdash_curl_tcp_count_t *since, uint64_t octets)
{
    uint64_t                       n;
    ngx_flowdash_curl_tcp_count_t  now;

    ngx_flowdash_curl_tcp_count(fd, &now);

    if (!since->known || !now.known) {
        return 0;
    }

    /*
     * A segment counts when it arrives, its octets only when all before them
     * have arrived.
     */

    if (octets == 0 && now.segments != since->segments) {
        return 0;
    }

    n = now.octets - since->octets;

    /*
     * The end of the connection counts as an octet, too, but not as a segment
     * that has octets.
     */

    return n == octets
           || (n == octets + 1 && now.state != TCP_ESTABLISHED);
}


ngx_uint_t
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
