
#ifndef _NGX_HTTP_FLOWDASH_STRICT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STRICT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The rules of flowdash_strict, each against one way in which an app's parser
 * reads another request than this module.  They are bits: a set of rules is
 * their sum.
 */

#define NGX_HTTP_FLOWDASH_STRICT_JSON     0x0001  /* JSON sent as a form */
#define NGX_HTTP_FLOWDASH_STRICT_BOM      0x0002  /* byte order marks */
#define NGX_HTTP_FLOWDASH_STRICT_CONTROL  0x0004  /* control characters */
#define NGX_HTTP_FLOWDASH_STRICT_DOTS     0x0008  /* "a.b" for "a[b]" */
#define NGX_HTTP_FLOWDASH_STRICT_CASE     0x0010  /* names in another case */
#define NGX_HTTP_FLOWDASH_STRICT_PHP      0x0020  /* "_" for "." and " " */
#define NGX_HTTP_FLOWDASH_STRICT_PARTS    0x0040  /* unusual parts of forms */
#define NGX_HTTP_FLOWDASH_STRICT_WORDS    0x0080  /* encoded words */
#define NGX_HTTP_FLOWDASH_STRICT_QUERY    0x0100  /* query beside a body */
#define NGX_HTTP_FLOWDASH_STRICT_FIELDS   0x0200  /* more than apps read */
#define NGX_HTTP_FLOWDASH_STRICT_MEANING  0x0400  /* "__proto__" */
#define NGX_HTTP_FLOWDASH_STRICT_RAW      0x0800  /* bytes not escaped */
#define NGX_HTTP_FLOWDASH_STRICT_TYPE     0x1000  /* files without a type */

#define NGX_HTTP_FLOWDASH_STRICT_ALL      0x1fff
#define NGX_HTTP_FLOWDASH_STRICT_NONE     0


/* Returns the name of a rule, as written in flowdash_strict. */
const char *ngx_http_flowdash_strict_name(ngx_uint_t rule);

/* Finds a rule by its name.  Returns 0 if there is none. */
ngx_uint_t ngx_http_flowdash_strict_rule(ngx_str_t *name);

/*
 * Returns what a rule can be, with all names, to be shown to the one who
 * configures it; NULL if memory ran out.
 */
const char *ngx_http_flowdash_strict_choice(ngx_pool_t *pool);

/*
 * Returns an error with the rule behind it, for the log; NULL if memory ran
 * out.
 */
const char *ngx_http_flowdash_strict_error(ngx_pool_t *pool, ngx_uint_t rule,
    const char *error);


#endif /* _NGX_HTTP_FLOWDASH_STRICT_H_INCLUDED_ */
