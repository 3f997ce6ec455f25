
#ifndef _NGX_HTTP_FLOWDASH_JSON_UNESCAPE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_UNESCAPE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Decodes what is between the quotes of a JSON string into "dst", which needs
 * as many bytes.  The first half of a surrogate pair becomes "?", the second
 * one what is not UTF-8.  Returns the end of what was written.
 */
u_char *ngx_http_flowdash_json_unescape(u_char *dst, u_char *p, u_char *last);

/* Tells whether a JSON string, given with its quotes, decodes to "name". */
ngx_uint_t ngx_http_flowdash_json_unescape_is(ngx_str_t *spelling,
    ngx_str_t *name);


#endif /* _NGX_HTTP_FLOWDASH_JSON_UNESCAPE_H_INCLUDED_ */
