
/*
 * The worker's own directory.
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


static ngx_int_t ngx_http_flowdash_outbox_own_create(ngx_log_t *log);
static ngx_int_t ngx_http_flowdash_outbox_own_lock(u_char *own,
    ngx_log_t *log);
static void ngx_http_flowdash_outbox_own_sync(u_char *path, ngx_log_t *log);


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

static u_char
    ngx_http_flowdash_outbox_own_path[NGX_HTTP_FLOWDASH_OUTBOX_PATH];


ngx_int_t
ngx_http_flowdash_outbox_own_init(ngx_log_t *log)
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

        if (ngx_http_flowdash_outbox_own_make(path, log) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < 3; i++) {

        switch (ngx_http_flowdash_outbox_own_create(log)) {

        case NGX_OK:
            if (ngx_http_flowdash_outbox.conf.fsync) {
                ngx_http_flowdash_outbox_own_sync(
                                     ngx_http_flowdash_outbox.own.data, log);
                ngx_http_flowdash_outbox_own_sync(
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


ngx_int_t
ngx_http_flowdash_outbox_own_make(u_char *path, ngx_log_t *log)
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
ngx_http_flowdash_outbox_own_create(ngx_log_t *log)
{
    u_char        *p, *own, path[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                   dir[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_int_t      rc;
    ngx_uint_t     i;
    ngx_err_t      err;

    ngx_http_flowdash_outbox_own_exit();

    own = ngx_http_flowdash_outbox_own_path;

    p = ngx_sprintf(own, "%V/worker-", &ngx_http_flowdash_outbox.conf.path);

    for (i = 0; i < 4; i++) {
        p = ngx_http_flowdash_outbox_own_random(p);
    }

    *p = '\0';

    ngx_sprintf(path, "%V/new-%s%Z", &ngx_http_flowdash_outbox.conf.path,
                p - 32);

    if (ngx_http_flowdash_outbox_own_make(path, log) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_outbox_own_lock(path, log);
    if (rc != NGX_OK) {
        (void) ngx_http_flowdash_outbox_own_remove(path);
        return rc;
    }

    ngx_sprintf(dir, "%s/sending%Z", path);

    if (ngx_http_flowdash_outbox_own_make(dir, log) != NGX_OK) {
        goto failed;
    }

    ngx_sprintf(dir, "%s/now%Z", path);

    if (ngx_http_flowdash_outbox_own_make(dir, log) != NGX_OK) {
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

    (void) ngx_http_flowdash_outbox_own_remove(path);
    ngx_http_flowdash_outbox_own_exit();

    return NGX_ERROR;
}


/* opened by the worker itself: no child of another process inherits it */

static ngx_int_t
ngx_http_flowdash_outbox_own_lock(u_char *own, ngx_log_t *log)
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
ngx_http_flowdash_outbox_own_exit(void)
{
    if (ngx_http_flowdash_outbox.own.len) {
        (void) ngx_http_flowdash_outbox_own_remove(
                                            ngx_http_flowdash_outbox.own.data);
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


ngx_int_t
ngx_http_flowdash_outbox_own_remove(u_char *own)
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
        return NGX_ERROR;
    }

    left = 0;

    while (ngx_read_dir(&dir) == NGX_OK) {
        name = ngx_de_name(&dir);

        if (name[0] != '.' && ngx_strcmp(name, "lock") != 0) {
            left = 1;
        }
    }

    (void) ngx_close_dir(&dir);

    /* without its lock, what is in it would be nobody's */

    if (left) {
        ngx_set_errno(ENOTEMPTY);
        return NGX_ERROR;
    }

    ngx_sprintf(path, "%s/lock%Z", own);

    if (ngx_delete_file(path) == NGX_FILE_ERROR) {
        return NGX_ERROR;
    }

    /* another worker may remove it as soon as it is empty */

    return (ngx_delete_dir(own) == NGX_FILE_ERROR && ngx_errno != NGX_ENOENT)
           ? NGX_ERROR : NGX_OK;
}


static void
ngx_http_flowdash_outbox_own_sync(u_char *path, ngx_log_t *log)
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
ngx_http_flowdash_outbox_own_random(u_char *p)
{
    u_char  octets[4];

    if (RAND_bytes(octets, sizeof(octets)) != 1) {
        return ngx_sprintf(p, "%08xD", (uint32_t) ngx_random());
    }

    return ngx_hex_dump(p, octets, sizeof(octets));
}
