
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_LOAD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_LOAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_outbox_group.h>


/*
 * Deals with a file that lies in a group, or that a person has moved to
 * another directory: moves it to sending/, reads it, and hands it to "send",
 * removes it or sets it aside.
 */
void ngx_http_flowdash_outbox_load(u_char *path, u_char *name,
    ngx_http_flowdash_outbox_kind_e kind, ngx_log_t *log);

/*
 * Moves to dead/ what cannot be a record, and logs why.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_outbox_load_bury(u_char *path, u_char *name,
    const char *why, ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_LOAD_H_INCLUDED_ */
