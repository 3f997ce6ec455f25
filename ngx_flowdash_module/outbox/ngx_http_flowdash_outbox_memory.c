
/*
 * Without flowdash_outbox: records that wait in the worker's memory.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox_memory.h>


static void ngx_http_flowdash_outbox_memory_handler(ngx_event_t *ev);
static void ngx_http_flowdash_outbox_memory_take(
    ngx_http_flowdash_outbox_file_t *file);
static size_t ngx_http_flowdash_outbox_memory_size(
    ngx_http_flowdash_record_t *record);
static size_t ngx_http_flowdash_outbox_memory_text(ngx_array_t *pieces);


static struct {
    ngx_queue_t                          files;
    ngx_uint_t                           n;
    size_t                               size;
    ngx_connection_t                     dummy;     /* for nginx's debug log */
} ngx_http_flowdash_outbox_memory;


void
ngx_http_flowdash_outbox_memory_add(ngx_http_flowdash_outbox_file_t *file,
    time_t delay, ngx_log_t *log)
{
    size_t  size;

    if (ngx_http_flowdash_outbox_memory.files.next == NULL) {
        ngx_queue_init(&ngx_http_flowdash_outbox_memory.files);
        ngx_http_flowdash_outbox_memory.dummy.fd = (ngx_socket_t) -1;
    }

    size = ngx_http_flowdash_outbox_memory_size(file->record);

    if (ngx_http_flowdash_outbox.exiting
        || ngx_http_flowdash_outbox_memory.n
           == NGX_HTTP_FLOWDASH_OUTBOX_MEMORY_RECORDS
        || ngx_http_flowdash_outbox_memory.size + size
           > NGX_HTTP_FLOWDASH_OUTBOX_MEMORY_SIZE)
    {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "flowdash: what the action \"%V\" has to send is lost: "
                      "%s, and there is no \"flowdash_outbox\", id: %V",
                      &file->record->action,
                      ngx_http_flowdash_outbox.exiting
                      ? "the worker ends"
                      : "too much waits in the worker's memory",
                      &file->record->id);

        ngx_http_flowdash_outbox_dir_close(file, log);
        return;
    }

    ngx_http_flowdash_outbox_memory.n++;
    ngx_http_flowdash_outbox_memory.size += size;
    ngx_queue_insert_tail(&ngx_http_flowdash_outbox_memory.files,
                          &file->queue);

    (void) ngx_atomic_fetch_add(&ngx_http_flowdash_outbox.counters->waiting,
                                1);
    file->reserved = size;

    file->event.handler = ngx_http_flowdash_outbox_memory_handler;
    file->event.data = &ngx_http_flowdash_outbox_memory.dummy;
    file->event.log = ngx_cycle->log;
    file->event.cancelable = 1;

    ngx_add_timer(&file->event, (ngx_msec_t) delay * 1000);
}


static void
ngx_http_flowdash_outbox_memory_handler(ngx_event_t *ev)
{
    ngx_http_flowdash_outbox_file_t  *file;

    file = (ngx_http_flowdash_outbox_file_t *)
               ((u_char *) ev
                - offsetof(ngx_http_flowdash_outbox_file_t, event));

    ngx_http_flowdash_outbox_memory_take(file);

    ngx_http_flowdash_outbox.send(file);
}


static void
ngx_http_flowdash_outbox_memory_take(ngx_http_flowdash_outbox_file_t *file)
{
    ngx_queue_remove(&file->queue);

    ngx_http_flowdash_outbox_memory.n--;
    ngx_http_flowdash_outbox_memory.size -= file->reserved;

    (void) ngx_atomic_fetch_add(&ngx_http_flowdash_outbox.counters->waiting,
                                -1);
    file->reserved = 0;
}


void
ngx_http_flowdash_outbox_memory_exit(ngx_log_t *log)
{
    ngx_uint_t                        n;
    ngx_queue_t                      *q;
    ngx_http_flowdash_outbox_file_t  *file;

    n = ngx_http_flowdash_outbox_memory.n;

    if (n == 0) {
        return;
    }

    ngx_log_error(NGX_LOG_CRIT, log, 0,
                  "flowdash: the worker ends, and what %ui actions have to "
                  "send is lost, as there is no \"flowdash_outbox\"", n);

    while (!ngx_queue_empty(&ngx_http_flowdash_outbox_memory.files)) {
        q = ngx_queue_head(&ngx_http_flowdash_outbox_memory.files);
        file = ngx_queue_data(q, ngx_http_flowdash_outbox_file_t, queue);

        ngx_http_flowdash_outbox_memory_take(file);
        ngx_http_flowdash_outbox_dir_close(file, log);
    }
}


/* the pool's blocks, and what is too long for them */

static size_t
ngx_http_flowdash_outbox_memory_size(ngx_http_flowdash_record_t *record)
{
    size_t                            size;
    ngx_uint_t                        i;
    ngx_pool_t                       *p;
    ngx_http_flowdash_delivery_t     *after;
    ngx_http_flowdash_record_step_t  *step;

    size = record->response.len;

    for (p = record->pool; p; p = p->d.next) {
        size += p->d.end - (u_char *) p;
    }

    step = record->steps.elts;

    for (i = 0; i < record->steps.nelts; i++) {
        if (step[i].undo) {
            size += ngx_http_flowdash_outbox_memory_text(&step[i].undo->body);
        }
    }

    after = record->afters.elts;

    for (i = 0; i < record->afters.nelts; i++) {
        size += ngx_http_flowdash_outbox_memory_text(&after[i].body);
    }

    return size;
}


static size_t
ngx_http_flowdash_outbox_memory_text(ngx_array_t *pieces)
{
    size_t                      size;
    ngx_uint_t                  i;
    ngx_http_flowdash_piece_t  *piece;

    size = 0;
    piece = pieces->elts;

    for (i = 0; i < pieces->nelts; i++) {
        size += piece[i].text.len;
    }

    return size;
}
