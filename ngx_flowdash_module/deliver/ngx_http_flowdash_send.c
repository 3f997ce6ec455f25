
/*
 * Sends what records say: the deliveries of a record one after the other, and
 * several records at a time.
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
#include <ngx_http_flowdash_find.h>
#include <ngx_http_flowdash_pace.h>
#include <ngx_http_flowdash_shown.h>
#include <ngx_http_flowdash_try.h>
#include <ngx_http_flowdash_tried.h>
#include <ngx_http_flowdash_send.h>


/* as many records continue before other events have their turn */

#define NGX_HTTP_FLOWDASH_SEND_TURN   16

/* if there is no memory to send a record; s */

#define NGX_HTTP_FLOWDASH_SEND_AGAIN  5


/* a record that is being sent; in the record's pool */

typedef struct {
    ngx_queue_t                        queue;     /* of those that wait, or of
                                                     those in flight */
    ngx_http_flowdash_outbox_file_t   *file;
    ngx_http_flowdash_delivery_t      *delivery;  /* the current one, or NULL
                                                     before the first */
    ngx_http_flowdash_step_t          *step;      /* as it is configured */
    ngx_http_flowdash_try_t           *try;       /* in flight, or NULL */
    ngx_http_flowdash_tried_t          tried;
} ngx_http_flowdash_send_t;


static ngx_uint_t ngx_http_flowdash_send_is_given_back(
    ngx_http_flowdash_outbox_file_t *file);
static ngx_int_t ngx_http_flowdash_send_delivery(
    ngx_http_flowdash_send_t *send);
static ngx_int_t ngx_http_flowdash_send_try(ngx_http_flowdash_send_t *send);
static void ngx_http_flowdash_send_continue(ngx_http_flowdash_send_t *send);
static void ngx_http_flowdash_send_handler(ngx_http_flowdash_try_t *try);
static void ngx_http_flowdash_send_tried(ngx_http_flowdash_send_t *send);
static void ngx_http_flowdash_send_event(ngx_event_t *ev);
static ngx_http_flowdash_send_t *ngx_http_flowdash_send_next(void);


static ngx_queue_t  ngx_http_flowdash_send_waiting;
static ngx_queue_t  ngx_http_flowdash_send_calling;
static ngx_event_t  ngx_http_flowdash_send_posted;   /* a call has ended */
static ngx_uint_t   ngx_http_flowdash_send_ready;    /* unsigned  ready:1; */


ngx_int_t
ngx_http_flowdash_send_init(ngx_cycle_t *cycle,
    ngx_http_flowdash_main_conf_t *fmcf)
{
    ngx_queue_init(&ngx_http_flowdash_send_waiting);
    ngx_queue_init(&ngx_http_flowdash_send_calling);

    ngx_memzero(&ngx_http_flowdash_send_posted, sizeof(ngx_event_t));

    ngx_http_flowdash_send_posted.handler = ngx_http_flowdash_send_event;
    ngx_http_flowdash_send_posted.log = cycle->log;

    ngx_http_flowdash_send_ready = 1;

    return NGX_OK;
}


void
ngx_http_flowdash_send(ngx_http_flowdash_outbox_file_t *file)
{
    ngx_http_flowdash_send_t  *send;

    ngx_http_flowdash_shown(file->record);

    if (!ngx_http_flowdash_send_ready
        || ngx_http_flowdash_send_is_given_back(file))
    {
        ngx_http_flowdash_outbox_postpone(file, 0, ngx_cycle->log);
        return;
    }

    send = ngx_pcalloc(file->record->pool, sizeof(ngx_http_flowdash_send_t));
    if (send == NULL) {
        ngx_http_flowdash_outbox_postpone(file, NGX_HTTP_FLOWDASH_SEND_AGAIN,
                                          ngx_cycle->log);
        return;
    }

    send->file = file;

    ngx_http_flowdash_send_continue(send);
}


/*
 * A worker that quits begins no call that another one can make.  Without an
 * outbox, nobody else can.
 */

static ngx_uint_t
ngx_http_flowdash_send_is_given_back(ngx_http_flowdash_outbox_file_t *file)
{
    return ngx_exiting && file->fd != NGX_INVALID_FILE;
}


/* one delivery after the other, until one takes time */

static void
ngx_http_flowdash_send_continue(ngx_http_flowdash_send_t *send)
{
    ngx_int_t  rc;

    /* the current one has waited for its turn, and was not tried yet */

    rc = send->step ? ngx_http_flowdash_send_try(send) : NGX_OK;

    while (rc == NGX_OK) {

        send->delivery = ngx_http_flowdash_record_next(send->file->record,
                                                       send->delivery);

        if (send->delivery == NULL
            || ngx_http_flowdash_send_is_given_back(send->file))
        {
            ngx_http_flowdash_tried_end(&send->tried, send->file);
            return;
        }

        rc = ngx_http_flowdash_send_delivery(send);
    }
}


/* returns NGX_OK if nothing is to be done for it at present, or NGX_AGAIN */

static ngx_int_t
ngx_http_flowdash_send_delivery(ngx_http_flowdash_send_t *send)
{
    ngx_http_flowdash_record_t     *record;
    ngx_http_flowdash_delivery_t   *delivery;
    ngx_http_flowdash_main_conf_t  *fmcf;

    record = send->file->record;
    delivery = send->delivery;

    if (delivery->error.len) {
        ngx_http_flowdash_tried_never(send->file, delivery,
                                      &delivery->error);
        return NGX_OK;
    }

    fmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_flowdash_module);

    send->step = ngx_http_flowdash_find(fmcf, record, delivery,
                                        record->outcome
                                        != NGX_HTTP_FLOWDASH_OUTCOME_OK);

    if (send->step == NULL) {
        ngx_http_flowdash_tried_never(send->file, delivery, NULL);
        return NGX_OK;
    }

    return ngx_http_flowdash_send_try(send);
}


static ngx_int_t
ngx_http_flowdash_send_try(ngx_http_flowdash_send_t *send)
{
    ngx_int_t                  rc;
    ngx_http_flowdash_pace_t  *pace;

    pace = &send->step->pace;

    rc = ngx_http_flowdash_pace_ask(pace);

    if (rc == NGX_BUSY
        && ngx_http_flowdash_pace_has_room(pace, send->file->out))
    {
        ngx_http_flowdash_pace_wait(pace);
        ngx_queue_insert_tail(&ngx_http_flowdash_send_waiting, &send->queue);
        return NGX_AGAIN;
    }

    if (rc != NGX_OK) {
        ngx_http_flowdash_tried_not(&send->tried, pace);
        return NGX_OK;
    }

    send->try = ngx_http_flowdash_try_create(send->file->record,
                                             send->delivery, send->step);
    if (send->try == NULL) {
        ngx_http_flowdash_tried_not(&send->tried, pace);
        return NGX_OK;
    }

    ngx_http_flowdash_pace_begin(pace);

    send->try->data = send;

    if (ngx_http_flowdash_try(send->try, ngx_http_flowdash_send_handler)
        == NGX_AGAIN)
    {
        ngx_queue_insert_tail(&ngx_http_flowdash_send_calling, &send->queue);
        return NGX_AGAIN;
    }

    ngx_http_flowdash_send_tried(send);

    return NGX_OK;
}


static void
ngx_http_flowdash_send_handler(ngx_http_flowdash_try_t *try)
{
    ngx_http_flowdash_send_t *send = try->data;

    ngx_queue_remove(&send->queue);

    ngx_http_flowdash_send_tried(send);

    send->step = NULL;

    ngx_http_flowdash_send_continue(send);
}


static void
ngx_http_flowdash_send_tried(ngx_http_flowdash_send_t *send)
{
    ngx_http_flowdash_pace_end(&send->step->pace,
                               ngx_http_flowdash_try_reached(send->try));

    ngx_http_flowdash_tried(&send->tried, send->file, send->try);

    ngx_http_flowdash_try_destroy(send->try);
    send->try = NULL;

    if (!ngx_queue_empty(&ngx_http_flowdash_send_waiting)) {
        ngx_post_event(&ngx_http_flowdash_send_posted, &ngx_posted_events);
    }
}


/* those that waited for a call to end */

static void
ngx_http_flowdash_send_event(ngx_event_t *ev)
{
    ngx_uint_t                 n;
    ngx_http_flowdash_send_t  *send;

    for (n = 0; n < NGX_HTTP_FLOWDASH_SEND_TURN; n++) {

        send = ngx_http_flowdash_send_next();

        if (send == NULL) {
            return;
        }

        ngx_queue_remove(&send->queue);
        ngx_http_flowdash_pace_wake(&send->step->pace);

        ngx_http_flowdash_send_continue(send);
    }

    ngx_post_event(ev, &ngx_posted_next_events);
}


/* the first one that has not to wait any longer, or NULL */

static ngx_http_flowdash_send_t *
ngx_http_flowdash_send_next(void)
{
    ngx_queue_t               *q;
    ngx_http_flowdash_send_t  *send;

    /* what another worker can send is given back when this one ends */

    for (q = ngx_queue_head(&ngx_http_flowdash_send_waiting);
         q != ngx_queue_sentinel(&ngx_http_flowdash_send_waiting);
         q = ngx_queue_next(q))
    {
        send = ngx_queue_data(q, ngx_http_flowdash_send_t, queue);

        if (ngx_http_flowdash_send_is_given_back(send->file)) {
            continue;
        }

        if (ngx_http_flowdash_pace_ask(&send->step->pace) != NGX_BUSY) {
            return send;
        }
    }

    return NULL;
}


void
ngx_http_flowdash_send_exit(void)
{
    ngx_queue_t               *q;
    ngx_http_flowdash_send_t  *send;

    if (!ngx_http_flowdash_send_ready) {
        return;
    }

    /* what requests that end now hand over is not sent by this worker */

    ngx_http_flowdash_send_ready = 0;

    while (!ngx_queue_empty(&ngx_http_flowdash_send_calling)) {

        q = ngx_queue_head(&ngx_http_flowdash_send_calling);
        ngx_queue_remove(q);

        send = ngx_queue_data(q, ngx_http_flowdash_send_t, queue);

        ngx_http_flowdash_try_destroy(send->try);
        ngx_http_flowdash_outbox_postpone(send->file, 0, ngx_cycle->log);
    }

    while (!ngx_queue_empty(&ngx_http_flowdash_send_waiting)) {

        q = ngx_queue_head(&ngx_http_flowdash_send_waiting);
        ngx_queue_remove(q);

        send = ngx_queue_data(q, ngx_http_flowdash_send_t, queue);

        ngx_http_flowdash_outbox_postpone(send->file, 0, ngx_cycle->log);
    }
}
