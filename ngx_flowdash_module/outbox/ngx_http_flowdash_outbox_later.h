
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_LATER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_LATER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_outbox.h>


/*
 * Puts the file where it is found again when it is due, in "delay" seconds,
 * closes it and frees the record.  Without an outbox, the record stays in the
 * worker's memory until then.
 */
void ngx_http_flowdash_outbox_postpone(ngx_http_flowdash_outbox_file_t *file,
    time_t delay, ngx_log_t *log);

/* Moves the file to unknown/ or dead/, closes it and frees the record. */
void ngx_http_flowdash_outbox_set_aside(ngx_http_flowdash_outbox_file_t *file,
    ngx_uint_t dead, ngx_log_t *log);

/* Drops the reserved space behind the last line. */
void ngx_http_flowdash_outbox_later_trim(
    ngx_http_flowdash_outbox_file_t *file, ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_LATER_H_INCLUDED_ */
