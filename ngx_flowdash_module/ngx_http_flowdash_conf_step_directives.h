
#ifndef _NGX_HTTP_FLOWDASH_CONF_STEP_DIRECTIVES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_STEP_DIRECTIVES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_block.h>


/*
 * Checks that a step, undo or after-step, whose block has been read, has none
 * of the directives that mean nothing there.  Returns NGX_CONF_OK, or
 * NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_step_directives(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block);


#endif /* _NGX_HTTP_FLOWDASH_CONF_STEP_DIRECTIVES_H_INCLUDED_ */
