
#ifndef _NGX_HTTP_FLOWDASH_JSON_MATCH_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_MATCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_FLOWDASH_JSON_OTHER = 0,
    NGX_HTTP_FLOWDASH_JSON_SAME,
    NGX_HTTP_FLOWDASH_JSON_SIMILAR      /* some apps take it for the same */
} ngx_http_flowdash_json_match_e;


/*
 * Compares a scalar of a JSON text with the value of a selector.  "text" is
 * the scalar: a string is decoded.  The number 7 and the string "7" are the
 * same; "07" and 7.0 are similar, and so is a string in another case.
 */
ngx_http_flowdash_json_match_e ngx_http_flowdash_json_match(ngx_str_t *text,
    ngx_str_t *wanted);


#endif /* _NGX_HTTP_FLOWDASH_JSON_MATCH_H_INCLUDED_ */
