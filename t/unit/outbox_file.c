
/*
 * The file of a record in the outbox: a disk that is full, calls that are cut
 * short, a sync that fails, and a thread that syncs.  Whatever fails, what was
 * written before can be read, and written on.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_thread_pool.h>
#include <sys/stat.h>

#include "tap.h"


typedef struct {
    int         fail;                /* error of the calls that fail */
    int         interrupted;         /* calls that are before they work */
    size_t      most;                /* of a pwrite(); 0: all */
    ngx_uint_t  calls;
} test_call_t;


static test_call_t         test_allocate, test_write, test_sync, test_unlink;
static ngx_int_t           test_post_rc;
static ngx_thread_task_t  *test_task;
static ngx_uint_t          test_fdatasyncs;
static int                 test_synced[4];     /* descriptors */
static char                test_dir[256];


static int
test_call(test_call_t *call)
{
    call->calls++;

    if (call->interrupted) {
        call->interrupted--;
        return EINTR;
    }

    return call->fail;
}


static int
test_fallocate(int fd, off_t offset, off_t len)
{
    int  err;

    err = test_call(&test_allocate);

    return err ? err : posix_fallocate(fd, offset, len);
}


static ssize_t
test_pwrite(int fd, const void *p, size_t len, off_t offset)
{
    int  err;

    err = test_call(&test_write);

    if (test_write.most) {
        len = ngx_min(len, test_write.most);
    }

    if (err && (err == EINTR || test_write.calls > 2)) {
        errno = err;
        return (err == ERANGE) ? 0 : -1;      /* with no error */
    }

    return pwrite(fd, p, len, offset);
}


static int
test_fsync(int fd)
{
    test_synced[test_sync.calls & 3] = fd;

    errno = test_call(&test_sync);

    return errno ? -1 : fsync(fd);
}


static int
test_fdatasync(int fd)
{
    test_fdatasyncs++;

    return test_fsync(fd);
}


static int
test_remove(const char *name)
{
    errno = test_call(&test_unlink);

    return errno ? -1 : unlink(name);
}


static ngx_thread_task_t *
test_task_alloc(ngx_pool_t *pool, size_t size)
{
    return test_fails() ? NULL : ngx_thread_task_alloc(pool, size);
}


static ngx_int_t
test_task_post(ngx_thread_pool_t *tp, ngx_thread_task_t *task)
{
    test_task = task;

    return test_post_rc;
}


static void *
test_pcalloc(ngx_pool_t *pool, size_t size)
{
    return test_fails() ? NULL : ngx_pcalloc(pool, size);
}


#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_json_unescape.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_json_scan.c"
#include "ngx_http_flowdash_json_leaves.c"
#include "ngx_http_flowdash_record_words.c"
#include "ngx_http_flowdash_record_mac.c"
#include "ngx_http_flowdash_record_write.c"
#include "ngx_http_flowdash_record_members.c"
#include "ngx_http_flowdash_record.c"
#include "ngx_http_flowdash_record_lines.c"
#include "ngx_http_flowdash_record_read.c"
#include "ngx_http_flowdash_record_todo.c"
#include "ngx_http_flowdash_outbox_own.c"
#include "ngx_http_flowdash_outbox_dir.c"

#define posix_fallocate        test_fallocate
#define pwrite                 test_pwrite
#define fsync(fd)              test_fsync(fd)
#define fdatasync              test_fdatasync
#define unlink                 test_remove
#define ngx_thread_task_alloc  test_task_alloc
#define ngx_thread_task_post   test_task_post
#define ngx_pcalloc            test_pcalloc
#include "ngx_http_flowdash_outbox_file.c"
#undef posix_fallocate
#undef pwrite
#undef fsync
#undef fdatasync
#undef unlink
#undef ngx_thread_task_alloc
#undef ngx_thread_task_post
#undef ngx_pcalloc


static ngx_http_flowdash_outbox_counters_t  test_counters;

static ngx_int_t                         test_rc;
static ngx_http_flowdash_outbox_file_t  *test_done;


static void
test_handler(ngx_http_flowdash_outbox_file_t *file, ngx_int_t rc)
{
    test_done = file;
    test_rc = rc;
}


/* all calls work again, and the log is empty */

static void
test_reset(void)
{
    ngx_memzero(&test_allocate, sizeof(test_call_t));
    ngx_memzero(&test_write, sizeof(test_call_t));
    ngx_memzero(&test_sync, sizeof(test_call_t));
    ngx_memzero(&test_unlink, sizeof(test_call_t));

    test_counters.broken = 0;
    test_post_rc = NGX_OK;
    test_task = NULL;
    test_done = NULL;
    test_fdatasyncs = 0;
    test_log_clear();
}


static ngx_http_flowdash_record_t *
test_new(const char *id)
{
    ngx_pool_t                  *pool;
    ngx_http_flowdash_record_t  *record;

    pool = ngx_create_pool(1024, &test_log);
    record = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_record_t));

    record->pool = pool;
    record->start = 1764259200;
    record->id.data = (u_char *) id;
    record->id.len = strlen(id);
    record->action.data = (u_char *) "Finish";
    record->action.len = 6;

    (void) ngx_array_init(&record->steps, pool, 4,
                          sizeof(ngx_http_flowdash_record_step_t));

    return record;
}


static off_t
test_size(ngx_http_flowdash_outbox_file_t *file)
{
    struct stat  st;

    return fstat(file->fd, &st) == 0 ? st.st_size : -1;
}


/* a step that is called, as one more line */

static ngx_int_t
test_step(ngx_http_flowdash_outbox_file_t *file)
{
    ngx_str_t                         line;
    ngx_http_flowdash_record_step_t  *step;

    step = ngx_array_push(&file->record->steps);
    ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));

    if (ngx_http_flowdash_record_call(file->record, step, &file->mac, &line)
        != NGX_OK)
    {
        abort();
    }

    if (ngx_http_flowdash_outbox_write(file, &line, &test_log) != NGX_OK) {
        file->record->steps.nelts--;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* the file has as many steps as the record, and nothing else */

static ngx_uint_t
test_reads(ngx_http_flowdash_outbox_file_t *file)
{
    size_t                           length;
    ngx_int_t                        rc;
    ngx_str_t                        text;
    ngx_uint_t                       good;
    ngx_pool_t                      *pool;
    const char                      *error;
    ngx_http_flowdash_record_t      *record;
    ngx_http_flowdash_record_mac_t   mac;

    text.len = test_size(file);
    text.data = malloc(text.len + 1);
    mac.key = file->mac.key;
    pool = ngx_create_pool(1024, &test_log);

    rc = (pread(file->fd, text.data, text.len, 0) == (ssize_t) text.len)
         ? ngx_http_flowdash_record_read(&text, pool, &mac, &record, &length,
                                         &error)
         : NGX_ERROR;

    good = (rc == NGX_OK && length == (size_t) file->offset
            && record->steps.nelts == file->record->steps.nelts
            && ngx_memcmp(mac.last, file->mac.last,
                          sizeof(mac.last)) == 0);

    ngx_destroy_pool(pool);
    free(text.data);

    return good;
}


static void
test_trim(ngx_http_flowdash_outbox_file_t *file)
{
    if (ftruncate(file->fd, file->offset + 1) == -1) {
        abort();
    }

    ngx_http_flowdash_outbox_dir_grow(file->offset + 1 - file->reserved);
    file->reserved = file->offset + 1;
}


static void
test_space(void)
{
    ngx_int_t                         n;
    ngx_uint_t                        good;
    ngx_http_flowdash_record_t       *record;
    ngx_http_flowdash_outbox_file_t  *file;

    record = test_new("one");
    file = ngx_http_flowdash_outbox_create(record, 70000, &test_log);

    ok(file && file->reserved == 73728 && test_size(file) == 73728
       && (off_t) test_counters.size == 73728, "space is reserved");
    ok(record->sync && file->offset == 0, "the first line is held");
    ok(test_step(file) == NGX_OK && file->offset > 128 && test_reads(file),
       "it is written with the next");

    ok(ngx_http_flowdash_outbox_reserve(file, 100, &test_log) == NGX_OK
       && test_size(file) == 73728, "there is room");

    test_allocate.interrupted = 2;
    ok(ngx_http_flowdash_outbox_reserve(file, 73728, &test_log) == NGX_OK
       && test_size(file) == file->reserved && test_allocate.calls == 4
       && file->reserved == 77824 && (off_t) test_counters.size == 77824,
       "room that is made, though a signal came");

    test_reset();
    test_allocate.fail = ENOSPC;
    ok(ngx_http_flowdash_outbox_reserve(file, 100000, &test_log) == NGX_ERROR
       && file->reserved == 77824 && test_counters.broken == 1
       && test_logged_level == NGX_LOG_CRIT
       && strstr((char *) test_logged, "posix_fallocate()")
       && strstr((char *) test_logged, "/now/one"), "no room");

    test_reset();
    ok(test_step(file) == NGX_OK && test_reads(file),
       "the record is as before");

    ok(ngx_http_flowdash_outbox_reserve(file, 67108864 - file->offset,
                                        &test_log) == NGX_OK
       && file->reserved == 67108864, "all the room that there is");
    ok(ngx_http_flowdash_outbox_reserve(file, 67108865 - file->offset,
                                        &test_log) == NGX_ERROR
       && ngx_http_flowdash_outbox_reserve(file, 80000000, &test_log)
          == NGX_ERROR
       && file->reserved == 67108864 && test_counters.broken == 0
       && strstr((char *) test_logged, "more than 67108864 bytes"),
       "too large for a record");

    test_reset();
    ngx_http_flowdash_outbox_remove(file, &test_log);
    ok(test_counters.size == 0 && test_logged_len == 0, "it is removed");

    /* what fails at the start leaves nothing */

    test_allocate.fail = ENOSPC;
    record = test_new("two");
    ok(ngx_http_flowdash_outbox_create(record, 70000, &test_log) == NULL
       && test_counters.size == 0 && test_counters.broken == 1,
       "no room at the start");

    test_reset();
    test_unlink.fail = EACCES;
    test_allocate.fail = EIO;
    ok(ngx_http_flowdash_outbox_create(record, 70000, &test_log) == NULL
       && strstr((char *) test_logged, "unlink()"),
       "a file that cannot be removed");

    test_reset();
    ok(ngx_http_flowdash_outbox_create(record, 70000, &test_log) == NULL
       && strstr((char *) test_logged, "open()") && test_counters.broken == 1,
       "a name that is taken");

    ngx_destroy_pool(record->pool);

    test_reset();
    test_counters.size = 0;
    file = NULL;
    good = 1;

    for (n = 0; n < 100 && file == NULL; n++) {
        record = test_new("five");

        test_budget = n;
        file = ngx_http_flowdash_outbox_create(record, 70000, &test_log);
        test_budget = -1;

        if (file == NULL) {
            good &= (test_counters.size == 0);
            ngx_destroy_pool(record->pool);
        }
    }

    ok(file && n > 1 && good, "without memory, nothing is left");

    if (file) {
        ngx_http_flowdash_outbox_remove(file, &test_log);
    }
}


static void
test_lines(void)
{
    off_t                             offset;
    ngx_http_flowdash_record_t       *record;
    ngx_http_flowdash_outbox_file_t  *file;

    test_reset();
    record = test_new("three");
    file = ngx_http_flowdash_outbox_create(record, 100, &test_log);

    test_write.most = 7;
    test_write.interrupted = 3;
    ok(test_step(file) == NGX_OK && test_reads(file),
       "a line in pieces, with signals");

    /* a half line is left: the next one is written over it */

    test_reset();
    test_write.most = 20;
    test_write.fail = ENOSPC;
    offset = file->offset;
    ok(test_step(file) == NGX_ERROR && file->offset == offset
       && test_write.calls == 3 && test_counters.broken == 1
       && strstr((char *) test_logged, "pwrite()") && test_reads(file),
       "a line that is cut is no line");

    test_reset();
    ok(test_step(file) == NGX_OK && test_reads(file), "the next one is");

    test_write.most = 20;
    test_write.fail = ERANGE;
    test_write.calls = 1;
    ok(test_step(file) == NGX_ERROR && test_reads(file),
       "nothing was written, for no reason");

    test_reset();

    while (file->offset < 9000) {
        if (test_step(file) != NGX_OK) {
            break;
        }
    }

    ok(file->reserved == 12288 && test_size(file) == 12288
       && (off_t) test_counters.size == 12288 && test_reads(file),
       "more than was reserved");

    /* a record that waits has one byte behind its last line */

    test_trim(file);
    test_reset();
    test_allocate.fail = ENOSPC;
    offset = file->offset;
    ok(test_step(file) == NGX_ERROR && test_write.calls == 0
       && file->offset == offset && file->reserved == offset + 1
       && test_size(file) == offset + 1 && test_counters.broken == 1,
       "the disk is full: no part of a line is written");

    test_reset();
    test_write.most = 20;
    test_write.fail = ENOSPC;
    ok(test_step(file) == NGX_ERROR && test_write.calls == 3
       && test_size(file) == file->reserved && file->reserved > offset + 40
       && test_reads(file), "there is space behind a line that is cut");

    test_reset();
    ok(test_step(file) == NGX_OK && test_reads(file),
       "the next one is complete");

    test_unlink.fail = EROFS;
    ngx_http_flowdash_outbox_remove(file, &test_log);
    ok(test_counters.size != 0 && strstr((char *) test_logged, "unlink()"),
       "a file that cannot be removed is still there");

    test_reset();
    test_counters.size = 0;
    record = test_new("four");
    file = ngx_http_flowdash_outbox_create(record, 100, &test_log);
    (void) unlink((char *) file->path.data);
    ngx_http_flowdash_outbox_remove(file, &test_log);
    ok(test_counters.size == 0 && test_logged_len == 0,
       "one that somebody has removed");
}


/* as nginx runs it: the handler in a thread, the event in the worker */

static void *
test_thread(void *data)
{
    ngx_thread_task_t *task = data;

    task->handler(task->ctx, &test_log);

    return NULL;
}


static void
test_run(void)
{
    pthread_t  tid;

    if (pthread_create(&tid, NULL, test_thread, test_task) != 0) {
        abort();
    }

    (void) pthread_join(tid, NULL);

    test_task->event.complete = 1;
    test_task->event.handler(&test_task->event);
}


static void
test_syncs(void)
{
    ngx_http_flowdash_record_t       *record;
    ngx_http_flowdash_outbox_file_t  *file;

    test_reset();
    record = test_new("five");
    file = ngx_http_flowdash_outbox_create(record, 100, &test_log);

    test_budget = 0;
    ok(ngx_http_flowdash_outbox_sync(file, test_handler, file, &test_log)
       == NGX_ERROR, "no memory for a thread's task");
    test_budget = -1;

    test_post_rc = NGX_ERROR;
    ok(ngx_http_flowdash_outbox_sync(file, test_handler, file, &test_log)
       == NGX_ERROR && test_counters.broken == 2, "no thread has time");

    test_reset();
    ok(ngx_http_flowdash_outbox_sync(file, test_handler, file, &test_log)
       == NGX_AGAIN && test_done == NULL && file->data == file,
       "a thread has something to do");

    test_run();
    ok(test_done == file && test_rc == NGX_OK && test_sync.calls == 2
       && test_synced[0] == file->fd && test_fdatasyncs == 0
       && test_synced[1] == ngx_http_flowdash_outbox.now,
       "the file is synced, and its directory");

    test_reset();
    (void) test_step(file);
    ok(ngx_http_flowdash_outbox_sync(file, test_handler, NULL, &test_log)
       == NGX_AGAIN, "once more");
    test_run();
    ok(test_done == file && test_rc == NGX_OK && test_sync.calls == 1
       && test_fdatasyncs == 1, "its directory needs nothing more");

    test_reset();
    (void) ngx_http_flowdash_outbox_sync(file, test_handler, NULL, &test_log);
    test_sync.fail = EIO;
    test_run();
    ok(test_done == file && test_rc == NGX_ERROR && test_counters.broken == 1
       && test_logged_level == NGX_LOG_CRIT
       && strstr((char *) test_logged, "fsync()"), "the disk is broken");

    test_reset();
    ok(ngx_http_flowdash_outbox_sync(file, test_handler, NULL, &test_log)
       == NGX_ERROR && test_task == NULL && test_logged_len,
       "no later sync is believed");
    ok(test_step(file) == NGX_OK && test_reads(file),
       "lines can still be written");

    ngx_http_flowdash_outbox_remove(file, &test_log);

    test_reset();
    ngx_http_flowdash_outbox.conf.fsync = 0;
    record = test_new("six");
    file = ngx_http_flowdash_outbox_create(record, 100, &test_log);
    ok(!record->sync && ngx_http_flowdash_outbox_sync(file, test_handler,
                                                      NULL, &test_log)
                        == NGX_OK && test_task == NULL, "fsync=off");
    ngx_http_flowdash_outbox_remove(file, &test_log);
}


/* a file system may take its time to free the space */

static void
test_removals(void)
{
    char                              path[300];
    ngx_http_flowdash_record_t       *record;
    ngx_http_flowdash_outbox_file_t  *file;

    static int  pool;

    test_reset();
    ngx_http_flowdash_outbox.conf.threads = &pool;
    ngx_http_flowdash_outbox.conf.fsync = 1;

    record = test_new("eight");
    file = ngx_http_flowdash_outbox_create(record, 100, &test_log);
    snprintf(path, sizeof(path), "%s", file->path.data);

    (void) ngx_http_flowdash_outbox_sync(file, test_handler, NULL, &test_log);
    test_run();

    test_task = NULL;
    ngx_http_flowdash_outbox_remove(file, &test_log);
    ok(test_task && access(path, F_OK) == 0 && test_counters.size,
       "a thread will remove it");
    test_run();
    ok(access(path, F_OK) == -1 && test_counters.size == 0
       && test_logged_len == 0, "a thread has removed it");

    record = test_new("nine");
    file = ngx_http_flowdash_outbox_create(record, 100, &test_log);
    test_unlink.fail = EROFS;
    ngx_http_flowdash_outbox_remove(file, &test_log);
    test_run();
    ok(strstr((char *) test_logged, "unlink()") != NULL,
       "a thread cannot remove it");

    test_reset();
    record = test_new("ten");
    file = ngx_http_flowdash_outbox_create(record, 100, &test_log);
    snprintf(path, sizeof(path), "%s", file->path.data);
    test_post_rc = NGX_ERROR;
    ngx_http_flowdash_outbox_remove(file, &test_log);
    ok(access(path, F_OK) == -1, "no thread has time to remove it");

    test_reset();
    record = test_new("eleven");
    file = ngx_http_flowdash_outbox_create(record, 100, &test_log);
    ngx_exiting = 1;
    ngx_http_flowdash_outbox_remove(file, &test_log);
    ok(test_task == NULL && access(path, F_OK) == -1, "the worker ends");
    ngx_exiting = 0;
}


static void
test_none(void)
{
    ngx_str_t                         line = ngx_null_string, path;
    ngx_http_flowdash_record_t       *record;
    ngx_http_flowdash_outbox_file_t  *file;

    test_reset();
    path = ngx_http_flowdash_outbox.conf.path;
    ngx_str_null(&ngx_http_flowdash_outbox.conf.path);

    record = test_new("seven");
    file = ngx_http_flowdash_outbox_create(record, 100, &test_log);

    ok(file && file->fd == NGX_INVALID_FILE
       && ngx_http_flowdash_outbox_reserve(file, 100, &test_log) == NGX_OK
       && ngx_http_flowdash_outbox_write(file, &line, &test_log) == NGX_OK
       && ngx_http_flowdash_outbox_sync(file, test_handler, NULL, &test_log)
          == NGX_OK,
       "without an outbox, there is only the record");

    ngx_http_flowdash_outbox_remove(file, &test_log);
    ok(test_logged_len == 0 && test_unlink.calls == 0 && test_write.calls == 0,
       "nothing is written or removed");

    ngx_http_flowdash_outbox.conf.path = path;
}


int
main(void)
{
    char                    path[300];
    const char             *tmp;
    static ngx_cycle_t      cycle;

    (void) test_begin(0);

    tmp = getenv("TMPDIR");
    snprintf(test_dir, sizeof(test_dir), "%s/flowdash-file-XXXXXX",
             tmp && *tmp ? tmp : "/tmp");

    if (mkdtemp(test_dir) == NULL) {
        abort();
    }

    test_log_keep();
    cycle.log = &test_log;
    ngx_cycle = &cycle;

    ngx_http_flowdash_outbox.counters = &test_counters;
    ngx_http_flowdash_outbox.conf.path.data = (u_char *) test_dir;
    ngx_http_flowdash_outbox.conf.path.len = strlen(test_dir);
    ngx_http_flowdash_outbox.conf.fsync = 1;

    test_space();
    test_lines();
    test_syncs();
    test_removals();
    test_none();

    snprintf(path, sizeof(path), "rm -rf %s", test_dir);
    (void) !system(path);

    return test_end();
}
