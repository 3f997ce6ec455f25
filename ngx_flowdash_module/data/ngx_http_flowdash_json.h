
#ifndef _NGX_HTTP_FLOWDASH_JSON_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <setjmp.h>
#include <yajl/yajl_parse.h>


#define NGX_HTTP_FLOWDASH_JSON_DEPTH  128


/* yajl does not check its allocations: a failed one must not return to it */

typedef struct {
    ngx_pool_t                        *pool;
    jmp_buf                            exhausted;
} ngx_http_flowdash_json_memory_t;


/*
 * Decodes a JSON string with its quotes, which is known to be valid.  "value"
 * lies in "text", or in the pool if the string has escapes.  Returns NGX_OK,
 * NGX_DECLINED if "text" is another JSON value, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_json_decode(ngx_str_t *text, ngx_str_t *value,
    ngx_pool_t *pool);

/*
 * Gets the text of a scalar: a string is decoded, null is empty, the others
 * are as they are spelled.  Returns NGX_OK; NGX_DECLINED for an array, an
 * object, or a string with half of a surrogate pair; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_json_scalar(ngx_str_t *value, ngx_str_t *text,
    ngx_pool_t *pool);

/*
 * Returns the length of a string when written as JSON, with its quotes; or 0
 * if it is not valid UTF-8, which JSON cannot represent.
 */
size_t ngx_http_flowdash_json_string_length(ngx_str_t *s);

/* Writes a string as a JSON string with its quotes, and returns its end. */
u_char *ngx_http_flowdash_json_write_string(u_char *p, ngx_str_t *s);

/*
 * Does the same in one go for what has neither control characters nor others
 * than ASCII: it needs room for twice as much and two octets.  Returns NULL if
 * there are others.
 */
u_char *ngx_http_flowdash_json_write_ascii(u_char *p, ngx_str_t *s);

/*
 * Parses a text with these callbacks.  Returns NGX_OK if it is JSON and no
 * callback has refused it, NGX_DECLINED with the offset if not, or NGX_ERROR
 * if yajl or a callback ran out of memory.  Callbacks can ask "yajl" for their
 * place; it is NULL when that is the end of the text.
 */
ngx_int_t ngx_http_flowdash_json_run(ngx_http_flowdash_json_memory_t *memory,
    const yajl_callbacks *callbacks, void *data, yajl_handle *yajl,
    ngx_str_t *text, size_t *offset, ngx_log_t *log);

/*
 * Tells whether a string, in its JSON spelling, has half of a surrogate pair.
 * yajl decodes each of these to "?", so different names would look the same.
 */
ngx_uint_t ngx_http_flowdash_json_lone_surrogate(ngx_str_t *spelling);

/*
 * Skips white space, and the bytes "c" in it, of a text that yajl has read
 * beyond them.  Returns the next byte.
 */
u_char *ngx_http_flowdash_json_skip(u_char *p, u_char c);

/*
 * Finds the first byte that JSON in UTF-8 cannot have.  Returns NULL if there
 * is none.  To yajl, vertical tabs and form feeds are white space; to JSON,
 * they are not.
 */
u_char *ngx_http_flowdash_json_check_text(ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_JSON_H_INCLUDED_ */
