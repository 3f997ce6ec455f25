
#ifndef _NGX_HTTP_FLOWDASH_FORM_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* of a name's brackets; PHP reads 64, Rack 32 to 100 */
#define NGX_HTTP_FLOWDASH_FORM_DEPTH  32


typedef enum {
    NGX_HTTP_FLOWDASH_FORM_OK = 0,
    NGX_HTTP_FLOWDASH_FORM_MALFORMED,   /* no form, or read in several ways */
    NGX_HTTP_FLOWDASH_FORM_CHARSET,     /* not in UTF-8 */
    NGX_HTTP_FLOWDASH_FORM_LARGE        /* its fields need too much memory */
} ngx_http_flowdash_form_verdict_e;


typedef struct ngx_http_flowdash_form_node_s  ngx_http_flowdash_form_node_t;
typedef struct ngx_http_flowdash_form_pair_s  ngx_http_flowdash_form_pair_t;


/* a name and a value, or a part of multipart/form-data */

struct ngx_http_flowdash_form_pair_s {
    ngx_http_flowdash_form_pair_t   *next;    /* in the order of the form */
    ngx_http_flowdash_form_pair_t   *again;   /* the next of the same name */
    ngx_http_flowdash_form_node_t   *field;

    ngx_str_t                        name;    /* decoded: issue[Field][x] */
    ngx_str_t                        path;    /* its end: [x] */
    ngx_str_t                        text;    /* decoded; a file's name */
    ngx_str_t                        type;    /* a file's Content-Type */

    off_t                            start;   /* its bytes in the form */
    off_t                            value;   /* those of the value */
    off_t                            last;    /* the end of both */

    unsigned                         file:1;
    unsigned                         bare:1;  /* without "=" */
};


/* an object, array or value that the names of pairs lead to */

struct ngx_http_flowdash_form_node_s {
    ngx_str_node_t                   node;    /* node.str is its key */
    ngx_http_flowdash_form_node_t   *next;    /* in the same container */

    ngx_http_flowdash_form_node_t   *first;   /* of a container */
    ngx_http_flowdash_form_node_t   *last;
    ngx_rbtree_t                     names;
    ngx_rbtree_node_t                sentinel;

    ngx_http_flowdash_form_pair_t   *pair;    /* of a value */
    ngx_http_flowdash_form_pair_t   *again;   /* the last of its name */

    ngx_http_flowdash_form_pair_t   *end;     /* the last of the field */
    ngx_array_t                     *values;  /* new ones of the field */
    ngx_uint_t                       written;

    unsigned                         object:1;
    unsigned                         array:1;
    unsigned                         file:1;  /* the field has one */
};


/*
 * A form: application/x-www-form-urlencoded (also a query) or
 * multipart/form-data (RFC 7578).  What is kept of it is an index over those
 * pairs that belong to the task, by the convention of brackets in names.
 */

typedef struct {
    ngx_pool_t                      *pool;
    ngx_array_t                     *pointer; /* of ngx_str_t */
    ngx_str_t                        boundary;  /* none: urlencoded */

    size_t                           size;    /* of what is held in memory */
    size_t                           max_size;

    ngx_http_flowdash_form_node_t    root;
    ngx_http_flowdash_form_pair_t   *pairs;
    ngx_http_flowdash_form_pair_t   *last;

    off_t                            tail;    /* where pairs can be added */
    unsigned                         empty:1; /* it has no pairs at all */
    unsigned                         open:1;  /* it ends with "&" */
    unsigned                         query:1;

    /* after a refusal: what was wrong, and where, for the log */

    ngx_http_flowdash_form_verdict_e verdict;
    const char                      *error;
    off_t                            offset;
} ngx_http_flowdash_form_t;


/* from "start" to "last" (offsets in the form), "text" takes the place */

typedef struct {
    off_t                            start;
    off_t                            last;
    ngx_str_t                        text;
} ngx_http_flowdash_form_edit_t;


/*
 * Initializes a form.  The pointer is that of flowdash_task, "boundary" is
 * empty if the form is urlencoded.
 */
void ngx_http_flowdash_form_init(ngx_http_flowdash_form_t *form,
    ngx_pool_t *pool, ngx_array_t *pointer, ngx_str_t *boundary,
    size_t max_size);

/*
 * Counts memory that the form holds, at form->offset.  Returns NGX_OK, or
 * NGX_DECLINED with form->verdict set when it has become too much.
 */
ngx_int_t ngx_http_flowdash_form_charge(ngx_http_flowdash_form_t *form,
    size_t size);

/* Sets the verdict; returns NGX_DECLINED. */
ngx_int_t ngx_http_flowdash_form_refuse(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_verdict_e verdict, off_t offset,
    const char *error);


#endif /* _NGX_HTTP_FLOWDASH_FORM_H_INCLUDED_ */
