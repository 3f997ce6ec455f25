
#ifndef _NGX_HTTP_FLOWDASH_STATUS_ORIGIN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_ORIGIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_status_view.h>


/*
 * Returns the configured action with a variable name that has all the steps
 * counted in "action", or NULL if there is none, or if there are several whose
 * steps differ.
 */
ngx_http_flowdash_loc_conf_t *ngx_http_flowdash_status_origin(
    ngx_http_flowdash_main_conf_t *fmcf,
    ngx_http_flowdash_action_view_t *action);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_ORIGIN_H_INCLUDED_ */
