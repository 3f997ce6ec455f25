
#ifndef _NGX_HTTP_FLOWDASH_CALL_SETUP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CALL_SETUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>

#include <curl/curl.h>


/* The options that all calls of a location have in common. */
ngx_int_t ngx_http_flowdash_call_setup(CURL *easy, void *data);

/* Tells whether calls may have to wait for the address of a name. */
ngx_uint_t ngx_http_flowdash_call_setup_named(
    ngx_http_flowdash_loc_conf_t *flcf);


#endif /* _NGX_HTTP_FLOWDASH_CALL_SETUP_H_INCLUDED_ */
