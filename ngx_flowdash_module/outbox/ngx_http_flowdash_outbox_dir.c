
/*
 * The directories of the outbox: the worker's own, and how files get from one
 * to another.
 *
 * Whoever holds the lock of a worker's directory owns what is in it.  What
 * lies in a directory of all workers belongs to the one that has moved it into
 * its own: of several that try, rename() lets one have it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox_dir.h>

#include <sys/file.h>
#include <openssl/rand.h>


static ngx_int_t ngx_http_flowdash_outbox_dir_make(u_char *path,
    ngx_log_t *log);
static ngx_int_t ngx_http_flowdash_outbox_dir_make_own(ngx_log_t *log);
static ngx_int_t ngx_http_flowdash_outbox_dir_lock(u_char *own,
    ngx_log_t *log);
static void ngx_http_flowdash_outbox_dir_remove(u_char *own);
static void ngx_http_flowdash_outbox_dir_sync(u_char *path, ngx_log_t *log);
static ngx_fd_t ngx_http_flowdash_outbox_dir_open(
    ngx_http_flowdash_outbox_file_t *file, ngx_log_t *log);


ngx_http_flowdash_outbox_t  ngx_http_flowdash_outbox = {
    { ngx_null_string, ngx_null_string, 0, NULL, 0, 0 },
    NULL,
    NULL,
    ngx_null_string,
    ngx_null_string,
    NGX_INVALID_FILE,
    NGX_INVALID_FILE,
    0,
    { 0 },
    0
};

static u_char  ngx_http_flowdash_outbox_dir_own[NGX_HTTP_FLOWDASH_OUTBOX_PATH];


ngx_int_t
ngx_http_flowdash_outbox_dir_init(ngx_log_t *log)
{
    u_char       path[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_uint_t   i;
    const char **name;

    static const char  *names[] = {
        "waiting", "undo", "after", "unknown", "dead", NULL
    };

    /*
     * Not the master does it: as root, it would follow a symbolic link that
     * the workers' user has put there.
     */

    for (name = names; *name; name++) {

        ngx_sprintf(path, "%V/%s%Z", &ngx_http_flowdash_outbox.conf.path,
                    *name);

        if (ngx_http_flowdash_outbox_dir_make(path, log) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < 3; i++) {

        switch (ngx_http_flowdash_outbox_dir_make_own(log)) {

        case NGX_OK:
            if (ngx_http_flowdash_outbox.conf.fsync) {
                ngx_http_flowdash_outbox_dir_sync(
                                     ngx_http_flowdash_outbox.own.data, log);
                ngx_http_flowdash_outbox_dir_sync(
                               ngx_http_flowdash_outbox.conf.path.data, log);
            }

            return NGX_OK;

        case NGX_ERROR:
            return NGX_ERROR;

        default: /* NGX_DECLINED: another worker has removed it */
            break;
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_flowdash_outbox_dir_make(u_char *path, ngx_log_t *log)
{
    ngx_err_t  err;

    if (ngx_create_dir(path, 0700) == NGX_FILE_ERROR) {
        err = ngx_errno;

        if (err != NGX_EEXIST) {
            ngx_log_error(NGX_LOG_CRIT, log, err,
                          "flowdash: " ngx_create_dir_n " \"%s\" of the "
                          "outbox failed", path);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The directory gets its name when it has its lock: others look for names that
 * begin with "worker-".  Returns NGX_OK, NGX_ERROR, or NGX_DECLINED to try
 * again.
 */

static ngx_int_t
ngx_http_flowdash_outbox_dir_make_own(ngx_log_t *log)
{
    u_char        *p, *own, path[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                   dir[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_int_t      rc;
    ngx_uint_t     i;
    ngx_err_t      err;

    ngx_http_flowdash_outbox_dir_exit();

    own = ngx_http_flowdash_outbox_dir_own;

    p = ngx_sprintf(own, "%V/worker-", &ngx_http_flowdash_outbox.conf.path);

    for (i = 0; i < 4; i++) {
        p = ngx_http_flowdash_outbox_dir_random(p);
    }

    *p = '\0';

    ngx_sprintf(path, "%V/new-%s%Z", &ngx_http_flowdash_outbox.conf.path,
                p - 32);

    if (ngx_http_flowdash_outbox_dir_make(path, log) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_outbox_dir_lock(path, log);
    if (rc != NGX_OK) {
        ngx_http_flowdash_outbox_dir_remove(path);
        return rc;
    }

    ngx_sprintf(dir, "%s/sending%Z", path);

    if (ngx_http_flowdash_outbox_dir_make(dir, log) != NGX_OK) {
        goto failed;
    }

    ngx_sprintf(dir, "%s/now%Z", path);

    if (ngx_http_flowdash_outbox_dir_make(dir, log) != NGX_OK) {
        goto failed;
    }

    ngx_http_flowdash_outbox.now = open((const char *) dir,
                                        O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (ngx_http_flowdash_outbox.now == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "flowdash: " ngx_open_file_n " \"%s\" failed", dir);
        goto failed;
    }

    if (ngx_rename_file(path, own) == NGX_FILE_ERROR) {
        err = ngx_errno;
        ngx_log_error(NGX_LOG_CRIT, log, err,
                      "flowdash: " ngx_rename_file_n " \"%s\" to \"%s\" "
                      "failed", path, own);
        goto failed;
    }

    ngx_http_flowdash_outbox.own.data = own;
    ngx_http_flowdash_outbox.own.len = p - own;

    return NGX_OK;

failed:

    ngx_http_flowdash_outbox_dir_remove(path);
    ngx_http_flowdash_outbox_dir_exit();

    return NGX_ERROR;
}


/* opened by the worker itself: no child of another process inherits it */

static ngx_int_t
ngx_http_flowdash_outbox_dir_lock(u_char *own, ngx_log_t *log)
{
    u_char    path[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_fd_t  fd;

    ngx_sprintf(path, "%s/lock%Z", own);

    fd = open((const char *) path, O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
              0600);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "flowdash: " ngx_open_file_n " \"%s\" failed", path);
        return NGX_ERROR;
    }

    if (flock(fd, LOCK_EX|LOCK_NB) == -1) {

        if (ngx_errno == EWOULDBLOCK) {
            (void) ngx_close_file(fd);
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "flowdash: flock() of \"%s\" failed", path);
        (void) ngx_close_file(fd);
        return NGX_ERROR;
    }

    ngx_http_flowdash_outbox.lock = fd;

    return NGX_OK;
}


void
ngx_http_flowdash_outbox_dir_exit(void)
{
    if (ngx_http_flowdash_outbox.own.len) {
        ngx_http_flowdash_outbox_dir_remove(ngx_http_flowdash_outbox.own.data);
        ngx_http_flowdash_outbox.own.len = 0;
    }

    if (ngx_http_flowdash_outbox.now != NGX_INVALID_FILE) {
        (void) ngx_close_file(ngx_http_flowdash_outbox.now);
        ngx_http_flowdash_outbox.now = NGX_INVALID_FILE;
    }

    if (ngx_http_flowdash_outbox.lock != NGX_INVALID_FILE) {
        (void) ngx_close_file(ngx_http_flowdash_outbox.lock);
        ngx_http_flowdash_outbox.lock = NGX_INVALID_FILE;
    }
}


/* if it is empty: without its lock, what is in it would be nobody's */

static void
ngx_http_flowdash_outbox_dir_remove(u_char *own)
{
    u_char      *name, path[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_dir_t    dir;
    ngx_str_t    s;
    ngx_uint_t   left;

    ngx_sprintf(path, "%s/sending%Z", own);
    (void) ngx_delete_dir(path);

    ngx_sprintf(path, "%s/now%Z", own);
    (void) ngx_delete_dir(path);

    s.data = own;
    s.len = ngx_strlen(own);

    if (ngx_open_dir(&s, &dir) == NGX_ERROR) {
        return;
    }

    left = 0;

    while (ngx_read_dir(&dir) == NGX_OK) {
        name = ngx_de_name(&dir);

        if (name[0] != '.' && ngx_strcmp(name, "lock") != 0) {
            left = 1;
        }
    }

    (void) ngx_close_dir(&dir);

    if (left) {
        return;
    }

    ngx_sprintf(path, "%s/lock%Z", own);
    (void) ngx_delete_file(path);
    (void) ngx_delete_dir(own);
}


static void
ngx_http_flowdash_outbox_dir_sync(u_char *path, ngx_log_t *log)
{
    ngx_fd_t  fd;

    fd = open((const char *) path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE || fsync(fd) == -1) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "flowdash: fsync() of \"%s\" failed", path);
    }

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
    }
}


u_char *
ngx_http_flowdash_outbox_dir_random(u_char *p)
{
    u_char  octets[4];

    if (RAND_bytes(octets, sizeof(octets)) != 1) {
        return ngx_sprintf(p, "%08xD", (uint32_t) ngx_random());
    }

    return ngx_hex_dump(p, octets, sizeof(octets));
}


ngx_uint_t
ngx_http_flowdash_outbox_dir_name(u_char *name, size_t len)
{
    u_char  *p, *last;

    last = name + len;

    for (p = name; p < last; p++) {
        if ((*p < '0' || *p > '9') && (*p < 'A' || *p > 'Z')
            && (*p < 'a' || *p > 'z') && *p != '_' && *p != '-')
        {
            break;
        }
    }

    if (p == name || len >= NGX_HTTP_FLOWDASH_OUTBOX_NAME / 2) {
        return 0;
    }

    if (p < last) {

        if (*p++ != '.' || p == last) {
            return 0;
        }

        while (p < last && *p >= '0' && *p <= '9') {
            p++;
        }
    }

    return p == last;
}


ngx_int_t
ngx_http_flowdash_outbox_dir_create(ngx_http_flowdash_outbox_file_t *file,
    off_t size, ngx_log_t *log)
{
    ngx_str_t  *id;

    id = &file->record->id;

    file->fd = NGX_INVALID_FILE;
    file->offset = 0;
    file->reserved = 0;

    if (!ngx_http_flowdash_outbox_dir_name(id->data, id->len)
        || ngx_strlchr(id->data, id->data + id->len, '.'))
    {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "flowdash: \"%V\" is not an id for the outbox", id);
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_outbox.conf.max_size
        && (off_t) ngx_http_flowdash_outbox.counters->size + size
           > ngx_http_flowdash_outbox.conf.max_size)
    {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "flowdash: the outbox \"%V\" is full: its records have "
                      "%uA bytes, and \"max_size\" is %O",
                      &ngx_http_flowdash_outbox.conf.path,
                      ngx_http_flowdash_outbox.counters->size,
                      ngx_http_flowdash_outbox.conf.max_size);
        return NGX_ERROR;
    }

    /* it may be missing: there was no room for it, or somebody removed it */

    if (ngx_http_flowdash_outbox.own.len == 0
        && ngx_http_flowdash_outbox_dir_init(log) != NGX_OK)
    {
        return NGX_ERROR;
    }

    file->fd = ngx_http_flowdash_outbox_dir_open(file, log);

    if (file->fd == NGX_INVALID_FILE && ngx_errno == NGX_ENOENT
        && ngx_http_flowdash_outbox_dir_init(log) == NGX_OK)
    {
        file->fd = ngx_http_flowdash_outbox_dir_open(file, log);
    }

    return (file->fd == NGX_INVALID_FILE) ? NGX_ERROR : NGX_OK;
}


/* returns NGX_INVALID_FILE on error, with ngx_errno set */

static ngx_fd_t
ngx_http_flowdash_outbox_dir_open(ngx_http_flowdash_outbox_file_t *file,
    ngx_log_t *log)
{
    u_char     *p;
    size_t      len;
    ngx_fd_t    fd;
    ngx_err_t   err;

    len = ngx_http_flowdash_outbox.own.len + sizeof("/now/") - 1
          + file->record->id.len;

    p = ngx_pnalloc(file->record->pool, len + 1);
    if (p == NULL) {
        ngx_set_errno(NGX_ENOMEM);
        return NGX_INVALID_FILE;
    }

    ngx_sprintf(p, "%V/now/%V%Z", &ngx_http_flowdash_outbox.own,
                &file->record->id);

    file->path.data = p;
    file->path.len = len;

    fd = open((const char *) p, O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
              0600);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        ngx_log_error(NGX_LOG_CRIT, log, err,
                      "flowdash: " ngx_open_file_n " \"%s\" failed", p);

        ngx_set_errno(err);
    }

    return fd;
}


void
ngx_http_flowdash_outbox_dir_grow(off_t size)
{
    (void) ngx_atomic_fetch_add(&ngx_http_flowdash_outbox.counters->size,
                                (ngx_atomic_int_t) size);
}


void
ngx_http_flowdash_outbox_dir_close(ngx_http_flowdash_outbox_file_t *file,
    ngx_log_t *log)
{
    if (file->event.timer_set) {
        ngx_del_timer(&file->event);
    }

    if (file->fd != NGX_INVALID_FILE
        && ngx_close_file(file->fd) == NGX_FILE_ERROR)
    {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "flowdash: " ngx_close_file_n " \"%V\" failed",
                      &file->path);
    }

    if (file->out) {
        ngx_http_flowdash_outbox.out--;
        ngx_post_event(&ngx_http_flowdash_outbox.work,
                       &ngx_posted_next_events);
    }

    ngx_destroy_pool(file->record->pool);
}


ngx_int_t
ngx_http_flowdash_outbox_dir_rename(u_char *from, const char *dir,
    ngx_uint_t shared, u_char *name, u_char *to, ngx_log_t *log)
{
    u_char           *p;
    size_t            len;
    ngx_err_t         err;
    ngx_str_t        *base;
    ngx_uint_t        i, made;
    ngx_file_info_t   fi;

    base = shared ? &ngx_http_flowdash_outbox.conf.path
                  : &ngx_http_flowdash_outbox.own;

    len = ngx_sprintf(to, "%V/%s", base, dir) - to;
    to[len] = '\0';

    p = ngx_sprintf(to + len, "/%s%Z", name) - 1;

    /* no other process makes a file of this name: who moves it owns it */

    for (i = 2; ngx_link_info(to, &fi) != NGX_FILE_ERROR; i++) {

        if (i == 100) {
            ngx_log_error(NGX_LOG_CRIT, log, 0,
                          "flowdash: \"%s\" is not moved: there are too many "
                          "files like \"%s\"", from, to);
            return NGX_ERROR;
        }

        ngx_sprintf(p, ".%ui%Z", i);
    }

    for (made = 0; ngx_rename_file(from, to) == NGX_FILE_ERROR; made++) {

        err = ngx_errno;

        if (err == NGX_ENOENT && ngx_link_info(from, &fi) == NGX_FILE_ERROR) {
            return NGX_DECLINED;
        }

        if (err != NGX_ENOENT || made == 10) {
            ngx_log_error(NGX_LOG_CRIT, log, err,
                          "flowdash: " ngx_rename_file_n " \"%s\" to \"%s\" "
                          "failed", from, to);
            return NGX_ERROR;
        }

        /* the directory is missing, or another worker has just taken it */

        to[len] = '\0';

        if (ngx_http_flowdash_outbox_dir_make(to, log) != NGX_OK) {
            return NGX_ERROR;
        }

        to[len] = '/';
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_outbox_dir_move(ngx_http_flowdash_outbox_file_t *file,
    const char *dir, ngx_uint_t shared, ngx_log_t *log)
{
    u_char           to[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                     name[NGX_HTTP_FLOWDASH_OUTBOX_NAME];
    size_t           len;
    ngx_int_t        rc;
    struct timespec  ts[2];

    /* the record's own: a name with a number has no need of it any longer */

    ngx_sprintf(name, "%V%Z", &file->record->id);

    rc = ngx_http_flowdash_outbox_dir_rename(file->path.data, dir, shared,
                                             name, to, log);
    if (rc != NGX_OK) {
        return rc;
    }

    /* only who looks at the directory needs it */

    ts[0].tv_sec = file->record->start;
    ts[0].tv_nsec = 0;
    ts[1] = ts[0];

    (void) futimens(file->fd, ts);

    len = ngx_strlen(to);

    if (len > file->path.len) {
        file->path.data = ngx_pnalloc(file->record->pool, len + 1);
        if (file->path.data == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memcpy(file->path.data, to, len + 1);
    file->path.len = len;

    return NGX_OK;
}
