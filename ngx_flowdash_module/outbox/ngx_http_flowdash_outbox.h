
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


/*
 * An execution whose record would have more octets fails.  Tries that fail,
 * and persons, may add as many.
 */

#define NGX_HTTP_FLOWDASH_OUTBOX_FILE_MAX  (64 * 1024 * 1024)


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


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_H_INCLUDED_ */
