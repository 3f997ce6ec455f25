
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
#include <ngx_http_flowdash_error_language.h>
#include <ngx_http_flowdash_error_message.h>
#include <ngx_http_flowdash_error_page.h>
#include <ngx_http_flowdash_error.h>


typedef struct {
    ngx_http_flowdash_error_saying_e    happened;
    ngx_http_flowdash_error_saying_e    advice;
} ngx_http_flowdash_error_advice_t;


static void ngx_http_flowdash_error_set_status_and_message(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status);
static ngx_uint_t ngx_http_flowdash_error_passed(
    ngx_http_flowdash_exchange_t *ex);
static ngx_uint_t ngx_http_flowdash_error_page_exists(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_flowdash_error_send(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_error_header(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);
static void ngx_http_flowdash_error_text(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text);
static void ngx_http_flowdash_error_text_status(ngx_uint_t status,
    ngx_http_flowdash_error_text_t *text);
static void ngx_http_flowdash_error_text_no_step(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text);
static ngx_buf_t *ngx_http_flowdash_error_problem(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);


/*
 * In the order of ngx_http_flowdash_reason_e.  The first one is not used, the
 * second depends on the status, the last has no step.
 */

static ngx_http_flowdash_error_advice_t  ngx_http_flowdash_error_advice[] = {
    { NGX_HTTP_FLOWDASH_ERROR_REFUSED, NGX_HTTP_FLOWDASH_ERROR_AGAIN },
    { NGX_HTTP_FLOWDASH_ERROR_REFUSED, NGX_HTTP_FLOWDASH_ERROR_AGAIN },
    { NGX_HTTP_FLOWDASH_ERROR_TIMEOUT, NGX_HTTP_FLOWDASH_ERROR_WAIT },
    { NGX_HTTP_FLOWDASH_ERROR_UNREACHABLE, NGX_HTTP_FLOWDASH_ERROR_WAIT },
    { NGX_HTTP_FLOWDASH_ERROR_UNREACHABLE, NGX_HTTP_FLOWDASH_ERROR_WAIT },
    { NGX_HTTP_FLOWDASH_ERROR_UNSAFE, NGX_HTTP_FLOWDASH_ERROR_REPAIR },
    { NGX_HTTP_FLOWDASH_ERROR_UNREACHABLE, NGX_HTTP_FLOWDASH_ERROR_REPAIR },
    { NGX_HTTP_FLOWDASH_ERROR_UNUSABLE, NGX_HTTP_FLOWDASH_ERROR_REPAIR },
    { NGX_HTTP_FLOWDASH_ERROR_UNUSABLE, NGX_HTTP_FLOWDASH_ERROR_REPAIR },
    { NGX_HTTP_FLOWDASH_ERROR_NOT_CALLED, NGX_HTTP_FLOWDASH_ERROR_AGAIN },
    { NGX_HTTP_FLOWDASH_ERROR_LATE, NGX_HTTP_FLOWDASH_ERROR_WAIT },
    { NGX_HTTP_FLOWDASH_ERROR_NOT_RUN, NGX_HTTP_FLOWDASH_ERROR_WAIT },
    { NGX_HTTP_FLOWDASH_ERROR_NO_ACTION, NGX_HTTP_FLOWDASH_ERROR_SUPPORT }
};


static ngx_str_t  ngx_http_flowdash_error_vary =
    ngx_string("Accept, Accept-Language");


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


/* the app's own "no" to its client needs no permission; a step's does */

static ngx_uint_t
ngx_http_flowdash_error_passed(ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t                     i, *status;
    ngx_http_flowdash_loc_conf_t  *flcf;

    if (ex->fetch
        && (ex->status == NGX_HTTP_UNAUTHORIZED
            || ex->status == NGX_HTTP_FORBIDDEN
            || ex->status == NGX_HTTP_NOT_FOUND))
    {
        return 1;
    }

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


/*
 * Whether ngx_http_special_response_handler() will find an error page for the
 * status.  It is not asked for 408, 444 and 499, which are no status of ours.
 */

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
    ngx_http_flowdash_loc_conf_t   *flcf;
    ngx_http_flowdash_error_text_t  text;

    /* if this fails, no error page may lead to the app */

    r->error_page = 1;

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    text.language = ngx_http_flowdash_error_language_choose(r,
                                                            flcf->languages);
    ngx_http_flowdash_error_text(ctx, &text);

    if (ngx_http_flowdash_error_accept_prefers_json(r)) {
        ngx_str_set(&r->headers_out.content_type, "application/problem+json");
        b = ngx_http_flowdash_error_problem(r, ctx, &text);

    } else {
        ngx_str_set(&r->headers_out.content_type, "text/html");
        ngx_str_set(&r->headers_out.charset, "utf-8");
        b = ngx_http_flowdash_error_page(r, ctx, &text);
    }

    if (b == NULL
        || ngx_http_flowdash_error_header(r, "Content-Language",
                                          &text.language->tag)
           != NGX_OK
        || ngx_http_flowdash_error_header(r, "Vary",
                                          &ngx_http_flowdash_error_vary)
           != NGX_OK)
    {
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


static ngx_int_t
ngx_http_flowdash_error_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
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

    if (ctx->error == NGX_HTTP_FLOWDASH_STATUS) {
        ngx_http_flowdash_error_text_status(ctx->exchange->status, text);
    }

    if (ctx->exchange->fetch) {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_NO_TASK;
        return;
    }

    text->step = ctx->exchange->step->name;
}


/* what an endpoint's status means to the user, who is not its client */

static void
ngx_http_flowdash_error_text_status(ngx_uint_t status,
    ngx_http_flowdash_error_text_t *text)
{
    switch (status) {

    case 408:                                   /* Request Timeout */
    case 425:                                   /* Too Early */
    case 429:                                   /* Too Many Requests */
        text->happened = NGX_HTTP_FLOWDASH_ERROR_FAILED;
        text->advice = NGX_HTTP_FLOWDASH_ERROR_WAIT;
        return;

    case 401:                                   /* the gateway's credentials */
    case 407:
        text->happened = NGX_HTTP_FLOWDASH_ERROR_REFUSED;
        text->advice = NGX_HTTP_FLOWDASH_ERROR_REPAIR;
        return;

    default:
        break;
    }

    if (status >= 500) {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_FAILED;
        text->advice = NGX_HTTP_FLOWDASH_ERROR_WAIT;

    } else if (status < 400) {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_UNUSABLE;
        text->advice = NGX_HTTP_FLOWDASH_ERROR_REPAIR;

    } else {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_REFUSED;
        text->advice = NGX_HTTP_FLOWDASH_ERROR_AGAIN;
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
        text->happened = NGX_HTTP_FLOWDASH_ERROR_GATEWAY;

    } else if (ctx->status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_TOO_MUCH;
        text->advice = NGX_HTTP_FLOWDASH_ERROR_SHORTEN;

    } else if (ctx->status == NGX_HTTP_UNSUPPORTED_MEDIA_TYPE) {
        text->happened = (ctx->refusal_rule == NGX_HTTP_FLOWDASH_STRICT_JSON)
                         ? NGX_HTTP_FLOWDASH_ERROR_JSON_AS_FORM
                         : NGX_HTTP_FLOWDASH_ERROR_UNKNOWN_TYPE;
        text->advice = NGX_HTTP_FLOWDASH_ERROR_SUPPORT;

    } else if (ctx->method.differ || ctx->method.unlisted) {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_TWO_METHODS;
        text->advice = NGX_HTTP_FLOWDASH_ERROR_SUPPORT;

    } else {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_UNREADABLE;
    }
}


/* RFC 9457, with extension members */

static ngx_buf_t *
ngx_http_flowdash_error_problem(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text)
{
    size_t      len;
    u_char     *p;
    ngx_str_t  *say, *message, step;
    ngx_buf_t  *b;

    say = text->language->sayings;
    message = &ctx->message;

    step.len = text->step.len
               + ngx_escape_json(NULL, text->step.data, text->step.len)
               + sizeof("\\\"\\\"") - 1;

    p = ngx_pnalloc(r->pool, step.len);
    if (p == NULL) {
        return NULL;
    }

    step.data = p;

    p = ngx_cpymem(p, "\\\"", 2);
    p = (u_char *) ngx_escape_json(p, text->step.data, text->step.len);
    ngx_memcpy(p, "\\\"", 2);

    len = sizeof("{\"title\":\"\",\"status\":,\"detail\":\" \","
                 "\"action\":,\"step\":,\"message\":,\"id\":\"\"}\n") - 1
          + NGX_INT_T_LEN + ctx->id.len + step.len
          + say[NGX_HTTP_FLOWDASH_ERROR_TITLE_UNNAMED].len
          + say[text->happened].len
          + say[NGX_HTTP_FLOWDASH_ERROR_UNCHANGED].len
          + ngx_http_flowdash_json_string_length(&text->action)
          + ngx_http_flowdash_json_string_length(message);

    if (ctx->exchange) {
        len += ngx_http_flowdash_json_string_length(
                                                  &ctx->exchange->step->name);
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NULL;
    }

    p = ngx_sprintf(b->last, "{\"title\":\"%V\",\"status\":%ui,"
                             "\"detail\":\"",
                    &say[NGX_HTTP_FLOWDASH_ERROR_TITLE_UNNAMED], ctx->status);
    p = ngx_sprintf(p, (char *) say[text->happened].data, &step);
    p = ngx_sprintf(p, "%V%V\",\"action\":", &text->language->space,
                    &say[NGX_HTTP_FLOWDASH_ERROR_UNCHANGED]);
    p = ngx_http_flowdash_json_write_string(p, &text->action);

    if (ctx->exchange) {
        p = ngx_sprintf(p, ",\"step\":");
        p = ngx_http_flowdash_json_write_string(p,
                                                &ctx->exchange->step->name);
    }

    if (message->len) {
        p = ngx_sprintf(p, ",\"message\":");
        p = ngx_http_flowdash_json_write_string(p, message);
    }

    b->last = ngx_sprintf(p, ",\"id\":\"%V\"}\n", &ctx->id);

    return b;
}
