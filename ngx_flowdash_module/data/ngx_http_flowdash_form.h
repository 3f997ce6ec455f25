
#ifndef _NGX_HTTP_FLOWDASH_FORM_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash_table.h>


/*
 * The most brackets in a name: PHP reads 64, Rack 32 to 100.  Of a query,
 * Express reads 5, unless it is told otherwise.
 */
#define NGX_HTTP_FLOWDASH_FORM_DEPTH        32
#define NGX_HTTP_FLOWDASH_FORM_QUERY_DEPTH  5


typedef enum {
    NGX_HTTP_FLOWDASH_FORM_OK = 0,
    NGX_HTTP_FLOWDASH_FORM_MALFORMED,   /* no form, or ambiguous to apps */
    NGX_HTTP_FLOWDASH_FORM_CHARSET,     /* not UTF-8 */
    NGX_HTTP_FLOWDASH_FORM_LARGE,       /* too many fields, or too large */
    NGX_HTTP_FLOWDASH_FORM_TYPE         /* it is JSON */
} ngx_http_flowdash_form_verdict_e;


typedef struct ngx_http_flowdash_form_node_s  ngx_http_flowdash_form_node_t;
typedef struct ngx_http_flowdash_form_pair_s  ngx_http_flowdash_form_pair_t;


/* a name with a value, or a part of multipart/form-data */

struct ngx_http_flowdash_form_pair_s {
    ngx_http_flowdash_form_pair_t   *next;    /* in the order of the form */
    ngx_http_flowdash_form_pair_t   *again;   /* the next one of its name */
    ngx_http_flowdash_form_node_t   *field;

    ngx_str_t                        name;    /* decoded: issue[Field][x] */
    ngx_str_t                        path;    /* the end of the name: [x] */
    ngx_str_t                        text;    /* decoded value or file name */
    ngx_str_t                        type;    /* a file's Content-Type */

    off_t                            start;   /* offsets: of the pair, */
    off_t                            value;   /* of its value, */
    off_t                            last;    /* and of the end of both */

    unsigned                         file:1;
    unsigned                         bare:1;  /* without "=" */
    unsigned                         whole:1; /* its headers tell of its
                                                 value: replace both */
};


/* an object, array or value that is named by pairs */

struct ngx_http_flowdash_form_node_s {
    ngx_str_t                        key;
    ngx_http_flowdash_form_node_t   *parent;  /* the container */
    ngx_http_flowdash_form_node_t   *next;    /* in the same container */

    ngx_http_flowdash_form_node_t   *first;   /* of a container */
    ngx_http_flowdash_form_node_t   *last;

    ngx_http_flowdash_form_pair_t   *pair;    /* of a value */
    ngx_http_flowdash_form_pair_t   *again;   /* the last of its name */

    ngx_http_flowdash_form_pair_t   *end;     /* the last pair of the field */
    ngx_array_t                     *values;  /* the field's new values */
    ngx_uint_t                       written;

    unsigned                         object:1;
    unsigned                         array:1;
    unsigned                         file:1;  /* the field has a file */
};


/* the numbers of names that form_alias has added */

typedef struct {
    ngx_uint_t                       aliases;
    ngx_uint_t                       dotted;
} ngx_http_flowdash_form_mark_t;


/*
 * A form: application/x-www-form-urlencoded (also a query) or
 * multipart/form-data (RFC 7578).  It holds an index of the pairs that belong
 * to the task.  Brackets in names make objects and arrays.
 */

typedef struct {
    ngx_pool_t                      *pool;
    ngx_array_t                     *pointer; /* of ngx_str_t */
    ngx_str_t                        boundary;  /* empty: urlencoded */

    size_t                           size;    /* bytes held in memory */
    size_t                           max_size;
    ngx_uint_t                       fields;  /* pairs, of the task or not */
    ngx_uint_t                       max_fields;
    ngx_uint_t                       strict;  /* rules to apply */
    ngx_http_flowdash_method_t      *method;  /* gets "_method", or NULL */

    ngx_http_flowdash_form_node_t    root;
    ngx_http_flowdash_form_pair_t   *pairs;
    ngx_http_flowdash_form_pair_t   *last;

    ngx_http_flowdash_table_t        nodes;   /* those that have a key */
    ngx_http_flowdash_table_t        aliases; /* the names of the fields, */
    ngx_http_flowdash_table_t        dotted;  /* and what is before dots */

    off_t                            tail;    /* where new pairs go */
    unsigned                         empty:1; /* it has no pairs at all */
    unsigned                         open:1;  /* it ends with "&" */
    unsigned                         query:1;
    unsigned                         value:1; /* "?task=7" */
    unsigned                         later_index:1; /* a[5]; the task is
                                                       a[0] */
    unsigned                         ascii:1; /* it must be ASCII only */
    unsigned                         scalar:1;  /* set by the caller: the
                                                   pointer leads to a value */
    unsigned                         nested:1;  /* but it has members */

    /* after a refusal: what is wrong and where, for the log */

    ngx_http_flowdash_form_verdict_e verdict;
    const char                      *error;
    off_t                            offset;
    ngx_uint_t                       rule;    /* of flowdash_strict, or 0 */
} ngx_http_flowdash_form_t;


/* "text" replaces the bytes from offset "start" to "last" of the form */

typedef struct {
    off_t                            start;
    off_t                            last;
    ngx_str_t                        text;
} ngx_http_flowdash_form_edit_t;


/*
 * Initializes a form.  "pointer" is that of flowdash_task; "boundary" is empty
 * for a urlencoded form; "max_size" limits the memory in bytes; "strict" has
 * the rules to apply.  The number of fields is not limited until the caller
 * sets form->max_fields.
 */
void ngx_http_flowdash_form_init(ngx_http_flowdash_form_t *form,
    ngx_pool_t *pool, ngx_array_t *pointer, ngx_str_t *boundary,
    size_t max_size, ngx_uint_t strict);

/*
 * Counts "size" more bytes of memory, needed at form->offset.  Returns NGX_OK,
 * or NGX_DECLINED with form->verdict set if the form now needs too much.
 */
ngx_int_t ngx_http_flowdash_form_charge(ngx_http_flowdash_form_t *form,
    size_t size);

/*
 * Counts one more pair at "offset", be it of the task or not, or empty.
 * Returns NGX_OK, or NGX_DECLINED with form->verdict set if these are more
 * than form->max_fields.
 */
ngx_int_t ngx_http_flowdash_form_count(ngx_http_flowdash_form_t *form,
    off_t offset);

/* Sets the verdict; returns NGX_DECLINED. */
ngx_int_t ngx_http_flowdash_form_refuse(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_verdict_e verdict, off_t offset,
    const char *error);

/* Refuses the form as malformed by a rule; returns NGX_DECLINED. */
ngx_int_t ngx_http_flowdash_form_refuse_rule(ngx_http_flowdash_form_t *form,
    ngx_uint_t rule, off_t offset, const char *error);


#endif /* _NGX_HTTP_FLOWDASH_FORM_H_INCLUDED_ */
