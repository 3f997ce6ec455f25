
/*
 * What to do with the file of a record that nobody works on.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_record_read.h>
#include <ngx_http_flowdash_record_todo.h>
#include <ngx_http_flowdash_outbox_file.h>
#include <ngx_http_flowdash_outbox_later.h>
#include <ngx_http_flowdash_outbox_load.h>


/* what is put back because of a lack of memory or files is tried again then */

#define NGX_HTTP_FLOWDASH_OUTBOX_LOAD_DELAY    10

/* the reason of an undo that a person has decided */

#define NGX_HTTP_FLOWDASH_OUTBOX_LOAD_DECIDED  "unknown"


typedef struct {
    u_char                              *path;
    u_char                              *name;
    ngx_http_flowdash_outbox_kind_e      kind;
    ngx_fd_t                             fd;
    off_t                                size;
    ngx_pool_t                          *pool;
    ngx_log_t                           *log;
    const char                          *error;
} ngx_http_flowdash_outbox_load_t;


static ngx_int_t ngx_http_flowdash_outbox_load_open(
    ngx_http_flowdash_outbox_load_t *load);
static ngx_int_t ngx_http_flowdash_outbox_load_read(
    ngx_http_flowdash_outbox_load_t *load, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_outbox_load_parse(
    ngx_http_flowdash_outbox_load_t *load, ngx_str_t *text,
    ngx_http_flowdash_outbox_file_t **file);
static ngx_int_t ngx_http_flowdash_outbox_load_empty(
    ngx_http_flowdash_outbox_load_t *load);
static void ngx_http_flowdash_outbox_load_back(
    ngx_http_flowdash_outbox_load_t *load);
static void ngx_http_flowdash_outbox_load_judge(
    ngx_http_flowdash_outbox_file_t *file,
    ngx_http_flowdash_outbox_kind_e kind, ngx_log_t *log);
static ngx_int_t ngx_http_flowdash_outbox_load_decide(
    ngx_http_flowdash_outbox_load_t *load,
    ngx_http_flowdash_outbox_file_t *file);
static const char *ngx_http_flowdash_outbox_load_contradicts(
    ngx_http_flowdash_outbox_kind_e kind, ngx_http_flowdash_record_t *record);
static ngx_int_t ngx_http_flowdash_outbox_load_outcome(
    ngx_http_flowdash_outbox_file_t *file, ngx_http_flowdash_outcome_e outcome,
    const char *reason, ngx_log_t *log);


void
ngx_http_flowdash_outbox_load(u_char *path, u_char *name,
    ngx_http_flowdash_outbox_kind_e kind, ngx_log_t *log)
{
    u_char                            sending[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_int_t                         rc;
    ngx_str_t                         text;
    ngx_http_flowdash_outbox_file_t  *file;
    ngx_http_flowdash_outbox_load_t   load;

    if (ngx_http_flowdash_outbox_dir_rename(path, "sending", 0, name, sending,
                                            log)
        != NGX_OK)
    {
        return;
    }

    ngx_memzero(&load, sizeof(ngx_http_flowdash_outbox_load_t));

    load.path = sending;
    load.name = name;
    load.kind = kind;
    load.log = log;

    rc = ngx_http_flowdash_outbox_load_open(&load);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_outbox_load_read(&load, &text);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_outbox_load_parse(&load, &text, &file);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_outbox_load_decide(&load, file);
    }

    if (rc == NGX_OK) {
        ngx_http_flowdash_outbox_load_judge(file, kind, log);
        return;
    }

    if (load.fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(load.fd);
    }

    if (load.pool) {
        ngx_destroy_pool(load.pool);
    }

    if (rc == NGX_DONE) {
        (void) ngx_delete_file(sending);

    } else if (rc == NGX_ERROR
               || ngx_http_flowdash_outbox_load_bury(sending, name, load.error,
                                                     log)
                  != NGX_OK)
    {
        ngx_http_flowdash_outbox_load_back(&load);
    }
}


/* returns NGX_OK, NGX_ERROR, or NGX_DECLINED with load->error */

static ngx_int_t
ngx_http_flowdash_outbox_load_open(ngx_http_flowdash_outbox_load_t *load)
{
    ngx_err_t        err;
    ngx_file_info_t  fi;

    if (!ngx_http_flowdash_outbox_dir_name(load->name,
                                           ngx_strlen(load->name)))
    {
        load->fd = NGX_INVALID_FILE;
        load->error = "it has a name that no record has";
        return NGX_DECLINED;
    }

    load->fd = open((const char *) load->path,
                    O_RDWR|O_NOFOLLOW|O_NONBLOCK|O_NOCTTY|O_CLOEXEC);

    if (load->fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        ngx_log_error(NGX_LOG_ERR, load->log, err,
                      "flowdash: " ngx_open_file_n " \"%s\" failed",
                      load->path);

        if (err == NGX_EMFILE || err == NGX_ENFILE || err == NGX_ENOMEM
            || err == NGX_EINTR || err == EIO)
        {
            return NGX_ERROR;
        }

        load->error = (err == NGX_ELOOP) ? "it is a symbolic link"
                                         : "it cannot be opened";
        return NGX_DECLINED;
    }

    if (ngx_fd_info(load->fd, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ERR, load->log, ngx_errno,
                      "flowdash: " ngx_fd_info_n " \"%s\" failed",
                      load->path);
        return NGX_ERROR;
    }

    load->size = ngx_file_size(&fi);

    if (!ngx_is_file(&fi)) {
        load->error = "it is not a regular file";

    } else if (fi.st_uid != geteuid()) {
        load->error = "it belongs to another user";

    } else if (fi.st_nlink != 1) {
        load->error = "it has another name elsewhere";

    } else if (load->size > 2 * NGX_HTTP_FLOWDASH_OUTBOX_FILE_MAX) {
        load->error = "it is too large for a record";
    }

    return load->error ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_outbox_load_read(ngx_http_flowdash_outbox_load_t *load,
    ngx_str_t *text)
{
    ssize_t  n;

    load->pool = ngx_create_pool(4096, ngx_cycle->log);
    if (load->pool == NULL) {
        return NGX_ERROR;
    }

    text->len = 0;
    text->data = ngx_pnalloc(load->pool, load->size + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    while (text->len < (size_t) load->size) {

        n = pread(load->fd, text->data + text->len, load->size - text->len,
                  text->len);

        if (n == -1) {

            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            ngx_log_error(NGX_LOG_ERR, load->log, ngx_errno,
                          "flowdash: pread() of \"%s\" failed", load->path);
            return NGX_ERROR;
        }

        if (n == 0) {
            break;
        }

        text->len += n;
    }

    return NGX_OK;
}


/*
 * A worker that dies while it writes the first line has called nothing.  If
 * the machine has stopped since, what was written may be lost as well.
 * Returns NGX_DONE or NGX_DECLINED.
 */

static ngx_int_t
ngx_http_flowdash_outbox_load_empty(ngx_http_flowdash_outbox_load_t *load)
{
    time_t            boot;
    ngx_file_info_t   fi;

#ifdef CLOCK_BOOTTIME
    struct timespec   ts;
#endif

    boot = 0;

#ifdef CLOCK_BOOTTIME
    if (clock_gettime(CLOCK_BOOTTIME, &ts) == 0) {
        boot = ngx_time() - ts.tv_sec;
    }
#endif

    if (load->kind != NGX_HTTP_FLOWDASH_OUTBOX_DUE
        || ngx_fd_info(load->fd, &fi) == NGX_FILE_ERROR
        || ngx_file_mtime(&fi) < boot)
    {
        load->error = "it has no complete line";
        return NGX_DECLINED;
    }

    ngx_http_flowdash_outbox_dir_grow(-load->size);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_flowdash_outbox_load_parse(ngx_http_flowdash_outbox_load_t *load,
    ngx_str_t *text, ngx_http_flowdash_outbox_file_t **out)
{
    size_t                            length, len;
    ngx_int_t                         rc;
    ngx_str_t                        *id;
    ngx_http_flowdash_record_t       *record;
    ngx_http_flowdash_outbox_file_t  *file;

    file = ngx_pcalloc(load->pool, sizeof(ngx_http_flowdash_outbox_file_t));
    if (file == NULL) {
        return NGX_ERROR;
    }

    file->mac.key = ngx_http_flowdash_outbox.conf.key;

    rc = ngx_http_flowdash_record_read(text, load->pool, &file->mac, &record,
                                       &length, &load->error);

    /*
     * With space behind it, the machine has stopped while a line was written.
     * Without any, lines may be missing: also the one that says that the app
     * was called.
     */

    if ((rc == NGX_OK || rc == NGX_DONE)
        && text->len && text->data[text->len - 1])
    {
        load->error = "it is cut";
        return NGX_DECLINED;
    }

    if (rc == NGX_DONE) {
        return ngx_http_flowdash_outbox_load_empty(load);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    id = &record->id;
    len = ngx_strlen(load->name);

    if (len < id->len || ngx_strncmp(load->name, id->data, id->len) != 0
        || (len > id->len && load->name[id->len] != '.'))
    {
        load->error = "its name is not the id of its record";
        return NGX_DECLINED;
    }

    file->record = record;
    file->fd = load->fd;
    file->offset = length;
    file->reserved = load->size;

    file->path.len = ngx_strlen(load->path);
    file->path.data = ngx_pnalloc(load->pool, file->path.len + 1);
    if (file->path.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(file->path.data, load->path, file->path.len + 1);

    /* the worker that has reserved this space is dead */

    ngx_http_flowdash_outbox_later_trim(file, load->log);

    *out = file;

    return NGX_OK;
}


/* to a group: for a lack of memory or the like */

static void
ngx_http_flowdash_outbox_load_back(ngx_http_flowdash_outbox_load_t *load)
{
    time_t   due;
    u_char  *p, dir[NGX_HTTP_FLOWDASH_OUTBOX_NAME],
             to[NGX_HTTP_FLOWDASH_OUTBOX_PATH];

    static const char  *names[] = { NULL, "again", "undo", "after" };

    due = ngx_time() + NGX_HTTP_FLOWDASH_OUTBOX_LOAD_DELAY;

    if (load->kind == NGX_HTTP_FLOWDASH_OUTBOX_DUE) {
        ngx_sprintf(dir, "%T%Z", due - due % NGX_HTTP_FLOWDASH_OUTBOX_ROUND);

    } else {

        /* not the group that is just being read */

        p = ngx_sprintf(dir, "%s.", names[load->kind]);
        *ngx_http_flowdash_outbox_own_random(p) = '\0';
    }

    if (ngx_http_flowdash_outbox_dir_rename(load->path, (const char *) dir, 0,
                                            load->name, to, load->log)
        == NGX_OK)
    {
        (void) ngx_http_flowdash_outbox_group_add(dir, due, load->log);
    }
}


ngx_int_t
ngx_http_flowdash_outbox_load_bury(u_char *path, u_char *name,
    const char *why, ngx_log_t *log)
{
    u_char      buf[NGX_HTTP_FLOWDASH_OUTBOX_NAME],
                to[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_int_t   rc;

    if (!ngx_http_flowdash_outbox_dir_name(name, ngx_strlen(name))) {
        *ngx_http_flowdash_outbox_own_random(
             ngx_cpymem(buf, "unnamed-", sizeof("unnamed-") - 1)) = '\0';

        name = buf;
    }

    rc = ngx_http_flowdash_outbox_dir_rename(path, "dead", 1, name, to, log);

    if (rc == NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "flowdash: \"%s\" is kept in the outbox, and not sent: "
                      "%s", to, why);
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


static void
ngx_http_flowdash_outbox_load_judge(ngx_http_flowdash_outbox_file_t *file,
    ngx_http_flowdash_outbox_kind_e kind, ngx_log_t *log)
{
    ngx_http_flowdash_record_t  *record;

    record = file->record;

    switch (ngx_http_flowdash_record_todo(record,
                                          &ngx_http_flowdash_outbox.boot))
    {

    case NGX_HTTP_FLOWDASH_RECORD_UNDO:

        if (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_NONE
            && ngx_http_flowdash_outbox_load_outcome(file,
                                         NGX_HTTP_FLOWDASH_OUTCOME_FAILED,
                                         "crash", log)
               != NGX_OK)
        {
            ngx_http_flowdash_outbox_postpone(file,
                                 NGX_HTTP_FLOWDASH_OUTBOX_LOAD_DELAY, log);
            return;
        }

        break;

    case NGX_HTTP_FLOWDASH_RECORD_AFTER:
        break;

    case NGX_HTTP_FLOWDASH_RECORD_UNKNOWN:

        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "flowdash: whether the app has done the action \"%V\" "
                      "is unknown, as a worker or the machine has stopped; "
                      "nothing is sent until a person decides, id: %V",
                      &record->action, &record->id);

        ngx_http_flowdash_outbox_set_aside(file, 0, log);
        return;

    case NGX_HTTP_FLOWDASH_RECORD_DEAD:
        ngx_http_flowdash_outbox_set_aside(file, 1, log);
        return;

    default: /* NGX_HTTP_FLOWDASH_RECORD_DONE */

        if (kind != NGX_HTTP_FLOWDASH_OUTBOX_DUE) {
            ngx_log_error(NGX_LOG_WARN, log, 0,
                          "flowdash: the action \"%V\" has nothing to send "
                          "for what a person has decided, id: %V",
                          &record->action, &record->id);
        }

        ngx_http_flowdash_outbox_remove(file, log);
        return;
    }

    file->out = 1;
    ngx_http_flowdash_outbox.out++;

    ngx_http_flowdash_outbox.send(file);
}


/*
 * What a person wants is not forgotten.  Returns NGX_OK, NGX_ERROR, or
 * NGX_DECLINED with load->error.
 */

static ngx_int_t
ngx_http_flowdash_outbox_load_decide(ngx_http_flowdash_outbox_load_t *load,
    ngx_http_flowdash_outbox_file_t *file)
{
    ngx_int_t                     rc;
    ngx_str_t                     line;
    ngx_http_flowdash_record_t   *record;

    if (load->kind == NGX_HTTP_FLOWDASH_OUTBOX_DUE) {
        return NGX_OK;
    }

    record = file->record;

    load->error = ngx_http_flowdash_outbox_load_contradicts(load->kind,
                                                            record);
    if (load->error) {
        return NGX_DECLINED;
    }

    record->again = ngx_time();

    rc = ngx_http_flowdash_record_again(record, &file->mac, &line);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_outbox_write(file, &line, load->log);
    }

    if (rc == NGX_OK && load->kind == NGX_HTTP_FLOWDASH_OUTBOX_UNDO
        && record->outcome != NGX_HTTP_FLOWDASH_OUTCOME_FAILED
        && record->outcome != NGX_HTTP_FLOWDASH_OUTCOME_REFUSED)
    {
        rc = ngx_http_flowdash_outbox_load_outcome(file,
                                         NGX_HTTP_FLOWDASH_OUTCOME_REFUSED,
                                         NGX_HTTP_FLOWDASH_OUTBOX_LOAD_DECIDED,
                                         load->log);
    }

    if (rc == NGX_OK && load->kind == NGX_HTTP_FLOWDASH_OUTBOX_AFTER
        && record->outcome != NGX_HTTP_FLOWDASH_OUTCOME_OK)
    {
        rc = ngx_http_flowdash_outbox_load_outcome(file,
                                               NGX_HTTP_FLOWDASH_OUTCOME_OK,
                                               "", load->log);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_CRIT, load->log, 0,
                      "flowdash: what a person has decided for the action "
                      "\"%V\" could not be recorded, and is tried again in "
                      "%d s, id: %V",
                      &record->action, NGX_HTTP_FLOWDASH_OUTBOX_LOAD_DELAY,
                      &record->id);
    }

    return rc;
}


/*
 * Nobody can decide what is known: "mv dead/... undo/" would undo an action
 * whose after-step is dead.  Returns what is wrong, or NULL.
 */

static const char *
ngx_http_flowdash_outbox_load_contradicts(ngx_http_flowdash_outbox_kind_e kind,
    ngx_http_flowdash_record_t *record)
{
    if (kind == NGX_HTTP_FLOWDASH_OUTBOX_UNDO
        && record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK)
    {
        return "the app has done it: it is not undone; what is dead is sent "
               "from waiting/";
    }

    if (kind != NGX_HTTP_FLOWDASH_OUTBOX_AFTER) {
        return NULL;
    }

    if (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_FAILED) {
        return "the app was not called: it has no after-steps; what is dead "
               "is sent from waiting/";
    }

    if (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_REFUSED
        && !ngx_http_flowdash_text_is(&record->reason,
                                      NGX_HTTP_FLOWDASH_OUTBOX_LOAD_DECIDED))
    {
        return "the app has refused it: it has no after-steps; what is dead "
               "is sent from waiting/";
    }

    return NULL;
}


static ngx_int_t
ngx_http_flowdash_outbox_load_outcome(ngx_http_flowdash_outbox_file_t *file,
    ngx_http_flowdash_outcome_e outcome, const char *reason, ngx_log_t *log)
{
    ngx_str_t                    line;
    ngx_http_flowdash_record_t  *record;

    record = file->record;

    record->outcome = outcome;
    record->reason.data = (u_char *) reason;
    record->reason.len = ngx_strlen(reason);

    if (ngx_http_flowdash_record_outcome(record, &file->mac, &line) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_outbox_write(file, &line, log);
}
