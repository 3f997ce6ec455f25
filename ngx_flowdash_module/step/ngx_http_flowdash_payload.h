
#ifndef _NGX_HTTP_FLOWDASH_PAYLOAD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_PAYLOAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Makes the payload of a step: the template of flowdash_set_body, filled in;
 * nothing for DELETE; or the module's own JSON.  Returns NGX_OK, NGX_DECLINED
 * with ex->error set, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_payload(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_loc_conf_t *flcf);

/*
 * Returns the media type of a step's payload, or NULL if it has none, as
 * DELETE does.
 */
ngx_str_t *ngx_http_flowdash_payload_type(ngx_http_flowdash_loc_conf_t *flcf);


#endif /* _NGX_HTTP_FLOWDASH_PAYLOAD_H_INCLUDED_ */
