
#ifndef _NGX_HTTP_FLOWDASH_CONF_STEP_CHECK_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_STEP_CHECK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_block.h>


/*
 * Checks that a directive stands in a step.  Returns NGX_CONF_OK, or
 * NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_step_only(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_loc_conf_t *flcf);

/*
 * Checks a step whose block has been read: its locations, directives and
 * content handler.  Returns NGX_CONF_OK, or NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_step_check(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block);

/*
 * Logs that the "}" of a step may be missing, when nginx has refused what is
 * in its block.
 */
void ngx_http_flowdash_conf_step_check_end(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block);


#endif /* _NGX_HTTP_FLOWDASH_CONF_STEP_CHECK_H_INCLUDED_ */
