
/*
 * The file of a record: its space, its lines, and that they survive.
 *
 * Lines are written at once, which needs no thread: they go to the page cache,
 * and their space is reserved.  What waits for the disk runs in a thread, and
 * so does the end of a file, as a file system may take milliseconds to free
 * its space.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox_dir.h>
#include <ngx_http_flowdash_outbox_file.h>

#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif


/* space is reserved in such units */

#define NGX_HTTP_FLOWDASH_OUTBOX_FILE_BLOCK  4096


static void ngx_http_flowdash_outbox_file_drop(
    ngx_http_flowdash_outbox_file_t *file, ngx_log_t *log);
static ngx_int_t ngx_http_flowdash_outbox_file_allocate(
    ngx_http_flowdash_outbox_file_t *file, size_t more, ngx_log_t *log);
static void ngx_http_flowdash_outbox_file_broken(
    ngx_http_flowdash_outbox_file_t *file, ngx_err_t err, const char *call,
    ngx_log_t *log);
static void ngx_http_flowdash_outbox_file_sized(
    ngx_http_flowdash_outbox_file_t *file, off_t size);
static void ngx_http_flowdash_outbox_file_gone(
    ngx_http_flowdash_outbox_file_t *file, ngx_err_t err, ngx_log_t *log);

#if (NGX_THREADS)

typedef struct {
    ngx_http_flowdash_outbox_file_t     *file;
    ngx_fd_t                             dir;       /* or NGX_INVALID_FILE */
    ngx_err_t                            err;
} ngx_http_flowdash_outbox_task_t;


static ngx_int_t ngx_http_flowdash_outbox_file_post(
    ngx_http_flowdash_outbox_file_t *file,
    void (*thread)(void *data, ngx_log_t *log), ngx_event_handler_pt handler);
static void ngx_http_flowdash_outbox_file_sync(void *data, ngx_log_t *log);
static void ngx_http_flowdash_outbox_file_synced(ngx_event_t *ev);
static void ngx_http_flowdash_outbox_file_remove(void *data, ngx_log_t *log);
static void ngx_http_flowdash_outbox_file_removed(ngx_event_t *ev);

#endif


ngx_http_flowdash_outbox_file_t *
ngx_http_flowdash_outbox_create(ngx_http_flowdash_record_t *record,
    size_t reserve, ngx_log_t *log)
{
    ngx_http_flowdash_outbox_file_t  *file;

    file = ngx_pcalloc(record->pool, sizeof(ngx_http_flowdash_outbox_file_t));
    if (file == NULL) {
        return NULL;
    }

    file->record = record;
    file->fd = NGX_INVALID_FILE;

    if (ngx_http_flowdash_outbox.conf.path.len == 0) {
        return file;
    }

    file->mac.key = ngx_http_flowdash_outbox.conf.key;

    record->boot = ngx_http_flowdash_outbox.boot;
    record->sync = ngx_http_flowdash_outbox.conf.fsync ? 1 : 0;

    if (ngx_http_flowdash_outbox_dir_create(file, reserve, log) != NGX_OK) {
        (void) ngx_atomic_fetch_add(&ngx_http_flowdash_outbox.counters->broken,
                                    1);
        return NULL;
    }

    if (ngx_http_flowdash_outbox_reserve(file, reserve, log) != NGX_OK
        || ngx_http_flowdash_record_begin(record, NULL, NULL) != NGX_OK)
    {
        ngx_http_flowdash_outbox_file_drop(file, log);
        return NULL;
    }

    return file;
}


/* removes a file in which nothing happened */

static void
ngx_http_flowdash_outbox_file_drop(ngx_http_flowdash_outbox_file_t *file,
    ngx_log_t *log)
{
    if (ngx_delete_file(file->path.data) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "flowdash: " ngx_delete_file_n " \"%V\" failed",
                      &file->path);
    }

    if (ngx_close_file(file->fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "flowdash: " ngx_close_file_n " \"%V\" failed",
                      &file->path);
    }

    ngx_http_flowdash_outbox_file_sized(file, 0);
}


ngx_int_t
ngx_http_flowdash_outbox_reserve(ngx_http_flowdash_outbox_file_t *file,
    size_t more, ngx_log_t *log)
{
    if (file->fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    if (more > (size_t) (NGX_HTTP_FLOWDASH_OUTBOX_FILE_MAX - file->offset)) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "flowdash: the outbox cannot keep an action: \"%V\" "
                      "would have more than %d bytes", &file->path,
                      NGX_HTTP_FLOWDASH_OUTBOX_FILE_MAX);
        return NGX_ERROR;
    }

    return ngx_http_flowdash_outbox_file_allocate(file, more, log);
}


/* also for what is added while a record waits, whatever its size */

static ngx_int_t
ngx_http_flowdash_outbox_file_allocate(ngx_http_flowdash_outbox_file_t *file,
    size_t more, ngx_log_t *log)
{
    int    err;
    off_t  size;

    size = ngx_align((size_t) file->offset + more,
                     NGX_HTTP_FLOWDASH_OUTBOX_FILE_BLOCK);

    if (size <= file->reserved) {
        return NGX_OK;
    }

    /*
     * Where a file system cannot do that, glibc writes to each block: this is
     * as good on a local one, and slow on others.
     */

    do {
        err = posix_fallocate(file->fd, file->reserved, size - file->reserved);
    } while (err == NGX_EINTR);

    if (err) {
        ngx_http_flowdash_outbox_file_broken(file, err, "posix_fallocate()",
                                             log);
        return NGX_ERROR;
    }

    ngx_http_flowdash_outbox_file_sized(file, size);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_outbox_write(ngx_http_flowdash_outbox_file_t *file,
    ngx_str_t *line, ngx_log_t *log)
{
    size_t   sent;
    ssize_t  n;

    if (file->fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    /*
     * With space behind it, a line that is cut, as the disk is full or the
     * worker is killed, differs from a file that was cut.  There is some
     * behind the last line as well: who cuts a file there shows it.
     */

    if (ngx_http_flowdash_outbox_file_allocate(file, line->len + 1, log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (sent = 0; sent < line->len; sent += n) {

        n = pwrite(file->fd, line->data + sent, line->len - sent,
                   file->offset + sent);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            n = 0;
            continue;
        }

        if (n <= 0) {

            /*
             * A part of a line is no line: a reader ignores it, and the next
             * one is written over it.
             */

            ngx_http_flowdash_outbox_file_broken(file,
                                                 (n == -1) ? ngx_errno : 0,
                                                 "pwrite()", log);
            return NGX_ERROR;
        }
    }

    file->offset += line->len;
    ngx_http_flowdash_record_written(&file->mac);

    return NGX_OK;
}


static void
ngx_http_flowdash_outbox_file_broken(ngx_http_flowdash_outbox_file_t *file,
    ngx_err_t err, const char *call, ngx_log_t *log)
{
    (void) ngx_atomic_fetch_add(&ngx_http_flowdash_outbox.counters->broken, 1);

    ngx_log_error(NGX_LOG_CRIT, log, err,
                  "flowdash: the outbox cannot keep an action: %s of \"%V\" "
                  "failed", call, &file->path);
}


static void
ngx_http_flowdash_outbox_file_sized(ngx_http_flowdash_outbox_file_t *file,
    off_t size)
{
    ngx_http_flowdash_outbox_dir_grow(size - file->reserved);
    file->reserved = size;
}


ngx_int_t
ngx_http_flowdash_outbox_sync(ngx_http_flowdash_outbox_file_t *file,
    ngx_http_flowdash_outbox_handler_pt handler, void *data, ngx_log_t *log)
{
#if (NGX_THREADS)

    if (file->fd == NGX_INVALID_FILE || !file->record->sync) {
        return NGX_OK;
    }

    if (file->broken) {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "flowdash: \"%V\" could not be synced before",
                      &file->path);
        return NGX_ERROR;
    }

    file->handler = handler;
    file->data = data;

    if (ngx_http_flowdash_outbox_file_post(file,
                                         ngx_http_flowdash_outbox_file_sync,
                                         ngx_http_flowdash_outbox_file_synced)
        != NGX_OK)
    {
        ngx_http_flowdash_outbox_file_broken(file, 0, "a thread for fsync()",
                                             log);
        return NGX_ERROR;
    }

    return NGX_AGAIN;

#else

    return NGX_OK;

#endif
}


#if (NGX_THREADS)

/* one task serves all that is done with a file, one after the other */

static ngx_int_t
ngx_http_flowdash_outbox_file_post(ngx_http_flowdash_outbox_file_t *file,
    void (*thread)(void *data, ngx_log_t *log), ngx_event_handler_pt handler)
{
    ngx_thread_task_t                *task;
    ngx_http_flowdash_outbox_task_t  *context;

    task = file->task;

    if (task == NULL) {
        task = ngx_thread_task_alloc(file->record->pool,
                                     sizeof(ngx_http_flowdash_outbox_task_t));
        if (task == NULL) {
            return NGX_ERROR;
        }

        file->task = task;
    }

    context = task->ctx;
    context->file = file;
    context->dir = file->synced ? NGX_INVALID_FILE
                                : ngx_http_flowdash_outbox.now;

    task->handler = thread;
    task->event.handler = handler;
    task->event.data = context;
    task->event.log = ngx_cycle->log;
    task->event.complete = 0;

    return ngx_thread_task_post(ngx_http_flowdash_outbox.conf.threads, task);
}


/* runs in a thread: the worker does not change what it reads */

static void
ngx_http_flowdash_outbox_file_sync(void *data, ngx_log_t *log)
{
    ngx_http_flowdash_outbox_task_t *task = data;

    task->err = 0;

    /*
     * A new file needs its name as well.  Later, the times of the file are
     * nothing to wait for: its size does not change.
     */

    if (task->dir == NGX_INVALID_FILE) {

        if (fdatasync(task->file->fd) == -1) {
            task->err = ngx_errno;
        }

        return;
    }

    if (fsync(task->file->fd) == -1 || fsync(task->dir) == -1) {
        task->err = ngx_errno;
    }
}


static void
ngx_http_flowdash_outbox_file_synced(ngx_event_t *ev)
{
    ngx_int_t                         rc;
    ngx_http_flowdash_outbox_file_t  *file;
    ngx_http_flowdash_outbox_task_t  *task;

    task = ev->data;
    file = task->file;

    rc = NGX_OK;

    if (task->err == 0) {
        file->synced = 1;

    } else {

        /* the kernel has dropped what it could not write: see fsync(2) */

        file->broken = 1;
        rc = NGX_ERROR;

        ngx_http_flowdash_outbox_file_broken(file, task->err, "fsync()",
                                             ev->log);
    }

    file->handler(file, rc);
}


static void
ngx_http_flowdash_outbox_file_remove(void *data, ngx_log_t *log)
{
    ngx_http_flowdash_outbox_task_t *task = data;

    task->err = 0;

    if (ngx_delete_file(task->file->path.data) == NGX_FILE_ERROR) {
        task->err = ngx_errno;
    }

    /* its space is freed when it has no name and is not open */

    (void) ngx_close_file(task->file->fd);
}


static void
ngx_http_flowdash_outbox_file_removed(ngx_event_t *ev)
{
    ngx_http_flowdash_outbox_task_t  *task;

    task = ev->data;
    task->file->fd = NGX_INVALID_FILE;

    ngx_http_flowdash_outbox_file_gone(task->file, task->err, ev->log);
}

#endif


void
ngx_http_flowdash_outbox_remove(ngx_http_flowdash_outbox_file_t *file,
    ngx_log_t *log)
{
    ngx_err_t  err;

    if (file->fd == NGX_INVALID_FILE) {
        ngx_http_flowdash_outbox_dir_close(file, log);
        return;
    }

#if (NGX_THREADS)

    /* nobody would see the end of a task when the worker ends */

    if (ngx_http_flowdash_outbox.conf.threads && !ngx_exiting
        && !ngx_terminate
        && ngx_http_flowdash_outbox_file_post(file,
                                       ngx_http_flowdash_outbox_file_remove,
                                       ngx_http_flowdash_outbox_file_removed)
           == NGX_OK)
    {
        return;
    }

#endif

    err = 0;

    if (ngx_delete_file(file->path.data) == NGX_FILE_ERROR) {
        err = ngx_errno;
    }

    ngx_http_flowdash_outbox_file_gone(file, err, log);
}


static void
ngx_http_flowdash_outbox_file_gone(ngx_http_flowdash_outbox_file_t *file,
    ngx_err_t err, ngx_log_t *log)
{
    if (err && err != NGX_ENOENT) {

        /* it is read again, so the last call may be made again with its key */

        ngx_log_error(NGX_LOG_CRIT, log, err,
                      "flowdash: " ngx_delete_file_n " \"%V\" failed",
                      &file->path);

    } else {
        ngx_http_flowdash_outbox_file_sized(file, 0);
    }

    ngx_http_flowdash_outbox_dir_close(file, log);
}
