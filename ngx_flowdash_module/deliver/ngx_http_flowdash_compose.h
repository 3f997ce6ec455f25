
#ifndef _NGX_HTTP_FLOWDASH_COMPOSE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_COMPOSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_record.h>


/*
 * Makes the URL, headers and payload of a delivery, of its pieces and of the
 * present configuration: sets call->url, call->host, ex->id, ex->url,
 * ex->headers and ex->payload, from call->pool.  Nothing of a record leads to
 * another server than the configuration's, or adds a header by a line break:
 * whoever runs as the worker's user could have written it.  Returns NGX_OK;
 * NGX_DECLINED with ex->error set if it cannot be made; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_compose(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *delivery);


#endif /* _NGX_HTTP_FLOWDASH_COMPOSE_H_INCLUDED_ */
