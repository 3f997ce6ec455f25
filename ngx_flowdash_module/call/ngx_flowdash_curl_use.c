
/*
 * Whether an octet of an answer has come on a kept connection before it was
 * closed.  If that is not certain, one has: the request is not sent again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_flowdash_curl_use.h>


void
ngx_flowdash_curl_use_begin(ngx_flowdash_curl_use_t *use,
    ngx_flowdash_curl_use_t **place, ngx_flowdash_curl_tcp_count_t *count,
    CURL *easy)
{
    ngx_flowdash_curl_use_end(use);

    if (*place) {

        /* its transfer has ended, but not yet been removed */

        ngx_flowdash_curl_use_end(*place);
    }

    use->place = place;
    use->count = *count;
    use->silent = 0;
    *place = use;

    ngx_flowdash_curl_tls_begin(&use->tls, easy);
}


void
ngx_flowdash_curl_use_judge(ngx_flowdash_curl_use_t *use, ngx_socket_t fd)
{
    use->silent = !ngx_flowdash_curl_tls_has_data(&use->tls)
                  && ngx_flowdash_curl_tcp_received_exactly(fd, &use->count,
                                                        use->tls.octets);
}


void
ngx_flowdash_curl_use_end(ngx_flowdash_curl_use_t *use)
{
    if (use->place) {
        *use->place = NULL;
        use->place = NULL;

        ngx_flowdash_curl_tls_end(&use->tls);
    }
}
