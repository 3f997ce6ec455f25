
#ifndef _NGX_HTTP_FLOWDASH_SEND_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SEND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_outbox.h>


/*
 * Prepares the worker to send what waits in the outbox.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_send_init(ngx_cycle_t *cycle,
    ngx_http_flowdash_main_conf_t *fmcf);

/*
 * Takes over a record, and sends what waits in it: one try for each delivery,
 * after-steps in their order, undos in the reverse order, each when the one
 * before it has ended in any way.  Then the record is removed, or put back
 * until the next try, or set aside.  Never calls back.
 */
void ngx_http_flowdash_send(ngx_http_flowdash_outbox_file_t *file);

/* The worker ends: what is in flight is ended, and the rest given back. */
void ngx_http_flowdash_send_exit(void);


#endif /* _NGX_HTTP_FLOWDASH_SEND_H_INCLUDED_ */
