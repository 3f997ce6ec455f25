
/*
 * An action that has failed: its status, and what the user is told.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


/* what the user can do */

#define NGX_HTTP_FLOWDASH_ADVICE_AGAIN                                        \
    "Go back, check what you entered, and try again."

#define NGX_HTTP_FLOWDASH_ADVICE_WAIT                                         \
    "Wait a moment, then go back and try again."

#define NGX_HTTP_FLOWDASH_ADVICE_REPAIR                                       \
    "Go back and try again later: somebody may have to repair it first."


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   status;
    ngx_str_t    text;         /* to the user, behind "the step NAME" */
    ngx_str_t    advice;
} ngx_http_flowdash_error_t;


/* what the client accepts, qualities in thousandths */

typedef struct {
    ngx_uint_t   json;
    ngx_uint_t   html;
    unsigned     json_named:1;
    unsigned     html_named:1;
} ngx_http_flowdash_error_accept_t;


static ngx_uint_t ngx_http_flowdash_error_page_exists(ngx_http_request_t *r,
    ngx_uint_t status);
static const char *ngx_http_flowdash_conf_pass_status_value(
    ngx_array_t *passed, ngx_str_t *value, ngx_uint_t *status);
static ngx_int_t ngx_http_flowdash_error_set_status_and_message(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status);
static ngx_uint_t ngx_http_flowdash_error_passed(
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_error_send(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_error_text(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *words);
static void ngx_http_flowdash_error_text_no_step(
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *words);
static ngx_buf_t *ngx_http_flowdash_error_problem(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *words);
static ngx_uint_t ngx_http_flowdash_error_accept_prefers_json(
    ngx_http_request_t *r);
static void ngx_http_flowdash_error_accept_header(
    ngx_http_flowdash_error_accept_t *accept, ngx_str_t *value);
static void ngx_http_flowdash_error_accept_media_range(
    ngx_http_flowdash_error_accept_t *accept, ngx_str_t *type, ngx_uint_t q);
static ngx_uint_t ngx_http_flowdash_error_type_is(ngx_str_t *type,
    const char *name);
static ngx_uint_t ngx_http_flowdash_error_accept_quality(u_char *p,
    u_char *last);


/* in the order of ngx_http_flowdash_reason_e */

static ngx_http_flowdash_error_t  ngx_http_flowdash_errors[] = {

    { ngx_null_string, NGX_HTTP_OK, ngx_null_string,
      ngx_null_string },

    { ngx_string("status"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("refused it or failed"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_AGAIN) },

    { ngx_string("timeout"), NGX_HTTP_GATEWAY_TIME_OUT,
      ngx_string("took too long"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_WAIT) },

    { ngx_string("connect"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("could not be reached"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_WAIT) },

    { ngx_string("resolve"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("could not be reached"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_WAIT) },

    { ngx_string("tls"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("could not be reached safely"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_REPAIR) },

    { ngx_string("denied"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("could not be reached"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_REPAIR) },

    { ngx_string("response_too_large"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("gave an answer that cannot be used"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_REPAIR) },

    { ngx_string("response_invalid"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("gave an answer that cannot be used"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_REPAIR) },

    { ngx_string("request_invalid"), NGX_HTTP_BAD_REQUEST,
      ngx_string("could not be asked with the data that was sent"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_AGAIN) },

    { ngx_string("deadline"), NGX_HTTP_GATEWAY_TIME_OUT,
      ngx_string("was not ready in time"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_WAIT) },

    { ngx_string("internal"), NGX_HTTP_INTERNAL_SERVER_ERROR,
      ngx_string("could not be run"),
      ngx_string(NGX_HTTP_FLOWDASH_ADVICE_WAIT) }
};


char *
ngx_http_flowdash_conf_pass_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i, *status;
    const char  *reason;

    if (flcf->pass_status != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "none") == 0) {
        flcf->pass_status = NULL;
        return NGX_CONF_OK;
    }

    flcf->pass_status = ngx_array_create(cf->pool, cf->args->nelts,
                                         sizeof(ngx_uint_t));
    if (flcf->pass_status == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        status = ngx_array_push(flcf->pass_status);
        if (status == NULL) {
            return NGX_CONF_ERROR;
        }

        reason = ngx_http_flowdash_conf_pass_status_value(flcf->pass_status,
                                                          &value[i], status);
        if (reason) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[i], reason);
        }
    }

    return NGX_CONF_OK;
}


/* the last one of those */

static const char *
ngx_http_flowdash_conf_pass_status_value(ngx_array_t *passed, ngx_str_t *value,
    ngx_uint_t *status)
{
    ngx_int_t    n;
    ngx_uint_t  *s;

    n = ngx_atoi(value->data, value->len);

    if (n < 400 || n > 599) {
        return "a status from 400 to 599 is expected, or \"none\" alone";
    }

    if (n == 407 || n == 421) {
        return "this status is about the connection, not for the user";
    }

    if (n == NGX_HTTP_REQUEST_TIME_OUT || n == NGX_HTTP_CLOSE
        || (n >= NGX_HTTP_NGINX_CODES && n <= NGX_HTTP_CLIENT_CLOSED_REQUEST))
    {
        return "this status has a meaning of its own in nginx";
    }

    for (s = passed->elts; s < status; s++) {
        if (*s == (ngx_uint_t) n) {
            return "it is named twice";
        }
    }

    *status = n;

    return NULL;
}


ngx_str_t *
ngx_http_flowdash_reason_name(ngx_http_flowdash_reason_e error)
{
    return &ngx_http_flowdash_errors[error].name;
}


ngx_uint_t
ngx_http_flowdash_reason_status(ngx_http_flowdash_reason_e error)
{
    return ngx_http_flowdash_errors[error].status;
}


ngx_int_t
ngx_http_flowdash_error(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_reason_e error, ngx_uint_t status, ngx_str_t *detail)
{
    ctx->state = NGX_HTTP_FLOWDASH_FAILED;
    ctx->error = error;

    if (ngx_http_flowdash_error_set_status_and_message(r, ctx,
                                                       status) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_log_failed(r, ctx, error, detail);
    ngx_http_flowdash_count_ended(ctx);

    if (ngx_http_flowdash_error_page_exists(r, ctx->status)) {

        /* which may lead to the app: it must not get the request that way */

        return (ngx_http_flowdash_replace_headers_discard_body(r) == NGX_OK)
               ? (ngx_int_t) ctx->status : NGX_ERROR;
    }

    ngx_http_finalize_request(r, ngx_http_flowdash_error_send(r, ctx));

    return NGX_DONE;
}


/* what of the endpoint's answer is for the user: its status, its message */

static ngx_int_t
ngx_http_flowdash_error_set_status_and_message(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status)
{
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_loc_conf_t  *flcf;

    ex = ctx->exchange;

    ctx->status = status ? status
                         : ngx_http_flowdash_reason_status(ctx->error);

    if (ex == NULL || ctx->error != NGX_HTTP_FLOWDASH_STATUS) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_error_passed(ex)) {
        ctx->status = ex->status;
    }

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    return flcf->error_detail
           ? ngx_http_flowdash_error_message(r, ex, &ctx->message) : NGX_OK;
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
    ngx_http_flowdash_error_text_t  words;

    /* should this fail, no error page of another status may lead to the app */

    r->error_page = 1;

    ngx_http_flowdash_error_text(ctx, &words);

    if (ngx_http_flowdash_error_accept_prefers_json(r)) {
        ngx_str_set(&r->headers_out.content_type, "application/problem+json");
        b = ngx_http_flowdash_error_problem(r, ctx, &words);

    } else {
        ngx_str_set(&r->headers_out.content_type, "text/html");
        ngx_str_set(&r->headers_out.charset, "utf-8");
        b = ngx_http_flowdash_error_page(r, ctx, &words);
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
    ngx_http_flowdash_error_text_t *words)
{
    words->action = ctx->action;
    words->text = ngx_http_flowdash_errors[ctx->error].text;
    words->advice = ngx_http_flowdash_errors[ctx->error].advice;
    ngx_str_null(&words->step);

    if (ngx_http_flowdash_text_check_utf8(&words->action)) {

        /* it is why the action was refused */

        ngx_str_null(&words->action);
    }

    if (ctx->exchange == NULL) {
        ngx_http_flowdash_error_text_no_step(ctx, words);
        return;
    }

    if (ctx->exchange->fetch) {
        ngx_str_set(&words->text, "The task could not be looked up");
        return;
    }

    words->step = ctx->exchange->step->name;

    if (ctx->error != NGX_HTTP_FLOWDASH_STATUS
        || !ngx_http_flowdash_error_passed(ctx->exchange))
    {
        return;
    }

    if (ctx->status < NGX_HTTP_INTERNAL_SERVER_ERROR) {
        ngx_str_set(&words->text, "refused it");

    } else {
        ngx_str_set(&words->text, "failed");
        ngx_str_set(&words->advice, NGX_HTTP_FLOWDASH_ADVICE_WAIT);
    }
}


static void
ngx_http_flowdash_error_text_no_step(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *words)
{
    if (ctx->error != NGX_HTTP_FLOWDASH_REQUEST_INVALID) {
        ngx_str_set(&words->text, "The gateway in front of the app failed");

    } else if (ctx->status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        ngx_str_set(&words->text, "Too much was sent at once");
        ngx_str_set(&words->advice, "Go back, shorten what you entered, and "
                                    "try again.");

    } else if (ctx->status == NGX_HTTP_UNSUPPORTED_MEDIA_TYPE) {
        ngx_str_set(&words->text, "The data was sent in a form that is not "
                                  "understood here");
        ngx_str_set(&words->advice, "Trying again will not help: "
                                    "please ask support.");

    } else {
        ngx_str_set(&words->text, "The data that was sent could not be read");
    }
}


/* RFC 9457, with extension members */

static ngx_buf_t *
ngx_http_flowdash_error_problem(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *words)
{
    size_t      len;
    ngx_str_t  *step, *message;
    ngx_buf_t  *b;

    step = &words->step;
    message = &ctx->message;

    len = sizeof("{\"title\":\"The action was not carried out\",\"status\":,"
                 "\"detail\":\"The step \\\"\\\" . "
                 "Nothing was changed in the app.\","
                 "\"action\":,\"step\":,\"message\":,\"id\":\"\"}\n") - 1
          + NGX_INT_T_LEN + words->text.len + ctx->id.len
          + ngx_http_flowdash_json_string_length(&words->action)
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
                          "\"action\":", &words->text);
    b->last = ngx_http_flowdash_json_write_string(b->last, &words->action);

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


/*
 * Content negotiation as of RFC 9110, 12.5.1, between two types; who does not
 * care gets the type that he has sent.
 */

static ngx_uint_t
ngx_http_flowdash_error_accept_prefers_json(ngx_http_request_t *r)
{
    ngx_uint_t                        i;
    ngx_list_part_t                  *part;
    ngx_table_elt_t                  *h;
    ngx_http_flowdash_error_accept_t  accept;

    ngx_memzero(&accept, sizeof(ngx_http_flowdash_error_accept_t));

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == sizeof("Accept") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "Accept",
                               h[i].key.len)
               == 0)
        {
            ngx_http_flowdash_error_accept_header(&accept, &h[i].value);
        }
    }

    if (accept.json != accept.html) {
        return accept.json > accept.html;
    }

    return r->headers_in.content_type
           && ngx_http_flowdash_text_is_json_type(
                                         &r->headers_in.content_type->value);
}


static void
ngx_http_flowdash_error_accept_header(ngx_http_flowdash_error_accept_t *accept,
    ngx_str_t *value)
{
    u_char      *p, *last, *end, *type_end;
    ngx_str_t    type;

    p = value->data;
    last = p + value->len;

    for ( /* void */ ; p < last; p = end + 1) {

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        end = ngx_strlchr(p, last, ',');

        if (end == NULL) {
            end = last;
        }

        type_end = ngx_strlchr(p, end, ';');

        if (type_end == NULL) {
            type_end = end;
        }

        type.data = p;
        type.len = type_end - p;

        while (type.len && (p[type.len - 1] == ' ' || p[type.len - 1] == '\t'))
        {
            type.len--;
        }

        ngx_http_flowdash_error_accept_media_range(accept, &type,
                        ngx_http_flowdash_error_accept_quality(type_end, end));
    }
}


/* a range that names the type wins over one with "*" */

static void
ngx_http_flowdash_error_accept_media_range(
    ngx_http_flowdash_error_accept_t *accept, ngx_str_t *type, ngx_uint_t q)
{
    if (ngx_http_flowdash_text_is_json_type(type)) {
        accept->json = accept->json_named ? ngx_max(accept->json, q) : q;
        accept->json_named = 1;
        return;
    }

    if (ngx_http_flowdash_error_type_is(type, "text/html")) {
        accept->html = q;
        accept->html_named = 1;
        return;
    }

    if (!accept->json_named
        && (ngx_http_flowdash_error_type_is(type, "*/*")
            || ngx_http_flowdash_error_type_is(type, "application/*")))
    {
        accept->json = ngx_max(accept->json, q);
    }

    if (!accept->html_named
        && (ngx_http_flowdash_error_type_is(type, "*/*")
            || ngx_http_flowdash_error_type_is(type, "text/*")))
    {
        accept->html = ngx_max(accept->html, q);
    }
}


static ngx_uint_t
ngx_http_flowdash_error_type_is(ngx_str_t *type, const char *name)
{
    return type->len == ngx_strlen(name)
           && ngx_strncasecmp(type->data, (u_char *) name, type->len) == 0;
}


static ngx_uint_t
ngx_http_flowdash_error_accept_quality(u_char *p, u_char *last)
{
    ngx_int_t  q;

    for ( /* void */ ; last - p > 2; p++) {

        if ((p[0] != 'q' && p[0] != 'Q') || p[1] != '='
            || (p[-1] != ';' && p[-1] != ' ' && p[-1] != '\t'))
        {
            continue;
        }

        p += 2;

        while (last > p && (last[-1] == ' ' || last[-1] == '\t')) {
            last--;
        }

        q = ngx_atofp(p, last - p, 3);

        return (q == NGX_ERROR) ? 0 : (ngx_uint_t) ngx_min(q, 1000);
    }

    return 1000;
}
