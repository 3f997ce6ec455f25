
/*
 * What the client prefers, and which representation of an error that is.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_error_accept.h>


/* what the client accepts, qualities in thousandths */

typedef struct {
    ngx_uint_t   json;
    ngx_uint_t   html;
    unsigned     json_named:1;
    unsigned     html_named:1;
} ngx_http_flowdash_error_accept_t;


static ngx_uint_t ngx_http_flowdash_error_accept_is_script(
    ngx_http_request_t *r);
static void ngx_http_flowdash_error_accept_line(ngx_str_t *value,
    ngx_http_flowdash_error_accept_pt handler, void *data);
static void ngx_http_flowdash_error_accept_media_range(void *data,
    ngx_str_t *type, ngx_uint_t q);
static ngx_uint_t ngx_http_flowdash_error_accept_quality(u_char *p,
    u_char *last);


ngx_uint_t
ngx_http_flowdash_error_accept_prefers_json(ngx_http_request_t *r)
{
    ngx_http_flowdash_error_accept_t  accept;

    ngx_memzero(&accept, sizeof(ngx_http_flowdash_error_accept_t));

    ngx_http_flowdash_error_accept_each(r, "Accept",
                         ngx_http_flowdash_error_accept_media_range, &accept);

    if (accept.json != accept.html) {
        return accept.json > accept.html;
    }

    return ngx_http_flowdash_error_accept_is_script(r)
           || (r->headers_in.content_type
               && ngx_http_flowdash_text_is_json_type(
                                         &r->headers_in.content_type->value));
}


/*
 * Whether a script of a page has sent the request, which would not show HTML.
 * htmx can be told to.
 */

static ngx_uint_t
ngx_http_flowdash_error_accept_is_script(ngx_http_request_t *r)
{
    ngx_uint_t        i, script;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = 0;
    script = 0;
    part = &r->headers_in.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (ngx_http_flowdash_text_is(&h->key, "HX-Request")) {
            return 0;
        }

        if ((ngx_http_flowdash_text_is(&h->key, "Sec-Fetch-Dest")
             && ngx_http_flowdash_text_is(&h->value, "empty"))
            || (ngx_http_flowdash_text_is(&h->key, "X-Requested-With")
                && ngx_http_flowdash_text_is(&h->value, "XMLHttpRequest")))
        {
            script = 1;
        }
    }

    return script;
}


ngx_uint_t
ngx_http_flowdash_error_accept_navigates(ngx_http_request_t *r)
{
    ngx_uint_t                        i, script;
    ngx_list_part_t                  *part;
    ngx_table_elt_t                  *h;
    ngx_http_flowdash_error_accept_t  accept;

    i = 0;
    script = 0;
    part = &r->headers_in.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (ngx_http_flowdash_text_is(&h->key, "Sec-Fetch-Mode")) {
            return ngx_http_flowdash_text_is(&h->value, "navigate");
        }

        if (ngx_http_flowdash_text_is(&h->key, "HX-Request")
            || ngx_http_flowdash_text_is(&h->key, "Turbo-Frame")
            || (ngx_http_flowdash_text_is(&h->key, "X-Requested-With")
                && ngx_http_flowdash_text_is(&h->value, "XMLHttpRequest")))
        {
            script = 1;
        }
    }

    ngx_memzero(&accept, sizeof(ngx_http_flowdash_error_accept_t));

    ngx_http_flowdash_error_accept_each(r, "Accept",
                         ngx_http_flowdash_error_accept_media_range, &accept);

    return !script && accept.html_named && accept.html
           && accept.html >= accept.json;
}


void
ngx_http_flowdash_error_accept_each(ngx_http_request_t *r, const char *header,
    ngx_http_flowdash_error_accept_pt handler, void *data)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = 0;
    part = &r->headers_in.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (ngx_http_flowdash_text_is(&h->key, header)) {
            ngx_http_flowdash_error_accept_line(&h->value, handler, data);
        }
    }
}


static void
ngx_http_flowdash_error_accept_line(ngx_str_t *value,
    ngx_http_flowdash_error_accept_pt handler, void *data)
{
    u_char      *p, *last, *end, *range_end;
    ngx_str_t    range;

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

        range_end = ngx_strlchr(p, end, ';');

        if (range_end == NULL) {
            range_end = end;
        }

        range.data = p;
        range.len = range_end - p;

        while (range.len
               && (p[range.len - 1] == ' ' || p[range.len - 1] == '\t'))
        {
            range.len--;
        }

        handler(data, &range,
                ngx_http_flowdash_error_accept_quality(range_end, end));
    }
}


/* a range that names the type wins over one with "*" */

static void
ngx_http_flowdash_error_accept_media_range(void *data, ngx_str_t *type,
    ngx_uint_t q)
{
    ngx_http_flowdash_error_accept_t *accept = data;

    if (ngx_http_flowdash_text_is_json_type(type)) {
        accept->json = accept->json_named ? ngx_max(accept->json, q) : q;
        accept->json_named = 1;
        return;
    }

    if (ngx_http_flowdash_text_is(type, "text/html")) {
        accept->html = q;
        accept->html_named = 1;
        return;
    }

    if (!accept->json_named
        && (ngx_http_flowdash_text_is(type, "*/*")
            || ngx_http_flowdash_text_is(type, "application/*")))
    {
        accept->json = ngx_max(accept->json, q);
    }

    if (!accept->html_named
        && (ngx_http_flowdash_text_is(type, "*/*")
            || ngx_http_flowdash_text_is(type, "text/*")))
    {
        accept->html = ngx_max(accept->html, q);
    }
}


static ngx_uint_t
ngx_http_flowdash_error_accept_quality(u_char *p, u_char *last)
{
    u_char     *end;
    ngx_int_t   q;

    for ( /* void */ ; last - p > 2; p++) {

        if ((p[0] != 'q' && p[0] != 'Q') || p[1] != '='
            || (p[-1] != ';' && p[-1] != ' ' && p[-1] != '\t'))
        {
            continue;
        }

        p += 2;

        /* once, other parameters could follow */

        end = ngx_strlchr(p, last, ';');

        if (end) {
            last = end;
        }

        while (last > p && (last[-1] == ' ' || last[-1] == '\t')) {
            last--;
        }

        q = ngx_atofp(p, last - p, 3);

        return (q == NGX_ERROR) ? 0 : (ngx_uint_t) ngx_min(q, 1000);
    }

    return 1000;
}
