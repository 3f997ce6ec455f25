
/*
 * What the user is told about a failed action, in words.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_clean.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_once.h>
#include <ngx_http_flowdash_error_language.h>
#include <ngx_http_flowdash_error_fields.h>
#include <ngx_http_flowdash_error_text.h>


/* of $flowdash_error_text, more than the longest message and the sayings */

#define NGX_HTTP_FLOWDASH_ERROR_TEXT_SIZE  2048


typedef struct {
    ngx_http_flowdash_error_saying_e    happened;
    ngx_http_flowdash_error_saying_e    advice;
} ngx_http_flowdash_error_advice_t;


static void ngx_http_flowdash_error_text_user(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text);
static void ngx_http_flowdash_error_text_status(ngx_uint_t status,
    ngx_http_flowdash_error_text_t *text);
static void ngx_http_flowdash_error_text_conflict(
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);
static ngx_int_t ngx_http_flowdash_error_text_told(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);
static void ngx_http_flowdash_error_text_no_step(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text);


/*
 * In the order of ngx_http_flowdash_reason_e.  The first one is not used, the
 * second depends on the status, the last ones have no step.
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
    { NGX_HTTP_FLOWDASH_ERROR_NO_ACTION, NGX_HTTP_FLOWDASH_ERROR_SUPPORT },
    { NGX_HTTP_FLOWDASH_ERROR_NO_LOGIN, NGX_HTTP_FLOWDASH_ERROR_LOGIN },
    { NGX_HTTP_FLOWDASH_ERROR_DONE, NGX_HTTP_FLOWDASH_ERROR_LOOK },
    { NGX_HTTP_FLOWDASH_ERROR_OTHER_KEY, NGX_HTTP_FLOWDASH_ERROR_RELOAD }
};


/* does not compile if a reason has no row */

typedef u_char  ngx_http_flowdash_error_check_t[
    sizeof(ngx_http_flowdash_error_advice)
    / sizeof(ngx_http_flowdash_error_advice_t)
    == NGX_HTTP_FLOWDASH_ERRORS ? 1 : -1];


void
ngx_http_flowdash_error_text(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text)
{
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    text->language = ngx_http_flowdash_error_language_choose(r,
                                                            flcf->languages);
    text->action = ctx->action;
    text->happened = ngx_http_flowdash_error_advice[ctx->error].happened;
    text->advice = ngx_http_flowdash_error_advice[ctx->error].advice;
    text->repeated = 0;
    ngx_str_null(&text->step);
    ngx_str_null(&text->told);
    text->undoing = 0;

    if (ngx_http_flowdash_text_check_utf8(&text->action)) {

        /* such a name cannot be shown; it is why the action was refused */

        ngx_str_null(&text->action);
    }

    if (ctx->error == NGX_HTTP_FLOWDASH_CONFLICT) {
        ngx_http_flowdash_error_text_conflict(ctx, text);
        return;
    }

    if (ctx->exchange == NULL) {
        ngx_http_flowdash_error_text_no_step(ctx, text);
        return;
    }

    if (ctx->error == NGX_HTTP_FLOWDASH_STATUS) {
        ngx_http_flowdash_error_text_status(ctx->exchange->status, text);
    }

    if (ctx->exchange->user) {
        ngx_http_flowdash_error_text_user(ctx, text);
        return;
    }

    if (ctx->exchange->fetch) {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_NO_TASK;
        return;
    }

    text->step = ctx->exchange->step->name;
}


static void
ngx_http_flowdash_error_text_user(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text)
{
    if (ctx->error != NGX_HTTP_FLOWDASH_NO_USER) {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_WHO;

    } else if (ctx->status == NGX_HTTP_FORBIDDEN) {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_FORBIDDEN;
        text->advice = NGX_HTTP_FLOWDASH_ERROR_SUPPORT;
    }
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


/* the same request came before, and this is about what became of that */

static void
ngx_http_flowdash_error_text_conflict(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text)
{
    text->repeated = 1;

    switch (ctx->once->result) {

    case NGX_HTTP_FLOWDASH_ONCE_RUNNING:
        text->happened = NGX_HTTP_FLOWDASH_ERROR_STILL_RUNS;
        break;

    case NGX_HTTP_FLOWDASH_ONCE_UNKNOWN:
        text->happened = NGX_HTTP_FLOWDASH_ERROR_NOT_KNOWN;
        break;

    case NGX_HTTP_FLOWDASH_ONCE_NO_ROOM:
        text->repeated = 0;
        text->happened = NGX_HTTP_FLOWDASH_ERROR_GATEWAY;
        text->advice = NGX_HTTP_FLOWDASH_ERROR_WAIT;
        break;

    default:
        break;
    }
}


static void
ngx_http_flowdash_error_text_no_step(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_text_t *text)
{
    if (ctx->error == NGX_HTTP_FLOWDASH_GUARDED
        || ctx->error == NGX_HTTP_FLOWDASH_NO_USER
        || ctx->error == NGX_HTTP_FLOWDASH_MISMATCH)
    {
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


ngx_int_t
ngx_http_flowdash_error_text_unreached(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text)
{
    ngx_http_flowdash_error_text(r, ctx, text);

    text->advice = NGX_HTTP_FLOWDASH_ERROR_WAIT;
    text->happened = NGX_HTTP_FLOWDASH_ERROR_NO_APP;

    if (ngx_http_flowdash_error_text_told(r, ctx, text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text->step.len) {
        text->happened = NGX_HTTP_FLOWDASH_ERROR_NO_APP_BUT;
    }

    return ngx_http_flowdash_error_text_whole(r->pool, ctx, text);
}


/* the steps that were called and have not failed, as a list and as JSON */

static ngx_int_t
ngx_http_flowdash_error_text_told(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text)
{
    u_char                         *p, *q;
    size_t                          len, json;
    ngx_str_t                      *name;
    ngx_uint_t                      i;
    ngx_http_flowdash_exchange_t  **ex;

    len = 0;
    json = sizeof("[]") - 1;
    ex = ctx->exchanges.elts;

    for (i = 0; i < ctx->exchanges.nelts; i++) {
        name = &ex[i]->step->name;

        len += name->len + sizeof(", ") - 1;
        json += ngx_http_flowdash_json_string_length(name) + 1;
    }

    p = ngx_pnalloc(r->pool, len + json);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->step.data = p;
    text->told.data = p + len;
    q = ngx_sprintf(text->told.data, "[");

    for (i = 0; i < ctx->exchanges.nelts; i++) {

        if (ex[i]->request == NULL || ex[i]->error) {
            continue;
        }

        name = &ex[i]->step->name;

        p = ngx_sprintf(p, "%s%V", (p == text->step.data) ? "" : ", ", name);

        if (ex[i]->step->undo) {
            text->undoing = 1;
        }

        if (q[-1] != '[') {
            *q++ = ',';
        }

        q = ngx_http_flowdash_json_write_string(q, name);
    }

    text->step.len = p - text->step.data;
    text->told.len = ngx_sprintf(q, "]") - text->told.data;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_error_text_detail(ngx_pool_t *pool,
    ngx_http_flowdash_error_text_t *text, ngx_str_t *detail)
{
    u_char     *p;
    ngx_str_t  *say, step;

    say = text->language->sayings;

    step.len = text->step.len + sizeof("\"\"") - 1;

    p = ngx_pnalloc(pool, 2 * step.len + say[text->happened].len
                          + 2 * text->language->space.len
                          + say[NGX_HTTP_FLOWDASH_ERROR_UNDOING].len
                          + say[NGX_HTTP_FLOWDASH_ERROR_UNCHANGED].len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    step.data = p;
    detail->data = ngx_sprintf(p, "\"%V\"", &text->step);

    p = ngx_sprintf(detail->data, (char *) say[text->happened].data, &step);

    if (text->undoing) {
        p = ngx_sprintf(p, "%V%V", &text->language->space,
                        &say[NGX_HTTP_FLOWDASH_ERROR_UNDOING]);
    }

    if (!text->repeated) {
        p = ngx_sprintf(p, "%V%V", &text->language->space,
                        &say[NGX_HTTP_FLOWDASH_ERROR_UNCHANGED]);
    }

    detail->len = p - detail->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_error_text_whole(ngx_pool_t *pool,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text)
{
    ngx_str_t                  detail, *answer, *space;
    ngx_http_flowdash_clean_t  line;

    if (ngx_http_flowdash_error_text_detail(pool, text, &detail) != NGX_OK
        || ngx_http_flowdash_clean_begin(&line, pool,
                                         NGX_HTTP_FLOWDASH_ERROR_TEXT_SIZE,
                                         &ctx->text)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_clean_add(&line, &detail);

    if (ctx->message.len) {
        answer = &text->language->sayings[NGX_HTTP_FLOWDASH_ERROR_ANSWER];
        space = &text->language->space;

        ngx_http_flowdash_clean_add(&line, space);
        ngx_http_flowdash_clean_add(&line, answer);
        ngx_http_flowdash_clean_add(&line, space);
        ngx_http_flowdash_clean_add(&line, &ctx->message);
    }

    if (ctx->errors && !ctx->joined) {
        ngx_http_flowdash_error_fields_add(&line, ctx->errors);
    }

    ngx_http_flowdash_clean_end(&line);

    return NGX_OK;
}
