
/*
 * Where a record waits: for its next try, or for a person.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox_group.h>
#include <ngx_http_flowdash_outbox_memory.h>
#include <ngx_http_flowdash_outbox_later.h>


static void ngx_http_flowdash_outbox_later_move(
    ngx_http_flowdash_outbox_file_t *file, time_t delay, ngx_log_t *log);
static void ngx_http_flowdash_outbox_later_handler(ngx_event_t *ev);


static ngx_connection_t  ngx_http_flowdash_outbox_later_dummy;


void
ngx_http_flowdash_outbox_postpone(ngx_http_flowdash_outbox_file_t *file,
    time_t delay, ngx_log_t *log)
{
    delay = ngx_max(delay, 1);
    delay = ngx_min(delay, NGX_HTTP_FLOWDASH_OUTBOX_LATEST
                           - NGX_HTTP_FLOWDASH_OUTBOX_ROUND);

    if (file->fd == NGX_INVALID_FILE) {
        ngx_http_flowdash_outbox_memory_add(file, delay, log);
        return;
    }

    file->aside = 0;

    ngx_http_flowdash_outbox_later_move(file, delay, log);
}


void
ngx_http_flowdash_outbox_set_aside(ngx_http_flowdash_outbox_file_t *file,
    ngx_uint_t dead, ngx_log_t *log)
{
    if (file->fd == NGX_INVALID_FILE) {
        ngx_http_flowdash_outbox_dir_close(file, log);
        return;
    }

    file->aside = 1;
    file->dead = dead ? 1 : 0;

    ngx_http_flowdash_outbox_later_move(file, 0, log);
}


static void
ngx_http_flowdash_outbox_later_move(ngx_http_flowdash_outbox_file_t *file,
    time_t delay, ngx_log_t *log)
{
    time_t       due;
    u_char       dir[NGX_HTTP_FLOWDASH_OUTBOX_NAME];
    ngx_int_t    rc;
    ngx_uint_t   exiting;

    exiting = ngx_http_flowdash_outbox.exiting || ngx_exiting;

    if (file->aside) {
        ngx_sprintf(dir, "%s%Z", file->dead ? "dead" : "unknown");

    } else {
        due = ngx_time() + delay + NGX_HTTP_FLOWDASH_OUTBOX_ROUND - 1;
        due -= due % NGX_HTTP_FLOWDASH_OUTBOX_ROUND;

        ngx_sprintf(dir, "%s%T%Z", exiting ? "waiting/" : "", due);
    }

    ngx_http_flowdash_outbox_later_trim(file, log);

    rc = ngx_http_flowdash_outbox_dir_move(file, (const char *) dir,
                                           file->aside || exiting, log);

    if (rc == NGX_ERROR && !exiting) {

        /* the disk is full, perhaps; the file stays where it is */

        ngx_http_flowdash_outbox_later_dummy.fd = (ngx_socket_t) -1;

        file->event.handler = ngx_http_flowdash_outbox_later_handler;
        file->event.data = &ngx_http_flowdash_outbox_later_dummy;
        file->event.log = ngx_cycle->log;
        file->event.cancelable = 1;

        ngx_add_timer(&file->event, NGX_HTTP_FLOWDASH_OUTBOX_ROUND * 1000);
        return;
    }

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "flowdash: somebody has removed \"%V\" from the outbox",
                      &file->path);

        ngx_http_flowdash_outbox_dir_grow(-file->reserved);
    }

    if (rc == NGX_OK && !file->aside && !exiting
        && ngx_http_flowdash_outbox_group_add(dir, 0, log) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "flowdash: \"%V\" waits until the worker has memory",
                      &file->path);
    }

    ngx_http_flowdash_outbox_dir_close(file, log);
}


static void
ngx_http_flowdash_outbox_later_handler(ngx_event_t *ev)
{
    ngx_http_flowdash_outbox_file_t  *file;

    file = (ngx_http_flowdash_outbox_file_t *)
               ((u_char *) ev
                - offsetof(ngx_http_flowdash_outbox_file_t, event));

    ngx_http_flowdash_outbox_later_move(file, 1, ngx_cycle->log);
}


void
ngx_http_flowdash_outbox_later_trim(ngx_http_flowdash_outbox_file_t *file,
    ngx_log_t *log)
{
    off_t   size;
    u_char  next;

    /* a file that ends with its last line was cut */

    size = file->offset + 1;

    if (file->reserved <= size) {
        return;
    }

    /* a part of a line, which the next one replaces, needs the space, too */

    if (pread(file->fd, &next, 1, file->offset) != 1 || next != '\0') {
        return;
    }

    if (ftruncate(file->fd, size) == -1) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "flowdash: ftruncate() of \"%V\" failed", &file->path);
        return;
    }

    ngx_http_flowdash_outbox_dir_grow(size - file->reserved);
    file->reserved = size;
}
