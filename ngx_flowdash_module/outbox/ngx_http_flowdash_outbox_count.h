
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_COUNT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_COUNT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Counts what is in the outbox, every few seconds, in one worker at a time.
 * The others read what it has found, from "scan.lock".
 */
void ngx_http_flowdash_outbox_count_init(ngx_log_t *log);

/* The worker ends. */
void ngx_http_flowdash_outbox_count_exit(void);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_COUNT_H_INCLUDED_ */
