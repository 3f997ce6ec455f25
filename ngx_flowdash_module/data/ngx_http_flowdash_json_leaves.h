
#ifndef _NGX_HTTP_FLOWDASH_JSON_LEAVES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_LEAVES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * A value within a value.  A leaf is a scalar or an empty container.
 */

typedef struct ngx_http_flowdash_json_node_s  ngx_http_flowdash_json_node_t;


struct ngx_http_flowdash_json_node_s {
    ngx_http_flowdash_json_node_t     *parent;
    ngx_str_t                          key;      /* decoded; in an object */
    ngx_uint_t                         index;    /* in an array */
    ngx_uint_t                         depth;

    ngx_str_t                          text;     /* a string is decoded */
    ngx_uint_t                         members;
    ngx_http_flowdash_json_node_t     *first;    /* of the members */
    ngx_http_flowdash_json_node_t     *last;
    ngx_http_flowdash_json_node_t     *next;     /* in the same container */

    unsigned                           string:1;
    unsigned                           object:1;
    unsigned                           array:1;
    unsigned                           nested:1; /* it contains containers */
};


/*
 * Splits any JSON value into its leaves: initializes "leaves", and fills it
 * with pointers to them in the order of the text.  Returns NGX_OK;
 * NGX_DECLINED if the text is not one JSON value, has half of a surrogate pair
 * or is nested too deep; NGX_ABORT if its nodes need more than "max_size"
 * bytes of memory; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_json_leaves(ngx_str_t *text, ngx_array_t *leaves,
    size_t max_size, ngx_pool_t *pool);


#endif /* _NGX_HTTP_FLOWDASH_JSON_LEAVES_H_INCLUDED_ */
