
#ifndef _NGX_HTTP_FLOWDASH_JSON_SELECT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_SELECT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json_pointer.h>


/* see ngx_http_flowdash_json_select() */

typedef struct {
    /* set by the caller */

    ngx_str_t        text;
    ngx_array_t     *pointer;   /* of ngx_http_flowdash_token_t */
    ngx_uint_t       strict;    /* rules to apply */
    size_t           max_size;  /* of what is remembered, in bytes */
    ngx_uint_t       unique;    /* unsigned  unique:1; no name may occur twice
                                   in any object of the value */

    /* the value as it is in the text; its data is NULL if there is none */

    ngx_str_t        value;

    size_t           size;      /* of what is remembered, in bytes */

    ngx_http_flowdash_json_verdict_e
                     verdict;

    /* after a refusal: what is wrong, for the log */

    const char      *error;
    size_t           offset;
    ngx_uint_t       rule;      /* of flowdash_strict, or 0 */
} ngx_http_flowdash_json_select_t;


/*
 * Finds the value at a pointer in a JSON text (RFC 8259, UTF-8 only), be it a
 * scalar, an array or an object.  A pointer that leads nowhere is no error.
 * The text is refused if some apps could find another value: a name on the way
 * occurs twice or in another case, or two members fit a selector.  Returns
 * NGX_OK with sel->verdict set, or NGX_ERROR if memory ran out.
 */
ngx_int_t ngx_http_flowdash_json_select(ngx_http_flowdash_json_select_t *sel,
    ngx_pool_t *pool);

/*
 * Does so for "n" pointers, which need one scan together.  All of them have
 * the text and the rules of the first.  What is wrong for one is no matter to
 * the others.
 */
ngx_int_t ngx_http_flowdash_json_select_all(
    ngx_http_flowdash_json_select_t *sel, ngx_uint_t n, ngx_pool_t *pool);


#endif /* _NGX_HTTP_FLOWDASH_JSON_SELECT_H_INCLUDED_ */
