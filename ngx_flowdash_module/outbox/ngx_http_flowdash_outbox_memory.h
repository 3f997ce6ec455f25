
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_MEMORY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_MEMORY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_outbox_dir.h>


/* without flowdash_outbox: how many a worker keeps, and of how many octets */

#define NGX_HTTP_FLOWDASH_OUTBOX_MEMORY_RECORDS  1000
#define NGX_HTTP_FLOWDASH_OUTBOX_MEMORY_SIZE     (16 * 1024 * 1024)


/*
 * Keeps a record, and sends it in "delay" seconds.  If there is no room, the
 * record is lost, which is logged.
 */
void ngx_http_flowdash_outbox_memory_add(ngx_http_flowdash_outbox_file_t *file,
    time_t delay, ngx_log_t *log);

/* The worker ends: all records are lost, which is logged. */
void ngx_http_flowdash_outbox_memory_exit(ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_MEMORY_H_INCLUDED_ */
