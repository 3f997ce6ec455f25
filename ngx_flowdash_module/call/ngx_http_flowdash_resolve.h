
#ifndef _NGX_HTTP_FLOWDASH_RESOLVE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RESOLVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


typedef struct ngx_http_flowdash_resolve_s  ngx_http_flowdash_resolve_t;


typedef void (*ngx_http_flowdash_resolve_handler_pt)(
    ngx_http_flowdash_resolve_t *rs);


/* one look-up, in memory of the caller, zeroed before the first use */

struct ngx_http_flowdash_resolve_s {
    ngx_str_t                              host;
    in_port_t                              port;
    ngx_resolver_t                        *resolver;
    ngx_msec_t                             timeout;
    ngx_pool_t                            *pool;     /* outlives it */
    ngx_log_t                             *log;
    ngx_http_flowdash_resolve_handler_pt   handler;
    void                                  *data;

    /*
     * The result: the entry for CURLOPT_RESOLVE, "+host:port:addr,addr", which
     * ends with a zero; or why there is none: a state of nginx's resolver,
     * such as NGX_RESOLVE_NXDOMAIN, or NGX_ERROR if memory ran out.
     */

    ngx_str_t                              entry;
    ngx_int_t                              state;

    ngx_resolver_ctx_t                    *ctx;      /* while it runs */
    ngx_event_t                            event;    /* calls the handler */
};


/*
 * Tells whether the host of a URL is a name that must be looked up.  Addresses
 * in any spelling that libcurl reads, and localhost with its subdomains, need
 * no look-up: libcurl knows them.
 */
ngx_uint_t ngx_http_flowdash_resolve_needed(ngx_str_t *host);

/*
 * Looks up rs->host, spelled as libcurl reads it from the URL.  Returns NGX_OK
 * if the result is there, NGX_AGAIN if the handler will be called from the
 * event loop, NGX_DECLINED if no resolver is configured, or NGX_ERROR.  After
 * NGX_DECLINED libcurl looks the name up itself, also in the hosts file.
 */
ngx_int_t ngx_http_flowdash_resolve(ngx_http_flowdash_resolve_t *rs,
    ngx_array_t *hosts);

/* Ends a look-up if one is running; its handler is not called. */
void ngx_http_flowdash_resolve_cancel(ngx_http_flowdash_resolve_t *rs);


#endif /* _NGX_HTTP_FLOWDASH_RESOLVE_H_INCLUDED_ */
