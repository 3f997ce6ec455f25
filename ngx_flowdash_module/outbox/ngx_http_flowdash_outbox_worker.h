
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_WORKER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_WORKER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_outbox.h>


/*
 * Prepares the worker: makes its directory and takes its lock.  "send" is
 * called, some time later, for each record that is due, with its file open;
 * it owns it from then on.  Returns NGX_OK or NGX_ERROR, which is logged.
 */
ngx_int_t ngx_http_flowdash_outbox_init(ngx_cycle_t *cycle,
    ngx_http_flowdash_outbox_conf_t *conf,
    ngx_http_flowdash_outbox_counters_t *counters,
    ngx_http_flowdash_outbox_send_pt send);

/*
 * The worker ends: gives all that waits, and nobody sends, to the others.
 */
void ngx_http_flowdash_outbox_exit(ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_WORKER_H_INCLUDED_ */
