
#ifndef _NGX_HTTP_FLOWDASH_POINTER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_POINTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * A token of a pointer: a name or an index, as in RFC 6901; or a selector such
 * as [id=7], which stands for the element of an array, or the member of an
 * object, whose own member "id" is 7 or "7".
 */

typedef struct {
    ngx_str_t   name;     /* decoded; of a selector: "id" */
    ngx_str_t   value;    /* of a selector: "7"; no data: it is none */
} ngx_http_flowdash_token_t;


/*
 * Decodes the token that starts at "*p", where its "/" is, and moves "*p"
 * behind it.  Returns NGX_OK, NGX_DECLINED if this is no token, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_pointer_token(u_char **p, u_char *last,
    ngx_str_t *token, ngx_pool_t *pool);

/*
 * Reads a pointer that may have selectors into an array of
 * ngx_http_flowdash_token_t, which it initializes.  Returns NGX_OK;
 * NGX_DECLINED with "error" set to what is expected; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_pointer_read(ngx_str_t *text, ngx_array_t *tokens,
    const char **error, ngx_pool_t *pool);


#endif /* _NGX_HTTP_FLOWDASH_POINTER_H_INCLUDED_ */
