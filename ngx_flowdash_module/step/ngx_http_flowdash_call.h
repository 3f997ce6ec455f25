
#ifndef _NGX_HTTP_FLOWDASH_CALL_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CALL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_resolve.h>
#include <ngx_flowdash_curl.h>


typedef struct ngx_http_flowdash_call_s {
    ngx_flowdash_curl_transfer_t   transfer;
    ngx_http_flowdash_resolve_t    resolve;
    struct curl_slist              addresses;  /* that the host has */

    ngx_http_request_t            *request;
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_loc_conf_t  *conf;

    ngx_str_t                      url;
    ngx_str_t                      host;

    ngx_msec_t                     start;      /* of the attempt */
    ngx_event_t                    again;      /* the wait for the next one */
    size_t                         header_size;

    unsigned                       attempting:1;
    unsigned                       transferred:1;
    unsigned                       sent:1;     /* libcurl has begun to send */
    unsigned                       kept:1;     /* on a kept connection */
    unsigned                       lost:1;     /* libcurl got no answer, and
                                                  would send again */
    unsigned                       resent:1;   /* the call was sent again */
    unsigned                       http1:1;    /* the endpoint requires it */
    unsigned                       header_ended:1;
    unsigned                       denied:1;   /* an address is denied */
    unsigned                       opened:1;   /* a new socket is allowed */
    unsigned                       made:1;     /* it exists */
    unsigned                       unfit:1;    /* the kept one is denied, or
                                                  frozen */
    unsigned                       fresh:1;    /* use no kept connection */
} ngx_http_flowdash_call_t;


/* The content handler of a step with flowdash_call; returns as they do. */
ngx_int_t ngx_http_flowdash_call_handler(ngx_http_request_t *r);

/* Ends a call: its time is over.  The caller finalizes the subrequest. */
void ngx_http_flowdash_call_time_out(ngx_http_flowdash_call_t *call);


#endif /* _NGX_HTTP_FLOWDASH_CALL_H_INCLUDED_ */
