
#ifndef _NGX_HTTP_FLOWDASH_TEXT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Tells whether a string is valid UTF-8 (RFC 3629: nothing overlong, no
 * surrogates, nothing over U+10FFFF).  Returns the first bad byte, or NULL.
 */
u_char *ngx_http_flowdash_text_check_utf8(ngx_str_t *s);

/*
 * Tells whether the value of "_charset_", or of a charset parameter, is
 * UTF-8's name.
 */
ngx_uint_t ngx_http_flowdash_text_is_utf8_name(ngx_str_t *charset);

/* Tells whether two strings are the same, to the byte. */
ngx_uint_t ngx_http_flowdash_text_equal(ngx_str_t *a, ngx_str_t *b);

/* Tells whether a string is "text", whatever the case of its letters. */
ngx_uint_t ngx_http_flowdash_text_is(ngx_str_t *s, const char *text);

/*
 * Tells whether a Content-Type (RFC 9110, 8.3) is JSON's: application/json,
 * text/json, or one with the suffix +json (RFC 6839).
 */
ngx_uint_t ngx_http_flowdash_text_is_json_type(ngx_str_t *type);


#endif /* _NGX_HTTP_FLOWDASH_TEXT_H_INCLUDED_ */
