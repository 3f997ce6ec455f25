
/*
 * An action that has failed: its status, and what the user is told.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   status;
    ngx_str_t    text;         /* to the user, behind "the step NAME" */
} ngx_http_flowdash_error_t;


/* what the client accepts, qualities in thousandths */

typedef struct {
    ngx_uint_t   json;
    ngx_uint_t   html;
    unsigned     json_named:1;
    unsigned     html_named:1;
} ngx_http_flowdash_accept_t;


static ngx_uint_t ngx_http_flowdash_error_page_exists(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_flowdash_error_send(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_buf_t *ngx_http_flowdash_error_problem(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *action, ngx_str_t *step);
static ngx_buf_t *ngx_http_flowdash_error_html(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *action, ngx_str_t *step);
static ngx_int_t ngx_http_flowdash_error_escape(ngx_pool_t *pool,
    uintptr_t (*escape)(u_char *dst, u_char *src, size_t size),
    ngx_str_t *src, ngx_str_t *dst);
static ngx_uint_t ngx_http_flowdash_error_prefers_json(ngx_http_request_t *r);
static void ngx_http_flowdash_error_accept(ngx_http_flowdash_accept_t *accept,
    ngx_str_t *value);
static void ngx_http_flowdash_error_media_range(
    ngx_http_flowdash_accept_t *accept, ngx_str_t *type, ngx_uint_t q);
static ngx_uint_t ngx_http_flowdash_error_type_is(ngx_str_t *type,
    const char *name);
static ngx_uint_t ngx_http_flowdash_error_quality(u_char *p, u_char *last);


/* in the order of ngx_http_flowdash_error_e */

static ngx_http_flowdash_error_t  ngx_http_flowdash_errors[] = {

    { ngx_null_string, NGX_HTTP_OK, ngx_null_string },

    { ngx_string("status"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("refused it or failed") },

    { ngx_string("timeout"), NGX_HTTP_GATEWAY_TIME_OUT,
      ngx_string("took too long") },

    { ngx_string("connect"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("could not be reached") },

    { ngx_string("resolve"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("could not be reached") },

    { ngx_string("tls"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("could not be reached safely") },

    { ngx_string("denied"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("could not be reached") },

    { ngx_string("response_too_large"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("gave an answer that cannot be used") },

    { ngx_string("response_invalid"), NGX_HTTP_BAD_GATEWAY,
      ngx_string("gave an answer that cannot be used") },

    { ngx_string("request_invalid"), NGX_HTTP_BAD_REQUEST,
      ngx_string("could not be asked with the data that was sent") },

    { ngx_string("deadline"), NGX_HTTP_GATEWAY_TIME_OUT,
      ngx_string("was not ready in time") },

    { ngx_string("internal"), NGX_HTTP_INTERNAL_SERVER_ERROR,
      ngx_string("could not be run") }
};


ngx_str_t *
ngx_http_flowdash_error_name(ngx_http_flowdash_error_e error)
{
    return &ngx_http_flowdash_errors[error].name;
}


ngx_uint_t
ngx_http_flowdash_error_status(ngx_http_flowdash_error_e error)
{
    return ngx_http_flowdash_errors[error].status;
}


ngx_int_t
ngx_http_flowdash_error(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_error_e error, ngx_uint_t status, ngx_str_t *detail)
{
    ctx->state = NGX_HTTP_FLOWDASH_FAILED;
    ctx->error = error;
    ctx->status = status ? status : ngx_http_flowdash_error_status(error);

    ngx_http_flowdash_log_failed(r, ctx, error, detail);
    ngx_http_flowdash_count_ended(ctx);

    if (ngx_http_flowdash_error_page_exists(r, ctx->status)) {

        /* which may lead to the app: it must not get the request that way */

        return (ngx_http_flowdash_replace_drop(r) == NGX_OK)
               ? (ngx_int_t) ctx->status : NGX_ERROR;
    }

    ngx_http_finalize_request(r, ngx_http_flowdash_error_send(r, ctx));

    return NGX_DONE;
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
    ngx_int_t     rc;
    ngx_str_t     action, step;
    ngx_buf_t    *b;
    ngx_uint_t    json;
    ngx_chain_t   out;
    uintptr_t   (*escape)(u_char *dst, u_char *src, size_t size);

    json = ngx_http_flowdash_error_prefers_json(r);
    escape = json ? ngx_escape_json : ngx_escape_html;

    ngx_str_null(&step);

    if (ngx_http_flowdash_error_escape(r->pool, escape, &ctx->action, &action)
        != NGX_OK
        || (ctx->run
            && ngx_http_flowdash_error_escape(r->pool, escape,
                                              &ctx->run->step->name, &step)
               != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (json) {
        ngx_str_set(&r->headers_out.content_type, "application/problem+json");
        b = ngx_http_flowdash_error_problem(r, ctx, &action, &step);

    } else {
        ngx_str_set(&r->headers_out.content_type, "text/html");
        ngx_str_set(&r->headers_out.charset, "utf-8");
        b = ngx_http_flowdash_error_html(r, ctx, &action, &step);
    }

    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

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


/* RFC 9457, with the extension members "action", "step" and "id" */

static ngx_buf_t *
ngx_http_flowdash_error_problem(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *action, ngx_str_t *step)
{
    size_t      len;
    ngx_str_t  *text;
    ngx_buf_t  *b;

    text = &ngx_http_flowdash_errors[ctx->error].text;

    len = sizeof("{\"title\":\"The action was not carried out\",\"status\":,"
                 "\"detail\":\"The step \\\"\\\" . "
                 "The task app was not changed.\","
                 "\"action\":\"\",\"step\":\"\",\"id\":\"\"}\n") - 1
          + NGX_INT_T_LEN + action->len + 2 * step->len + text->len
          + sizeof("The request could not be read") + ctx->id.len;

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NULL;
    }

    b->last = ngx_sprintf(b->last,
                          "{\"title\":\"The action was not carried out\","
                          "\"status\":%ui,\"detail\":\"", ctx->status);

    if (ctx->run) {
        b->last = ngx_sprintf(b->last, "The step \\\"%V\\\" %V", step, text);

    } else {
        b->last = ngx_sprintf(b->last, "The request could not be read");
    }

    b->last = ngx_sprintf(b->last, ". The task app was not changed.\","
                          "\"action\":\"%V\",", action);

    if (ctx->run) {
        b->last = ngx_sprintf(b->last, "\"step\":\"%V\",", step);
    }

    b->last = ngx_sprintf(b->last, "\"id\":\"%V\"}\n", &ctx->id);

    b->last_buf = 1;
    b->last_in_chain = 1;

    return b;
}


static u_char  ngx_http_flowdash_page_head[] =
"<!DOCTYPE html>\n"
"<html lang=\"en\">\n"
"<head>\n"
"<meta charset=\"utf-8\">\n"
"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
"<title>The action was not carried out</title>\n"
"<style>\n"
":root { color-scheme: light dark }\n"
"body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem;"
" margin: 12vh auto; padding: 0 1.5rem }\n"
"h1 { font-size: 1.6rem; line-height: 1.25 }\n"
"code { overflow-wrap: anywhere }\n"
"</style>\n"
"</head>\n"
"<body>\n"
"<main>\n"
"<h1>";


static ngx_buf_t *
ngx_http_flowdash_error_html(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *action, ngx_str_t *step)
{
    size_t      len;
    ngx_str_t  *text;
    ngx_buf_t  *b;

    text = &ngx_http_flowdash_errors[ctx->error].text;

    len = sizeof(ngx_http_flowdash_page_head) + 1024
          + action->len + step->len + text->len + ctx->id.len;

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NULL;
    }

    b->last = ngx_cpymem(b->last, ngx_http_flowdash_page_head,
                         sizeof(ngx_http_flowdash_page_head) - 1);

    /* the name may depend on what could not be read */

    b->last = ngx_sprintf(b->last,
                          action->len ? "\xe2\x80\x9c%V\xe2\x80\x9d"
                                      : "The action%V", action);

    b->last = ngx_sprintf(b->last, " was not carried out</h1>\n<p>");

    if (ctx->run) {
        b->last = ngx_sprintf(b->last,
                              "It stopped at the step <strong>%V</strong>, "
                              "which %V.", step, text);

    } else {
        b->last = ngx_sprintf(b->last, "The data that was sent with it could "
                              "not be read.");
    }

    b->last = ngx_sprintf(b->last,
                          " The task app was not changed.</p>\n"
                          "<p>You can go back and try again. If it keeps "
                          "failing, tell support this number:<br>"
                          "<code>%V</code></p>\n"
                          "</main>\n</body>\n</html>\n", &ctx->id);

    b->last_buf = 1;
    b->last_in_chain = 1;

    return b;
}


static ngx_int_t
ngx_http_flowdash_error_escape(ngx_pool_t *pool,
    uintptr_t (*escape)(u_char *dst, u_char *src, size_t size),
    ngx_str_t *src, ngx_str_t *dst)
{
    dst->len = src->len + escape(NULL, src->data, src->len);

    dst->data = ngx_pnalloc(pool, dst->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    (void) escape(dst->data, src->data, src->len);

    return NGX_OK;
}


/*
 * Content negotiation as of RFC 9110, 12.5.1, between two types; who does not
 * care gets the type that he has sent.
 */

static ngx_uint_t
ngx_http_flowdash_error_prefers_json(ngx_http_request_t *r)
{
    ngx_uint_t                   i;
    ngx_list_part_t             *part;
    ngx_table_elt_t             *h;
    ngx_http_flowdash_accept_t   accept;

    ngx_memzero(&accept, sizeof(ngx_http_flowdash_accept_t));

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
            ngx_http_flowdash_error_accept(&accept, &h[i].value);
        }
    }

    if (accept.json != accept.html) {
        return accept.json > accept.html;
    }

    return r->headers_in.content_type
           && ngx_http_flowdash_json_media_type(
                                         &r->headers_in.content_type->value);
}


static void
ngx_http_flowdash_error_accept(ngx_http_flowdash_accept_t *accept,
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

        ngx_http_flowdash_error_media_range(accept, &type,
                           ngx_http_flowdash_error_quality(type_end, end));
    }
}


/* a range that names the type wins over one with "*" */

static void
ngx_http_flowdash_error_media_range(ngx_http_flowdash_accept_t *accept,
    ngx_str_t *type, ngx_uint_t q)
{
    if (ngx_http_flowdash_json_media_type(type)) {
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
ngx_http_flowdash_error_quality(u_char *p, u_char *last)
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
