
/*
 * The headers of a step's request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_payload.h>
#include <ngx_http_flowdash_headers.h>


static ngx_keyval_t  ngx_http_flowdash_default_headers[] = {
    { ngx_string("Accept"), ngx_string("application/json") },
    { ngx_string("User-Agent"),
      ngx_string("ngx_flowdash/" NGX_HTTP_FLOWDASH_VERSION) },
    { ngx_null_string, ngx_null_string }
};


ngx_int_t
ngx_http_flowdash_headers_default(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_str_t     *type;
    ngx_uint_t     n;
    ngx_keyval_t  *header, *h;

    static ngx_str_t  content_type = ngx_string("Content-Type");

    /* these, and those of step/identity */

    n = 6 + (flcf->headers ? flcf->headers->nelts : 0)
        + (flcf->sign_keys ? 3 : 0);

    if (ngx_array_init(&ex->headers, r->pool, n, sizeof(ngx_keyval_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    type = ngx_http_flowdash_payload_type(flcf);

    if (type && !ngx_http_flowdash_headers_is_set(flcf, &content_type)) {

        h = ngx_array_push(&ex->headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        h->key = content_type;
        h->value = *type;
    }

    for (header = ngx_http_flowdash_default_headers;
         header->key.len;
         header++)
    {
        if (ngx_http_flowdash_headers_is_set(flcf, &header->key)) {
            continue;
        }

        h = ngx_array_push(&ex->headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = *header;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_headers_set(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_uint_t                  i;
    ngx_keyval_t               *h;
    ngx_http_flowdash_value_t   value;
    ngx_http_flowdash_param_t  *param;

    if (flcf->headers == NULL) {
        return NGX_OK;
    }

    param = flcf->headers->elts;

    for (i = 0; i < flcf->headers->nelts; i++) {

        if (ngx_http_flowdash_value_secret(r, flcf, &param[i].value, &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (value.text.len == 0) {
            continue;
        }

        if (value.escaped
            || ngx_http_flowdash_text_find(&value.text,
                                           NGX_HTTP_FLOWDASH_TEXT_NO_HEADER))
        {
            return ngx_http_flowdash_exchange_fail_text(ex,
                       NGX_HTTP_FLOWDASH_REQUEST_INVALID, r->pool,
                       "the value of flowdash_set_header %V has a control "
                       "character", &param[i].name);
        }

        h = ngx_array_push(&ex->headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        h->key = param[i].name;
        h->value = value.text;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_headers_is_set(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_param_t  *param;

    if (flcf->headers == NULL) {
        return 0;
    }

    param = flcf->headers->elts;

    for (i = 0; i < flcf->headers->nelts; i++) {
        if (param[i].name.len == name->len
            && ngx_strncasecmp(param[i].name.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
