
#ifndef _NGX_HTTP_FLOWDASH_COMPAT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_COMPAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The headers of Angie and freenginx have nginx's names, but some of their
 * structures differ.  This is the only place that knows it.
 */

/*
 * Returns the configuration of a location in a ngx_http_location_queue_t.  For
 * Angie since 1.3, a location may have several names.
 */
#if (defined angie_version && angie_version >= 1003000)

#define ngx_http_flowdash_compat_location(lq)                                 \
    ((lq)->exact ? (lq)->exact->conf : (lq)->inclusive->conf)

#else

#define ngx_http_flowdash_compat_location(lq)                                 \
    ((lq)->exact ? (lq)->exact : (lq)->inclusive)

#endif


/*
 * Tells whether a resolver has name servers: it has none without the directive
 * "resolver".  For Angie since 1.12, they are a list.
 */
#if (defined angie_version && angie_version >= 1012000)

#define ngx_http_flowdash_compat_has_servers(resolver)                        \
    ((resolver)->connections != NULL)

#else

#define ngx_http_flowdash_compat_has_servers(resolver)                        \
    ((resolver)->connections.nelts != 0)

#endif


/*
 * The flag of a request whose body nginx is reading to throw it away; the
 * request is counted once more for that.  For freenginx since 1.27.0,
 * discard_body stays set when that has ended.
 */
#if (defined NGINX_NAME && nginx_version >= 1027000)

#define ngx_http_flowdash_compat_discarding_body  discarding_body

#else

#define ngx_http_flowdash_compat_discarding_body  discard_body

#endif


#endif /* _NGX_HTTP_FLOWDASH_COMPAT_H_INCLUDED_ */
