/*
 * Which delivery of which record is tried when, and what becomes of it.  The
 * tries themselves, the outbox and the log are replaced: each test writes down
 * in one text what they are asked to do, and compares it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "tap.h"

#include "ngx_http_flowdash_pace.c"
#include "ngx_http_flowdash_tried.c"
#include "ngx_http_flowdash_send.c"


#define NAMES  26


ngx_module_t                ngx_http_flowdash_module;
ngx_http_flowdash_outbox_t  ngx_http_flowdash_outbox;

static ngx_http_flowdash_outbox_counters_t  counters;

static char                      book[4096];
static size_t                    booked;

static ngx_http_flowdash_step_t  steps[NAMES];     /* "a" and so on */
static ngx_http_flowdash_try_t  *tries[64];        /* in flight */
static ngx_uint_t                ntries;
static time_t                    delay;            /* of the last postpone */
static ngx_fd_t                  fd;               /* of new records */


static void
note(const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    booked += vsnprintf(book + booked, sizeof(book) - booked, fmt, args);
    va_end(args);
}


static void
unnote(void)
{
    booked = 0;
    book[0] = '\0';
}


static ngx_uint_t
noted(const char *wanted)
{
    ngx_uint_t  good;

    good = (strcmp(book, wanted) == 0);

    if (!good) {
        printf("# got    \"%s\"\n# wanted \"%s\"\n", book, wanted);
    }

    unnote();

    return good;
}


/* the log */

void
ngx_http_flowdash_count_delivery(ngx_str_t *action,
    ngx_http_flowdash_exchange_t *ex, ngx_log_t *log)
{
    (void) action;
    (void) ex;
    (void) log;
}


void
ngx_http_flowdash_log_delivery(ngx_log_t *log, ngx_uint_t level,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery,
    ngx_http_flowdash_exchange_t *ex, const char *what, ngx_uint_t more)
{
    note("%s(%s %s%s", level == NGX_LOG_ERR ? "error" : "info",
         delivery->name.data, what, more ? "" : ") ");

    if (more) {
        note(" +%d) ", (int) more);
    }
}


/* the record */

ngx_int_t
ngx_http_flowdash_record_delivery(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *delivery,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line)
{
    line->data = ngx_pcalloc(record->pool, sizeof(mac->last));
    line->len = sizeof(mac->last);

    note("line(%s %d %d %d) ", delivery->name.data, delivery->state,
         (int) delivery->tries, (int) delivery->status);

    return NGX_OK;
}


ngx_http_flowdash_delivery_t *
ngx_http_flowdash_record_next(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *last)
{
    ngx_http_flowdash_delivery_t  *after, *end;

    after = record->afters.elts;
    end = after + record->afters.nelts;

    if (last) {
        after = last + 1;
    }

    while (after < end && after->state) {
        after++;
    }

    return (after < end) ? after : NULL;
}


ngx_http_flowdash_record_todo_e
ngx_http_flowdash_record_todo(ngx_http_flowdash_record_t *record,
    ngx_str_t *boot)
{
    ngx_uint_t                     i, dead;
    ngx_http_flowdash_delivery_t  *after;

    after = record->afters.elts;
    dead = 0;

    for (i = 0; i < record->afters.nelts; i++) {

        if (after[i].state == NGX_HTTP_FLOWDASH_DELIVERY_WAITING) {
            return NGX_HTTP_FLOWDASH_RECORD_AFTER;
        }

        dead |= (after[i].state == NGX_HTTP_FLOWDASH_DELIVERY_DEAD);
    }

    return dead ? NGX_HTTP_FLOWDASH_RECORD_DEAD
                : NGX_HTTP_FLOWDASH_RECORD_DONE;
}


void
ngx_http_flowdash_shown(ngx_http_flowdash_record_t *record)
{
}


/* the outbox, which frees no record here: tests send them again */

ngx_int_t
ngx_http_flowdash_outbox_write(ngx_http_flowdash_outbox_file_t *file,
    ngx_str_t *line, ngx_log_t *log)
{
    return NGX_OK;
}


void
ngx_http_flowdash_outbox_remove(ngx_http_flowdash_outbox_file_t *file,
    ngx_log_t *log)
{
    note("removed ");
}


void
ngx_http_flowdash_outbox_postpone(ngx_http_flowdash_outbox_file_t *file,
    time_t seconds, ngx_log_t *log)
{
    note(seconds ? "postponed " : "back ");
    delay = seconds;
}


void
ngx_http_flowdash_outbox_set_aside(ngx_http_flowdash_outbox_file_t *file,
    ngx_uint_t dead, ngx_log_t *log)
{
    note(dead ? "dead " : "unknown ");
}


/* the configuration: it lacks "z" */

ngx_http_flowdash_step_t *
ngx_http_flowdash_find(ngx_http_flowdash_main_conf_t *fmcf,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery,
    ngx_uint_t undo)
{
    return (delivery->name.data[0] == 'z')
           ? NULL : &steps[delivery->name.data[0] - 'a'];
}


/* a try */

ngx_http_flowdash_try_t *
ngx_http_flowdash_try_create(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *delivery, ngx_http_flowdash_step_t *step)
{
    ngx_http_flowdash_try_t  *try;

    if (test_fails()) {
        return NULL;
    }

    try = calloc(1, sizeof(ngx_http_flowdash_try_t));
    try->record = record;
    try->delivery = delivery;
    try->ex.step = step;

    return try;
}


/* "x" cannot be called */

ngx_int_t
ngx_http_flowdash_try(ngx_http_flowdash_try_t *try,
    ngx_http_flowdash_try_handler_pt handler)
{
    note("%s ", try->delivery->name.data);

    if (try->delivery->name.data[0] == 'x') {
        try->ex.error = NGX_HTTP_FLOWDASH_REQUEST_INVALID;
        return NGX_OK;
    }

    try->handler = handler;
    tries[ntries++] = try;

    return NGX_AGAIN;
}


void
ngx_http_flowdash_try_destroy(ngx_http_flowdash_try_t *try)
{
    free(try);
}


ngx_uint_t
ngx_http_flowdash_try_succeeded(ngx_http_flowdash_try_t *try)
{
    return try->status == 200;
}


ngx_uint_t
ngx_http_flowdash_try_reached(ngx_http_flowdash_try_t *try)
{
    return try->status != 0 || try->ex.error != NGX_HTTP_FLOWDASH_CONNECT;
}


/* the first call in flight ends: with a status, or 0 if none was reached */

static void
answer(ngx_uint_t status, int64_t after)
{
    ngx_http_flowdash_try_t  *try;

    if (ntries == 0) {
        note("nothing ");
        return;
    }

    try = tries[0];
    ntries--;
    memmove(tries, tries + 1, ntries * sizeof(tries[0]));

    try->status = status;
    try->after = after;
    try->ex.error = status == 0 ? NGX_HTTP_FLOWDASH_CONNECT
                    : status == 200 ? NGX_HTTP_FLOWDASH_OK
                    : NGX_HTTP_FLOWDASH_STATUS;

    try->handler(try);

    ngx_event_process_posted((ngx_cycle_t *) ngx_cycle, &ngx_posted_events);
}


/* a record with a delivery for each letter */

static ngx_http_flowdash_outbox_file_t *
record(const char *names)
{
    ngx_pool_t                       *pool;
    ngx_http_flowdash_record_t       *rec;
    ngx_http_flowdash_delivery_t     *after;
    ngx_http_flowdash_outbox_file_t  *file;

    pool = ngx_create_pool(1024, &test_log);
    rec = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_record_t));
    file = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_outbox_file_t));

    rec->pool = pool;
    rec->start = ngx_time();
    rec->outcome = NGX_HTTP_FLOWDASH_OUTCOME_OK;
    file->record = rec;
    file->fd = fd;

    (void) ngx_array_init(&rec->afters, pool, strlen(names),
                          sizeof(ngx_http_flowdash_delivery_t));

    for ( /* void */ ; *names; names++) {
        after = ngx_array_push(&rec->afters);
        ngx_memzero(after, sizeof(ngx_http_flowdash_delivery_t));
        after->name.data = ngx_pcalloc(pool, 2);
        after->name.data[0] = *names;
        after->name.len = 1;
    }

    return file;
}


static ngx_http_flowdash_delivery_t *
first(ngx_http_flowdash_outbox_file_t *file)
{
    return file->record->afters.elts;
}


static void
forget(ngx_http_flowdash_outbox_file_t *file)
{
    ngx_destroy_pool(file->record->pool);
}


static void
test_one_record(void)
{
    ngx_http_flowdash_outbox_file_t  *file;

    file = record("abc");

    ngx_http_flowdash_send(file);
    ok(noted("a "), "the first delivery is called");

    answer(200, 0);
    ok(noted("line(a 1 1 200) b "), "then the next one");

    answer(503, 0);
    ok(noted("line(b 0 1 503) error(b failed) c "),
       "and the one after a failure");

    answer(200, 0);
    ok(noted("line(c 1 1 200) postponed "),
       "a record with a failure is postponed");
    ok(delay >= 4 && delay <= 6, "by about 5 seconds");

    ngx_http_flowdash_send(file);
    answer(503, 0);
    ok(noted("b line(b 0 2 503) info(b failed) postponed ")
       && delay >= 8 && delay <= 12,
       "only what failed is tried again, and waits twice as long");

    ngx_http_flowdash_send(file);
    answer(503, 100);
    ok(noted("b line(b 0 3 503) info(b failed) postponed ")
       && delay == 100, "Retry-After is longer");

    ngx_http_flowdash_send(file);
    answer(503, NGX_MAX_OFF_T_VALUE);
    ok(noted("b line(b 0 4 503) info(b failed) postponed ")
       && delay == 3600, "but an hour at most");

    ngx_http_flowdash_send(file);
    answer(200, 0);
    ok(noted("b info(b succeeded) removed "),
       "a record whose deliveries have all succeeded is removed");

    forget(file);
}


static void
test_dead(void)
{
    ngx_http_flowdash_outbox_file_t  *file;

    ngx_memzero(steps, sizeof(steps));

    file = record("a");
    file->record->start = ngx_time() - 3 * 24 * 3600;

    ngx_http_flowdash_send(file);
    answer(503, 0);
    ok(noted("a line(a 0 1 503) error(a failed) postponed "),
       "an old record's first try is not its last");

    ngx_memzero(steps, sizeof(steps));

    file->record->again = ngx_time();
    ngx_http_flowdash_send(file);
    answer(503, 0);
    ok(noted("a line(a 0 2 503) info(a failed) postponed "),
       "a person has asked for more");

    file->record->again = ngx_time() - 3 * 24 * 3600;
    ngx_http_flowdash_send(file);
    answer(503, 0);
    ok(noted("a line(a 2 3 503) error(a failed, and is dead) dead "),
       "the last try of an old record");

    forget(file);

    file = record("az");
    ngx_http_flowdash_send(file);
    answer(200, 0);
    ok(noted("a line(a 1 1 200) line(z 2 0 0) error(z is dead) dead "),
       "what is no longer configured is dead, the rest is delivered");
    forget(file);

    file = record("ba");
    ngx_str_set(&first(file)->error, "a field is missing");
    ngx_http_flowdash_send(file);
    answer(200, 0);
    ok(noted("line(b 2 0 0) a line(a 1 1 200) dead "),
       "what cannot be called is dead; such lines come once a minute");
    forget(file);

    ngx_current_msec += 60000;

    file = record("z");
    ngx_http_flowdash_send(file);
    ok(noted("line(z 2 0 0) error(z is dead +1) dead "),
       "a minute later, the line says how many there were");
    forget(file);

    file = record("xa");
    ngx_http_flowdash_send(file);
    answer(200, 0);
    ok(noted("x line(x 0 1 0) error(x failed) a line(a 1 1 200) postponed "),
       "a call that fails at once");
    forget(file);

    ok(counters.delivered == 6 && counters.failed == 8 && counters.died == 4,
       "all of it is counted");
}


static void
test_pace(void)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_outbox_file_t  *file[32];

    ngx_memzero(steps, sizeof(steps));

    for (i = 0; i < 6; i++) {
        file[i] = record("a");
        ngx_http_flowdash_send(file[i]);
    }

    ok(noted("a a a a "), "four calls of one kind at a time");

    file[6] = record("b");
    ngx_http_flowdash_send(file[6]);
    ok(noted("b "), "others need not wait for these");

    answer(200, 0);
    ok(noted("removed a "), "the next one takes its turn");

    answer(0, 0);
    ok(noted("line(a 0 1 0) error(a failed) postponed postponed "),
       "if an endpoint is not reached, nobody waits for its calls");
    ok(delay >= 4 && delay <= 6, "they wait for about 5 seconds");
    ok(first(file[5])->tries == 0, "which counts as no try");

    answer(0, 0);
    ok(noted("line(a 0 1 0) postponed "), "one line a minute");

    ngx_http_flowdash_send(file[5]);
    ok(noted("postponed ") && delay >= 8 && delay <= 12,
       "it is left alone, ever longer");

    ngx_current_msec += 5000;
    ngx_http_flowdash_send(file[5]);
    ok(noted("postponed "), "and while calls are in flight");

    answer(0, 0);
    answer(200, 0);
    answer(200, 0);
    ok(noted("line(a 0 1 0) postponed removed removed "),
       "these end");

    ngx_http_flowdash_send(file[5]);
    ngx_http_flowdash_send(file[2]);
    ok(noted("a a "), "when it is back, all of them are called");

    answer(200, 0);
    answer(200, 0);
    ok(noted("removed info(a succeeded) "
             "removed "), "and succeed");

    for (i = 0; i < 7; i++) {
        forget(file[i]);
    }

    for (i = 0; i < 20; i++) {
        char  name[2] = { (char) ('a' + i), '\0' };

        file[i] = record(name);
        ngx_http_flowdash_send(file[i]);
    }

    ok(noted("a b c d e f g h i j k l m n o p "),
       "sixteen calls in flight, and no more");

    for (i = 0; i < 20; i++) {
        answer(200, 0);
    }

    ok(ntries == 0 && ngx_queue_empty(&ngx_http_flowdash_send_waiting)
       && ngx_http_flowdash_pace_all == 0,
       "all of them end");

    unnote();

    for (i = 0; i < 20; i++) {
        forget(file[i]);
    }
}


static void
test_full(void)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_outbox_file_t  *file[70];

    ngx_memzero(steps, sizeof(steps));

    for (i = 0; i < 69; i++) {
        file[i] = record("a");
        ngx_http_flowdash_send(file[i]);
    }

    ok(noted("a a a a postponed ") && delay >= 4 && delay <= 6,
       "not more than 64 records wait for a call");

    file[69] = record("a");
    file[69]->out = 1;
    unnote();

    for (i = 0; i < 48; i++) {
        answer(200, 0);
    }

    unnote();
    ngx_http_flowdash_send(file[69]);
    ok(noted("postponed "), "of those from the outbox, not more than 16");

    answer(200, 0);
    unnote();
    ngx_http_flowdash_send(file[69]);
    ok(noted(""), "that one waits");

    while (ntries) {
        answer(200, 0);
    }

    ok(steps[0].pace.waiting == 0 && steps[0].pace.calls == 0
       && counters.delivered == 6 + 5 + 20 + 68 + 1,
       "all those have been called");

    unnote();

    for (i = 0; i < 70; i++) {
        forget(file[i]);
    }

    test_budget = 0;
    file[0] = record("a");
    ngx_http_flowdash_send(file[0]);
    test_budget = -1;
    ok(noted("postponed "), "no memory for a try: later");
    forget(file[0]);
}


static void
test_mixed(void)
{
    ngx_http_flowdash_outbox_file_t  *file;

    ngx_memzero(steps, sizeof(steps));

    steps[1].pace.failures = 1;
    steps[1].pace.until = ngx_current_msec + 5000;

    file = record("ab");
    first(file)->tries = 8;

    ngx_http_flowdash_send(file);
    answer(503, 0);
    ok(noted("a line(a 0 9 503) info(a failed) postponed ")
       && delay >= 4 && delay <= 6,
       "what was not tried does not wait for what has failed often");

    steps[1].pace.failures = 0;

    ngx_http_flowdash_send(file);
    answer(503, 0);
    answer(200, 0);
    ok(noted("a line(a 0 10 503) info(a failed) b line(b 1 1 200) postponed ")
       && delay >= 2048, "which is left alone");

    forget(file);
}


static void
test_quit(void)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_outbox_file_t  *file[8];

    ngx_memzero(steps, sizeof(steps));

    for (i = 0; i < 5; i++) {
        file[i] = record("ab");
        ngx_http_flowdash_send(file[i]);
    }

    ok(noted("a a a a "), "a worker is busy");

    ngx_exiting = 1;

    answer(200, 0);
    ok(noted("line(a 1 1 200) back "),
       "a call in flight ends, the rest is for other workers");

    answer(503, 0);
    ok(noted("line(a 0 1 503) error(a failed) postponed "),
       "or for later");

    file[5] = record("a");
    ngx_http_flowdash_send(file[5]);
    ok(noted("back "), "it begins with no other record");

    fd = NGX_INVALID_FILE;
    file[6] = record("cb");
    ngx_http_flowdash_send(file[6]);
    fd = 7;
    ok(noted("c "), "unless nobody else could");

    ngx_http_flowdash_send_exit();
    ok(noted("back back back back "), "at the end, all is given back");

    ntries = 0;

    file[7] = record("a");
    ngx_http_flowdash_send(file[7]);
    ok(noted("back "), "nothing is sent behind the end");

    ngx_http_flowdash_send_exit();
    ok(noted(""), "which comes once");

    for (i = 0; i < 8; i++) {
        forget(file[i]);
    }

    ngx_exiting = 0;
}


int
main(void)
{
    ngx_uint_t   i;
    ngx_cycle_t  cycle;
    void        *conf[8];

    (void) test_begin(0);

    test_log_keep();
    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);

    ngx_memzero(&cycle, sizeof(ngx_cycle_t));
    ngx_memzero(conf, sizeof(conf));
    cycle.log = &test_log;
    cycle.conf_ctx = (void ****) conf;
    ngx_cycle = &cycle;
    ngx_http_module.index = 0;

    ngx_http_flowdash_outbox.counters = &counters;
    fd = 7;

    ok(ngx_http_flowdash_send_init(&cycle, NULL) == NGX_OK,
       "a worker starts");

    test_one_record();
    test_dead();
    test_pace();
    test_full();
    test_mixed();
    test_quit();

    for (i = 0; i < 200; i++) {
        if (ngx_http_flowdash_pace_delay(i, 0) > 4320) {
            break;
        }
    }

    ok(i == 200, "no delay is longer than an hour and a fifth");

    return test_end();
}
