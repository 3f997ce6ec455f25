
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_record.h>


/*
 * The directory in which records wait.  Below its path:
 *   worker-RANDOM/        of a living worker, which holds a lock on its "lock"
 *     now/                executions that run
 *     sending/            what is sent, and was not while it ran
 *     TIME/               what is due at that time
 *   waiting/              nobody's: the next worker takes it; also TIME/
 *   undo/ after/          a person has moved it there: send it
 *   unknown/ dead/        a person has to look at it
 *   scan.lock             what the last scan has counted
 *
 * A file has the id of its execution as its name, and the time at which that
 * began as its modification time.
 */


/* the longest path of an outbox */

#define NGX_HTTP_FLOWDASH_OUTBOX_PATH_MAX  512


/* flowdash_outbox */

typedef struct {
    ngx_str_t                            path;      /* ends with a zero */
    ngx_str_t                            key;       /* empty: none */
    ngx_flag_t                           fsync;
    void                                *threads;   /* its ngx_thread_pool_t */
    off_t                                max_size;  /* of all; 0: any */
    time_t                               max_age;   /* s */
} ngx_http_flowdash_outbox_conf_t;


/* in shared memory, or in the worker's if there is no flowdash_zone */

typedef struct {
    ngx_atomic_t                         delivered;
    ngx_atomic_t                         failed;    /* tries */
    ngx_atomic_t                         died;      /* since the start */
    ngx_atomic_t                         broken;    /* could not be written */

    /* as the last scan has found them */

    ngx_atomic_t                         waiting;
    ngx_atomic_t                         unknown;
    ngx_atomic_t                         dead;
    ngx_atomic_t                         oldest;    /* since 1970; 0: none */
    ngx_atomic_t                         scanned;   /* when, since 1970 */
    ngx_atomic_t                         size;      /* of all records, with
                                                       what came since */
} ngx_http_flowdash_outbox_counters_t;


/* the file of a record; or only the record, if there is no outbox */

typedef struct ngx_http_flowdash_outbox_file_s
    ngx_http_flowdash_outbox_file_t;

typedef void (*ngx_http_flowdash_outbox_handler_pt)(
    ngx_http_flowdash_outbox_file_t *file, ngx_int_t rc);

struct ngx_http_flowdash_outbox_file_s {
    ngx_http_flowdash_record_t          *record;
    ngx_http_flowdash_record_mac_t       mac;
    ngx_fd_t                             fd;        /* NGX_INVALID_FILE: there
                                                       is no outbox */
    ngx_str_t                            path;      /* ends with a zero */
    off_t                                offset;    /* where the next line is
                                                       written */
    off_t                                reserved;  /* size of the file */

    ngx_http_flowdash_outbox_handler_pt  handler;   /* of the sync */
    void                                *data;

    /* of outbox/'s own */

    ngx_queue_t                          queue;     /* waiting in memory */
    ngx_event_t                          event;
    void                                *task;      /* of a thread; or NULL */
    unsigned                             out:1;     /* was handed to "send" */
    unsigned                             synced:1;  /* so is its name */
    unsigned                             broken:1;  /* a sync has failed: no
                                                       other can succeed */
    unsigned                             aside:1;   /* could not be moved */
    unsigned                             dead:1;
};


typedef void (*ngx_http_flowdash_outbox_send_pt)(
    ngx_http_flowdash_outbox_file_t *file);


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

/*
 * Creates the file of a record, with room for "reserve" octets, and writes its
 * first line.  Nothing is synced yet.  Returns NULL, which is logged, if there
 * is no room, or on any other error.  Without an outbox, the file has no fd,
 * and all that follows does nothing and returns NGX_OK.
 */
ngx_http_flowdash_outbox_file_t *ngx_http_flowdash_outbox_create(
    ngx_http_flowdash_record_t *record, size_t reserve, ngx_log_t *log);

/*
 * Makes sure that there is room for so many octets more.  Returns NGX_OK or
 * NGX_ERROR, which is logged.
 */
ngx_int_t ngx_http_flowdash_outbox_reserve(
    ngx_http_flowdash_outbox_file_t *file, size_t more, ngx_log_t *log);

/*
 * Writes a line, and makes it the last one of file->mac.  Returns NGX_OK, or
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

/* Everything is delivered: removes the file, closes it, frees the record. */
void ngx_http_flowdash_outbox_remove(ngx_http_flowdash_outbox_file_t *file,
    ngx_log_t *log);

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


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_H_INCLUDED_ */
