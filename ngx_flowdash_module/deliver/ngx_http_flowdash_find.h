
#ifndef _NGX_HTTP_FLOWDASH_FIND_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FIND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_record.h>


/*
 * Names the action of a configuration in a record: sets record->server (the
 * server's first name) and record->location (as it is written in nginx.conf).
 * Both lie in the configuration's memory and have to be copied.
 */
void ngx_http_flowdash_find_names(ngx_http_flowdash_loc_conf_t *conf,
    ngx_http_flowdash_record_t *record);

/*
 * Finds the configuration of a delivery: that of the flowdash_undo of a step,
 * or of a flowdash_after, of the record's server and location.  Returns NULL
 * if it is no longer configured.
 */
ngx_http_flowdash_step_t *ngx_http_flowdash_find(
    ngx_http_flowdash_main_conf_t *fmcf, ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *delivery, ngx_uint_t undo);


#endif /* _NGX_HTTP_FLOWDASH_FIND_H_INCLUDED_ */
