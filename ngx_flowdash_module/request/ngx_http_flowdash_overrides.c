
/*
 * Where a request may ask the app to override its method: headers, the query,
 * and the body of a POST.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart_media.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_overrides.h>


static ngx_uint_t ngx_http_flowdash_overrides_json_may_have(ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_overrides_json_member(void *data,
    ngx_str_t *name, ngx_str_t *value);


void
ngx_http_flowdash_overrides(ngx_http_request_t *r, ngx_str_t *own,
    ngx_array_t *methods, ngx_http_flowdash_method_t *m)
{
    u_char           *p, *last;
    ngx_str_t         fragment;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_http_flowdash_method_init(m, methods, own);

    i = 0;
    part = &r->headers_in.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        ngx_http_flowdash_method_header(m, &h->key, &h->value);
    }

    ngx_http_flowdash_method_pairs(m, &r->args);

    /* to nginx, the query ends at a "#"; to some apps, it does not */

    last = r->unparsed_uri.data + r->unparsed_uri.len;
    p = ngx_strlchr(r->unparsed_uri.data, last, '#');

    if (p && r->valid_unparsed_uri) {
        fragment.data = p + 1;
        fragment.len = last - fragment.data;

        ngx_http_flowdash_method_pairs(m, &fragment);
    }
}


/* nginx makes a GET of it for an error page, and after X-Accel-Redirect */

void
ngx_http_flowdash_overrides_client(ngx_http_request_t *r, ngx_str_t *own)
{
    u_char  *p, *last;

    *own = r->method_name;

    p = r->request_line.data;
    last = p + r->request_line.len;

    last = ngx_strlchr(p, last, ' ');

    if (last) {
        own->data = p;
        own->len = last - p;
    }
}


ngx_uint_t
ngx_http_flowdash_overrides_in_body(ngx_http_request_t *r)
{
    ngx_str_t         name;
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    if (r->method != NGX_HTTP_POST || !ngx_http_flowdash_body_exists(r)) {
        return 0;
    }

    n = 0;

    i = 0;
    part = &r->headers_in.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (!ngx_http_flowdash_text_is(&h->key, "Content-Type")) {
            continue;
        }

        n++;

        /* Rack also looks into multipart/mixed and multipart/related */

        if (ngx_http_flowdash_multipart_media(&h->value, &name)
            == NGX_HTTP_FLOWDASH_FORM_MALFORMED
            || ngx_http_flowdash_body_type(&name) != NGX_HTTP_FLOWDASH_UNKNOWN
            || (name.len > sizeof("multipart/") - 1
                && ngx_strncasecmp(name.data, (u_char *) "multipart/",
                                   sizeof("multipart/") - 1)
                   == 0))
        {
            return 1;
        }
    }

    /* without a Content-Type, some apps read a form */

    return n == 0;
}


/* Laravel takes the members of a JSON body for the fields of a form */

void
ngx_http_flowdash_overrides_json_begin(ngx_http_request_t *r,
    ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_overrides_json_t *in_json,
    ngx_http_flowdash_method_t *m)
{
    if (r->method != NGX_HTTP_POST) {
        return;
    }

    in_json->method = *m;
    in_json->pool = r->pool;

    json->outer = ngx_http_flowdash_overrides_json_member;
    json->outer_data = in_json;
}


static ngx_int_t
ngx_http_flowdash_overrides_json_member(void *data, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_http_flowdash_overrides_json_t *in_json = data;

    ngx_str_t  text;

    if (!ngx_http_flowdash_method_is_name(name)) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_json_decode(value, &text, in_json->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_method_value(&in_json->method, &text);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_overrides_json_end(ngx_http_request_t *r,
    ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_overrides_json_t *in_json,
    ngx_http_flowdash_method_t *m)
{
    if (r->method != NGX_HTTP_POST) {
        return NGX_OK;
    }

    *m = in_json->method;

    return (json->map
            || !ngx_http_flowdash_overrides_json_may_have(&json->text))
           ? NGX_OK : NGX_DECLINED;
}


/* apps read an array in ways of their own; letters can be escaped */

static ngx_uint_t
ngx_http_flowdash_overrides_json_may_have(ngx_str_t *text)
{
    u_char  *p, *last;

    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        if (*p == '\\' && last - p > 1 && p[1] == 'u') {
            return 1;
        }

        if ((*p == 'm' || *p == 'M') && last - p >= 6
            && ngx_strncasecmp(p, (u_char *) "method", 6) == 0)
        {
            return 1;
        }
    }

    return 0;
}
