
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_DIR_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_DIR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_outbox_own.h>


/*
 * Tells whether a text can be the name of a record's file: an id of
 * [0-9A-Za-z_-]+, or one with "." and a number, for the second of a name.
 */
ngx_uint_t ngx_http_flowdash_outbox_dir_name(u_char *name, size_t len);

/*
 * Creates the file of a record in the worker's now/: sets file->fd (opened for
 * reading and writing), file->path, and "offset" and "reserved" to 0.  Returns
 * NGX_OK, or NGX_ERROR, which is logged, also if "size" octets more are over
 * max_size.
 */
ngx_int_t ngx_http_flowdash_outbox_dir_create(
    ngx_http_flowdash_outbox_file_t *file, off_t size, ngx_log_t *log);

/* A record's file has so many octets more, or less; one removed: -size. */
void ngx_http_flowdash_outbox_dir_grow(off_t size);

/*
 * The worker has nothing to do with the file any longer, which was moved or
 * removed: closes it and frees the record, with the file's struct.
 */
void ngx_http_flowdash_outbox_dir_close(ngx_http_flowdash_outbox_file_t *file,
    ngx_log_t *log);

/*
 * Moves "from" to "name" in the directory "dir", which lies below the worker's
 * own, or below the outbox's path ("shared").  Makes the directory if it is
 * missing, and takes another name if that one exists.  "to", of
 * ..._OUTBOX_PATH octets, gets the new path.  Returns NGX_OK; NGX_DECLINED if
 * there is no such file, as another worker has taken it; or NGX_ERROR, which
 * is logged.
 */
ngx_int_t ngx_http_flowdash_outbox_dir_rename(u_char *from, const char *dir,
    ngx_uint_t shared, u_char *name, u_char *to, ngx_log_t *log);

/*
 * Moves the file of a record, and sets file->path and its time.  Returns
 * NGX_OK; NGX_DECLINED if somebody has removed it; or NGX_ERROR, which is
 * logged.
 */
ngx_int_t ngx_http_flowdash_outbox_dir_move(
    ngx_http_flowdash_outbox_file_t *file, const char *dir, ngx_uint_t shared,
    ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_DIR_H_INCLUDED_ */
