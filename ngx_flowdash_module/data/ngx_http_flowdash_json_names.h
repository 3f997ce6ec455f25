
#ifndef _NGX_HTTP_FLOWDASH_JSON_NAMES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_NAMES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_scan.h>


/* names in the open objects of a value that need no memory of their own */

#define NGX_HTTP_FLOWDASH_JSON_NAMES_FEW  16

/* the longest name with escapes for which this is so */

#define NGX_HTTP_FLOWDASH_JSON_NAMES_LEN  128


/* where a name is in a JSON text */

typedef enum {
    NGX_HTTP_FLOWDASH_JSON_BESIDE = 0,  /* none of the others */
    NGX_HTTP_FLOWDASH_JSON_WAY,         /* in a container of the task */
    NGX_HTTP_FLOWDASH_JSON_FIELD,       /* a field of the task */
    NGX_HTTP_FLOWDASH_JSON_VALUE        /* in the value of a field */
} ngx_http_flowdash_json_place_e;


/* a name in an open object of a value */

typedef struct {
    ngx_str_t                          spelling; /* in the text, quoted */
    uint32_t                           hash;
    uint32_t                           slot;     /* that has its number */
} ngx_http_flowdash_json_name_t;


/*
 * The names of a text that is being read.  Those of the open objects of a
 * value lie one after the other, and are found by open addressing: a slot has
 * the number of a name, counted from 1, or 0.  When an object ends, its names,
 * which are the last ones, are removed again.
 */

typedef struct {
    /* set by the caller; all else is zero at first */

    ngx_uint_t                         strict;   /* rules to apply */
    size_t                            *size;     /* what is remembered */
    size_t                             max_size;
    ngx_log_t                         *log;

    ngx_str_t                          name;     /* the last one, decoded */

    /* whether an object at this depth is the value of "constructor" */

    u_char            constructor[NGX_HTTP_FLOWDASH_JSON_DEPTH + 2];

    /* the number of names outside of the object at this depth */

    uint32_t          outside[NGX_HTTP_FLOWDASH_JSON_DEPTH + 2];

    ngx_http_flowdash_json_name_t     *list;
    uint32_t                          *slots;    /* twice as many */
    uint32_t                           used;
    uint32_t                           max;

    ngx_http_flowdash_json_name_t      few[NGX_HTTP_FLOWDASH_JSON_NAMES_FEW];
    uint32_t                           few_slots[
                                         2 * NGX_HTTP_FLOWDASH_JSON_NAMES_FEW];

    u_char                            *room;     /* for names with escapes */
    size_t                             room_size;
    u_char                             short_name[
                                             NGX_HTTP_FLOWDASH_JSON_NAMES_LEN];

    /* after a refusal, unless names->size is over names->max_size */

    const char                        *error;
    ngx_uint_t                         rule;     /* of flowdash_strict, or 0 */
} ngx_http_flowdash_json_names_t;


/* A container at "depth" begins, 1 for the outermost. */
void ngx_http_flowdash_json_names_start(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t depth);

/* The container at "depth" ends. */
void ngx_http_flowdash_json_names_end(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t depth);

/*
 * Checks the name that the scanner has read in the innermost container, at
 * "depth" and "place".  "wanted" is the name that leads to the task, and is
 * used on the way only.  Fields are not compared with each other.  Returns
 * NGX_OK, with names->name set unless the name is beside the task;
 * NGX_DECLINED with names->error and names->rule set, or if too much would
 * have to be remembered; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_json_names_check(
    ngx_http_flowdash_json_names_t *names, ngx_uint_t depth,
    ngx_http_flowdash_json_place_e place,
    ngx_http_flowdash_json_scan_t *scan, ngx_str_t *wanted);

/* Frees the memory of the names. */
void ngx_http_flowdash_json_names_free(ngx_http_flowdash_json_names_t *names);


#endif /* _NGX_HTTP_FLOWDASH_JSON_NAMES_H_INCLUDED_ */
