
#ifndef _NGX_HTTP_FLOWDASH_BODY_TEXT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_BODY_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_body.h>


/*
 * Finds memory for all of the client's body: the one that has it, or new
 * memory, into which the pieces must be copied.  A body that is shared with
 * others stays where it is.  Without a body, the length is 0.  Returns NGX_OK
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_body_text(ngx_http_request_t *r, ngx_uint_t shared,
    ngx_str_t *text);

/*
 * Makes this text the body of a request that shares it with no others, once
 * all of it is there: what it was copied from is freed.  What is in a file
 * stays there.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_body_text_join(ngx_http_request_t *r,
    ngx_str_t *text);

/*
 * Lets the next piece be the first of "text", which replaces the body.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_body_text_start_over(ngx_http_request_t *r,
    ngx_http_flowdash_pieces_t *pieces, ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_BODY_TEXT_H_INCLUDED_ */
