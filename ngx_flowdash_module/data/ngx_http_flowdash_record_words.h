
#ifndef _NGX_HTTP_FLOWDASH_RECORD_WORDS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RECORD_WORDS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the version of the format */

#define NGX_HTTP_FLOWDASH_RECORD_VERSION  1


/*
 * What the lines of a record call the values of its enumerations, in their
 * order.  Each list ends with an empty string; "-" is never written.
 */

extern ngx_str_t  ngx_http_flowdash_record_outcomes[];
extern ngx_str_t  ngx_http_flowdash_record_states[];
extern ngx_str_t  ngx_http_flowdash_record_kinds[];
extern ngx_str_t  ngx_http_flowdash_record_encodings[];


#endif /* _NGX_HTTP_FLOWDASH_RECORD_WORDS_H_INCLUDED_ */
