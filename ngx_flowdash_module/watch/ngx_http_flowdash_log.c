
/*
 * The lines about failures in the error log.  A line has all that a search
 * needs, and nothing secret.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_log.h>


/* one long text must not push the rest out of the line */

#define NGX_HTTP_FLOWDASH_LOG_NAME     256
#define NGX_HTTP_FLOWDASH_LOG_TEXT     512
#define NGX_HTTP_FLOWDASH_LOG_MESSAGE  256
#define NGX_HTTP_FLOWDASH_LOG_LINE     (NGX_MAX_ERROR_STR - 256)


static const char *ngx_http_flowdash_log_delivery_kind(
    ngx_http_flowdash_record_t *record);
static u_char *ngx_http_flowdash_log_whole(u_char *p, u_char *last,
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx);
static u_char *ngx_http_flowdash_log_quoted(u_char *p, u_char *last,
    const char *what, ngx_str_t *text, size_t max);
static u_char *ngx_http_flowdash_log_text(u_char *p, u_char *last,
    ngx_str_t *text, size_t max);
static u_char *ngx_http_flowdash_log_reason(u_char *p, u_char *last,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_reason_e error,
    ngx_str_t *detail);
static u_char *ngx_http_flowdash_log_called(u_char *p, u_char *last,
    ngx_http_flowdash_exchange_t *ex);


void
ngx_http_flowdash_log_failed(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_reason_e error,
    ngx_str_t *detail)
{
    u_char                        *p, *last;
    ngx_http_flowdash_exchange_t  *ex;
    u_char                         buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    ex = ctx->exchange;
    last = buf + sizeof(buf);

    p = ngx_http_flowdash_log_quoted(buf, last, "action", &ctx->action,
                                     NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_slprintf(p, last, " failed");

    if (ex) {
        p = ngx_http_flowdash_log_quoted(p, last, " on step", &ex->step->name,
                                         NGX_HTTP_FLOWDASH_LOG_NAME);
    }

    p = ngx_http_flowdash_log_reason(p, last, ex, error, detail);
    p = ngx_http_flowdash_log_called(p, last, ex);

    if (ex && ex->request) {
        p = ngx_slprintf(p, last, ", time %T.%03Ms", (time_t) ex->time / 1000,
                         ex->time % 1000);
    }

    if (ctx->message.len) {
        p = ngx_http_flowdash_log_quoted(p, last, ", message", &ctx->message,
                                         NGX_HTTP_FLOWDASH_LOG_MESSAGE);
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "flowdash: %*s, id %V",
                  p - buf, buf, &ctx->id);
}


void
ngx_http_flowdash_log_aborted(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    u_char  *p;
    u_char   buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    p = ngx_http_flowdash_log_quoted(buf, buf + sizeof(buf), "action",
                                     &ctx->action, NGX_HTTP_FLOWDASH_LOG_NAME);

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "flowdash: %*s aborted: its steps were carried out, but the "
                  "request ended before the app was called, id %V",
                  p - buf, buf, &ctx->id);
}


void
ngx_http_flowdash_log_outcome(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    u_char      *p, *last;
    ngx_uint_t   level;
    u_char       buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    if (ctx->outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK || ctx->action.len == 0) {
        return;
    }

    level = NGX_LOG_ERR;
    last = buf + sizeof(buf);

    p = ngx_http_flowdash_log_quoted(buf, last, "action", &ctx->action,
                                     NGX_HTTP_FLOWDASH_LOG_NAME);

    if (ctx->outcome == NGX_HTTP_FLOWDASH_OUTCOME_REFUSED) {
        p = ngx_slprintf(p, last,
                         " refused: its steps were carried out, but ");
        level = ctx->app_status ? NGX_LOG_WARN : NGX_LOG_ERR;

    } else {
        p = ngx_slprintf(p, last,
                         " unknown: its steps were carried out, and ");
    }

    if (ctx->app_status) {
        p = ngx_slprintf(p, last, "the app answered %ui", ctx->app_status);

    } else if (ctx->reached) {
        p = ngx_slprintf(p, last, "the app was called, but did not answer");

    } else if (ctx->handled
               && ctx->outcome == NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN)
    {
        p = ngx_slprintf(p, last, "the request ended before the app answered");

    } else {
        p = ngx_slprintf(p, last, "the app did not get the request");
    }

    if (ctx->app_detail) {
        p = ngx_slprintf(p, last, "; %s", ctx->app_detail);
    }

    p = ngx_http_flowdash_log_whole(p, last, r, ctx);

    ngx_log_error(level, r->connection->log, 0, "flowdash: %*s, id %V",
                  p - buf, buf, &ctx->id);
}


/* what happens to the steps of an action with undos or after-steps */

static u_char *
ngx_http_flowdash_log_whole(u_char *p, u_char *last, ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_main_conf_t  *fmcf;

    if (!ctx->conf->whole) {
        return p;
    }

    if (ctx->outcome == NGX_HTTP_FLOWDASH_OUTCOME_REFUSED) {
        return ngx_slprintf(p, last, "; each step with flowdash_undo is "
                                     "undone");
    }

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    return fmcf->outbox
           ? ngx_slprintf(p, last, "; nothing is undone until somebody moves "
                                   "its record in unknown/")
           : ngx_slprintf(p, last, "; nothing is undone");
}


void
ngx_http_flowdash_log_left(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    u_char  *p;
    u_char   buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    p = ngx_http_flowdash_log_quoted(buf, buf + sizeof(buf), "action",
                                     &ctx->action, NGX_HTTP_FLOWDASH_LOG_NAME);

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "flowdash: the client left after %T.%03Ms, %*s continues, "
                  "id %V",
                  (time_t) ctx->left_after / 1000, ctx->left_after % 1000,
                  p - buf, buf, &ctx->id);
}


void
ngx_http_flowdash_log_guarded(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *method)
{
    u_char  *p, *last;
    u_char   buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    last = buf + sizeof(buf);

    p = ngx_http_flowdash_log_quoted(buf, last, "guarded:", method,
                                     NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_http_flowdash_log_quoted(p, last, " to", &r->unparsed_uri,
                                     NGX_HTTP_FLOWDASH_LOG_TEXT);
    p = ngx_slprintf(p, last, " is not an action");

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "flowdash: %*s, id %V",
                  p - buf, buf, &ctx->id);
}


void
ngx_http_flowdash_log_tolerated(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    u_char  *p, *last;
    u_char   buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    last = buf + sizeof(buf);

    p = ngx_http_flowdash_log_quoted(buf, last, "action", &ctx->action,
                                     NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_http_flowdash_log_quoted(p, last,
                                     " continues although optional step",
                                     &ex->step->name,
                                     NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_slprintf(p, last, " failed");

    p = ngx_http_flowdash_log_reason(p, last, ex, ex->error, &ex->detail);
    p = ngx_http_flowdash_log_called(p, last, ex);

    p = ngx_slprintf(p, last, ", time %T.%03Ms", (time_t) ex->time / 1000,
                     ex->time % 1000);

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0, "flowdash: %*s, id %V",
                  p - buf, buf, &ctx->id);
}


void
ngx_http_flowdash_log_repeated(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_reason_e error, ngx_msec_t wait)
{
    u_char  *p, *last;
    u_char   buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    last = buf + sizeof(buf);

    p = ngx_http_flowdash_log_quoted(buf, last, "step", &ex->step->name,
                                     NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_slprintf(p, last, ": attempt %ui failed", ex->attempts.nelts);

    p = ngx_http_flowdash_log_reason(p, last, NULL, error, &ex->detail);

    if (ex->status) {
        p = ngx_slprintf(p, last, " %ui", ex->status);
    }

    if (wait) {
        p = ngx_slprintf(p, last, ", retrying in %T.%03Ms",
                         (time_t) wait / 1000, wait % 1000);
    } else {
        p = ngx_slprintf(p, last, ", retrying at once");
    }

    p = ngx_http_flowdash_log_called(p, last, ex);

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0, "flowdash: %*s, id %V",
                  p - buf, buf, &ctx->id);
}


void
ngx_http_flowdash_log_ignored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_uint_t level, const char *what)
{
    u_char  *p, *last;
    u_char   buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    last = buf + sizeof(buf);

    p = ngx_http_flowdash_log_quoted(buf, last, "the answer to step",
                                     &ex->step->name,
                                     NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_slprintf(p, last, " is ignored: it %s", what);

    if (ex->content_type.len) {
        p = ngx_http_flowdash_log_quoted(p, last, ",", &ex->content_type,
                                         NGX_HTTP_FLOWDASH_LOG_NAME);
    }

    p = ngx_http_flowdash_log_called(p, last, ex);

    ngx_log_error(level, r->connection->log, 0, "flowdash: %*s, id %V",
                  p - buf, buf, &ctx->id);
}


void
ngx_http_flowdash_log_dropped(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_uint_t level, ngx_str_t *field)
{
    u_char     *p, *last;
    ngx_str_t   name;
    u_char      buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    last = buf + sizeof(buf);

    /* it is JSON, with its quotation marks */

    name.data = field->data;
    name.len = ngx_min(field->len, NGX_HTTP_FLOWDASH_LOG_NAME);

    p = ngx_http_flowdash_log_quoted(buf, last, "action", &ctx->action,
                                     NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_http_flowdash_log_quoted(p, last, ": the answer to step",
                                     &ex->step->name,
                                     NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_slprintf(p, last, " has the field %V, which flowdash_accept does "
                     "not name: ignored", &name);

    ngx_log_error(level, r->connection->log, 0, "flowdash: %*s, id %V",
                  p - buf, buf, &ctx->id);
}


void
ngx_http_flowdash_log_led_away(ngx_http_request_t *r)
{
    u_char  *p;
    u_char   buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    p = ngx_http_flowdash_log_quoted(buf, buf + sizeof(buf),
                                     "the step was redirected to", &r->uri,
                                     NGX_HTTP_FLOWDASH_LOG_TEXT);

    /* nginx would add the subrequest's URI, in which it escapes nothing */

    ngx_http_set_log_request(r->connection->log, r->main);

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "flowdash: %*s, which is not its own content handler, or is "
                  "an action", p - buf, buf);

    ngx_http_set_log_request(r->connection->log, r);
}


void
ngx_http_flowdash_log_delivery(ngx_log_t *log, ngx_uint_t level,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery,
    ngx_http_flowdash_exchange_t *ex, const char *what, ngx_uint_t more)
{
    u_char  *p, *last;
    u_char   buf[NGX_HTTP_FLOWDASH_LOG_LINE];

    last = buf + sizeof(buf);

    p = ngx_http_flowdash_log_quoted(buf, last, "action", &record->action,
                                     NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_slprintf(p, last, ":");
    p = ngx_http_flowdash_log_quoted(p, last,
                               ngx_http_flowdash_log_delivery_kind(record),
                               &delivery->name, NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_slprintf(p, last, " %s", what);

    if (ex->error) {
        p = ngx_http_flowdash_log_reason(p, last, ex, ex->error, &ex->detail);
    }

    p = ngx_http_flowdash_log_called(p, last, ex);
    p = ngx_slprintf(p, last, ", tries %ui", delivery->tries);

    if (more) {
        p = ngx_slprintf(p, last, ", and %ui more such failures since the "
                         "last such line", more);
    }

    p = ngx_slprintf(p, last, ", id ");
    p = ngx_http_flowdash_log_text(p, last, &record->id,
                                   NGX_HTTP_FLOWDASH_LOG_NAME);

    ngx_log_error(level, log, 0, "flowdash: %*s", p - buf, buf);
}


u_char *
ngx_http_flowdash_log_delivery_name(u_char *p, u_char *last,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery)
{
    p = ngx_http_flowdash_log_quoted(p, last,
                               ngx_http_flowdash_log_delivery_kind(record),
                               &delivery->name, NGX_HTTP_FLOWDASH_LOG_NAME);
    p = ngx_slprintf(p, last, ", id ");

    return ngx_http_flowdash_log_text(p, last, &record->id,
                                      NGX_HTTP_FLOWDASH_LOG_NAME);
}


static const char *
ngx_http_flowdash_log_delivery_kind(ngx_http_flowdash_record_t *record)
{
    return (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK)
           ? " after-step" : " undo of step";
}


static u_char *
ngx_http_flowdash_log_quoted(u_char *p, u_char *last, const char *what,
    ngx_str_t *text, size_t max)
{
    p = ngx_slprintf(p, last, "%s \"", what);
    p = ngx_http_flowdash_log_text(p, last, text, max);

    return ngx_slprintf(p, last, "\"");
}


/* escaped as in JSON: text from outside must not start a line of its own */

static u_char *
ngx_http_flowdash_log_text(u_char *p, u_char *last, ngx_str_t *text,
    size_t max)
{
    u_char  *end;
    size_t   len;
    u_char   buf[NGX_HTTP_FLOWDASH_LOG_TEXT * 6];

    len = ngx_min(text->len, max);

    /* not within a character of UTF-8 */

    while (len && len < text->len && (text->data[len] & 0xc0) == 0x80) {
        len--;
    }

    end = (u_char *) ngx_escape_json(buf, text->data, len);

    return ngx_slprintf(p, last, "%*s", end - buf, buf);
}


static u_char *
ngx_http_flowdash_log_reason(u_char *p, u_char *last,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_reason_e error,
    ngx_str_t *detail)
{
    p = ngx_slprintf(p, last, ": %V", ngx_http_flowdash_reason_name(error));

    if (ex && ex->status) {
        p = ngx_slprintf(p, last, " %ui", ex->status);
    }

    if (ex && ex->attempts.nelts > 1) {
        p = ngx_slprintf(p, last, ", attempts %ui", ex->attempts.nelts);
    }

    if (detail->len == 0) {
        return p;
    }

    p = ngx_slprintf(p, last, ", ");

    return ngx_http_flowdash_log_text(p, last, detail,
                                      NGX_HTTP_FLOWDASH_LOG_TEXT);
}


static u_char *
ngx_http_flowdash_log_called(u_char *p, u_char *last,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t                    i;
    ngx_http_flowdash_attempt_t  *attempt;

    if (ex == NULL || ex->url.len == 0) {
        return p;
    }

    attempt = ex->attempts.elts;

    for (i = 0; i < ex->attempts.nelts && attempt[i].scarce; i++) {
        /* void */
    }

    return ngx_http_flowdash_log_quoted(p, last,
                                        i && i == ex->attempts.nelts
                                        ? ", nothing was sent to" : ", called",
                                        &ex->url, NGX_HTTP_FLOWDASH_LOG_TEXT);
}
