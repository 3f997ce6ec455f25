
#ifndef _NGX_HTTP_FLOWDASH_TOLD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TOLD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* Tells whether flowdash_hide_field hides a field of this name. */
ngx_uint_t ngx_http_flowdash_told_hides(ngx_http_flowdash_loc_conf_t *conf,
    ngx_str_t *name);

/*
 * Tells whether the endpoint of a step is told of a field: flowdash_pass_field
 * names it, if there is one, and flowdash_hide_field does not hide it.  If
 * "conf" is NULL, there is no endpoint, and the field can be seen.
 */
ngx_uint_t ngx_http_flowdash_told(ngx_http_flowdash_loc_conf_t *conf,
    ngx_str_t *name);

/*
 * Marks the fields of a task of which the endpoint of a step is not told, for
 * ngx_http_flowdash_task_write_told().
 */
void ngx_http_flowdash_told_mark(ngx_http_flowdash_loc_conf_t *conf,
    ngx_http_flowdash_task_t *task);

/*
 * The same for all endpoints of an action together: marks the fields that one
 * of its steps hides, or that none of them is told.
 */
void ngx_http_flowdash_told_mark_all(ngx_http_flowdash_loc_conf_t *conf,
    ngx_http_flowdash_task_t *task);

/*
 * Returns the configuration of the step for whose endpoint a variable of "r"
 * is evaluated, or NULL if it is not for an endpoint.
 */
ngx_http_flowdash_loc_conf_t *ngx_http_flowdash_told_conf(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx);


#endif /* _NGX_HTTP_FLOWDASH_TOLD_H_INCLUDED_ */
