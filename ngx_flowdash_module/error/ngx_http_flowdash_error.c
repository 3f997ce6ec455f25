
/*
 * A failed action: its status, and what the user is told.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_replace_headers.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_count.h>
#include <ngx_http_flowdash_error_accept.h>
#include <ngx_http_flowdash_error_message.h>
#include <ngx_http_flowdash_error_page.h>
#include <ngx_http_flowdash_error.h>


/* what the user can do */

#define NGX_HTTP_FLOWDASH_ADVICE_AGAIN                                        \
    "Go back, check what you entered, and try again."

#define NGX_HTTP_FLOWDASH_ADVICE_WAIT                                         \
    "Wait a moment, then go back and try again."

#define NGX_HTTP_FLOWDASH_ADVICE_REPAIR                                       \
    "Go back and try again later: somebody may have to repair it first."


typedef struct {
    ngx_str_t    happened;     /* after "The step NAME" */
    ngx_str_t    advice;
} ngx_http_flowdash_error_advice_t;


static void ngx_http_flowdash_error_set_status_and_message(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status);
static ngx_uint_t ngx_http_flowdash_error_passed(
    ngx_http_flowdash_exchange_t *ex);
static ngx_uint_t ngx_http_flowdash_error_page_exists(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_flowdash_error_send(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_error_text(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text);
static void ngx_http_flowdash_error_text_no_step(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text);
static ngx_buf_t *ngx_http_flowdash_error_problem(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);


/* in the order of ngx_http_flowdash_reason_e */

static ngx_http_flowdash_error_advice_t  ngx_http_flowdash_error_advice[] = {

    { ngx_null_string,
      ngx_null_string },

    { ngx_string("refused it or failed"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_AGAIN) },

    { ngx_string("took too long"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_WAIT) },

    { ngx_string("could not be reached"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_WAIT) },

    { ngx_string("could not be reached"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_WAIT) },

    { ngx_string("could not be reached safely"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_REPAIR) },

    { ngx_string("could not be reached"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_REPAIR) },

    { ngx_string("gave an answer that cannot be used"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_REPAIR) },

    { ngx_string("gave an answer that cannot be used"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_REPAIR) },

    { ngx_string("could not be asked with the data that was sent"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_AGAIN) },

    { ngx_string("was not ready in time"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_WAIT) },

    { ngx_string("could not be run"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_WAIT) },

    /* no step has this reason: the happening is a sentence */

    { ngx_string("Nothing can be changed at this address"),
      ngx_string("Trying again will not help: please ask support.") }
};


/* does not compile if a reason has no row */

typedef u_char  ngx_http_flowdash_error_check_t[
    sizeof(ngx_http_flowdash_error_advice)
    / sizeof(ngx_http_flowdash_error_advice_t)
    == NGX_HTTP_FLOWDASH_ERRORS ? 1 : -1];


ngx_int_t
ngx_http_flowdash_error(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_reason_e error, ngx_uint_t status, ngx_str_t *detail)
{
    ctx->state = NGX_HTTP_FLOWDASH_FAILED;
    ctx->error = error;

    ngx_http_flowdash_error_set_status_and_message(r, ctx, status);

    if (error == NGX_HTTP_FLOWDASH_GUARDED) {
        ngx_http_flowdash_log_guarded(r, ctx, detail);

    } else {
        ngx_http_flowdash_log_failed(r, ctx, error, detail);
    }

    ngx_http_flowdash_count_ended(ctx);

    /* the page may come from the app, which must not get the body */

    if (ngx_http_flowdash_error_page_exists(r, ctx->status)
        && ngx_http_flowdash_replace_headers_discard_body(r) == NGX_OK)
    {
        return ctx->status;
    }

    ngx_http_finalize_request(r, ngx_http_flowdash_error_send(r, ctx));

    return NGX_DONE;
}


/* passes on the endpoint's status and message if the configuration says so */

static void
ngx_http_flowdash_error_set_status_and_message(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status)
{
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_loc_conf_t  *flcf;

    ex = ctx->exchange;

    ctx->status = status ? status
                         : ngx_http_flowdash_reason_status(ctx->error);

    if (ex == NULL || ctx->error != NGX_HTTP_FLOWDASH_STATUS) {
        return;
    }

    if (ngx_http_flowdash_error_passed(ex)) {
        ctx->status = ex->status;
    }

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->error_detail
        && ngx_http_flowdash_error_message(r, ex, &ctx->message) != NGX_OK)
    {
        ngx_str_null(&ctx->message);
    }
}


static ngx_uint_t
ngx_http_flowdash_error_passed(ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t                     i, *status;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->pass_status == NULL) {
        return 0;
    }

    status = flcf->pass_status->elts;

    for (i = 0; i < flcf->pass_status->nelts; i++) {
        if (status[i] == ex->status) {
            return 1;
        }
    }

    return 0;
}


/* the same conditions as in ngx_http_special_response_handler() */

static ngx_uint_t
ngx_http_flowdash_error_page_exists(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *err_page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->error_page || clcf->error_pages == NULL || r->uri_changes == 0) {
        return 0;
    }

    err_page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (err_page[i].status == (ngx_int_t) status) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_flowdash_error_send(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                       rc;
    ngx_buf_t                      *b;
    ngx_chain_t                     out;
    ngx_http_flowdash_error_text_t  text;

    /* if this fails, no error page may lead to the app */

    r->error_page = 1;

    ngx_http_flowdash_error_text(ctx, &text);

    if (ngx_http_flowdash_error_accept_prefers_json(r)) {
        ngx_str_set(&r->headers_out.content_type, "application/problem+json");
        b = ngx_http_flowdash_error_problem(r, ctx, &text);

    } else {
        ngx_str_set(&r->headers_out.content_type, "text/html");
        ngx_str_set(&r->headers_out.charset, "utf-8");
        b = ngx_http_flowdash_error_page(r, ctx, &text);
    }

    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last_buf = 1;
    b->last_in_chain = 1;

    r->headers_out.status = ctx->status;
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = b->last - b->pos;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static void
ngx_http_flowdash_error_text(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text)
{
    text->action = ctx->action;
    text->happened = ngx_http_flowdash_error_advice[ctx->error].happened;
    text->advice = ngx_http_flowdash_error_advice[ctx->error].advice;
    ngx_str_null(&text->step);

    if (ngx_http_flowdash_text_check_utf8(&text->action)) {

        /* such a name cannot be shown; it is why the action was refused */

        ngx_str_null(&text->action);
    }

    if (ctx->exchange == NULL) {
        ngx_http_flowdash_error_text_no_step(ctx, text);
        return;
    }

    if (ctx->exchange->fetch) {
        ngx_str_set(&text->happened, "The task could not be looked up");
        return;
    }

    text->step = ctx->exchange->step->name;

    if (ctx->error != NGX_HTTP_FLOWDASH_STATUS
        || !ngx_http_flowdash_error_passed(ctx->exchange))
    {
        return;
    }

    if (ctx->status < NGX_HTTP_INTERNAL_SERVER_ERROR) {
        ngx_str_set(&text->happened, "refused it");

    } else {
        ngx_str_set(&text->happened, "failed");
        ngx_str_set(&text->advice, NGX_HTTP_FLOWDASH_ADVICE_WAIT);
    }
}


static void
ngx_http_flowdash_error_text_no_step(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text)
{
    if (ctx->error == NGX_HTTP_FLOWDASH_GUARDED) {
        return;
    }

    if (ctx->error != NGX_HTTP_FLOWDASH_REQUEST_INVALID) {
        ngx_str_set(&text->happened, "The gateway in front of the app failed");

    } else if (ctx->status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        ngx_str_set(&text->happened, "Too much was sent at once");
        ngx_str_set(&text->advice, "Go back, shorten what you entered, and "
                                   "try again.");

    } else if (ctx->status == NGX_HTTP_UNSUPPORTED_MEDIA_TYPE) {

        if (ctx->refusal_rule == NGX_HTTP_FLOWDASH_STRICT_JSON) {
            ngx_str_set(&text->happened, "JSON was sent with the Content-Type "
                                         "of a form, it should be "
                                         "application/json");

        } else {
            ngx_str_set(&text->happened, "The data was sent in a form that is "
                                         "not understood here");
        }

        ngx_str_set(&text->advice, "Trying again will not help: "
                                   "please ask support.");

    } else if (ctx->method.differ || ctx->method.unlisted) {
        ngx_str_set(&text->happened, "The request names two methods, and it "
                                     "is not known which one counts");
        ngx_str_set(&text->advice, "Trying again will not help: "
                                   "please ask support.");

    } else {
        ngx_str_set(&text->happened, "The data that was sent could not be "
                                     "read");
    }
}


/* RFC 9457, with extension members */

static ngx_buf_t *
ngx_http_flowdash_error_problem(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text)
{
    size_t      len;
    ngx_str_t  *step, *message;
    ngx_buf_t  *b;

    step = &text->step;
    message = &ctx->message;

    len = sizeof("{\"title\":\"The action was not carried out\",\"status\":,"
                 "\"detail\":\"The step \\\"\\\" . "
                 "Nothing was changed in the app.\","
                 "\"action\":,\"step\":,\"message\":,\"id\":\"\"}\n") - 1
          + NGX_INT_T_LEN + text->happened.len + ctx->id.len
          + ngx_http_flowdash_json_string_length(&text->action)
          + ngx_http_flowdash_json_string_length(step)
          + ngx_http_flowdash_json_string_length(message);

    if (ctx->exchange) {
        len += ngx_http_flowdash_json_string_length(
                                                  &ctx->exchange->step->name);
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NULL;
    }

    b->last = ngx_sprintf(b->last,
                          "{\"title\":\"The action was not carried out\","
                          "\"status\":%ui,\"detail\":\"", ctx->status);

    if (step->len) {
        b->last = ngx_sprintf(b->last, "The step \\\"");
        b->last = (u_char *) ngx_escape_json(b->last, step->data, step->len);
        b->last = ngx_sprintf(b->last, "\\\" ");
    }

    b->last = ngx_sprintf(b->last, "%V. Nothing was changed in the app.\","
                          "\"action\":", &text->happened);
    b->last = ngx_http_flowdash_json_write_string(b->last, &text->action);

    if (ctx->exchange) {
        b->last = ngx_sprintf(b->last, ",\"step\":");
        b->last = ngx_http_flowdash_json_write_string(b->last,
                                                   &ctx->exchange->step->name);
    }

    if (message->len) {
        b->last = ngx_sprintf(b->last, ",\"message\":");
        b->last = ngx_http_flowdash_json_write_string(b->last, message);
    }

    b->last = ngx_sprintf(b->last, ",\"id\":\"%V\"}\n", &ctx->id);

    return b;
}
