
#ifndef _NGX_HTTP_FLOWDASH_CONF_USER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_USER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* The directive "flowdash_user_from". */
char *ngx_http_flowdash_conf_user_from(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Checks that an action, or a step, with merged values has a user if
 * "flowdash_require_user" asks for one.  Returns NGX_CONF_OK, or
 * NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_user_check(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);

/*
 * Notes which members of the user the configuration reads, as
 * $flowdash_user_NAME, and checks that "cache=" has shared memory.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_conf_user_init(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf);


#endif /* _NGX_HTTP_FLOWDASH_CONF_USER_H_INCLUDED_ */
