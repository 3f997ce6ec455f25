
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_DUE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_DUE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_outbox_dir.h>


/* so many records are in the hands of "send" at the same time, at most */

#define NGX_HTTP_FLOWDASH_OUTBOX_OUT_MAX  64


/* The time that one turn of the event loop may spend here, in microseconds */

#define NGX_HTTP_FLOWDASH_OUTBOX_TURN     1000


/* Begins to send what is due. */
void ngx_http_flowdash_outbox_due_init(ngx_log_t *log);

/* The worker ends, and nothing is sent any longer. */
void ngx_http_flowdash_outbox_due_exit(void);

/* Returns the time in microseconds, of a clock that is never set. */
uint64_t ngx_http_flowdash_outbox_due_time(void);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_DUE_H_INCLUDED_ */
