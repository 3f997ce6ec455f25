
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
#include <ngx_http_flowdash_error_fields.h>
#include <ngx_http_flowdash_error_message.h>
#include <ngx_http_flowdash_error_text.h>
#include <ngx_http_flowdash_error_page.h>
#include <ngx_http_flowdash_error.h>


static void ngx_http_flowdash_error_set_status_and_message(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status);
static ngx_uint_t ngx_http_flowdash_error_passed(
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_error_redirect(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_uint_t ngx_http_flowdash_error_page_exists(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_flowdash_error_send(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);
static ngx_int_t ngx_http_flowdash_error_header(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);
static ngx_buf_t *ngx_http_flowdash_error_body(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);
static ngx_buf_t *ngx_http_flowdash_error_problem(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);


static ngx_str_t  ngx_http_flowdash_error_vary =
    ngx_string("Accept, Accept-Language, HX-Request, Sec-Fetch-Dest, "
               "X-Requested-With");


ngx_int_t
ngx_http_flowdash_error(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_reason_e error, ngx_uint_t status, ngx_str_t *detail)
{
    ngx_http_flowdash_error_text_t  text;

    ctx->state = NGX_HTTP_FLOWDASH_FAILED;
    ctx->error = error;

    ngx_http_flowdash_error_set_status_and_message(r, ctx, status);
    ngx_http_flowdash_error_text(r, ctx, &text);

    if (ngx_http_flowdash_error_text_whole(r->pool, ctx, &text) != NGX_OK) {
        ngx_str_null(&ctx->text);
    }

    if (error == NGX_HTTP_FLOWDASH_GUARDED) {
        ngx_http_flowdash_log_guarded(r, ctx, detail);

    } else {
        ngx_http_flowdash_log_failed(r, ctx, error, detail);
    }

    ngx_http_flowdash_count_ended(ctx);

    /* the page may come from the app, which must not get the body */

    if ((ngx_http_flowdash_error_page_exists(r, ctx->status)
         || ngx_http_flowdash_error_redirect(r, ctx) == NGX_OK)
        && ngx_http_flowdash_replace_headers_discard_body(r) == NGX_OK)
    {
        return ctx->status;
    }

    ngx_http_finalize_request(r, ngx_http_flowdash_error_send(r, ctx,
                                                              &text));

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

    if (!flcf->error_detail) {
        return;
    }

    if (ngx_http_flowdash_error_message(r, ctx, ex) != NGX_OK
        || (ctx->errors
            && ngx_http_flowdash_error_fields_json(r->pool, ctx->errors,
                                                   &ctx->errors_json)
               != NGX_OK))
    {
        ngx_str_null(&ctx->message);
        ctx->errors = NULL;
    }
}


/* the app's own "no" to its client needs no permission; a step's does */

static ngx_uint_t
ngx_http_flowdash_error_passed(ngx_http_flowdash_exchange_t *ex)
{
    ngx_uint_t                     i, *status;
    ngx_http_flowdash_loc_conf_t  *flcf;

    if (ex->user) {
        return 0;
    }

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
 * Prepares the redirect to where the user can log in, for which nginx has a
 * page.  Returns NGX_OK; NGX_DECLINED if there is none; or NGX_ERROR, and the
 * user gets the module's own page then.
 */

static ngx_int_t
ngx_http_flowdash_error_redirect(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->status != NGX_HTTP_SEE_OTHER) {
        return NGX_DECLINED;
    }

    /* nginx must not complete it: it would do so with its own scheme */

    if (ngx_http_flowdash_error_header(r, "Location", &ctx->location)
        != NGX_OK)
    {
        ctx->status = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_ERROR;
    }

    return NGX_OK;
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
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    /* if this fails, no error page may lead to the app */

    r->error_page = 1;

    b = ngx_http_flowdash_error_body(r, ctx, text);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = ctx->status;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* makes the page, and describes it in the header; on error, returns NULL */

static ngx_buf_t *
ngx_http_flowdash_error_body(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text)
{
    ngx_buf_t   *b;
    ngx_uint_t   json;

    json = ngx_http_flowdash_error_accept_prefers_json(r);

    b = json ? ngx_http_flowdash_error_problem(r, ctx, text)
             : ngx_http_flowdash_error_page(r, ctx, text);

    if (b == NULL
        || ngx_http_flowdash_error_header(r, "Content-Language",
                                          &text->language->tag)
           != NGX_OK
        || ngx_http_flowdash_error_header(r, "Vary",
                                          &ngx_http_flowdash_error_vary)
           != NGX_OK)
    {
        return NULL;
    }

    b->last_buf = 1;
    b->last_in_chain = 1;

    if (json) {
        ngx_str_set(&r->headers_out.content_type, "application/problem+json");

    } else {
        ngx_str_set(&r->headers_out.content_type, "text/html");
        ngx_str_set(&r->headers_out.charset, "utf-8");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = b->last - b->pos;

    return b;
}


void
ngx_http_flowdash_error_unreached(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_error_text_t  text;

    if (ngx_http_flowdash_error_text_unreached(r, ctx, &text) != NGX_OK) {
        ngx_str_null(&ctx->text);
        return;
    }

    ctx->page = ngx_http_flowdash_error_body(r, ctx, &text);
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


/* RFC 9457, with extension members */

static ngx_buf_t *
ngx_http_flowdash_error_problem(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text)
{
    size_t      len;
    u_char     *p;
    ngx_str_t  *title, *message, detail;
    ngx_buf_t  *b;

    title = &text->language->sayings[
                text->repeated ? NGX_HTTP_FLOWDASH_ERROR_TITLE_REPEATED
                               : NGX_HTTP_FLOWDASH_ERROR_TITLE_UNNAMED];
    message = &ctx->message;

    if (ngx_http_flowdash_error_text_detail(r->pool, text, &detail)
        != NGX_OK)
    {
        return NULL;
    }

    len = sizeof("{\"title\":\"\",\"status\":,\"detail\":,\"action\":,"
                 "\"step\":,\"told\":,\"message\":,\"errors\":,"
                 "\"id\":\"\"}\n") - 1
          + NGX_INT_T_LEN + ctx->id.len + title->len + ctx->errors_json.len
          + text->told.len
          + ngx_http_flowdash_json_string_length(&detail)
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

    p = ngx_sprintf(b->last, "{\"title\":\"%V\",\"status\":%ui,\"detail\":",
                    title, ctx->status);
    p = ngx_http_flowdash_json_write_string(p, &detail);
    p = ngx_sprintf(p, ",\"action\":");
    p = ngx_http_flowdash_json_write_string(p, &text->action);

    if (ctx->exchange) {
        p = ngx_sprintf(p, ",\"step\":");
        p = ngx_http_flowdash_json_write_string(p,
                                                &ctx->exchange->step->name);
    }

    if (text->told.len) {
        p = ngx_sprintf(p, ",\"told\":%V", &text->told);
    }

    if (message->len) {
        p = ngx_sprintf(p, ",\"message\":");
        p = ngx_http_flowdash_json_write_string(p, message);
    }

    if (ctx->errors) {
        p = ngx_sprintf(p, ",\"errors\":%V", &ctx->errors_json);
    }

    b->last = ngx_sprintf(p, ",\"id\":\"%V\"}\n", &ctx->id);

    return b;
}
