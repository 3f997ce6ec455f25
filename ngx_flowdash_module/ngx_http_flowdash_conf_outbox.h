
#ifndef _NGX_HTTP_FLOWDASH_CONF_OUTBOX_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_OUTBOX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/* The directive "flowdash_outbox". */
char *ngx_http_flowdash_conf_outbox(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Checks, when all is configured, what does not go with the outbox or the lack
 * of it.  Returns NGX_OK or NGX_ERROR, which is logged.
 */
ngx_int_t ngx_http_flowdash_conf_outbox_init(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_OUTBOX_H_INCLUDED_ */
