
#ifndef _NGX_HTTP_FLOWDASH_CONF_ENDPOINT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_ENDPOINT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_block.h>


/*
 * Sets what is shown as the endpoint of a step whose block has been read: that
 * of flowdash_call or, as it is written, that of proxy_pass and its like.
 * Returns NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_flowdash_conf_endpoint(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block);


#endif /* _NGX_HTTP_FLOWDASH_CONF_ENDPOINT_H_INCLUDED_ */
