
#ifndef _NGX_HTTP_FLOWDASH_URL_TEXT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_URL_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Tells why a URL must not have a name in braces, such as "{id}", or returns
 * NULL: what is meant as the place of a value would be sent as it is.
 */
const char *ngx_http_flowdash_url_text_placeholder(u_char *p, u_char *last);

/*
 * Tells whether a host, and perhaps its port, are an IPv6 address that lacks
 * its brackets.
 */
ngx_uint_t ngx_http_flowdash_url_text_lacks_brackets(u_char *p, u_char *last);

/*
 * Tells whether a path has "." or ".." as one of its parts: the module makes
 * libcurl send these unchanged, but servers resolve them.  The path starts
 * with a slash.
 */
ngx_uint_t ngx_http_flowdash_url_text_dot_segment(u_char *p, u_char *last);


#endif /* _NGX_HTTP_FLOWDASH_URL_TEXT_H_INCLUDED_ */
