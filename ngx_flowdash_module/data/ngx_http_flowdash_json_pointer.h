
#ifndef _NGX_HTTP_FLOWDASH_JSON_POINTER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_POINTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_FLOWDASH_JSON_OK = 0,
    NGX_HTTP_FLOWDASH_JSON_MALFORMED,   /* no JSON, or no UTF-8 */
    NGX_HTTP_FLOWDASH_JSON_DEEP,        /* nested too deep to be judged */
    NGX_HTTP_FLOWDASH_JSON_DUPLICATE,   /* a name that counts occurs twice,
                                           or cannot be told from others */
    NGX_HTTP_FLOWDASH_JSON_NO_OBJECT    /* the pointer meets something else */
} ngx_http_flowdash_json_verdict_e;


typedef struct ngx_http_flowdash_json_s  ngx_http_flowdash_json_t;


/*
 * Called for each member of the object, in the order of the text.  "name" is
 * decoded, and is in the pool if it had escapes; "spelling" (the name with its
 * quotes) and "value" are places in the text.  Returns NGX_OK, NGX_DECLINED
 * when the name occurred before, or NGX_ERROR.
 */
typedef ngx_int_t (*ngx_http_flowdash_json_member_pt)(void *data,
    ngx_str_t *name, ngx_str_t *spelling, ngx_str_t *value);


struct ngx_http_flowdash_json_s {
    /* set by the caller */

    ngx_str_t                          text;
    ngx_array_t                       *pointer;  /* of ngx_str_t, decoded */
    ngx_http_flowdash_json_member_pt   member;
    void                              *data;

    /*
     * The object that the pointer leads to, braces included.  When it is
     * missing, object.data is NULL, and "found" tells how many tokens of the
     * pointer exist.
     */

    ngx_str_t                          object;
    ngx_uint_t                         found;

    /*
     * Where a member can be added: to the object, or when that is missing, to
     * the deepest object on the way to it.  "empty" if that has no members.
     */

    u_char                            *tail;
    ngx_uint_t                         empty;

    ngx_uint_t                         map;      /* the text is an object */

    /* after a refusal: what was wrong, for the log */

    const char                        *error;
    size_t                             offset;
};


/*
 * Finds the object at an RFC 6901 pointer in a JSON text (RFC 8259, UTF-8
 * only), and reports its members.  Returns NGX_OK with the verdict set, or
 * NGX_ERROR if memory ran out.
 */
ngx_int_t ngx_http_flowdash_json_pointer_parse(ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_json_verdict_e *verdict, ngx_pool_t *pool);


#endif /* _NGX_HTTP_FLOWDASH_JSON_POINTER_H_INCLUDED_ */
