
#ifndef _NGX_HTTP_FLOWDASH_JSON_NAMES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_NAMES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>


/* where a name is in a JSON text */

typedef enum {
    NGX_HTTP_FLOWDASH_JSON_BESIDE = 0,  /* none of the others */
    NGX_HTTP_FLOWDASH_JSON_WAY,         /* in a container of the task */
    NGX_HTTP_FLOWDASH_JSON_FIELD,       /* a field of the task */
    NGX_HTTP_FLOWDASH_JSON_VALUE        /* in the value of a field */
} ngx_http_flowdash_json_place_e;


typedef struct ngx_http_flowdash_json_object_s
    ngx_http_flowdash_json_object_t;
typedef struct ngx_http_flowdash_json_name_s  ngx_http_flowdash_json_name_t;


struct ngx_http_flowdash_json_name_s {
    ngx_str_node_t                     node;     /* node.str is the name */
    ngx_http_flowdash_json_name_t     *next;     /* in its object, or free */
    u_char                            *room;     /* for a name with escapes */
    size_t                             size;
};


/* an open object in the value of a field; it is used again after its end */

struct ngx_http_flowdash_json_object_s {
    ngx_http_flowdash_json_object_t   *outer;
    ngx_http_flowdash_json_object_t   *inner;
    ngx_http_flowdash_json_name_t     *first;
    ngx_rbtree_t                       names;
    ngx_rbtree_node_t                  sentinel;
};


/*
 * The names of a text that is being parsed.  Only callbacks of the parser may
 * use it.
 */

typedef struct {
    /* set by the caller; all else is zero at first */

    ngx_str_t                         *text;
    ngx_uint_t                         strict;   /* rules to apply */
    ngx_http_flowdash_json_memory_t   *memory;   /* of the parser */
    size_t                            *size;     /* what is remembered */
    size_t                             max_size;

    /* whether an object at this depth is the value of "constructor" */

    u_char            constructor[NGX_HTTP_FLOWDASH_JSON_DEPTH + 2];

    ngx_http_flowdash_json_object_t   *outermost;
    ngx_http_flowdash_json_object_t   *object;   /* the innermost open one */
    ngx_http_flowdash_json_name_t     *free;

    /* after a refusal, unless names->size is over names->max_size */

    const char                        *error;
    ngx_uint_t                         rule;     /* of flowdash_strict, or 0 */
} ngx_http_flowdash_json_names_t;


/*
 * A container at "depth" begins, 1 for the outermost: its names are at
 * "place".  Returns NGX_OK, or NGX_DECLINED if too much would have to be
 * remembered.
 */
ngx_int_t ngx_http_flowdash_json_names_start(
    ngx_http_flowdash_json_names_t *names, ngx_uint_t depth,
    ngx_http_flowdash_json_place_e place);

/* The innermost container ends; "place" is that of its names. */
void ngx_http_flowdash_json_names_end(ngx_http_flowdash_json_names_t *names,
    ngx_http_flowdash_json_place_e place);

/*
 * Checks a name in the innermost container, at "depth".  "name" is decoded,
 * "spelling" is the name in the text with its quotes.  "wanted" is the name
 * that leads to the task, and is used on the way only.  Fields are not
 * compared with each other.  Returns NGX_OK, or NGX_DECLINED with names->error
 * and names->rule set, or if too much would have to be remembered.
 */
ngx_int_t ngx_http_flowdash_json_names_check(
    ngx_http_flowdash_json_names_t *names, ngx_uint_t depth,
    ngx_http_flowdash_json_place_e place, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *wanted);


#endif /* _NGX_HTTP_FLOWDASH_JSON_NAMES_H_INCLUDED_ */
