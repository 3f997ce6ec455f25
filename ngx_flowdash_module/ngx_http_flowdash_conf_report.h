
#ifndef _NGX_HTTP_FLOWDASH_CONF_REPORT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_REPORT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Logs what is wrong with a step, or else with an action, once its values are
 * merged, and at which place.  Returns NGX_CONF_ERROR.
 */
char *ngx_http_flowdash_conf_report_refuse(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_flowdash_place_t *place,
    const char *fmt, ...);

/*
 * Logs what is dangerous about it, unless there was a warning of the same
 * place before: many steps may inherit a value.
 */
void ngx_http_flowdash_conf_report_warn(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_flowdash_place_t *place,
    const char *fmt, ...);

/*
 * Writes what nginx.conf calls a step, an undo or an after-step, and its name,
 * up to "last".  Returns the end.
 */
u_char *ngx_http_flowdash_conf_report_name(u_char *p, u_char *last,
    ngx_http_flowdash_step_t *step);


#endif /* _NGX_HTTP_FLOWDASH_CONF_REPORT_H_INCLUDED_ */
