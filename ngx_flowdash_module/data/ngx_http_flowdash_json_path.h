
#ifndef _NGX_HTTP_FLOWDASH_JSON_PATH_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_PATH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_scan.h>
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


/* the path of a pointer through a text that is being read */

typedef struct {
    /* set by the caller; all else is zero at first, but "next" is 1 */

    ngx_http_flowdash_json_scan_t     *scan;
    ngx_pool_t                        *pool;
    ngx_array_t                       *pointer;  /* of ..._token_t */
    ngx_http_flowdash_json_path_level_t
                                      *levels;   /* pointer->nelts + 1 */
    ngx_http_flowdash_json_names_t     names;
    ngx_uint_t                         unique;   /* unsigned  unique:1; in the
                                                    value */

    ngx_uint_t                         depth;
    ngx_uint_t                         path_depth;  /* open levels */
    u_char                            *target;   /* the value, if it is open */
    ngx_uint_t                         target_depth;
    ngx_str_t                          value;    /* no data: none yet */

    ngx_http_flowdash_json_verdict_e   verdict;
    const char                        *error;
    size_t                             offset;
    ngx_uint_t                         rule;

    unsigned                           stopped:1;  /* nothing changes the
                                                      verdict */
    unsigned                           next:1;   /* next value is on the way */
    unsigned                           judge:1;  /* a selector wants it */
} ngx_http_flowdash_json_path_t;


/*
 * The scanner has read a name of the innermost container.  This and the
 * function below return NGX_OK, with path->verdict set if they refuse the
 * text; NGX_DECLINED, with path->verdict set, if too much would have to be
 * remembered; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_json_path_name(
    ngx_http_flowdash_json_path_t *path);

/* It has read a value that is a scalar. */
ngx_int_t ngx_http_flowdash_json_path_scalar(
    ngx_http_flowdash_json_path_t *path);

/* An array or an object begins.  Sets path->verdict to refuse the text. */
void ngx_http_flowdash_json_path_start(ngx_http_flowdash_json_path_t *path);

/* The innermost array or object ends.  Sets path->verdict as well. */
void ngx_http_flowdash_json_path_end(ngx_http_flowdash_json_path_t *path);


#endif /* _NGX_HTTP_FLOWDASH_JSON_PATH_H_INCLUDED_ */
