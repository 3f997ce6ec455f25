
/*
 * Sends the records of the groups that are due, a few in each turn of the
 * event loop.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox_group.h>
#include <ngx_http_flowdash_outbox_load.h>
#include <ngx_http_flowdash_outbox_due.h>


/* the clock may be set: it is looked at that often, in seconds */

#define NGX_HTTP_FLOWDASH_OUTBOX_DUE_LOOK   10


static void ngx_http_flowdash_outbox_due_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_flowdash_outbox_due_next(ngx_log_t *log);
static ngx_int_t ngx_http_flowdash_outbox_due_open(ngx_log_t *log);
static void ngx_http_flowdash_outbox_due_close(ngx_log_t *log);


static struct {
    ngx_http_flowdash_outbox_group_t    *group;     /* or NULL */
    ngx_dir_t                            dir;       /* of it */
    ngx_connection_t                     dummy;     /* for nginx's debug log */
} ngx_http_flowdash_outbox_due;


void
ngx_http_flowdash_outbox_due_init(ngx_log_t *log)
{
    ngx_event_t  *ev;

    ngx_http_flowdash_outbox_due.dummy.fd = (ngx_socket_t) -1;

    ev = &ngx_http_flowdash_outbox.work;

    ev->handler = ngx_http_flowdash_outbox_due_handler;
    ev->data = &ngx_http_flowdash_outbox_due.dummy;
    ev->log = log;
    ev->cancelable = 1;
}


void
ngx_http_flowdash_outbox_due_exit(void)
{
    ngx_event_t  *ev;

    ev = &ngx_http_flowdash_outbox.work;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (ev->posted) {
        ngx_delete_posted_event(ev);
    }

    if (ngx_http_flowdash_outbox_due.group) {
        (void) ngx_close_dir(&ngx_http_flowdash_outbox_due.dir);
        ngx_http_flowdash_outbox_due.group = NULL;
    }
}


static void
ngx_http_flowdash_outbox_due_handler(ngx_event_t *ev)
{
    time_t                             delay;
    uint64_t                           end;
    ngx_http_flowdash_outbox_group_t  *group;

    if (ngx_http_flowdash_outbox.exiting) {
        return;
    }

    end = ngx_http_flowdash_outbox_due_time() + NGX_HTTP_FLOWDASH_OUTBOX_TURN;

    while (ngx_http_flowdash_outbox.out < NGX_HTTP_FLOWDASH_OUTBOX_OUT_MAX) {

        if (ngx_http_flowdash_outbox_due_next(ev->log) != NGX_OK) {
            break;
        }

        if (ngx_http_flowdash_outbox_due_time() >= end) {
            ngx_post_event(ev, &ngx_posted_next_events);
            return;
        }
    }

    /* otherwise, the event is posted when one of them is given back */

    if (ngx_http_flowdash_outbox.out < NGX_HTTP_FLOWDASH_OUTBOX_OUT_MAX) {
        group = ngx_http_flowdash_outbox_group_first();

        if (group) {
            delay = ngx_http_flowdash_outbox_group_delay(group);
            delay = ngx_max(delay, 1);
            delay = ngx_min(delay, NGX_HTTP_FLOWDASH_OUTBOX_DUE_LOOK);

            ngx_add_timer(ev, (ngx_msec_t) delay * 1000);
        }
    }
}


/* returns NGX_OK, or NGX_DONE if nothing is due */

static ngx_int_t
ngx_http_flowdash_outbox_due_next(ngx_log_t *log)
{
    u_char     *name, path[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                buf[NGX_HTTP_FLOWDASH_OUTBOX_NAME];
    ngx_int_t   rc;

    if (ngx_http_flowdash_outbox_due.group == NULL) {
        rc = ngx_http_flowdash_outbox_due_open(log);

        if (rc != NGX_OK) {
            return (rc == NGX_DECLINED) ? NGX_OK : NGX_DONE;
        }
    }

    if (ngx_read_dir(&ngx_http_flowdash_outbox_due.dir) != NGX_OK) {
        ngx_http_flowdash_outbox_due_close(log);
        return NGX_OK;
    }

    name = ngx_de_name(&ngx_http_flowdash_outbox_due.dir);

    if (ngx_strcmp(name, ".") == 0 || ngx_strcmp(name, "..") == 0) {
        return NGX_OK;
    }

    ngx_snprintf(path, sizeof(path) - 1, "%V/%s/%s%Z",
                 &ngx_http_flowdash_outbox.own,
                 ngx_http_flowdash_outbox_due.group->name, name);
    path[sizeof(path) - 1] = '\0';

    if (ngx_http_flowdash_outbox_dir_name(name, ngx_strlen(name))) {
        ngx_memcpy(buf, name, ngx_strlen(name) + 1);

        ngx_http_flowdash_outbox_load(path, buf,
                             ngx_http_flowdash_outbox_due.group->kind, log);

    } else {
        (void) ngx_http_flowdash_outbox_load_bury(path, name,
                                   "it has a name that no record has", log);
    }

    return NGX_OK;
}


/* returns NGX_OK, NGX_DONE if no group is due, or NGX_DECLINED */

static ngx_int_t
ngx_http_flowdash_outbox_due_open(ngx_log_t *log)
{
    u_char                             path[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_err_t                          err;
    ngx_str_t                          name;
    ngx_http_flowdash_outbox_group_t  *group;

    group = ngx_http_flowdash_outbox_group_first();

    if (group == NULL || ngx_http_flowdash_outbox_group_delay(group)) {
        return NGX_DONE;
    }

    name.data = path;
    name.len = ngx_sprintf(path, "%V/%s%Z", &ngx_http_flowdash_outbox.own,
                           group->name)
               - path - 1;

    if (ngx_open_dir(&name, &ngx_http_flowdash_outbox_due.dir) == NGX_OK) {
        ngx_http_flowdash_outbox_due.group = group;
        return NGX_OK;
    }

    err = ngx_errno;

    if (err == NGX_EMFILE || err == NGX_ENFILE || err == NGX_ENOMEM) {
        return NGX_DONE;
    }

    if (err != NGX_ENOENT) {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      "flowdash: " ngx_open_dir_n " \"%s\" failed", path);
    }

    ngx_http_flowdash_outbox_group_remove(group);

    return NGX_DECLINED;
}


/* all that was in it has been moved, unless that has failed, or more came */

static void
ngx_http_flowdash_outbox_due_close(ngx_log_t *log)
{
    u_char                             path[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                                       name[NGX_HTTP_FLOWDASH_OUTBOX_NAME];
    ngx_uint_t                         left;
    ngx_http_flowdash_outbox_group_t  *group;

    (void) ngx_close_dir(&ngx_http_flowdash_outbox_due.dir);

    group = ngx_http_flowdash_outbox_due.group;
    ngx_http_flowdash_outbox_due.group = NULL;

    ngx_sprintf(path, "%V/%s%Z", &ngx_http_flowdash_outbox.own, group->name);

    left = (ngx_delete_dir(path) == NGX_FILE_ERROR && ngx_errno != NGX_ENOENT);

    ngx_memcpy(name, group->name, ngx_strlen(group->name) + 1);

    ngx_http_flowdash_outbox_group_remove(group);

    if (left) {
        (void) ngx_http_flowdash_outbox_group_add(name,
                        ngx_time() + NGX_HTTP_FLOWDASH_OUTBOX_ROUND, log);
    }
}


uint64_t
ngx_http_flowdash_outbox_due_time(void)
{
    struct timespec  ts;

    if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1) {
        return 0;
    }

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
