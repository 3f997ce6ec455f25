
#ifndef _NGX_HTTP_FLOWDASH_USER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_USER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Returns the members of "user" as ngx_keyval_t, the id first.  Returns NULL
 * if memory ran out, or with ex->error set if a value is not UTF-8.  If "ex"
 * is NULL, such a value is left out instead.
 */
ngx_array_t *ngx_http_flowdash_user(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf);


#endif /* _NGX_HTTP_FLOWDASH_USER_H_INCLUDED_ */
