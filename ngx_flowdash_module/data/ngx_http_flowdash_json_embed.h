
#ifndef _NGX_HTTP_FLOWDASH_JSON_EMBED_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_EMBED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * These functions write parts of a JSON text that are harmless wherever the
 * text ends up: they have no control characters, line separators, "<", ">" or
 * "&", so the text fits into a header, a line of a log, and a script in HTML.
 *
 * They return the length of what they write.  If "dst" is NULL, they write
 * nothing.
 */

/*
 * Writes text as the content of a JSON string, without the quotes.  A byte
 * that is not valid UTF-8 becomes U+FFFD.
 */
size_t ngx_http_flowdash_json_embed_text(u_char *dst, ngx_str_t *text);

/*
 * Writes a JSON value, which must be valid.  White space between its tokens is
 * left out; numbers and escapes stay as they are spelled.
 */
size_t ngx_http_flowdash_json_embed_value(u_char *dst, ngx_str_t *json);


#endif /* _NGX_HTTP_FLOWDASH_JSON_EMBED_H_INCLUDED_ */
