
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_FILE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox.h>


/*
 * Creates the file of a record, with room for "reserve" octets, and makes its
 * first line, which is held until there is one that has to be written; sets
 * record->boot and record->sync.  Nothing is synced yet.
 * Returns NULL, which is logged, if there is no room, or on any other error:
 * nothing is left then but the record.  Without an outbox, the file has no fd,
 * and all that follows does nothing and returns NGX_OK.
 */
ngx_http_flowdash_outbox_file_t *ngx_http_flowdash_outbox_create(
    ngx_http_flowdash_record_t *record, size_t reserve, ngx_log_t *log);

/*
 * Makes sure that an execution has room for so many octets more.  Returns
 * NGX_OK, or NGX_ERROR, which is logged, also if its record would have more
 * than ..._OUTBOX_FILE_MAX.
 */
ngx_int_t ngx_http_flowdash_outbox_reserve(
    ngx_http_flowdash_outbox_file_t *file, size_t more, ngx_log_t *log);

/*
 * Writes a line, and those that were held before it; makes it the last one of
 * file->mac.  Returns NGX_OK, or
 * NGX_ERROR, which is logged: the record is as before, and other lines may be
 * written.
 */
ngx_int_t ngx_http_flowdash_outbox_write(ngx_http_flowdash_outbox_file_t *file,
    ngx_str_t *line, ngx_log_t *log);

/*
 * Makes sure that what was written survives a loss of power, if the record is
 * of that kind.  Returns NGX_OK if that needs nothing; NGX_AGAIN: a thread
 * does it, and "handler" is called from the event loop with NGX_OK or
 * NGX_ERROR, which is logged; or NGX_ERROR.  The file must live until then,
 * and only one sync of it can run.  If the worker ends in the meantime, nginx
 * lets the thread finish, and "handler" is not called.
 */
ngx_int_t ngx_http_flowdash_outbox_sync(ngx_http_flowdash_outbox_file_t *file,
    ngx_http_flowdash_outbox_handler_pt handler, void *data, ngx_log_t *log);

/*
 * Everything is delivered: removes the file, closes it, frees the record and
 * the file's struct; with threads, some time later.
 */
void ngx_http_flowdash_outbox_remove(ngx_http_flowdash_outbox_file_t *file,
    ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_FILE_H_INCLUDED_ */
