
/*
 * The directories of the outbox, without nginx's workers: processes that die
 * and others that take over, what a person moves, files that are no records,
 * clocks that are set, ten thousand files, and the lack of an outbox.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <sys/wait.h>

#include "tap.h"


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
#include "ngx_http_flowdash_outbox_group.c"
#include "ngx_http_flowdash_outbox_memory.c"
#include "ngx_http_flowdash_outbox_later.c"
#include "ngx_http_flowdash_outbox_file.c"
#include "ngx_http_flowdash_outbox_load.c"
#include "ngx_http_flowdash_outbox_due.c"
#include "ngx_http_flowdash_outbox_take.c"
#include "ngx_http_flowdash_outbox_count.c"
#include "ngx_http_flowdash_outbox_worker.c"


/* what a record says before its worker dies */

typedef enum {
    TEST_BEGUN = 0,
    TEST_CALLED,
    TEST_MARKED,
    TEST_OK,
    TEST_REFUSED,
    TEST_UNKNOWN
} test_state_e;


/* what "send" does */

typedef enum {
    TEST_DELIVER = 0,
    TEST_POSTPONE,
    TEST_KILL,                           /* it is dead */
    TEST_HOLD
} test_send_e;


static char                             test_dir[256];
static ngx_cycle_t                      test_cycle;
static volatile ngx_time_t              test_now;
static ngx_http_flowdash_outbox_conf_t  test_conf;
static ngx_http_flowdash_outbox_counters_t  test_counters;
static test_send_e                      test_send;
static ngx_uint_t                       test_sent;
static ngx_uint_t                       test_most;   /* in one turn */
static char                             test_last[512];  /* that was sent */
static int                              test_book = -1;
static ngx_http_flowdash_outbox_file_t *test_held[200];
static ngx_uint_t                       test_nheld;
static ngx_http_flowdash_outbox_file_t *test_runs[16];  /* at the end */
static ngx_uint_t                       test_nruns;
static uint64_t                         test_longest;   /* turn, us */


static void
test_handler(ngx_http_flowdash_outbox_file_t *file)
{
    ngx_str_t                      line;
    ngx_http_flowdash_record_t    *record;
    ngx_http_flowdash_delivery_t  *delivery;

    record = file->record;
    test_sent++;

    snprintf(test_last, sizeof(test_last), "%.*s %d %.*s%s\n",
             (int) record->id.len, record->id.data, record->outcome,
             (int) record->reason.len, record->reason.data,
             record->again ? " again" : "");

    if (test_book != -1
        && write(test_book, test_last, strlen(test_last)) == -1)
    {
        abort();
    }

    switch (test_send) {

    case TEST_POSTPONE:
        ngx_http_flowdash_outbox_postpone(file, 60, &test_log);
        return;

    case TEST_HOLD:
        test_held[test_nheld++] = file;
        return;

    case TEST_KILL:
        delivery = ngx_http_flowdash_record_next(record, NULL);
        delivery->state = NGX_HTTP_FLOWDASH_DELIVERY_DEAD;

        if (ngx_http_flowdash_record_delivery(record, delivery, &file->mac,
                                              &line)
            != NGX_OK
            || ngx_http_flowdash_outbox_write(file, &line, &test_log)
               != NGX_OK)
        {
            abort();
        }

        ngx_http_flowdash_outbox_set_aside(file, 1, &test_log);
        return;

    default:
        ngx_http_flowdash_outbox_remove(file, &test_log);
    }
}


static ngx_str_t
test_text(ngx_pool_t *pool, const char *s)
{
    ngx_str_t  text;

    text.len = strlen(s);
    text.data = ngx_pnalloc(pool, text.len);
    ngx_memcpy(text.data, s, text.len);

    return text;
}


static void
test_delivery(ngx_pool_t *pool, ngx_http_flowdash_delivery_t *delivery,
    const char *name)
{
    ngx_http_flowdash_piece_t  *piece;

    ngx_memzero(delivery, sizeof(ngx_http_flowdash_delivery_t));

    delivery->name = test_text(pool, name);
    delivery->key = test_text(pool, "key");

    ngx_array_init(&delivery->uri, pool, 1, sizeof(*piece));
    ngx_array_init(&delivery->headers, pool, 1,
                   sizeof(ngx_http_flowdash_record_header_t));
    ngx_array_init(&delivery->body, pool, 1, sizeof(*piece));

    piece = ngx_array_push(&delivery->uri);
    ngx_memzero(piece, sizeof(*piece));
    piece->text = test_text(pool, "/undo");

    piece = ngx_array_push(&delivery->body);
    ngx_memzero(piece, sizeof(*piece));
    piece->text = test_text(pool, "{}");
}


static void
test_write(ngx_http_flowdash_outbox_file_t *file, ngx_int_t rc,
    ngx_str_t *line)
{
    if (rc != NGX_OK
        || ngx_http_flowdash_outbox_write(file, line, &test_log) != NGX_OK)
    {
        printf("# a line cannot be written\n");
        abort();
    }
}


/* the record of an execution that has come so far; NULL: there is no room */

static ngx_http_flowdash_outbox_file_t *
test_record(const char *id, test_state_e state)
{
    ngx_str_t                         line;
    ngx_pool_t                       *pool;
    ngx_http_flowdash_record_t       *record;
    ngx_http_flowdash_record_step_t  *step;
    ngx_http_flowdash_outbox_file_t  *file;

    pool = ngx_create_pool(1024, &test_log);
    record = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_record_t));

    record->pool = pool;
    record->id = test_text(pool, id);
    record->start = 1000;
    record->server = test_text(pool, "server");
    record->location = test_text(pool, "/");
    record->action = test_text(pool, "Finish");
    record->trace = test_text(pool, "0123456789abcdef0123456789abcdef01");

    ngx_array_init(&record->steps, pool, 2,
                   sizeof(ngx_http_flowdash_record_step_t));
    ngx_array_init(&record->afters, pool, 2,
                   sizeof(ngx_http_flowdash_delivery_t));

    file = ngx_http_flowdash_outbox_create(record, 8192, &test_log);
    if (file == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    if (state == TEST_BEGUN) {
        return file;
    }

    step = ngx_array_push(&record->steps);
    ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));
    step->name = test_text(pool, "Step");
    step->key = test_text(pool, "step");
    step->undo = ngx_palloc(pool, sizeof(ngx_http_flowdash_delivery_t));
    test_delivery(pool, step->undo, "Step");

    test_write(file, ngx_http_flowdash_record_call(record, step, &file->mac,
                                                   &line), &line);
    if (state == TEST_CALLED) {
        return file;
    }

    step->ended = 1;
    step->counts = 1;
    test_delivery(pool, ngx_array_push(&record->afters), "After");

    test_write(file, ngx_http_flowdash_record_answer(record, step, NULL,
                                                     &file->mac, &line),
               &line);
    record->marked = 1;
    test_write(file, ngx_http_flowdash_record_mark(record, &file->mac, &line),
               &line);

    if (state == TEST_MARKED) {
        return file;
    }

    record->outcome = (state == TEST_OK) ? NGX_HTTP_FLOWDASH_OUTCOME_OK
                      : (state == TEST_REFUSED)
                      ? NGX_HTTP_FLOWDASH_OUTCOME_REFUSED
                      : NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN;
    record->reason = test_text(pool, "refused");

    test_write(file, ngx_http_flowdash_record_outcome(record, &file->mac,
                                                      &line), &line);
    return file;
}


/* the same, which still runs when the worker ends; returns whether it does */

static ngx_uint_t
test_running(const char *id)
{
    test_runs[test_nruns] = test_record(id, TEST_CALLED);

    return test_runs[test_nruns] != NULL && ++test_nruns;
}


static void
test_worker_start(void)
{
    if (ngx_http_flowdash_outbox_init(&test_cycle, &test_conf, &test_counters,
                                      test_handler)
        != NGX_OK)
    {
        abort();
    }
}


/* the event loop, for so many seconds of its clock */

static void
test_run(ngx_uint_t seconds)
{
    uint64_t    start;
    ngx_uint_t  i, before;

    for (i = 0; i < seconds * 2; i++) {

        start = ngx_http_flowdash_outbox_due_time();

        ngx_event_expire_timers();

        do {
            before = test_sent;
            ngx_event_process_posted(&test_cycle, &ngx_posted_events);
            ngx_event_move_posted_next(&test_cycle);
            ngx_event_process_posted(&test_cycle, &ngx_posted_events);
            test_most = ngx_max(test_most, test_sent - before);
            before = start;
            start = ngx_http_flowdash_outbox_due_time();
            test_longest = ngx_max(test_longest, start - before);
        } while (!ngx_queue_empty(&ngx_posted_next_events)
                 || !ngx_queue_empty(&ngx_posted_events));

        ngx_current_msec += 500;
        test_now.sec += i % 2;
    }
}


/* how many files are there, in all directories that a pattern has */

static ngx_uint_t
test_files(const char *pattern)
{
    int    n;
    char   command[512];
    FILE  *pipe;

    snprintf(command, sizeof(command),
             "cd '%s' && find . ! -type d -path '%s' | wc -l", test_dir,
             pattern);

    pipe = popen(command, "r");
    if (pipe == NULL || fscanf(pipe, "%d", &n) != 1) {
        abort();
    }

    pclose(pipe);

    return n;
}


static void
test_shell(const char *command)
{
    char  text[1024];

    snprintf(text, sizeof(text), "cd '%s' && { %s; }", test_dir, command);

    if (system(text) != 0) {
        printf("# failed: %s\n", text);
    }
}


static void
test_clear(void)
{
    ngx_http_flowdash_outbox_exit(&test_log);

    while (test_nruns) {
        ngx_http_flowdash_outbox_dir_close(test_runs[--test_nruns],
                                           &test_log);
    }

    test_shell("rm -rf *");
    ngx_memzero(&test_counters, sizeof(test_counters));
    test_send = TEST_DELIVER;
    test_sent = 0;
    test_most = 0;
    test_nheld = 0;
    test_last[0] = '\0';
    test_logged_len = 0;
}


/* a worker that makes these records, and is killed */

static void
test_killed(void (*records)(void))
{
    int    fd[2];
    char   c;
    pid_t  pid;

    if (pipe(fd) == -1) {
        abort();
    }

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        test_worker_start();
        records();
        c = '.';
        (void) (write(fd[1], &c, 1) == 1);
        pause();
        _exit(1);
    }

    close(fd[1]);

    if (read(fd[0], &c, 1) != 1) {
        abort();
    }

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(fd[0]);
}


static void
test_all_states(void)
{
    test_record("begun", TEST_BEGUN);
    test_record("called", TEST_CALLED);
    test_record("marked", TEST_MARKED);
    test_record("ok", TEST_OK);
    test_record("refused", TEST_REFUSED);
    test_record("unknown", TEST_UNKNOWN);
}


/* after 1000, a record that waits for the endpoint */

static void
test_many(void)
{
    char        id[32];
    ngx_uint_t  i;

    for (i = 0; i < 300; i++) {
        snprintf(id, sizeof(id), "many%03u", (unsigned) i);
        ngx_http_flowdash_outbox_postpone(test_record(id, TEST_OK), 60,
                                          &test_log);
    }
}


static void
test_recovery(void)
{
    char   *path;
    pid_t   pid;

    test_killed(test_all_states);

    ok(test_files("./worker-*/now/*") == 6, "a killed worker leaves its files");

    test_worker_start();

    test_book = open("/tmp", O_RDWR|O_TMPFILE, 0600);
    test_run(10);

    ok(test_sent == 3, "three of six are sent");
    ok(test_files("./unknown/*") == 2 && test_files("./unknown/marked") == 1
       && test_files("./unknown/unknown") == 1, "two are unknown");
    ok(test_files("./worker-*/*") == 1, "one is removed, only a lock is left");

    path = calloc(1, 4096);
    (void) (pread(test_book, path, 4095, 0) > 0);
    ok(strstr(path, "called 2 crash\n") != NULL,
       "one without a mark is undone");
    ok(strstr(path, "ok 1 ") != NULL, "one that is ok has after-steps");
    ok(strstr(path, "refused 3 refused\n") != NULL, "one refused is undone");
    free(path);

    close(test_book);
    test_book = -1;

    /* unknown/: only a person decides */

    test_sent = 0;
    test_run(30);
    ok(test_sent == 0, "nothing is sent of what is unknown");

    test_shell("mv unknown/marked undo/");
    test_run(5);
    ok(test_sent == 1 && strcmp(test_last, "marked 3 unknown again\n") == 0,
       "undo/: a person decides that it is undone");

    test_send = TEST_KILL;
    test_shell("mv unknown/unknown after/");
    test_run(5);
    ok(test_sent == 2 && strcmp(test_last, "unknown 1  again\n") == 0,
       "after/: a person decides that it has happened");
    ok(test_files("./dead/unknown") == 1, "a delivery dies");

    test_shell("mv dead/unknown undo/");
    test_run(5);
    ok(test_sent == 2 && test_files("./dead/unknown") == 1,
       "undo/: nobody can undo what has happened");

    test_send = TEST_DELIVER;
    test_now.sec += 100;
    test_shell("mv dead/unknown waiting/");
    test_run(5);
    ok(test_sent == 3 && strcmp(test_last, "unknown 1  again\n") == 0
       && test_files("./dead/*") == 0,
       "waiting/: a person wants it to be tried again");

    test_clear();

    /* a living one is left alone */

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        test_worker_start();
        test_all_states();
        pause();
    }

    while (test_files("./worker-*/now/*") < 6) {
        usleep(1000);
    }

    test_worker_start();
    test_run(30);
    ok(test_sent == 0 && test_files("./worker-*/now/*") == 6,
       "nothing is taken from a worker that lives");

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    test_run(10);
    ok(test_sent == 3, "it is when it has died");

    test_clear();
}


/* of several workers, each record has one */

static void
test_race(void)
{
    char         *text, *p, name[32];
    pid_t         pid[3];
    ngx_uint_t    i, once;

    test_killed(test_many);
    ok(test_files("./worker-*/*/many*") == 300, "300 files of a dead worker");

    test_book = open("/tmp", O_RDWR|O_TMPFILE|O_APPEND, 0600);
    test_now.sec += 60;
    fflush(stdout);

    for (i = 0; i < 3; i++) {
        pid[i] = fork();

        if (pid[i] == 0) {
            test_worker_start();
            test_send = i ? TEST_DELIVER : TEST_POSTPONE;
            test_run(5);
            ngx_http_flowdash_outbox_exit(&test_log);
            test_worker_start();
            test_send = TEST_DELIVER;
            test_run(400);

            if (i) {
                ngx_http_flowdash_outbox_exit(&test_log);
            }

            _exit(0);
        }
    }

    for (i = 0; i < 3; i++) {
        waitpid(pid[i], NULL, 0);
    }

    ok(test_files("./*many*") == 0, "three workers have sent all");

    text = calloc(1, 1024 * 1024);
    (void) (pread(test_book, text, 1024 * 1024 - 1, 0) > 0);
    once = 0;

    /* postponed, by one of them, and then delivered: twice at most */

    for (i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "many%03u ", (unsigned) i);
        p = strstr(text, name);
        p = p ? strstr(p + 1, name) : NULL;
        once += (p == NULL || strstr(p + 1, name) == NULL);
    }

    free(text);
    close(test_book);
    test_book = -1;

    ok(once == 300, "no record had two owners");
    test_clear();
}


static void
test_exit(void)
{
    test_worker_start();
    ngx_http_flowdash_outbox_postpone(test_record("later", TEST_OK), 60,
                                      &test_log);
    test_running("runs");
    test_running("done");

    ok(test_files("./worker-*/[0-9]*/later") == 1, "one waits in its group");

    test_run(20);
    ok(test_sent == 0, "it is not due yet");

    ngx_http_flowdash_outbox_exit(&test_log);
    ok(test_files("./waiting/*/later") == 1
       && test_files("./worker-*/now/*") == 2,
       "a worker that ends gives away what waits");

    test_worker_start();
    test_run(10);
    ok(test_sent == 2 && strstr(test_last, " 2 crash") != NULL,
       "another one undoes what ran");
    test_run(60);
    ok(test_sent == 3 && strncmp(test_last, "later 1", 7) == 0,
       "and sends what waited when it is due");

    /* quits, but has requests */

    ngx_exiting = 1;
    test_send = TEST_DELIVER;
    test_run(5);
    ngx_http_flowdash_outbox_postpone(test_record("quits", TEST_OK), 60,
                                      &test_log);
    ok(test_files("./waiting/[0-9]*/quits") == 1,
       "a worker that quits gives away what it postpones");
    ngx_exiting = 0;

    ngx_http_flowdash_outbox_exit(&test_log);
    ok(test_files("./worker-*") == 0, "nothing is left of a worker");
    test_clear();
}


/* a file that a person has moved, after "command" has changed it */

static void
test_moved(const char *command)
{
    char  text[512];

    test_worker_start();
    ngx_http_flowdash_outbox_set_aside(test_record("x", TEST_UNKNOWN), 0,
                                       &test_log);
    ngx_http_flowdash_outbox_exit(&test_log);

    snprintf(text, sizeof(text), "cd unknown; %s; mv * ../undo/", command);
    test_shell(text);

    test_log_clear();
}


static void
test_refused(void)
{
    size_t  i;

    static struct {
        const char  *command;
        const char  *why;
    } cases[] = {
        { "sed -i s/Finish/Delete/ x", "changed" },
        { "sed -i 3d x", "changed" },
        { "sed -i 's/\"v\":1/\"v\":99/' x", "newer" },
        { "head -c 150 x > y; mv y x", "it is cut" },
        { "head -c 150 x > y; printf '\\0' >> y; mv y x",
          "no complete line" },
        { "head -c -20 x > y; mv y x", "it is cut" },
        { "head -n 3 x > y; mv y x", "it is cut" },     /* before its mark */
        { "tr -d '\\0' < x > y; mv y x", "it is cut" },
        { "truncate -s 0 x", "no complete line" },
        { "truncate -s 129M x", "too large" },
        { "printf '\\0x' >> x", "is not empty" },
        { "ln x ../y", "another name" },
        { "mv x ../y; ln -s ../y x", "is not a record" },
        { "rm x; mkfifo x", "is not a record" },
        { "rm x; mkdir x", "is not a record" },
        { "mv x x.y", "is not a record" },
        { "mv x x2", "name is not the id" },
        { "chown 12345 x", "another user" },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        if (strstr(cases[i].command, "chown") && geteuid() != 0) {
            continue;
        }

        test_moved(cases[i].command);
        test_worker_start();
        test_run(30);

        ok(test_sent == 0
           && test_files("./undo/*") + test_files("./worker-*/undo/*") == 0,
           show("not sent", cases[i].command));
        ok(strstr((char *) test_logged, cases[i].why) != NULL
           && strstr((char *) test_logged, "is kept in the outbox") != NULL
           && strstr(strstr((char *) test_logged, "is kept") + 1, "is kept")
              == NULL,
           show("says why, once", cases[i].why));

        if (strstr((char *) test_logged, cases[i].why) == NULL) {
            printf("# %s\n", test_logged);
        }

        test_clear();
    }

    test_moved("true");
    test_worker_start();
    test_run(5);
    ok(test_sent == 1, "a record that nobody has changed is sent");
    test_clear();

    /* its worker was killed while it wrote, and the next one has moved it */

    test_moved("tr -d '\\0' < x > y; printf 'part\\0\\0' >> y; rm x; "
               "mkdir ../waiting/1; mv y ../waiting/1/x; touch z");
    test_shell("rm undo/z");
    test_worker_start();
    test_run(10);
    ok(test_files("./unknown/x") == 1, "with a part of a line, it is moved");
    test_shell("mv unknown/x undo/");
    test_run(10);
    ok(test_sent == 1 && test_files("./dead/*") == 0,
       "and is read again: it was not cut");
    test_clear();

    /* whoever lacks the key can make the lines, but not their MACs */

    test_moved("true");
    test_conf.key.data = (u_char *) "0123456789abcdef";
    test_conf.key.len = 16;
    test_worker_start();
    test_run(5);
    ok(test_sent == 0 && test_files("./dead/x") == 1,
       "a record without the key is not sent");
    test_clear();

    test_moved("true");
    test_worker_start();
    test_run(5);
    ok(test_sent == 1, "one with the key is");
    test_clear();

    test_conf.key.len = 0;

    /* two of a name, of which a person has copied one */

    test_moved("cp -p x ../dead/");
    test_send = TEST_KILL;
    test_worker_start();
    test_run(5);
    ok(test_files("./dead/x*") == 2, "no file replaces another");

    test_send = TEST_DELIVER;
    test_shell("mv dead/x.2 waiting/");
    test_run(5);
    ok(test_sent == 2, "the second of a name is sent as well");
    test_clear();
}


static void
test_clocks(void)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_outbox_file_t  *file;

    test_worker_start();

    /* forward: all is due */

    ngx_http_flowdash_outbox_postpone(test_record("a", TEST_OK), 3600,
                                      &test_log);
    test_run(30);
    ok(test_sent == 0, "not due yet");
    test_now.sec += 86400;
    test_run(15);
    ok(test_sent == 1, "the clock is set forward: it is due");

    /* back: nothing waits longer than it would have */

    ngx_http_flowdash_outbox_postpone(test_record("b", TEST_OK), 3600,
                                      &test_log);
    test_now.sec -= 10 * 86400;
    test_run(15);
    ok(test_sent == 2, "the clock is set back by days: it is due");

    ngx_http_flowdash_outbox_postpone(test_record("c", TEST_OK), 60,
                                      &test_log);
    test_now.sec -= 600;
    test_run(700);
    ok(test_sent == 3, "the clock is set back a little: it waits for that");

    /* rounding */

    for (i = 0; i < 100; i++) {
        file = test_record(i % 2 ? "d" : "e", TEST_OK);
        ngx_http_flowdash_outbox_postpone(file, 1 + i / 2, &test_log);
        test_run(1 + i / 2);
        test_run(15);
    }

    ok(test_sent == 103, "each is sent when it is due");
    test_clear();
}


/* FLOWDASH_ROUNDS=10: a hundred thousand */

static void
test_ten_thousand(ngx_uint_t n)
{
    char        id[32];
    uint64_t    start;
    ngx_uint_t  i;

    n *= 10000;

    test_worker_start();

    for (i = 0; i < n; i++) {
        snprintf(id, sizeof(id), "id%06u", (unsigned) i);
        ngx_http_flowdash_outbox_postpone(test_record(id, TEST_OK), 60,
                                          &test_log);
    }

    ok(test_counters.size > n * 500 && test_counters.size < n * 8192,
       "what is reserved is given back while they wait");

    test_longest = 0;
    test_run(40);
    ok(test_counters.waiting == n && test_counters.oldest == 1000,
       "they are counted");
    ok(test_counters.unknown == 0 && test_counters.dead == 0, "as what waits");
    ok(test_sent == 0, "none is due");

    printf("# counting: the longest turn took %u us\n",
           (unsigned) test_longest);

    test_longest = 0;
    start = ngx_http_flowdash_outbox_due_time();
    test_run(60);
    printf("# %u records in %u ms, at most %u in a turn, of %u us\n",
           (unsigned) n,
           (unsigned) ((ngx_http_flowdash_outbox_due_time() - start) / 1000),
           (unsigned) test_most, (unsigned) test_longest);

    ok(test_sent == n && test_files("./worker-*/[0-9]*/*") == 0,
       "all are sent");
    ok(test_most < n / 2, "in many turns");

    test_run(40);
    ok(test_counters.waiting == 0 && test_counters.size == 0,
       "nothing is left");

    /* they wait in a directory that nobody has taken over yet, too */

    test_shell("mkdir -p new-0123456789abcdef0123456789abcdef/after "
               "&& touch new-0123456789abcdef0123456789abcdef/after/id");
    test_run(40);
    ok(test_counters.waiting == 1, "whose name was lost with the power");
    test_shell("rm -rf new-*");

    /* no more of them than the sender can have */

    for (i = 0; i < 100; i++) {
        snprintf(id, sizeof(id), "id%05u", (unsigned) i);
        ngx_http_flowdash_outbox_postpone(test_record(id, TEST_OK), 5,
                                          &test_log);
    }

    test_send = TEST_HOLD;
    test_run(30);
    ok(test_nheld == NGX_HTTP_FLOWDASH_OUTBOX_OUT_MAX,
       "so many are sent at the same time");

    ngx_http_flowdash_outbox_remove(test_held[0], &test_log);
    test_run(1);
    ok(test_nheld == NGX_HTTP_FLOWDASH_OUTBOX_OUT_MAX + 1,
       "and another one when one of them has ended");

    test_run(30);
    ok(test_counters.waiting == 99, "those that are sent wait as well");

    for (i = 1; i < test_nheld; i++) {
        ngx_http_flowdash_outbox_postpone(test_held[i], 5, &test_log);
    }

    test_clear();
}


static void
test_room(void)
{
    ngx_http_flowdash_outbox_file_t  *file;

    test_conf.max_size = 20000;
    test_worker_start();

    file = test_record("a", TEST_CALLED);
    ok(file && test_running("b"), "there is room for two");

    test_log_clear();
    ok(!test_running("c"), "there is none for three");
    ok(strstr((char *) test_logged, "is full") != NULL, "this is logged");

    ngx_http_flowdash_outbox_remove(file, &test_log);
    ok(test_running("c"), "one that is done makes room");
    ok(!test_running("d"), "for one");

    test_run(60);
    ok(test_counters.size == 16384, "the scan finds the same size");
    test_clear();
    test_conf.max_size = 0;

    /* the directory is lost, or cannot be made at first */

    test_worker_start();
    ok(!test_running("../x"), "an id that is a path");
    test_shell("rm -rf worker-*");
    ok(test_running("a"), "a worker makes a new directory");
    test_clear();

    snprintf(test_dir + strlen(test_dir), 8, "/no");
    test_conf.path.len += 3;
    test_worker_start();
    ok(!test_running("a"), "there is no outbox");
    (void) (mkdir(test_dir, 0700) == 0);
    ok(test_running("a"), "there is one now");
    ngx_http_flowdash_outbox_exit(&test_log);
    test_conf.path.len -= 3;
    test_dir[test_conf.path.len] = '\0';
    test_clear();

    /* a lock that somebody has removed; a worker that died too early */

    test_killed(test_all_states);
    test_shell("rm worker-*/lock; mkdir new-0123456789abcdef0123456789abcdef; "
               "touch -d @1 new-*");
    test_worker_start();
    test_log_clear();
    test_run(60);
    ok(test_sent == 0
       && strstr((char *) test_logged, "has no \"lock\"") != NULL,
       "without a lock, it cannot be told whether a worker lives");
    test_shell("test ! -e new-0123456789abcdef0123456789abcdef");
    test_clear();
}


/* without an outbox */

static void
test_memory(void)
{
    ngx_uint_t  i;

    if (ngx_http_flowdash_outbox_init(&test_cycle, NULL, NULL, test_handler)
        != NGX_OK)
    {
        abort();
    }

    ngx_http_flowdash_outbox_postpone(test_record("a", TEST_OK), 60,
                                      &test_log);
    test_run(50);
    ok(test_sent == 0 && ngx_http_flowdash_outbox.counters->waiting == 1,
       "a record waits in memory");
    test_run(20);
    ok(test_sent == 1 && ngx_http_flowdash_outbox.counters->waiting == 0,
       "and is sent when it is due");

    test_log_clear();

    for (i = 0; i < NGX_HTTP_FLOWDASH_OUTBOX_MEMORY_RECORDS; i++) {
        ngx_http_flowdash_outbox_postpone(test_record("a", TEST_OK), 60,
                                          &test_log);
    }

    ok(test_logged_len == 0, "there is room for a thousand");
    ngx_http_flowdash_outbox_postpone(test_record("more", TEST_OK), 60,
                                      &test_log);
    ok(strstr((char *) test_logged, "is lost: too much waits") != NULL,
       "not for more");
    ngx_http_flowdash_outbox_set_aside(test_record("a", TEST_UNKNOWN), 0,
                                       &test_log);

    test_log_clear();
    ngx_http_flowdash_outbox_exit(&test_log);
    ok(strstr((char *) test_logged, "1000 actions") != NULL,
       "all are lost when the worker ends");
}


int
main(int argc, char **argv)
{
    ngx_log_t   *log;
    ngx_uint_t   rounds;

    log = &test_log;

    rounds = test_begin(1);

    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(test_dir, sizeof(test_dir), "%s/outbox-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");

    if (mkdtemp(test_dir) == NULL) {
        return 1;
    }

    test_log_keep();

    test_now.sec = ngx_time() + 100;
    ngx_cached_time = &test_now;
    test_cycle.log = log;
    ngx_cycle = &test_cycle;

    ngx_event_timer_init(log);
    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);

    test_conf.path.data = (u_char *) test_dir;
    test_conf.path.len = strlen(test_dir);

    test_recovery();
    test_race();
    test_exit();
    test_refused();
    test_clocks();
    test_ten_thousand(rounds);
    test_room();
    test_memory();

    rmdir(test_dir);

    return test_end();
}
