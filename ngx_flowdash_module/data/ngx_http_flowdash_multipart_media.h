
#ifndef _NGX_HTTP_FLOWDASH_MULTIPART_MEDIA_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MULTIPART_MEDIA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>


typedef struct {
    ngx_str_t                             name;
    ngx_str_t                             value;
    ngx_uint_t                            quoted;   /* unsigned  quoted:1; */
} ngx_http_flowdash_multipart_param_t;


/*
 * Reads a Content-Type, and sets "name" to what precedes its parameters.
 * Returns ..._FORM_OK; ..._FORM_CHARSET if any app could see another charset
 * than UTF-8 in it; or ..._FORM_MALFORMED.
 */
ngx_http_flowdash_form_verdict_e ngx_http_flowdash_multipart_media(
    ngx_str_t *type, ngx_str_t *name);

/*
 * Tells whether a Content-Type has ISO-8859-1 or US-ASCII for its charset: a
 * text in ASCII is the same in these as in UTF-8.
 */
ngx_uint_t ngx_http_flowdash_multipart_media_is_ascii(ngx_str_t *type);

/*
 * Finds the boundary in a Content-Type of multipart/form-data.  Returns
 * NGX_OK, or NGX_DECLINED with "error" set if there is none, or one that
 * apps could read in several ways.
 */
ngx_int_t ngx_http_flowdash_multipart_media_boundary(ngx_str_t *type,
    ngx_str_t *boundary, const char **error);

/*
 * Counts how often a text, which is in lower case, occurs from "p" to "last",
 * ignoring case.
 */
ngx_uint_t ngx_http_flowdash_multipart_media_count(u_char *p, u_char *last,
    const char *text);

/*
 * Reads the next parameter, which begins with ";".  Another ";" may follow the
 * last one.  Returns NGX_OK, NGX_DONE if there are no more, or NGX_DECLINED if
 * it is malformed.
 */
ngx_int_t ngx_http_flowdash_multipart_media_param(u_char **pos, u_char *last,
    ngx_http_flowdash_multipart_param_t *param);

/*
 * Tells whether a quoted value contains text that Rack, which searches with a
 * regular expression, would read as the part's name.
 */
ngx_uint_t ngx_http_flowdash_multipart_media_nested(ngx_str_t *value);

/* Tells whether a string is a token (RFC 9110, 5.6.2). */
ngx_uint_t ngx_http_flowdash_multipart_media_is_token(ngx_str_t *s);

/* Returns the end of the token at "p", or "p" if there is none. */
u_char *ngx_http_flowdash_multipart_media_skip_token(u_char *p, u_char *last);


#endif /* _NGX_HTTP_FLOWDASH_MULTIPART_MEDIA_H_INCLUDED_ */
