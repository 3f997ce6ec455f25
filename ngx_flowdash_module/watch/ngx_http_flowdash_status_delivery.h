
#ifndef _NGX_HTTP_FLOWDASH_STATUS_DELIVERY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_DELIVERY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_status_view.h>


/*
 * Adds the undos and the after-steps of a configured action, whose steps are
 * in the view already.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_status_delivery_add(
    ngx_http_flowdash_action_view_t *action,
    ngx_http_flowdash_loc_conf_t *flcf);

/* Finds one by the name by which it is counted.  Returns NULL if none is. */
ngx_http_flowdash_step_view_t *ngx_http_flowdash_status_delivery_find(
    ngx_http_flowdash_action_view_t *action, ngx_str_t *name);

/* Tells whether an undo or after-step is counted by this name. */
ngx_uint_t ngx_http_flowdash_status_delivery_is(
    ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *name);

/* Returns the undo of the "i"th step, or NULL. */
ngx_http_flowdash_step_view_t *ngx_http_flowdash_status_delivery_undo(
    ngx_http_flowdash_action_view_t *action, ngx_uint_t i);

/* Returns how it is: "bad", "slow", "none" (not called), or "". */
const char *ngx_http_flowdash_status_delivery_state(
    ngx_http_flowdash_step_view_t *delivery);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_DELIVERY_H_INCLUDED_ */
