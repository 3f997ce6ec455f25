
#ifndef _NGX_HTTP_FLOWDASH_CONF_STEP_BLOCK_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_STEP_BLOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/*
 * Logs that a directive, or the block of this name if it is not NULL, cannot
 * be in the block of "outer".  Returns NGX_CONF_ERROR.
 */
char *ngx_http_flowdash_conf_step_misplaced(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_step_t *outer, ngx_str_t *name,
    const char *reason);

/*
 * Checks the name of a step or an after-step.  Returns NGX_CONF_OK, or
 * NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_step_name(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name);

/*
 * Adds a step or an after-step to an array, which is created if it is unset.
 * Returns NULL on error, or NGX_CONF_UNSET_PTR if the array has one of this
 * name.
 */
ngx_http_flowdash_step_t *ngx_http_flowdash_conf_step_add(ngx_conf_t *cf,
    ngx_array_t **steps, ngx_http_flowdash_kind_e kind, ngx_str_t *name);

/* Creates a step, undo or after-step.  Returns NULL on error. */
ngx_http_flowdash_step_t *ngx_http_flowdash_conf_step_new(ngx_conf_t *cf,
    ngx_http_flowdash_kind_e kind, ngx_str_t *name);

/*
 * Reads the block of a step, undo or after-step, and checks it.  Returns
 * NGX_CONF_OK, or NGX_CONF_ERROR, which is logged.
 */
char *ngx_http_flowdash_conf_step_block(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);


#endif /* _NGX_HTTP_FLOWDASH_CONF_STEP_BLOCK_H_INCLUDED_ */
