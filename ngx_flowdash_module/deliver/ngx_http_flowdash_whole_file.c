
/*
 * The lines and the end of the record of an execution.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_outbox_file.h>
#include <ngx_http_flowdash_outbox_later.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_send.h>
#include <ngx_http_flowdash_hold.h>
#include <ngx_http_flowdash_whole_state.h>
#include <ngx_http_flowdash_whole_file.h>


static void
    ngx_http_flowdash_whole_sync_handler(ngx_http_flowdash_outbox_file_t *file,
    ngx_int_t rc);


void
ngx_http_flowdash_whole_complete(ngx_http_flowdash_whole_t *whole,
    ngx_log_t *log)
{
    ngx_int_t                       rc;
    ngx_str_t                       line;

    if (whole->collecting) {
        whole->collecting = 0;

        if (whole->file->fd != NGX_INVALID_FILE) {

            rc = ngx_http_flowdash_record_response(whole->record,
                                                   &whole->file->mac, &line);

            (void) ngx_http_flowdash_whole_write(whole, rc, &line, log);
        }
    }

    ngx_http_flowdash_whole_settle(whole, log);
}


ngx_int_t
ngx_http_flowdash_whole_write(ngx_http_flowdash_whole_t *whole, ngx_int_t rc,
    ngx_str_t *line, ngx_log_t *log)
{
    if (rc == NGX_OK && !whole->broken) {
        rc = ngx_http_flowdash_outbox_write(whole->file, line, log);

        if (rc == NGX_OK) {
            return NGX_OK;
        }
    }

    whole->broken = 1;

    return NGX_ERROR;
}


ngx_int_t
ngx_http_flowdash_whole_sync(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole)
{
    ngx_int_t  rc;

    if (whole->syncing) {

        /* the request ends meanwhile */

        return NGX_AGAIN;
    }

    rc = ngx_http_flowdash_outbox_sync(whole->file,
                                       ngx_http_flowdash_whole_sync_handler,
                                       whole, r->connection->log);

    if (rc == NGX_AGAIN) {
        whole->syncing = 1;

        if (whole->request) {
            r->main->blocked++;
        }
    }

    return rc;
}


static void
ngx_http_flowdash_whole_sync_handler(ngx_http_flowdash_outbox_file_t *file,
    ngx_int_t rc)
{
    ngx_http_flowdash_whole_t *whole = file->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    whole->syncing = 0;
    whole->synced = rc;

    if (whole->ended && rc != NGX_OK) {
        whole->broken = 1;
    }

    r = whole->request;

    if (r == NULL) {
        ngx_http_flowdash_whole_settle(whole, ngx_cycle->log);
        return;
    }

    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "flowdash record synced: %i", rc);

    r->main->blocked--;

    if (whole->ended) {
        ngx_http_flowdash_hold_release(r, whole);
        ngx_http_flowdash_whole_settle(whole, c->log);
    }

    r->write_event_handler(r);

    ngx_http_run_posted_requests(c);
}


void
ngx_http_flowdash_whole_settle(ngx_http_flowdash_whole_t *whole,
    ngx_log_t *log)
{
    ngx_http_flowdash_outbox_file_t  *file;

    if (!whole->ended || whole->syncing || whole->collecting) {
        return;
    }

    file = whole->file;

    if (whole->ctx) {
        whole->ctx->whole = NULL;
    }

    if (whole->broken && whole->record->marked
        && whole->record->outcome != NGX_HTTP_FLOWDASH_OUTCOME_FAILED)
    {
        /* what the file says last is that the app was called, and it was */

        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "flowdash: what has become of the action \"%V\" could "
                      "not be recorded: %s, id: %V",
                      &whole->record->action,
                      (file->fd == NGX_INVALID_FILE)
                      ? "what it has to send is lost"
                      : "its record is in unknown/",
                      &whole->record->id);

        ngx_http_flowdash_outbox_set_aside(file, 0, log);
        return;
    }

    switch (whole->record->outcome) {

    case NGX_HTTP_FLOWDASH_OUTCOME_OK:
    case NGX_HTTP_FLOWDASH_OUTCOME_FAILED:
    case NGX_HTTP_FLOWDASH_OUTCOME_REFUSED:
        ngx_http_flowdash_send(file);
        break;

    default: /* UNKNOWN; without any, it would not have ended */
        ngx_http_flowdash_outbox_set_aside(file, 0, log);
        break;
    }
}
