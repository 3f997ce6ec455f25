
#ifndef _NGX_HTTP_FLOWDASH_JSON_PATH_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_PATH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_names.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_pointer.h>


/*
 * A container on the path.  Level N is searched for token N.  If token N - 1
 * is a selector, it is an object that the selector may fit.
 */

typedef struct {
    u_char                            *start;
    ngx_uint_t                         elements;
    ngx_str_t                          value;    /* found below it */

    unsigned                           array:1;
    unsigned                           element:1;  /* for a selector */
    unsigned                           named:1;    /* token N occurred */
    unsigned                           judged:1;   /* the selector's name */
    unsigned                           fits:1;
    unsigned                           chosen:1;   /* a member fits */
} ngx_http_flowdash_json_path_level_t;


/*
 * The path of a pointer through a text that is being parsed.  Only callbacks
 * of the parser may use it.
 */

typedef struct {
    /* set by the caller; all else is zero at first, but "next" is 1 */

    ngx_str_t                          text;
    ngx_array_t                       *pointer;  /* of ..._token_t */
    ngx_http_flowdash_json_path_level_t
                                      *levels;   /* pointer->nelts + 1 */
    ngx_http_flowdash_json_names_t     names;
    ngx_uint_t                         unique;   /* unsigned  unique:1; in the
                                                    value */
    yajl_handle                        yajl;
    u_char                            *cursor;   /* after the last token */

    ngx_uint_t                         depth;
    ngx_uint_t                         path_depth;  /* open levels */
    u_char                            *target;   /* the value, if it is open */
    ngx_uint_t                         target_depth;
    ngx_str_t                          value;    /* no data: none yet */

    ngx_http_flowdash_json_verdict_e   verdict;
    const char                        *error;
    size_t                             offset;
    ngx_uint_t                         rule;

    unsigned                           stopped:1;  /* too much to be read */
    unsigned                           next:1;   /* next value is on the way */
    unsigned                           judge:1;  /* a selector wants it */
} ngx_http_flowdash_json_path_t;


/*
 * The next name of the innermost container, which is decoded.  It ends where
 * the parser is.  It and the functions below set path->verdict if they refuse
 * the text.
 */
void ngx_http_flowdash_json_path_name(ngx_http_flowdash_json_path_t *path,
    ngx_str_t *name);

/* The next value is a scalar, whose text is given; a string is decoded. */
void ngx_http_flowdash_json_path_scalar(ngx_http_flowdash_json_path_t *path,
    ngx_str_t *text);

/* An array or an object begins. */
void ngx_http_flowdash_json_path_start(ngx_http_flowdash_json_path_t *path,
    ngx_uint_t array);

/* The innermost array or object ends. */
void ngx_http_flowdash_json_path_end(ngx_http_flowdash_json_path_t *path);

/* Refuses the text at the place where the parser is. */
void ngx_http_flowdash_json_path_refuse(ngx_http_flowdash_json_path_t *path,
    ngx_http_flowdash_json_verdict_e verdict, ngx_uint_t rule,
    const char *error);


#endif /* _NGX_HTTP_FLOWDASH_JSON_PATH_H_INCLUDED_ */
