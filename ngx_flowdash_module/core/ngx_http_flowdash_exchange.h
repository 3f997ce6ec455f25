
#ifndef _NGX_HTTP_FLOWDASH_EXCHANGE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EXCHANGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Sets ex->error because a value of a directive cannot be sent: "the value of
 * WHAT NAME WHY".  Returns NGX_DECLINED, or NGX_ERROR if memory ran out.
 */
ngx_int_t ngx_http_flowdash_exchange_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, const char *what, ngx_str_t *name,
    const char *why);


#endif /* _NGX_HTTP_FLOWDASH_EXCHANGE_H_INCLUDED_ */
