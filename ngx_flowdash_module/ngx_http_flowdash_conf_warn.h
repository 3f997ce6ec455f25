
#ifndef _NGX_HTTP_FLOWDASH_CONF_WARN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_WARN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/*
 * Warns of a time, a part of a directive's value, that was probably meant in
 * milliseconds: without a unit, these are seconds.  "place" is that of the
 * directive.
 */
void ngx_http_flowdash_conf_warn_no_unit(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, ngx_str_t *time, ngx_http_flowdash_place_t *place);

/* Warns of what is legal in a step, but dangerous; its values are merged. */
void ngx_http_flowdash_conf_warn_step(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);

/* The same for a location that is an action. */
void ngx_http_flowdash_conf_warn_action(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);

/*
 * Warns of actions without a content handler for the app.  To be called when
 * the values of all modules are merged: some set their handler only then.
 * "actions" is an array of ngx_http_flowdash_loc_conf_t *.
 */
void ngx_http_flowdash_conf_warn_handlers(ngx_conf_t *cf,
    ngx_array_t *actions);


#endif /* _NGX_HTTP_FLOWDASH_CONF_WARN_H_INCLUDED_ */
