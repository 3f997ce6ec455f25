
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_DIR_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_DIR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox.h>


/* the longest name of a file or a directory below the outbox's path */

#define NGX_HTTP_FLOWDASH_OUTBOX_NAME    128

/* records are due at multiples of so many seconds */

#define NGX_HTTP_FLOWDASH_OUTBOX_ROUND   5

/* no record waits longer for its next try than so many seconds */

#define NGX_HTTP_FLOWDASH_OUTBOX_LATEST  4500


/* what this worker knows of the outbox; there is one */

typedef struct {
    ngx_http_flowdash_outbox_conf_t      conf;      /* without a path: none */
    ngx_http_flowdash_outbox_counters_t *counters;
    ngx_http_flowdash_outbox_send_pt     send;
    ngx_str_t                            boot;      /* of the machine */
    ngx_str_t                            own;       /* this worker's directory,
                                                       ends with a zero */
    ngx_fd_t                             lock;
    ngx_fd_t                             now;       /* its now/, for fsync() */

    ngx_uint_t                           out;       /* handed to "send", and
                                                       not yet given back */
    ngx_event_t                          work;      /* posted when one of them
                                                       is given back */
    ngx_uint_t                           exiting;   /* unsigned  exiting:1; */
} ngx_http_flowdash_outbox_t;


extern ngx_http_flowdash_outbox_t  ngx_http_flowdash_outbox;


/* Makes the worker's directory.  Returns NGX_OK or NGX_ERROR, logged. */
ngx_int_t ngx_http_flowdash_outbox_dir_init(ngx_log_t *log);

/* Tells whether a text can be the name of a record's file: [0-9A-Za-z_-]+. */
ngx_uint_t ngx_http_flowdash_outbox_dir_name(u_char *name, size_t len);

/*
 * Creates the file of a record in the worker's now/: sets file->fd (opened for
 * reading and writing), file->path, and "offset" and "reserved" to 0.  Returns
 * NGX_OK, or NGX_ERROR, which is logged, also if "size" octets more are over
 * max_size.
 */
ngx_int_t ngx_http_flowdash_outbox_dir_create(
    ngx_http_flowdash_outbox_file_t *file, off_t size, ngx_log_t *log);

/* The size of a record's file has changed by so many octets. */
void ngx_http_flowdash_outbox_dir_grow(off_t size);

/*
 * The worker has nothing to do with the file any longer, which was moved or
 * removed: closes it and frees the record, with the file's struct.
 */
void ngx_http_flowdash_outbox_dir_close(ngx_http_flowdash_outbox_file_t *file,
    ngx_log_t *log);

/*
 * Moves a file: to the directory "dir" below the worker's own, or below the
 * outbox's path ("shared").  Makes the directory if it is missing.  Sets
 * file->path.  Returns NGX_OK or NGX_ERROR, which is logged.
 */
ngx_int_t ngx_http_flowdash_outbox_dir_move(
    ngx_http_flowdash_outbox_file_t *file, const char *dir, ngx_uint_t shared,
    ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_DIR_H_INCLUDED_ */
