
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_LATER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_LATER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_outbox_dir.h>


/* Drops the reserved space behind the last line. */
void ngx_http_flowdash_outbox_later_trim(
    ngx_http_flowdash_outbox_file_t *file, ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_LATER_H_INCLUDED_ */
