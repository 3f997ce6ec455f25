
#ifndef _NGX_HTTP_FLOWDASH_RESOLVE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RESOLVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


typedef struct ngx_http_flowdash_resolve_s  ngx_http_flowdash_resolve_t;


typedef void (*ngx_http_flowdash_resolve_handler_pt)(
    ngx_http_flowdash_resolve_t *rs);


/* one look-up; its memory is the caller's, and zeroed before the first one */

struct ngx_http_flowdash_resolve_s {
    ngx_str_t                              host;
    in_port_t                              port;
    ngx_resolver_t                        *resolver;
    ngx_msec_t                             timeout;
    ngx_pool_t                            *pool;     /* lives longer */
    ngx_log_t                             *log;
    ngx_http_flowdash_resolve_handler_pt   handler;
    void                                  *data;

    /*
     * The result: the entry for CURLOPT_RESOLVE, "+host:port:addr,addr" with a
     * null behind it, or why there is none: the state of nginx's resolver such
     * as NGX_RESOLVE_NXDOMAIN, or NGX_ERROR if memory ran out.
     */

    ngx_str_t                              entry;
    ngx_int_t                              state;

    ngx_resolver_ctx_t                    *ctx;      /* while it runs */
    ngx_event_t                            event;    /* for the handler */
};


/*
 * Tells if the host of an URL is a name to be looked up.  Literal addresses,
 * in all spellings that libcurl reads, and localhost with what is below it
 * are not: libcurl knows them by itself.
 */
ngx_uint_t ngx_http_flowdash_resolve_needed(ngx_str_t *host);

/*
 * Looks up rs->host, as libcurl has it from the URL.  Returns NGX_OK if the
 * result is there, NGX_AGAIN if the handler will be called, from the event
 * loop, NGX_DECLINED if no resolver is configured: then it is left to libcurl,
 * which reads the hosts file too; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_resolve(ngx_http_flowdash_resolve_t *rs,
    ngx_array_t *hosts);

/* Ends a look-up that may be running, without its handler. */
void ngx_http_flowdash_resolve_cancel(ngx_http_flowdash_resolve_t *rs);


#endif /* _NGX_HTTP_FLOWDASH_RESOLVE_H_INCLUDED_ */
