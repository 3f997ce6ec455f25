
#ifndef _NGX_HTTP_FLOWDASH_SHOWN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SHOWN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record.h>


/*
 * Enters what a record has sent, and what waits, in the ring of the last
 * executions, if its execution is kept there.
 */
void ngx_http_flowdash_shown(ngx_http_flowdash_record_t *record);


#endif /* _NGX_HTTP_FLOWDASH_SHOWN_H_INCLUDED_ */
