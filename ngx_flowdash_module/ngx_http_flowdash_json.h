
#ifndef _NGX_HTTP_FLOWDASH_JSON_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_HTTP_FLOWDASH_JSON_DEPTH  128


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
 * A value within a value.  A leaf is a scalar, or a container that is empty.
 */

typedef struct ngx_http_flowdash_json_node_s  ngx_http_flowdash_json_node_t;

struct ngx_http_flowdash_json_node_s {
    ngx_http_flowdash_json_node_t     *parent;
    ngx_str_t                          key;      /* decoded; in an object */
    ngx_uint_t                         index;    /* in an array */
    ngx_uint_t                         depth;

    ngx_str_t                          text;     /* of a string: decoded */
    ngx_uint_t                         members;

    unsigned                           string:1;
    unsigned                           object:1;
    unsigned                           array:1;
    unsigned                           nested:1; /* it has containers */
};


/*
 * Finds the object at an RFC 6901 pointer in a JSON text (RFC 8259, UTF-8
 * only), and reports its members.  Returns NGX_OK with the verdict set, or
 * NGX_ERROR if memory ran out.
 */
ngx_int_t ngx_http_flowdash_json_pointer_parse(ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_json_verdict_e *verdict, ngx_pool_t *pool);

/*
 * Decodes a JSON string, quotes included in "text", into memory of the pool.
 * Returns NGX_OK, NGX_DECLINED if "text" is no string, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_json_decode(ngx_str_t *text, ngx_str_t *value,
    ngx_pool_t *pool);

/*
 * Takes any JSON value apart: "leaves" is made an array of pointers to its
 * leaves, in the order of the text.  Returns NGX_OK, NGX_DECLINED if the text
 * is not one JSON value, has half of a surrogate pair or is nested too deep,
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_json_leaves(ngx_str_t *text, ngx_array_t *leaves,
    ngx_pool_t *pool);

/*
 * The length of a string as a JSON string, quotes included; 0 when it is not
 * valid UTF-8 and so cannot be one.
 */
size_t ngx_http_flowdash_json_string_length(ngx_str_t *s);

/* Writes a string as a JSON string with its quotes, and returns its end. */
u_char *ngx_http_flowdash_json_write_string(u_char *p, ngx_str_t *s);

/*
 * Tells whether a string is valid UTF-8 (RFC 3629: nothing overlong, no
 * surrogates, nothing over U+10FFFF).  Returns the first bad byte, or NULL.
 */
u_char *ngx_http_flowdash_text_check_utf8(ngx_str_t *s);

/*
 * Tells whether a Content-Type (RFC 9110, 8.3) is JSON's: application/json,
 * text/json, or one with the suffix +json (RFC 6839).
 */
ngx_uint_t ngx_http_flowdash_text_is_json_type(ngx_str_t *type);


#endif /* _NGX_HTTP_FLOWDASH_JSON_H_INCLUDED_ */
