
#ifndef _NGX_HTTP_FLOWDASH_ERROR_LANGUAGE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_LANGUAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_error_language_table.h>


/* Returns the language with this tag, in any case; NULL if there is none. */
ngx_http_flowdash_error_language_t *ngx_http_flowdash_error_language_find(
    ngx_str_t *tag);

/*
 * Returns the language that the client prefers according to Accept-Language
 * (RFC 9110, 12.5.4; lookup of RFC 4647, 3.4).  "languages" are the ones that
 * it may be, of ngx_http_flowdash_error_language_t *, NULL for all.  Without a
 * match it is the first of them.
 */
ngx_http_flowdash_error_language_t *ngx_http_flowdash_error_language_choose(
    ngx_http_request_t *r, ngx_array_t *languages);


#endif /* _NGX_HTTP_FLOWDASH_ERROR_LANGUAGE_H_INCLUDED_ */
