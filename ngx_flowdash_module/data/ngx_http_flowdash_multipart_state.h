
#ifndef _NGX_HTTP_FLOWDASH_MULTIPART_STATE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MULTIPART_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>


/*
 * A reader of multipart/form-data (RFC 7578), which accepts pieces of any
 * size.  It holds the names and values of parts that belong to the task in
 * memory, but no contents of files, and of other parts only the headers while
 * it reads them.
 */

typedef struct ngx_http_flowdash_multipart_s  ngx_http_flowdash_multipart_t;


typedef enum {
    NGX_HTTP_FLOWDASH_MULTIPART_START = 0,
    NGX_HTTP_FLOWDASH_MULTIPART_START_LF,
    NGX_HTTP_FLOWDASH_MULTIPART_OPENING,     /* in the first delimiter */
    NGX_HTTP_FLOWDASH_MULTIPART_AFTER_DELIMITER,
    NGX_HTTP_FLOWDASH_MULTIPART_AFTER_DELIMITER_CR,
    NGX_HTTP_FLOWDASH_MULTIPART_AFTER_DELIMITER_DASH,
    NGX_HTTP_FLOWDASH_MULTIPART_IN_HEADERS,
    NGX_HTTP_FLOWDASH_MULTIPART_IN_CONTENT,
    NGX_HTTP_FLOWDASH_MULTIPART_CLOSED
} ngx_http_flowdash_multipart_state_e;


typedef struct {
    u_char                               *data;
    size_t                                len;
    size_t                                size;
} ngx_http_flowdash_multipart_buf_t;


struct ngx_http_flowdash_multipart_s {
    ngx_http_flowdash_form_t             *form;
    ngx_http_flowdash_multipart_state_e   state;
    off_t                                 offset;

    ngx_str_t                             delimiter;  /* "--" boundary */
    u_char                               *borders;
    size_t                                matched;    /* of the delimiter */
    u_char                                before[2];  /* the match */
    u_char                                recent[2];  /* of the content */

    ngx_http_flowdash_multipart_buf_t     headers;
    ngx_http_flowdash_multipart_buf_t     content;

    /* the part being read */

    off_t                                 start;
    off_t                                 value;
    ngx_http_flowdash_form_pair_t        *pair;     /* if it is the task's */
    ngx_str_t                             field;
    off_t                                 length;   /* by its headers, or -1 */
    unsigned                              charset:1;
    unsigned                              ascii:1;  /* so its value must be */
    unsigned                              method:1;   /* it is a "_method" */
};


/* Copies a string into the form's pool.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_multipart_state_copy(
    ngx_http_flowdash_multipart_t *mp, ngx_str_t *s);

/* Appends bytes to a buffer, which grows.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_multipart_state_append(
    ngx_http_flowdash_multipart_t *mp, ngx_http_flowdash_multipart_buf_t *b,
    u_char *p, size_t len);

/* Refuses the form as malformed at mp->offset; returns NGX_DECLINED. */
ngx_int_t ngx_http_flowdash_multipart_state_malformed(
    ngx_http_flowdash_multipart_t *mp, const char *error);

/* Refuses the form for the part at mp->start; returns NGX_DECLINED. */
ngx_int_t ngx_http_flowdash_multipart_state_refuse(
    ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_form_verdict_e verdict, const char *error);


#endif /* _NGX_HTTP_FLOWDASH_MULTIPART_STATE_H_INCLUDED_ */
