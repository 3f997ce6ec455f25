
/*
 * How many records are in the outbox, and how large they are.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox_due.h>
#include <ngx_http_flowdash_outbox_count.h>

#include <sys/file.h>


#define NGX_HTTP_FLOWDASH_OUTBOX_COUNT_LOOK   5000   /* ms */

/* from one scan to the next, in seconds; or so many times as it took */

#define NGX_HTTP_FLOWDASH_OUTBOX_COUNT_SCAN   9
#define NGX_HTTP_FLOWDASH_OUTBOX_COUNT_SHARE  50

/* a scan goes so deep: path, worker's directory, group */

#define NGX_HTTP_FLOWDASH_OUTBOX_COUNT_DEPTH  3

#define NGX_HTTP_FLOWDASH_OUTBOX_COUNT_LINE   192


typedef enum {
    NGX_HTTP_FLOWDASH_OUTBOX_COUNT_OTHER = 0,     /* not counted */
    NGX_HTTP_FLOWDASH_OUTBOX_COUNT_PATH,
    NGX_HTTP_FLOWDASH_OUTBOX_COUNT_WORKER,
    NGX_HTTP_FLOWDASH_OUTBOX_COUNT_NOW,           /* only their size */
    NGX_HTTP_FLOWDASH_OUTBOX_COUNT_WAITING,
    NGX_HTTP_FLOWDASH_OUTBOX_COUNT_UNKNOWN,
    NGX_HTTP_FLOWDASH_OUTBOX_COUNT_DEAD
} ngx_http_flowdash_outbox_count_e;


typedef struct {
    ngx_http_flowdash_outbox_count_e     what;
    ngx_str_t                            path;
    ngx_dir_t                            dir;
    u_char                               buf[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
} ngx_http_flowdash_outbox_count_level_t;


/* in the order in which "scan.lock" has them */

typedef struct {
    ngx_uint_t                           waiting;
    ngx_uint_t                           unknown;
    ngx_uint_t                           dead;
    ngx_uint_t                           oldest;
    ngx_uint_t                           size;
    ngx_uint_t                           scanned;
    ngx_uint_t                           next;      /* scan, since 1970 */
} ngx_http_flowdash_outbox_count_t;


static void ngx_http_flowdash_outbox_count_handler(ngx_event_t *ev);
static ngx_fd_t ngx_http_flowdash_outbox_count_open(ngx_log_t *log);
static ngx_int_t ngx_http_flowdash_outbox_count_read(ngx_fd_t fd,
    ngx_http_flowdash_outbox_count_t *count);
static void ngx_http_flowdash_outbox_count_set(
    ngx_http_flowdash_outbox_count_t *count);
static ngx_int_t ngx_http_flowdash_outbox_count_descend(u_char *name,
    ngx_http_flowdash_outbox_count_e what, ngx_log_t *log);
static ngx_int_t ngx_http_flowdash_outbox_count_next(ngx_log_t *log);
static ngx_http_flowdash_outbox_count_e ngx_http_flowdash_outbox_count_what(
    ngx_http_flowdash_outbox_count_e what, u_char *name);
static void ngx_http_flowdash_outbox_count_file(
    ngx_http_flowdash_outbox_count_e what, struct stat *st);
static void ngx_http_flowdash_outbox_count_end(ngx_log_t *log);


static struct {
    ngx_event_t                          event;
    ngx_connection_t                     dummy;     /* for nginx's debug log */
    ngx_fd_t                             lock;      /* while it scans */
    uint64_t                             spent;     /* us */
    ngx_http_flowdash_outbox_count_t     count;
    ngx_uint_t                           depth;
    ngx_http_flowdash_outbox_count_level_t
                              levels[NGX_HTTP_FLOWDASH_OUTBOX_COUNT_DEPTH];
} ngx_http_flowdash_outbox_count = { .lock = NGX_INVALID_FILE };


void
ngx_http_flowdash_outbox_count_init(ngx_log_t *log)
{
    ngx_event_t  *ev;

    ngx_http_flowdash_outbox_count.dummy.fd = (ngx_socket_t) -1;

    ev = &ngx_http_flowdash_outbox_count.event;

    ev->handler = ngx_http_flowdash_outbox_count_handler;
    ev->data = &ngx_http_flowdash_outbox_count.dummy;
    ev->log = log;
    ev->cancelable = 1;

    ngx_add_timer(ev, 1 + ngx_random() % 1000);
}


void
ngx_http_flowdash_outbox_count_exit(void)
{
    ngx_event_t  *ev;

    ev = &ngx_http_flowdash_outbox_count.event;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (ev->posted) {
        ngx_delete_posted_event(ev);
    }

    while (ngx_http_flowdash_outbox_count.depth) {
        ngx_http_flowdash_outbox_count.depth--;
        (void) ngx_close_dir(&ngx_http_flowdash_outbox_count.levels[
                                ngx_http_flowdash_outbox_count.depth].dir);
    }

    if (ngx_http_flowdash_outbox_count.lock != NGX_INVALID_FILE) {
        (void) ngx_close_file(ngx_http_flowdash_outbox_count.lock);
        ngx_http_flowdash_outbox_count.lock = NGX_INVALID_FILE;
    }
}


static void
ngx_http_flowdash_outbox_count_handler(ngx_event_t *ev)
{
    uint64_t                           start, now;
    ngx_fd_t                           fd;
    ngx_http_flowdash_outbox_count_t   count;

    start = ngx_http_flowdash_outbox_due_time();

    if (ngx_http_flowdash_outbox_count.lock == NGX_INVALID_FILE) {

        fd = ngx_http_flowdash_outbox_count_open(ev->log);

        if (fd == NGX_INVALID_FILE) {
            goto later;
        }

        if (ngx_http_flowdash_outbox_count_read(fd, &count) == NGX_OK) {

            ngx_http_flowdash_outbox_count_set(&count);

            /* the clock may have been set back */

            if (count.next > (ngx_uint_t) ngx_time()
                && count.scanned <= (ngx_uint_t) ngx_time())
            {
                (void) ngx_close_file(fd);
                goto later;
            }
        }

        if (ngx_exiting || flock(fd, LOCK_EX|LOCK_NB) == -1) {
            (void) ngx_close_file(fd);
            goto later;
        }

        ngx_memzero(&ngx_http_flowdash_outbox_count.count,
                    sizeof(ngx_http_flowdash_outbox_count_t));

        ngx_http_flowdash_outbox_count.lock = fd;
        ngx_http_flowdash_outbox_count.spent = 0;

        if (ngx_http_flowdash_outbox_count_descend(NULL,
                                    NGX_HTTP_FLOWDASH_OUTBOX_COUNT_PATH,
                                    ev->log)
            != NGX_OK)
        {
            ngx_http_flowdash_outbox_count_exit();
            goto later;
        }
    }

    while (ngx_http_flowdash_outbox_count_next(ev->log) == NGX_OK) {

        now = ngx_http_flowdash_outbox_due_time();

        if (now - start >= NGX_HTTP_FLOWDASH_OUTBOX_TURN) {
            ngx_http_flowdash_outbox_count.spent += now - start;
            ngx_post_event(ev, &ngx_posted_next_events);
            return;
        }
    }

    ngx_http_flowdash_outbox_count_end(ev->log);

later:

    if (!ngx_exiting) {
        ngx_add_timer(ev, NGX_HTTP_FLOWDASH_OUTBOX_COUNT_LOOK);
    }
}


static ngx_fd_t
ngx_http_flowdash_outbox_count_open(ngx_log_t *log)
{
    u_char    path[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_fd_t  fd;

    ngx_sprintf(path, "%V/scan.lock%Z", &ngx_http_flowdash_outbox.conf.path);

    fd = open((const char *) path,
              O_RDWR|O_CREAT|O_NOFOLLOW|O_NONBLOCK|O_NOCTTY|O_CLOEXEC, 0600);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "flowdash: " ngx_open_file_n " \"%s\" failed", path);
    }

    return fd;
}


static ngx_int_t
ngx_http_flowdash_outbox_count_read(ngx_fd_t fd,
    ngx_http_flowdash_outbox_count_t *count)
{
    u_char       line[NGX_HTTP_FLOWDASH_OUTBOX_COUNT_LINE], *p, *last, *number;
    ssize_t      n;
    ngx_int_t    value;
    ngx_uint_t  *values, i;

    n = pread(fd, line, sizeof(line), 0);

    if (n <= 0) {
        return NGX_DECLINED;
    }

    p = line;
    last = line + n;
    values = (ngx_uint_t *) count;

    for (i = 0; i < sizeof(*count) / sizeof(ngx_uint_t); i++) {

        for (number = p; p < last && *p >= '0' && *p <= '9'; p++) {
            /* void */
        }

        value = ngx_atoi(number, p - number);

        if (value == NGX_ERROR || p == last) {
            return NGX_DECLINED;
        }

        values[i] = value;
        p++;
    }

    return NGX_OK;
}


static void
ngx_http_flowdash_outbox_count_set(ngx_http_flowdash_outbox_count_t *count)
{
    ngx_http_flowdash_outbox_counters_t  *counters;

    counters = ngx_http_flowdash_outbox.counters;

    if (counters->scanned == count->scanned) {
        return;
    }

    counters->waiting = count->waiting;
    counters->unknown = count->unknown;
    counters->dead = count->dead;
    counters->oldest = count->oldest;
    counters->size = count->size;
    counters->scanned = count->scanned;
}


/* begins with a directory, the outbox itself if the name is NULL */

static ngx_int_t
ngx_http_flowdash_outbox_count_descend(u_char *name,
    ngx_http_flowdash_outbox_count_e what, ngx_log_t *log)
{
    ngx_uint_t                               depth;
    ngx_http_flowdash_outbox_count_level_t  *level;

    depth = ngx_http_flowdash_outbox_count.depth;
    level = &ngx_http_flowdash_outbox_count.levels[depth];

    level->what = what;
    level->path.data = level->buf;

    if (name) {
        level->path.len = ngx_snprintf(level->buf, sizeof(level->buf) - 1,
                                       "%V/%s", &level[-1].path, name)
                          - level->buf;

    } else {
        level->path.len = ngx_sprintf(level->buf, "%V",
                                      &ngx_http_flowdash_outbox.conf.path)
                          - level->buf;
    }

    level->buf[level->path.len] = '\0';

    if (ngx_open_dir(&level->path, &level->dir) == NGX_ERROR) {

        if (ngx_errno == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "flowdash: " ngx_open_dir_n " \"%V\" failed",
                      &level->path);
        return NGX_ERROR;
    }

    ngx_http_flowdash_outbox_count.depth++;

    return NGX_OK;
}


/* returns NGX_OK, or NGX_DONE after the last directory */

static ngx_int_t
ngx_http_flowdash_outbox_count_next(ngx_log_t *log)
{
    u_char                                  *name;
    struct stat                              st;
    ngx_http_flowdash_outbox_count_e         what;
    ngx_http_flowdash_outbox_count_level_t  *level;

    if (ngx_http_flowdash_outbox_count.depth == 0) {
        return NGX_DONE;
    }

    level = &ngx_http_flowdash_outbox_count.levels[
                                    ngx_http_flowdash_outbox_count.depth - 1];

    if (ngx_read_dir(&level->dir) != NGX_OK) {
        (void) ngx_close_dir(&level->dir);
        ngx_http_flowdash_outbox_count.depth--;
        return NGX_OK;
    }

    name = ngx_de_name(&level->dir);

    if (name[0] == '.'
        || fstatat(dirfd(level->dir.dir), (const char *) name, &st,
                   AT_SYMLINK_NOFOLLOW)
           == -1)
    {
        return NGX_OK;
    }

    if (!S_ISDIR(st.st_mode)) {
        ngx_http_flowdash_outbox_count_file(level->what, &st);
        return NGX_OK;
    }

    what = ngx_http_flowdash_outbox_count_what(level->what, name);

    if (what != NGX_HTTP_FLOWDASH_OUTBOX_COUNT_OTHER
        && ngx_http_flowdash_outbox_count.depth
           < NGX_HTTP_FLOWDASH_OUTBOX_COUNT_DEPTH)
    {
        (void) ngx_http_flowdash_outbox_count_descend(name, what, log);
    }

    return NGX_OK;
}


/* of a directory, by that in which it lies */

static ngx_http_flowdash_outbox_count_e
ngx_http_flowdash_outbox_count_what(ngx_http_flowdash_outbox_count_e what,
    u_char *name)
{
    switch (what) {

    case NGX_HTTP_FLOWDASH_OUTBOX_COUNT_PATH:

        /* "new-": a worker's, whose name was lost with the power */

        if (ngx_strncmp(name, "worker-", sizeof("worker-") - 1) == 0
            || ngx_strncmp(name, "new-", sizeof("new-") - 1) == 0)
        {
            return NGX_HTTP_FLOWDASH_OUTBOX_COUNT_WORKER;
        }

        if (ngx_strcmp(name, "waiting") == 0 || ngx_strcmp(name, "undo") == 0
            || ngx_strcmp(name, "after") == 0)
        {
            return NGX_HTTP_FLOWDASH_OUTBOX_COUNT_WAITING;
        }

        if (ngx_strcmp(name, "unknown") == 0) {
            return NGX_HTTP_FLOWDASH_OUTBOX_COUNT_UNKNOWN;
        }

        return (ngx_strcmp(name, "dead") == 0)
               ? NGX_HTTP_FLOWDASH_OUTBOX_COUNT_DEAD
               : NGX_HTTP_FLOWDASH_OUTBOX_COUNT_OTHER;

    case NGX_HTTP_FLOWDASH_OUTBOX_COUNT_WORKER:
        return (ngx_strcmp(name, "now") == 0)
               ? NGX_HTTP_FLOWDASH_OUTBOX_COUNT_NOW
               : NGX_HTTP_FLOWDASH_OUTBOX_COUNT_WAITING;

    default:
        return what;
    }
}


static void
ngx_http_flowdash_outbox_count_file(ngx_http_flowdash_outbox_count_e what,
    struct stat *st)
{
    ngx_http_flowdash_outbox_count_t  *count;

    count = &ngx_http_flowdash_outbox_count.count;

    switch (what) {

    case NGX_HTTP_FLOWDASH_OUTBOX_COUNT_WAITING:
        count->waiting++;

        if (count->oldest == 0 || (ngx_uint_t) st->st_mtime < count->oldest) {
            count->oldest = st->st_mtime;
        }

        break;

    case NGX_HTTP_FLOWDASH_OUTBOX_COUNT_UNKNOWN:
        count->unknown++;
        break;

    case NGX_HTTP_FLOWDASH_OUTBOX_COUNT_DEAD:
        count->dead++;
        break;

    case NGX_HTTP_FLOWDASH_OUTBOX_COUNT_NOW:
        break;

    default:
        return;
    }

    count->size += st->st_size;
}


static void
ngx_http_flowdash_outbox_count_end(ngx_log_t *log)
{
    u_char                             line[
                                         NGX_HTTP_FLOWDASH_OUTBOX_COUNT_LINE],
                                      *p;
    ngx_http_flowdash_outbox_count_t  *count;

    count = &ngx_http_flowdash_outbox_count.count;

    count->scanned = ngx_time();
    count->next = count->scanned + ngx_max(NGX_HTTP_FLOWDASH_OUTBOX_COUNT_SCAN,
                                   ngx_http_flowdash_outbox_count.spent
                                   * NGX_HTTP_FLOWDASH_OUTBOX_COUNT_SHARE
                                   / 1000000);

    p = ngx_sprintf(line, "%ui %ui %ui %ui %ui %ui %ui\n", count->waiting,
                    count->unknown, count->dead, count->oldest, count->size,
                    count->scanned, count->next);

    while (p < line + sizeof(line)) {
        *p++ = LF;
    }

    if (pwrite(ngx_http_flowdash_outbox_count.lock, line, sizeof(line), 0)
        != sizeof(line))
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "flowdash: what the outbox \"%V\" has cannot be written",
                      &ngx_http_flowdash_outbox.conf.path);
    }

    ngx_http_flowdash_outbox_count_set(count);

    (void) ngx_close_file(ngx_http_flowdash_outbox_count.lock);
    ngx_http_flowdash_outbox_count.lock = NGX_INVALID_FILE;
}
