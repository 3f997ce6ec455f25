
/*
 * The page about a failed action: what happened, and what the user can do.  It
 * is self-contained and has no script.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_clean.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_error_fields.h>
#include <ngx_http_flowdash_error_page.h>


/* a longer name is cut: it stands in a heading */

#define NGX_HTTP_FLOWDASH_ERROR_PAGE_NAME  128


/* more than all that stands between names and sayings */

#define NGX_HTTP_FLOWDASH_ERROR_PAGE_MARKUP  512


/* all escaped for HTML */

typedef struct {
    ngx_str_t    action;
    ngx_str_t    step;         /* marked as important */
    ngx_str_t    answer;       /* the endpoint's message and errors */
    ngx_str_t    back;         /* where the user was, or empty */
} ngx_http_flowdash_error_page_t;


static ngx_int_t ngx_http_flowdash_error_page_name(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *escaped);
static ngx_int_t ngx_http_flowdash_error_page_escape(ngx_http_request_t *r,
    ngx_str_t *text, ngx_str_t *escaped);
static ngx_int_t ngx_http_flowdash_error_page_answer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *answer);
static size_t ngx_http_flowdash_error_page_errors_length(ngx_array_t *errors);
static u_char *ngx_http_flowdash_error_page_errors(u_char *p,
    ngx_array_t *errors);
static ngx_int_t ngx_http_flowdash_error_page_mark(ngx_http_request_t *r,
    ngx_str_t *name);
static size_t ngx_http_flowdash_error_page_sayings(
    ngx_http_flowdash_error_language_t *language);
static u_char *ngx_http_flowdash_error_page_begin(u_char *p,
    ngx_http_flowdash_error_page_t *page,
    ngx_http_flowdash_error_text_t *text);
static u_char *ngx_http_flowdash_error_page_happened(u_char *p,
    ngx_http_flowdash_error_page_t *page,
    ngx_http_flowdash_error_text_t *text);
static u_char *ngx_http_flowdash_error_page_do(u_char *p,
    ngx_http_flowdash_error_page_t *page,
    ngx_http_flowdash_error_text_t *text, ngx_str_t *id);
static void ngx_http_flowdash_error_page_back(ngx_http_request_t *r,
    ngx_str_t *path);


/* contrasts are at least 7:1, also in dark mode */

static u_char  ngx_http_flowdash_error_page_head[] =
"<meta charset=\"utf-8\">\n"
"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
"<style>\n"
":root { color-scheme: light dark; --ink: #1d2530; --soft: #46505e;"
" --back: #eef0f3; --card: #fff; --line: #c9cfd8; --mark: #b3261e;"
" --link: #0a4a9e; --on: #fff }\n"
"@media (prefers-color-scheme: dark) { :root { --ink: #eceff3;"
" --soft: #b9c1cc; --back: #12161c; --card: #1d232b; --line: #48525f;"
" --mark: #ff8a80; --link: #a3cbff; --on: #10151b } }\n"
"* { box-sizing: border-box }\n"
"body { margin: 0; padding: clamp(1rem, 8vw, 6rem) 1rem; color: var(--ink);"
" background: var(--back); font: 1.0625rem/1.55 system-ui, sans-serif;"
" overflow-wrap: anywhere }\n"
"main { max-width: 38rem; margin: auto; padding: 1.75rem clamp(1.25rem, 6vw,"
" 2.5rem); background: var(--card); border: 1px solid var(--line);"
" border-top: .375rem solid var(--mark); border-radius: .5rem }\n"
"h1 { margin: 0 0 1rem; font-size: 1.6rem; line-height: 1.25 }\n"
"h2 { margin: 1.75rem 0 .5rem; font-size: 1.125rem }\n"
"p { margin: 0 0 .75rem }\n"
"blockquote { margin: 0 0 .75rem; padding: .125rem 0;"
" padding-inline-start: 1rem;"
" border-inline-start: .25rem solid var(--line) }\n"
"ul { margin: 0; padding-inline-start: 1.25rem }\n"
"a { display: inline-block; margin: .25rem 0 .5rem; padding: .6rem 1rem;"
" border-radius: .375rem; background: var(--link); color: var(--on);"
" font-weight: 600; text-decoration: none }\n"
"a:hover { text-decoration: underline }\n"
"a:focus-visible { outline: .1875rem solid var(--ink);"
" outline-offset: .1875rem }\n"
".id { margin: 1.25rem 0 0; padding-top: 1.25rem; color: var(--soft);"
" border-top: 1px solid var(--line) }\n"
"code { color: var(--ink); font-size: clamp(.8rem, 3.6vw, 1rem);"
" user-select: all }\n"
"</style>\n";


ngx_buf_t *
ngx_http_flowdash_error_page(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text)
{
    size_t                          len;
    ngx_str_t                       back;
    ngx_buf_t                      *b;
    ngx_http_flowdash_error_page_t  page;

    ngx_http_flowdash_error_page_back(r, &back);

    if (ngx_http_flowdash_error_page_name(r, &text->action, &page.action)
        != NGX_OK
        || ngx_http_flowdash_error_page_name(r, &text->step, &page.step)
           != NGX_OK
        || ngx_http_flowdash_error_page_mark(r, &page.step) != NGX_OK
        || ngx_http_flowdash_error_page_answer(r, ctx, &page.answer) != NGX_OK
        || ngx_http_flowdash_error_page_escape(r, &back, &page.back) != NGX_OK)
    {
        return NULL;
    }

    len = sizeof(ngx_http_flowdash_error_page_head)
          + NGX_HTTP_FLOWDASH_ERROR_PAGE_MARKUP
          + ngx_http_flowdash_error_page_sayings(text->language)
          + 2 * page.action.len + page.step.len + page.answer.len
          + page.back.len + ctx->id.len;

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NULL;
    }

    b->last = ngx_http_flowdash_error_page_begin(b->last, &page, text);
    b->last = ngx_http_flowdash_error_page_happened(b->last, &page, text);
    b->last = ngx_http_flowdash_error_page_do(b->last, &page, text, &ctx->id);

    return b;
}


static ngx_int_t
ngx_http_flowdash_error_page_name(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *escaped)
{
    ngx_str_t  clean;

    if (ngx_http_flowdash_clean(r->pool, name,
                                NGX_HTTP_FLOWDASH_ERROR_PAGE_NAME, &clean)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_error_page_escape(r, &clean, escaped);
}


static ngx_int_t
ngx_http_flowdash_error_page_escape(ngx_http_request_t *r, ngx_str_t *text,
    ngx_str_t *escaped)
{
    escaped->len = text->len + ngx_escape_html(NULL, text->data, text->len);

    escaped->data = ngx_pnalloc(r->pool, escaped->len);
    if (escaped->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_escape_html(escaped->data, text->data, text->len);

    return NGX_OK;
}


/* a message that is made of the errors is not needed beside them */

static ngx_int_t
ngx_http_flowdash_error_page_answer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *answer)
{
    u_char     *p;
    ngx_str_t   message;

    if (ctx->errors == NULL) {
        return ngx_http_flowdash_error_page_escape(r, &ctx->message, answer);
    }

    ngx_str_set(&message, "");

    if (!ctx->joined
        && ngx_http_flowdash_error_page_escape(r, &ctx->message, &message)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    answer->data = ngx_pnalloc(r->pool, message.len
                    + ngx_http_flowdash_error_page_errors_length(ctx->errors));
    if (answer->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(answer->data, message.data, message.len);
    p = ngx_http_flowdash_error_page_errors(p, ctx->errors);

    answer->len = p - answer->data;

    return NGX_OK;
}


static size_t
ngx_http_flowdash_error_page_errors_length(ngx_array_t *errors)
{
    size_t                            len;
    ngx_str_t                        *name, *message;
    ngx_uint_t                        i;
    ngx_http_flowdash_error_field_t  *field;

    len = sizeof("\n<ul>\n</ul>\n") - 1;
    field = errors->elts;

    for (i = 0; i < errors->nelts; i++) {
        name = &field[i].name;
        message = &field[i].message;

        len += sizeof("<li><strong><bdi></bdi></strong>: </li>\n") - 1
               + name->len + ngx_escape_html(NULL, name->data, name->len)
               + message->len
               + ngx_escape_html(NULL, message->data, message->len);
    }

    return len;
}


static u_char *
ngx_http_flowdash_error_page_errors(u_char *p, ngx_array_t *errors)
{
    ngx_str_t                        *name, *message;
    ngx_uint_t                        i;
    ngx_http_flowdash_error_field_t  *field;

    p = ngx_sprintf(p, "\n<ul>\n");
    field = errors->elts;

    for (i = 0; i < errors->nelts; i++) {
        name = &field[i].name;
        message = &field[i].message;

        p = ngx_sprintf(p, "<li>");

        if (name->len) {
            p = ngx_sprintf(p, "<strong><bdi>");
            p = (u_char *) ngx_escape_html(p, name->data, name->len);
            p = ngx_sprintf(p, "</bdi></strong>: ");
        }

        p = (u_char *) ngx_escape_html(p, message->data, message->len);
        p = ngx_sprintf(p, "</li>\n");
    }

    return ngx_sprintf(p, "</ul>\n");
}


static ngx_int_t
ngx_http_flowdash_error_page_mark(ngx_http_request_t *r, ngx_str_t *name)
{
    u_char  *p, *last;

    p = ngx_pnalloc(r->pool, name->len
                             + sizeof("<strong><bdi></bdi></strong>") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = ngx_sprintf(p, "<strong><bdi>%V</bdi></strong>", name);

    name->data = p;
    name->len = last - p;

    return NGX_OK;
}


/* each of them is on a page at most once, but for the title */

static size_t
ngx_http_flowdash_error_page_sayings(
    ngx_http_flowdash_error_language_t *language)
{
    size_t      len;
    ngx_uint_t  i;

    len = language->tag.len
          + language->sayings[NGX_HTTP_FLOWDASH_ERROR_TITLE].len
          + language->sayings[NGX_HTTP_FLOWDASH_ERROR_TITLE_UNNAMED].len
          + language->sayings[NGX_HTTP_FLOWDASH_ERROR_TITLE_REPEATED].len;

    for (i = 0; i < NGX_HTTP_FLOWDASH_ERROR_SAYINGS; i++) {
        len += language->sayings[i].len;
    }

    return len;
}


static u_char *
ngx_http_flowdash_error_page_begin(u_char *p,
    ngx_http_flowdash_error_page_t *page,
    ngx_http_flowdash_error_text_t *text)
{
    ngx_str_t  *title;

    /* the name may depend on a task that could not be read */

    title = &text->language->sayings[
                text->repeated ? NGX_HTTP_FLOWDASH_ERROR_TITLE_REPEATED
                : page->action.len ? NGX_HTTP_FLOWDASH_ERROR_TITLE
                                   : NGX_HTTP_FLOWDASH_ERROR_TITLE_UNNAMED];

    p = ngx_sprintf(p, "<!DOCTYPE html>\n<html lang=\"%V\" dir=\"%s\">\n"
                       "<head>\n",
                    &text->language->tag,
                    text->language->rtl ? "rtl" : "ltr");

    p = ngx_cpymem(p, ngx_http_flowdash_error_page_head,
                   sizeof(ngx_http_flowdash_error_page_head) - 1);

    p = ngx_sprintf(p, "<title>");
    p = ngx_sprintf(p, (char *) title->data, &page->action);
    p = ngx_sprintf(p, "</title>\n</head>\n<body>\n<main>\n<h1>");
    p = ngx_sprintf(p, (char *) title->data, &page->action);

    return ngx_sprintf(p, "</h1>\n");
}


static u_char *
ngx_http_flowdash_error_page_happened(u_char *p,
    ngx_http_flowdash_error_page_t *page,
    ngx_http_flowdash_error_text_t *text)
{
    ngx_str_t  *say;

    say = text->language->sayings;

    p = ngx_sprintf(p, "<p>");
    p = ngx_sprintf(p, (char *) say[text->happened].data, &page->step);

    if (text->repeated) {
        return ngx_sprintf(p, "</p>\n");
    }

    p = ngx_sprintf(p, "%V", &text->language->space);

    if (text->undoing) {
        p = ngx_sprintf(p, "%V%V", &say[NGX_HTTP_FLOWDASH_ERROR_UNDOING],
                        &text->language->space);
    }

    if (page->answer.len) {
        p = ngx_sprintf(p, "%V</p>\n<blockquote dir=\"auto\">%V</blockquote>"
                           "\n<p>",
                        &say[NGX_HTTP_FLOWDASH_ERROR_ANSWER], &page->answer);
    }

    return ngx_sprintf(p, "%V</p>\n",
                       &say[NGX_HTTP_FLOWDASH_ERROR_UNCHANGED]);
}


static u_char *
ngx_http_flowdash_error_page_do(u_char *p,
    ngx_http_flowdash_error_page_t *page,
    ngx_http_flowdash_error_text_t *text, ngx_str_t *id)
{
    ngx_str_t  *say;

    say = text->language->sayings;

    p = ngx_sprintf(p, "<h2>%V</h2>\n<p>%V</p>\n",
                    &say[NGX_HTTP_FLOWDASH_ERROR_ADVICE],
                    &say[text->advice]);

    if (page->back.len) {
        p = ngx_sprintf(p, "<p><a href=\"%V\">%V</a></p>\n",
                        &page->back, &say[NGX_HTTP_FLOWDASH_ERROR_BACK]);
    }

    return ngx_sprintf(p, "<p class=\"id\">%V<br>\n<code>%V</code></p>\n"
                          "</main>\n</body>\n</html>\n",
                       &say[NGX_HTTP_FLOWDASH_ERROR_ID], id);
}


/*
 * Finds the path of the Referer if that is a page of this host.  The path
 * becomes a link, which must not lead to another host: browsers read a host
 * after "//" and "/\", and drop control characters before they look.  The
 * scheme is not compared: behind a proxy it is another one here.
 */

static void
ngx_http_flowdash_error_page_back(ngx_http_request_t *r, ngx_str_t *path)
{
    u_char     *p, *last, *c;
    ngx_str_t  *referer, *host;

    ngx_str_null(path);

    if (r->headers_in.referer == NULL) {
        return;
    }

    referer = &r->headers_in.referer->value;
    host = r->headers_in.host ? &r->headers_in.host->value
                              : &r->headers_in.server;

    p = referer->data;
    last = p + referer->len;

    if (referer->len > 7 && ngx_strncasecmp(p, (u_char *) "http://", 7) == 0) {
        p += 7;

    } else if (referer->len > 8
               && ngx_strncasecmp(p, (u_char *) "https://", 8) == 0)
    {
        p += 8;

    } else {
        return;
    }

    if (host->len == 0 || (size_t) (last - p) <= host->len
        || ngx_strncasecmp(p, host->data, host->len) != 0)
    {
        return;
    }

    p += host->len;

    if (*p != '/' || (last - p > 1 && (p[1] == '/' || p[1] == '\\'))) {
        return;
    }

    for (c = p; c < last; c++) {
        if (*c <= 0x20 || *c >= 0x7f) {
            return;
        }
    }

    path->data = p;
    path->len = last - p;
}
