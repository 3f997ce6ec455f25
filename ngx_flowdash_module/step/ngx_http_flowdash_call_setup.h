
#ifndef _NGX_HTTP_FLOWDASH_CALL_SETUP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CALL_SETUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>

#include <curl/curl.h>


/*
 * Sets the options that all calls of a step have in common; "data" is its
 * ngx_http_flowdash_loc_conf_t.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_call_setup(CURL *easy, void *data);

/* Returns 1 if a name may have to be looked up: the host's or the proxy's. */
ngx_uint_t ngx_http_flowdash_call_setup_named(
    ngx_http_flowdash_loc_conf_t *flcf);


#endif /* _NGX_HTTP_FLOWDASH_CALL_SETUP_H_INCLUDED_ */
