
/*
 * Takes what is nobody's: the directories of workers that have died, what
 * others have given away, and what a person has moved.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox_group.h>
#include <ngx_http_flowdash_outbox_load.h>
#include <ngx_http_flowdash_outbox_due.h>
#include <ngx_http_flowdash_outbox_take.h>

#include <sys/file.h>


#define NGX_HTTP_FLOWDASH_OUTBOX_TAKE_LOOK    3000   /* ms */
#define NGX_HTTP_FLOWDASH_OUTBOX_TAKE_JITTER  1000

/* a directory that gets no lock for so long was left by a dead worker, in s */

#define NGX_HTTP_FLOWDASH_OUTBOX_TAKE_NEW     600

/* a directory without a lock is complained about that often, in s */

#define NGX_HTTP_FLOWDASH_OUTBOX_TAKE_TELL    3600


#define ngx_http_flowdash_outbox_take_is_new(name)                            \
    (ngx_strncmp(name, "new-", sizeof("new-") - 1) == 0)


static void ngx_http_flowdash_outbox_take_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_flowdash_outbox_take_next(ngx_log_t *log);
static void ngx_http_flowdash_outbox_take_worker(u_char *name,
    ngx_log_t *log);
static void ngx_http_flowdash_outbox_take_unlocked(u_char *path,
    ngx_log_t *log);
static ngx_fd_t ngx_http_flowdash_outbox_take_lock(u_char *path,
    ngx_log_t *log);
static ngx_uint_t ngx_http_flowdash_outbox_take_is_other(u_char *name,
    ngx_str_t *path);
static ngx_int_t ngx_http_flowdash_outbox_take_remove_new(ngx_str_t *path);
static void ngx_http_flowdash_outbox_take_part(ngx_log_t *log);
static void ngx_http_flowdash_outbox_take_end(ngx_log_t *log);
static ngx_int_t ngx_http_flowdash_outbox_take_group(u_char *path,
    u_char *name, ngx_log_t *log);
static void ngx_http_flowdash_outbox_take_moved(u_char *name, const char *dir,
    ngx_log_t *log);


static struct {
    ngx_event_t                          event;
    ngx_connection_t                     dummy;     /* for nginx's debug log */

    ngx_uint_t                           place;     /* that is looked at */
    ngx_uint_t                           open;      /* unsigned  open:1; */
    ngx_dir_t                            dir;       /* of it */

    ngx_fd_t                             lock;      /* of a dead worker */
    u_char                               dead[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_dir_t                            dead_dir;
    ngx_uint_t                           left;      /* what cannot be moved */
    time_t                               told;
} ngx_http_flowdash_outbox_take = { .lock = NGX_INVALID_FILE };


/* the outbox itself, and what lies in it */

static const char  *ngx_http_flowdash_outbox_take_places[] = {
    "", "waiting", "undo", "after", NULL
};


void
ngx_http_flowdash_outbox_take_init(ngx_log_t *log)
{
    ngx_event_t  *ev;

    ngx_http_flowdash_outbox_take.dummy.fd = (ngx_socket_t) -1;

    ev = &ngx_http_flowdash_outbox_take.event;

    ev->handler = ngx_http_flowdash_outbox_take_handler;
    ev->data = &ngx_http_flowdash_outbox_take.dummy;
    ev->log = log;
    ev->cancelable = 1;

    ngx_add_timer(ev, 1 + ngx_random() % 100);
}


void
ngx_http_flowdash_outbox_take_exit(ngx_log_t *log)
{
    ngx_event_t  *ev;

    ev = &ngx_http_flowdash_outbox_take.event;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (ev->posted) {
        ngx_delete_posted_event(ev);
    }

    if (ngx_http_flowdash_outbox_take.open) {
        (void) ngx_close_dir(&ngx_http_flowdash_outbox_take.dir);
        ngx_http_flowdash_outbox_take.open = 0;
    }

    ngx_http_flowdash_outbox_take.place = 0;

    if (ngx_http_flowdash_outbox_take.lock != NGX_INVALID_FILE) {
        ngx_http_flowdash_outbox_take.left = 1;
        ngx_http_flowdash_outbox_take_end(log);
    }

    ngx_http_flowdash_outbox.exiting = 1;

    ngx_http_flowdash_outbox_due_exit();
    ngx_http_flowdash_outbox_group_release(log);
}


static void
ngx_http_flowdash_outbox_take_handler(ngx_event_t *ev)
{
    uint64_t  end;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        ngx_http_flowdash_outbox_take_exit(ev->log);
        return;
    }

    end = ngx_http_flowdash_outbox_due_time() + NGX_HTTP_FLOWDASH_OUTBOX_TURN;

    if (ngx_http_flowdash_outbox.own.len
        || ngx_http_flowdash_outbox_own_init(ev->log) == NGX_OK)
    {
        ngx_http_flowdash_outbox_group_look(ev->log);

        while (ngx_http_flowdash_outbox_take_next(ev->log) == NGX_OK) {

            if (ngx_http_flowdash_outbox_due_time() >= end) {
                ngx_post_event(ev, &ngx_posted_next_events);
                return;
            }
        }
    }

    ngx_add_timer(ev, NGX_HTTP_FLOWDASH_OUTBOX_TAKE_LOOK
                      + ngx_random() % NGX_HTTP_FLOWDASH_OUTBOX_TAKE_JITTER);
}


/* returns NGX_OK, or NGX_DONE after the last place */

static ngx_int_t
ngx_http_flowdash_outbox_take_next(ngx_log_t *log)
{
    u_char      *name, path[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_str_t    s;
    const char  *place;

    if (ngx_http_flowdash_outbox_take.lock != NGX_INVALID_FILE) {
        ngx_http_flowdash_outbox_take_part(log);
        return NGX_OK;
    }

    place = ngx_http_flowdash_outbox_take_places[
                                         ngx_http_flowdash_outbox_take.place];

    if (place == NULL) {
        ngx_http_flowdash_outbox_take.place = 0;
        return NGX_DONE;
    }

    if (!ngx_http_flowdash_outbox_take.open) {
        s.data = path;
        s.len = ngx_sprintf(path, "%V/%s%Z",
                            &ngx_http_flowdash_outbox.conf.path, place)
                - path - 1;

        if (ngx_open_dir(&s, &ngx_http_flowdash_outbox_take.dir)
            == NGX_ERROR)
        {
            if (ngx_errno != NGX_ENOENT) {
                ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                              "flowdash: " ngx_open_dir_n " \"%s\" failed",
                              path);
            }

            ngx_http_flowdash_outbox_take.place++;
            return NGX_OK;
        }

        ngx_http_flowdash_outbox_take.open = 1;
    }

    if (ngx_read_dir(&ngx_http_flowdash_outbox_take.dir) != NGX_OK) {
        (void) ngx_close_dir(&ngx_http_flowdash_outbox_take.dir);
        ngx_http_flowdash_outbox_take.open = 0;
        ngx_http_flowdash_outbox_take.place++;
        return NGX_OK;
    }

    name = ngx_de_name(&ngx_http_flowdash_outbox_take.dir);

    if (name[0] == '.') {
        return NGX_OK;
    }

    if (ngx_http_flowdash_outbox_take.place == 0) {
        ngx_http_flowdash_outbox_take_worker(name, log);

    } else {
        ngx_http_flowdash_outbox_take_moved(name, place, log);
    }

    return NGX_OK;
}


static void
ngx_http_flowdash_outbox_take_worker(u_char *name, ngx_log_t *log)
{
    ngx_fd_t   fd;
    ngx_str_t  path;

    path.data = ngx_http_flowdash_outbox_take.dead;

    if (!ngx_http_flowdash_outbox_take_is_other(name, &path)
        || (ngx_http_flowdash_outbox_take_is_new(name)
            && ngx_http_flowdash_outbox_take_remove_new(&path) == NGX_OK))
    {
        return;
    }

    fd = ngx_http_flowdash_outbox_take_lock(path.data, log);

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    /* it may be gone: another worker had the lock while this one opened it */

    if (ngx_open_dir(&path, &ngx_http_flowdash_outbox_take.dead_dir)
        == NGX_ERROR)
    {
        (void) ngx_close_file(fd);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "flowdash: takes over \"%V\", whose worker has ended",
                  &path);

    ngx_http_flowdash_outbox_take.lock = fd;
    ngx_http_flowdash_outbox_take.left = 0;
}


/*
 * Tells whether an entry of the outbox is the directory of another worker,
 * which is dead if its lock can be had, and sets its path.
 */

static ngx_uint_t
ngx_http_flowdash_outbox_take_is_other(u_char *name, ngx_str_t *path)
{
    size_t      len;
    ngx_uint_t  fresh;

    fresh = ngx_http_flowdash_outbox_take_is_new(name);

    len = (fresh ? sizeof("new-") : sizeof("worker-")) - 1 + 32;

    if (ngx_strlen(name) != len
        || (!fresh && ngx_strncmp(name, "worker-", sizeof("worker-") - 1) != 0)
        || ngx_strncmp(ngx_http_flowdash_outbox.own.data
                       + ngx_http_flowdash_outbox.own.len - len, name, len)
           == 0)
    {
        return 0;
    }

    path->len = ngx_sprintf(path->data, "%V/%s%Z",
                            &ngx_http_flowdash_outbox.conf.path, name)
                - path->data - 1;

    return 1;
}


/*
 * A worker names its directory when it has the lock, and before it puts
 * records there; but that name may be lost with the machine's power.  Removes
 * an old directory without a name, unless there are files in it.  Returns
 * NGX_DECLINED if there are, or NGX_OK.
 */

static ngx_int_t
ngx_http_flowdash_outbox_take_remove_new(ngx_str_t *path)
{
    ngx_file_info_t  fi;

    if (ngx_link_info(path->data, &fi) == NGX_FILE_ERROR
        || !ngx_is_dir(&fi)
        || ngx_file_mtime(&fi)
           > ngx_time() - NGX_HTTP_FLOWDASH_OUTBOX_TAKE_NEW)
    {
        return NGX_OK;
    }

    return (ngx_delete_dir(path->data) == NGX_FILE_ERROR) ? NGX_DECLINED
                                                          : NGX_OK;
}


/* returns NGX_INVALID_FILE if somebody has the lock, or on error */

static ngx_fd_t
ngx_http_flowdash_outbox_take_lock(u_char *path, ngx_log_t *log)
{
    u_char           lock[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_fd_t         fd;
    ngx_err_t        err;

    ngx_sprintf(lock, "%s/lock%Z", path);

    fd = open((const char *) lock,
              O_RDWR|O_NOFOLLOW|O_NONBLOCK|O_NOCTTY|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        if (err == NGX_ENOENT) {
            ngx_http_flowdash_outbox_take_unlocked(path, log);

        } else {
            ngx_log_error(NGX_LOG_ERR, log, err,
                          "flowdash: " ngx_open_file_n " \"%s\" failed", lock);
        }

        return NGX_INVALID_FILE;
    }

    if (flock(fd, LOCK_EX|LOCK_NB) == -1) {
        err = ngx_errno;

        if (err != EWOULDBLOCK) {
            ngx_log_error(NGX_LOG_ERR, log, err,
                          "flowdash: flock() of \"%s\" failed", lock);
        }

        (void) ngx_close_file(fd);
        return NGX_INVALID_FILE;
    }

    return fd;
}


/* a worker may have died between its last two steps, or a person was here */

static void
ngx_http_flowdash_outbox_take_unlocked(u_char *path, ngx_log_t *log)
{
    ngx_file_info_t  fi;

    if (ngx_delete_dir(path) != NGX_FILE_ERROR
        || ngx_link_info(path, &fi) == NGX_FILE_ERROR
        || ngx_http_flowdash_outbox_take.told
           > ngx_time() - NGX_HTTP_FLOWDASH_OUTBOX_TAKE_TELL)
    {
        return;
    }

    ngx_http_flowdash_outbox_take.told = ngx_time();

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "flowdash: \"%s\" has no \"lock\", so whether a worker uses "
                  "it cannot be told; move the files in it to \"waiting\" "
                  "when nginx is stopped", path);
}


/* the next directory of a worker whose lock this one has */

static void
ngx_http_flowdash_outbox_take_part(ngx_log_t *log)
{
    u_char  *name, path[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
             group[NGX_HTTP_FLOWDASH_OUTBOX_NAME];

    if (ngx_read_dir(&ngx_http_flowdash_outbox_take.dead_dir) != NGX_OK) {
        ngx_http_flowdash_outbox_take_end(log);
        return;
    }

    name = ngx_de_name(&ngx_http_flowdash_outbox_take.dead_dir);

    if (name[0] == '.' || ngx_strcmp(name, "lock") == 0) {
        return;
    }

    *ngx_snprintf(path, sizeof(path) - 1, "%s/%s",
                  ngx_http_flowdash_outbox_take.dead, name) = '\0';

    /* what ran, or was sent, is judged like all that is due */

    if (ngx_strcmp(name, "now") == 0 || ngx_strcmp(name, "sending") == 0) {

        if (ngx_delete_dir(path) != NGX_FILE_ERROR) {
            return;
        }

        ngx_sprintf(group, "0%Z");

    } else {
        ngx_cpystrn(group, name, sizeof(group));
    }

    if (ngx_http_flowdash_outbox_take_group(path, group, log) != NGX_OK) {
        ngx_http_flowdash_outbox_take.left = 1;
    }
}


static void
ngx_http_flowdash_outbox_take_end(ngx_log_t *log)
{
    (void) ngx_close_dir(&ngx_http_flowdash_outbox_take.dead_dir);

    if (!ngx_http_flowdash_outbox_take.left
        && ngx_http_flowdash_outbox_own_remove(
                                            ngx_http_flowdash_outbox_take.dead)
           != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "flowdash: \"%s\" cannot be removed",
                      ngx_http_flowdash_outbox_take.dead);
    }

    (void) ngx_close_file(ngx_http_flowdash_outbox_take.lock);
    ngx_http_flowdash_outbox_take.lock = NGX_INVALID_FILE;
}


/* makes a directory one of the own groups; returns NGX_OK or NGX_ERROR */

static ngx_int_t
ngx_http_flowdash_outbox_take_group(u_char *path, u_char *name, ngx_log_t *log)
{
    time_t                            due;
    u_char                            to[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                                      own[NGX_HTTP_FLOWDASH_OUTBOX_NAME];
    ngx_int_t                         rc;
    ngx_file_info_t                   fi;
    ngx_http_flowdash_outbox_kind_e   kind;

    if (ngx_link_info(path, &fi) == NGX_FILE_ERROR) {
        return NGX_OK;
    }

    if (!ngx_is_dir(&fi)
        || ngx_http_flowdash_outbox_group_name(name, &kind, &due) != NGX_OK)
    {
        return ngx_http_flowdash_outbox_load_bury(path, name,
                                  "it is not a directory of records", log);
    }

    ngx_http_flowdash_outbox_group_rename(name, own);

    rc = ngx_http_flowdash_outbox_dir_rename(path, ".", 0, own, to, log);

    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? NGX_OK : NGX_ERROR;
    }

    (void) ngx_http_flowdash_outbox_group_add(own, 0, log);

    return NGX_OK;
}


/* a file in a directory of all workers, or a group that another gave away */

static void
ngx_http_flowdash_outbox_take_moved(u_char *entry, const char *dir,
    ngx_log_t *log)
{
    u_char           path[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                     to[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                     name[NGX_HTTP_FLOWDASH_OUTBOX_NAME];
    const char      *group;
    ngx_file_info_t  fi;

    *ngx_snprintf(path, sizeof(path) - 1, "%V/%s/%s",
                  &ngx_http_flowdash_outbox.conf.path, dir, entry) = '\0';

    if (ngx_link_info(path, &fi) == NGX_FILE_ERROR) {
        return;
    }

    group = dir;

    if (ngx_strcmp(dir, "waiting") == 0) {

        if (ngx_is_dir(&fi)) {
            ngx_cpystrn(name, entry, sizeof(name));
            (void) ngx_http_flowdash_outbox_take_group(path, name, log);
            return;
        }

        group = "again";
    }

    if (!ngx_is_file(&fi)
        || !ngx_http_flowdash_outbox_dir_name(entry, ngx_strlen(entry)))
    {
        (void) ngx_http_flowdash_outbox_load_bury(path, entry,
                                              "it is not a record", log);
        return;
    }

    ngx_cpystrn(name, entry, sizeof(name));

    if (ngx_http_flowdash_outbox_dir_rename(path, group, 0, name, to, log)
        == NGX_OK)
    {
        ngx_sprintf(name, "%s%Z", group);
        (void) ngx_http_flowdash_outbox_group_add(name, 0, log);
    }
}
