
#ifndef _NGX_HTTP_FLOWDASH_JSON_ASCII_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_ASCII_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Returns at least the length of a string in UTF-8 when written as a JSON
 * string of printable ASCII, with its quotes.
 */
size_t ngx_http_flowdash_json_ascii_length(ngx_str_t *s);

/*
 * Writes such a string: everything but ASCII, and control characters, have
 * escapes, so the value of a header can contain it.  A byte that is not UTF-8
 * becomes U+FFFD.  Returns the string's end.
 */
u_char *ngx_http_flowdash_json_ascii_write(u_char *p, ngx_str_t *s);


#endif /* _NGX_HTTP_FLOWDASH_JSON_ASCII_H_INCLUDED_ */
