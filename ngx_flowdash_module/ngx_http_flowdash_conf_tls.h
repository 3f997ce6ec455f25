
#ifndef _NGX_HTTP_FLOWDASH_CONF_TLS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_TLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/*
 * The directives "flowdash_ssl_trusted_certificate",
 * "flowdash_ssl_certificate" and "flowdash_ssl_certificate_key", each an
 * ..._pem_t at cmd->offset, and "flowdash_ssl_pinned_key".
 */
char *ngx_http_flowdash_conf_tls_certificate(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
char *ngx_http_flowdash_conf_tls_pinned_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Checks that the client certificate and its key belong together.  Returns
 * NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_flowdash_conf_tls_pair(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_TLS_H_INCLUDED_ */
