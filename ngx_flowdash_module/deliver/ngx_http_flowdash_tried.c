
/*
 * What follows from a try: the delivery is done, waits for the next one, or is
 * dead.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash_record_todo.h>
#include <ngx_http_flowdash_outbox.h>
#include <ngx_http_flowdash_outbox_file.h>
#include <ngx_http_flowdash_outbox_later.h>
#include <ngx_http_flowdash_outbox_dir.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_count.h>
#include <ngx_http_flowdash_pace.h>
#include <ngx_http_flowdash_try.h>
#include <ngx_http_flowdash_shown.h>
#include <ngx_http_flowdash_tried.h>


/* for how long a record without an outbox is tried; s */

#define NGX_HTTP_FLOWDASH_TRIED_AGE  (3 * 24 * 3600)


static void ngx_http_flowdash_tried_failed(ngx_http_flowdash_tried_t *tried,
    ngx_http_flowdash_outbox_file_t *file, ngx_http_flowdash_try_t *try);
static ngx_uint_t ngx_http_flowdash_tried_is_old(
    ngx_http_flowdash_outbox_file_t *file);
static void ngx_http_flowdash_tried_write(
    ngx_http_flowdash_outbox_file_t *file,
    ngx_http_flowdash_delivery_t *delivery);
static ngx_uint_t ngx_http_flowdash_tried_log(
    ngx_http_flowdash_outbox_file_t *file, ngx_uint_t dead,
    ngx_http_flowdash_pace_t *pace, ngx_uint_t *more);
static time_t ngx_http_flowdash_tried_delay(ngx_http_flowdash_tried_t *tried);


void
ngx_http_flowdash_tried(ngx_http_flowdash_tried_t *tried,
    ngx_http_flowdash_outbox_file_t *file, ngx_http_flowdash_try_t *try)
{
    ngx_http_flowdash_delivery_t  *delivery;

    delivery = try->delivery;

    delivery->tries++;
    delivery->status = try->status;

    if (!ngx_http_flowdash_try_succeeded(try)) {
        ngx_http_flowdash_tried_failed(tried, file, try);
        return;
    }

    delivery->state = NGX_HTTP_FLOWDASH_DELIVERY_DONE;

    /* the last line of a record that is removed at once would say nothing */

    if (ngx_http_flowdash_record_todo(file->record,
                                      &ngx_http_flowdash_outbox.boot)
        != NGX_HTTP_FLOWDASH_RECORD_DONE)
    {
        ngx_http_flowdash_tried_write(file, delivery);
    }

    if (ngx_http_flowdash_outbox.counters) {
        (void) ngx_atomic_fetch_add(
                          &ngx_http_flowdash_outbox.counters->delivered, 1);
    }

    /* the answer's body may have failed, which does not matter */

    try->ex.error = NGX_HTTP_FLOWDASH_OK;

    ngx_http_flowdash_count_delivery(&file->record->action, &try->ex,
                                     ngx_cycle->log);

    if (delivery->tries > 1) {

        ngx_http_flowdash_log_delivery(ngx_cycle->log, NGX_LOG_INFO,
                                       file->record, delivery, &try->ex,
                                       "succeeded", 0);
    }
}


static void
ngx_http_flowdash_tried_failed(ngx_http_flowdash_tried_t *tried,
    ngx_http_flowdash_outbox_file_t *file, ngx_http_flowdash_try_t *try)
{
    ngx_uint_t                     more, dead, level;
    ngx_http_flowdash_delivery_t  *delivery;

    delivery = try->delivery;

    ngx_http_flowdash_count_delivery(&file->record->action, &try->ex,
                                     ngx_cycle->log);

    /* the first try of a record that nobody could send is not the last one */

    dead = (delivery->tries > 1 && ngx_http_flowdash_tried_is_old(file));

    if (dead) {
        delivery->state = NGX_HTTP_FLOWDASH_DELIVERY_DEAD;

    } else {
        tried->tries = ngx_max(tried->tries, delivery->tries);
        tried->after = ngx_max(tried->after, try->after);
    }

    ngx_http_flowdash_tried_write(file, delivery);

    if (ngx_http_flowdash_outbox.counters) {
        (void) ngx_atomic_fetch_add(
                             &ngx_http_flowdash_outbox.counters->failed, 1);
        (void) ngx_atomic_fetch_add(
                          &ngx_http_flowdash_outbox.counters->died, dead);
    }

    level = NGX_LOG_INFO;
    more = 0;

    if (dead || delivery->tries == 1) {

        level = NGX_LOG_ERR;

        if (!ngx_http_flowdash_tried_log(file, dead, &try->ex.step->pace,
                                         &more))
        {
            return;
        }
    }

    ngx_http_flowdash_log_delivery(ngx_cycle->log, level, file->record,
                                   delivery, &try->ex,
                                   dead ? "failed, and is dead" : "failed",
                                   more);
}


/* a person may have asked for new tries */

static ngx_uint_t
ngx_http_flowdash_tried_is_old(ngx_http_flowdash_outbox_file_t *file)
{
    time_t  age, start;

    age = ngx_http_flowdash_outbox.conf.max_age;

    if (age == 0) {
        age = NGX_HTTP_FLOWDASH_TRIED_AGE;
    }

    start = ngx_max(file->record->start, file->record->again);

    return ngx_time() - start >= age;
}


/*
 * A line that is missing only has the delivery made once more, with the same
 * key.  Why it could not be written is logged.
 */

static void
ngx_http_flowdash_tried_write(ngx_http_flowdash_outbox_file_t *file,
    ngx_http_flowdash_delivery_t *delivery)
{
    ngx_str_t  line;

    if (file->fd == NGX_INVALID_FILE) {
        return;
    }

    if (ngx_http_flowdash_record_delivery(file->record, delivery, &file->mac,
                                          &line)
        == NGX_OK)
    {
        (void) ngx_http_flowdash_outbox_write(file, &line, ngx_cycle->log);
    }
}


void
ngx_http_flowdash_tried_not(ngx_http_flowdash_tried_t *tried,
    ngx_http_flowdash_pace_t *pace)
{
    tried->rest = ngx_max(tried->rest, ngx_http_flowdash_pace_rest(pace));
}


void
ngx_http_flowdash_tried_never(ngx_http_flowdash_outbox_file_t *file,
    ngx_http_flowdash_delivery_t *delivery, ngx_str_t *reason)
{
    ngx_uint_t                    more;
    ngx_http_flowdash_exchange_t  ex;

    /* all of these share one line a minute */

    static ngx_http_flowdash_pace_t  pace;

    delivery->state = NGX_HTTP_FLOWDASH_DELIVERY_DEAD;

    ngx_http_flowdash_tried_write(file, delivery);

    if (ngx_http_flowdash_outbox.counters) {
        (void) ngx_atomic_fetch_add(&ngx_http_flowdash_outbox.counters->died,
                                    1);
    }

    if (!ngx_http_flowdash_tried_log(file, 1, &pace, &more)) {
        return;
    }

    ngx_memzero(&ex, sizeof(ngx_http_flowdash_exchange_t));

    ex.error = NGX_HTTP_FLOWDASH_REQUEST_INVALID;

    if (reason) {
        ex.detail = *reason;

    } else {
        ngx_str_set(&ex.detail, "it is no longer configured");
    }

    ngx_http_flowdash_log_delivery(ngx_cycle->log, NGX_LOG_ERR, file->record,
                                   delivery, &ex, "is dead", more);
}


/*
 * Whether it is logged, as ngx_http_flowdash_pace_log() says it.  What is dead
 * without an outbox is found nowhere else.
 */

static ngx_uint_t
ngx_http_flowdash_tried_log(ngx_http_flowdash_outbox_file_t *file,
    ngx_uint_t dead, ngx_http_flowdash_pace_t *pace, ngx_uint_t *more)
{
    if (dead && file->fd == NGX_INVALID_FILE) {
        *more = 0;
        return 1;
    }

    return ngx_http_flowdash_pace_log(pace, more);
}


void
ngx_http_flowdash_tried_end(ngx_http_flowdash_tried_t *tried,
    ngx_http_flowdash_outbox_file_t *file)
{
    ngx_log_t  *log;

    log = ngx_cycle->log;

    ngx_http_flowdash_shown(file->record);

    switch (ngx_http_flowdash_record_todo(file->record,
                                          &ngx_http_flowdash_outbox.boot))
    {

    case NGX_HTTP_FLOWDASH_RECORD_DONE:
        ngx_http_flowdash_outbox_remove(file, log);
        return;

    case NGX_HTTP_FLOWDASH_RECORD_DEAD:
        ngx_http_flowdash_outbox_set_aside(file, 1, log);
        return;

    case NGX_HTTP_FLOWDASH_RECORD_UNKNOWN:
        ngx_http_flowdash_outbox_set_aside(file, 0, log);
        return;

    default: /* undos or after-steps wait */
        ngx_http_flowdash_outbox_postpone(file,
                                        ngx_http_flowdash_tried_delay(tried),
                                        log);
    }
}


/* what was not tried need not wait for what was, and has failed often */

static time_t
ngx_http_flowdash_tried_delay(ngx_http_flowdash_tried_t *tried)
{
    time_t  delay;

    if (tried->tries == 0) {
        return tried->rest;
    }

    delay = ngx_http_flowdash_pace_delay(tried->tries, tried->after);

    return tried->rest ? ngx_min(delay, tried->rest) : delay;
}
