
#ifndef _NGX_HTTP_FLOWDASH_CALL_RECORD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CALL_RECORD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_call.h>


/* Adds the attempt to ex->attempts. */
void ngx_http_flowdash_call_record(ngx_http_flowdash_call_t *call);


#endif /* _NGX_HTTP_FLOWDASH_CALL_RECORD_H_INCLUDED_ */
