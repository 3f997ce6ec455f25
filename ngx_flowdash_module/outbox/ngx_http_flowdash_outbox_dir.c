
/*
 * How the files of records get into the outbox, and from one directory to
 * another.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox_dir.h>


static ngx_fd_t ngx_http_flowdash_outbox_dir_open(
    ngx_http_flowdash_outbox_file_t *file, ngx_log_t *log);


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
        && ngx_http_flowdash_outbox_own_init(log) != NGX_OK)
    {
        return NGX_ERROR;
    }

    file->fd = ngx_http_flowdash_outbox_dir_open(file, log);

    if (file->fd == NGX_INVALID_FILE && ngx_errno == NGX_ENOENT
        && ngx_http_flowdash_outbox_own_init(log) == NGX_OK)
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

        if (ngx_http_flowdash_outbox_own_make(to, log) != NGX_OK) {
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
    u_char          *path, to[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                     name[NGX_HTTP_FLOWDASH_OUTBOX_NAME];
    ngx_int_t        rc;
    struct timespec  ts[2];

    /* first of all: a file that was moved has to be known by its new path */

    path = ngx_pnalloc(file->record->pool, sizeof(to));
    if (path == NULL) {
        return NGX_ERROR;
    }

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

    file->path.len = ngx_strlen(to);
    file->path.data = ngx_cpystrn(path, to, sizeof(to)) - file->path.len;

    return NGX_OK;
}
