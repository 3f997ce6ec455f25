
#ifndef _NGX_HTTP_FLOWDASH_JSON_POINTER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_POINTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_FLOWDASH_JSON_OK = 0,
    NGX_HTTP_FLOWDASH_JSON_MALFORMED,   /* not JSON, or not UTF-8 */
    NGX_HTTP_FLOWDASH_JSON_DEEP,        /* nested too deep */
    NGX_HTTP_FLOWDASH_JSON_DUPLICATE,   /* a name occurs twice, or could be
                                           taken for another one */
    NGX_HTTP_FLOWDASH_JSON_NO_OBJECT,   /* the pointer leads elsewhere */
    NGX_HTTP_FLOWDASH_JSON_LARGE        /* its index needs too much memory */
} ngx_http_flowdash_json_verdict_e;


typedef struct ngx_http_flowdash_json_s  ngx_http_flowdash_json_t;


/*
 * Called for each member of the object, in the order of the text.  "name" is
 * decoded: it lies in the text, or in the pool if it has escapes.  "spelling"
 * (the name with its quotes) and "value" lie in the text.  Returns NGX_OK;
 * NGX_DECLINED with json->error and perhaps json->rule set, or because
 * ngx_http_flowdash_json_pointer_charge() has declined; or NGX_ERROR.
 */
typedef ngx_int_t (*ngx_http_flowdash_json_member_pt)(void *data,
    ngx_str_t *name, ngx_str_t *spelling, ngx_str_t *value);


/*
 * Called for each member of the outermost object that is a string, with its
 * name, decoded, and its value in the text.  Returns NGX_OK or NGX_ERROR.
 */
typedef ngx_int_t (*ngx_http_flowdash_json_outer_pt)(void *data,
    ngx_str_t *name, ngx_str_t *value);


struct ngx_http_flowdash_json_s {
    /* set by the caller */

    ngx_str_t                          text;
    ngx_array_t                       *pointer;  /* of ngx_str_t, decoded */
    ngx_http_flowdash_json_member_pt   member;
    void                              *data;
    ngx_http_flowdash_json_outer_pt    outer;    /* or NULL */
    void                              *outer_data;
    ngx_uint_t                         strict;   /* rules to apply */
    size_t                             max_size; /* of the index, in bytes */
    ngx_uint_t                         unique;   /* unsigned  unique:1; no name
                                                    may occur twice in any
                                                    object of the task */

    /*
     * The object that the pointer leads to, with its braces.  If it is
     * missing, object.data is NULL, and "found" is the number of tokens of the
     * pointer that exist.
     */

    ngx_str_t                          object;
    ngx_uint_t                         found;

    /*
     * Where a member can be added: in the object, or if it is missing, in the
     * deepest object on the path to it.  "empty" if that one has no members.
     */

    u_char                            *tail;
    ngx_uint_t                         empty;

    ngx_uint_t                         map;      /* the text is an object */

    /* the value that json->member() gets has half of a surrogate pair */

    ngx_uint_t                         half;     /* unsigned  half:1; */

    size_t                             size;     /* of the index, in bytes */

    /* after a refusal: what is wrong, for the log */

    const char                        *error;
    size_t                             offset;
    ngx_uint_t                         rule;     /* of flowdash_strict, or 0 */
};


/*
 * Finds the object at an RFC 6901 pointer in a JSON text (RFC 8259, UTF-8
 * only), and calls json->member() for its members.  Returns NGX_OK with the
 * verdict set, or NGX_ERROR if memory ran out.
 */
ngx_int_t ngx_http_flowdash_json_pointer_parse(ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_json_verdict_e *verdict, ngx_pool_t *pool);


/*
 * Counts "size" more bytes of memory for what is remembered of the text.
 * Returns NGX_OK, or NGX_DECLINED if this is now too much: the parsing then
 * ends with NGX_HTTP_FLOWDASH_JSON_LARGE.
 */
static ngx_inline ngx_int_t
ngx_http_flowdash_json_pointer_charge(ngx_http_flowdash_json_t *json,
    size_t size)
{
    json->size += size;

    return (json->size > json->max_size) ? NGX_DECLINED : NGX_OK;
}


#endif /* _NGX_HTTP_FLOWDASH_JSON_POINTER_H_INCLUDED_ */
