
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_TAKE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_TAKE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Looks, every few seconds, for what other workers have left, and for what a
 * person has moved.  When it sees that the worker quits, it gives away all
 * that waits.
 */
void ngx_http_flowdash_outbox_take_init(ngx_log_t *log);

/* The worker ends. */
void ngx_http_flowdash_outbox_take_exit(ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_TAKE_H_INCLUDED_ */
