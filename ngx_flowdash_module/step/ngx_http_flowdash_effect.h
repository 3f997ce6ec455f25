
#ifndef _NGX_HTTP_FLOWDASH_EFFECT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EFFECT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>


/*
 * Tells whether a step that has ended may have taken effect: one of its
 * attempts was answered 2xx or 5xx, or had no answer after something of it was
 * sent.
 */
ngx_uint_t ngx_http_flowdash_effect(ngx_http_flowdash_exchange_t *ex);


#endif /* _NGX_HTTP_FLOWDASH_EFFECT_H_INCLUDED_ */
