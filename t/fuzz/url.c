
/*
 * The URL of a call: as it is configured, and the values of its variables $a
 * and $b.  libcurl's parser says what the URL has become: whatever the values
 * are, they lead nowhere else.
 */


#include "fuzz.h"

#include <ngx_http.h>

#include "ngx_http_flowdash_exchange.c"
#include "ngx_http_flowdash_url_text.c"
#include "ngx_http_flowdash_url.c"
#include "ngx_http_flowdash_url_make.c"


ngx_module_t  ngx_http_flowdash_module;

static ngx_str_t  fuzz_values[2];


/* these are the module's, of which only the files above are here */

ngx_http_complex_value_t *
ngx_http_flowdash_conf_create_value(ngx_conf_t *cf, ngx_str_t *text)
{
    ngx_http_complex_value_t  *value;

    value = fuzz_zero(cf->pool, sizeof(ngx_http_complex_value_t));
    value->value = fuzz_values[fuzz_has(text, "a") ? 0 : 1];

    return value;
}


ngx_int_t
ngx_http_flowdash_value_sent(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value)
{
    ngx_memzero(value, sizeof(ngx_http_flowdash_value_t));
    value->text = cv->value;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_value_secret(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value)
{
    return ngx_http_flowdash_value_sent(r, conf, cv, value);
}


ngx_uint_t
ngx_http_flowdash_resolve_needed(ngx_str_t *host)
{
    return host->len != 0;
}


static char *
url_part(CURLU *url, CURLUPart part)
{
    char  *text;

    return curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : NULL;
}


static void
check_part(CURLU *a, CURLU *b, CURLUPart part, const char *what)
{
    char  *x, *y;

    x = url_part(a, part);
    y = url_part(b, part);

    fuzz_check((x == NULL) == (y == NULL) && (x == NULL || strcmp(x, y) == 0),
               what);

    curl_free(x);
    curl_free(y);
}


static u_char *
encode(u_char *p, ngx_str_t *value)
{
    size_t  i;
    u_char  c;

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if (isalnum(c) || (c && strchr("-._~", c))) {
            *p++ = c;

        } else {
            p += sprintf((char *) p, "%%%02X", c);
        }
    }

    return p;
}


/* the path and the query with what stands for each variable */

static u_char *
fill(ngx_pool_t *pool, ngx_http_flowdash_url_t *url, ngx_uint_t values)
{
    size_t                         len;
    u_char                        *text, *p;
    ngx_str_t                      x;
    ngx_uint_t                     i;
    ngx_http_flowdash_url_part_t  *part;

    ngx_str_set(&x, "x");

    part = url->parts.elts;
    len = 1;

    for (i = 0; i < url->parts.nelts; i++) {
        len += part[i].text.len + 1
               + (part[i].value ? 3 * part[i].value->value.len : 0);
    }

    text = fuzz_alloc(pool, len);
    p = text;

    for (i = 0; i < url->parts.nelts; i++) {
        p = part[i].value == NULL
            ? ngx_cpymem(p, part[i].text.data, part[i].text.len)
            : encode(p, values ? &part[i].value->value : &x);
    }

    *p = '\0';

    return text;
}


static CURLU *
url_read(const char *text)
{
    CURLU  *url;

    url = curl_url();
    fuzz_check(url, "there is memory");

    if (curl_url_set(url, CURLUPART_URL, text, CURLU_PATH_AS_IS) != CURLUE_OK)
    {
        curl_url_cleanup(url);
        return NULL;
    }

    return url;
}


/* the same URL with "x" for each value, after the same origin */

static void
check_made(ngx_pool_t *pool, ngx_http_flowdash_url_t *url, ngx_str_t *text,
    ngx_str_t *host)
{
    char       *path;
    CURLU      *is, *wanted;
    u_char     *plain;
    ngx_str_t   s, tail;

    fuzz_check(strlen((char *) text->data) == text->len, "a text of C");

    is = url_read((char *) text->data);
    fuzz_check(is, "libcurl takes it");

    s.len = url->origin.len + (url->variable_host ? host->len : 0)
            + url->port_text.len;
    tail.data = fill(pool, url, 1);
    tail.len = strlen((char *) tail.data);

    fuzz_check(text->len == s.len + tail.len
               && memcmp(text->data + s.len, tail.data, tail.len) == 0,
               "the path and the query");

    plain = fuzz_alloc(pool, text->len + url->parts.nelts + 1);
    (void) ngx_sprintf(ngx_cpymem(plain, text->data, s.len), "%s%Z",
                       fill(pool, url, 0));

    wanted = url_read((char *) plain);
    fuzz_check(wanted, "libcurl takes it with plain values");

    check_part(is, wanted, CURLUPART_SCHEME, "the scheme");
    check_part(is, wanted, CURLUPART_USER, "the user");
    check_part(is, wanted, CURLUPART_PASSWORD, "the password");
    check_part(is, wanted, CURLUPART_HOST, "the host");
    check_part(is, wanted, CURLUPART_PORT, "the port");
    check_part(is, wanted, CURLUPART_FRAGMENT, "no fragment");

    path = url_part(is, CURLUPART_PATH);
    fuzz_check(path, "a path");

    s.data = (u_char *) path;
    s.len = strlen(path);

    fuzz_check(!fuzz_has(&s, "/../") && !fuzz_has(&s, "/./")
               && (s.len < 3 || strcmp(path + s.len - 3, "/..") != 0)
               && (s.len < 2 || strcmp(path + s.len - 2, "/.") != 0),
               "no part of the path leads up");

    curl_free(path);
    curl_url_cleanup(is);
    curl_url_cleanup(wanted);
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    ngx_int_t                      rc;
    ngx_str_t                      text, made, host;
    ngx_conf_t                     cf;
    const char                    *error;
    fuzz_input_t                   in;
    ngx_http_request_t             r;
    ngx_http_flowdash_url_t        url;
    ngx_http_flowdash_exchange_t   ex;

    fuzz_begin(&in, data, size);

    text = fuzz_text(&in);
    fuzz_values[0] = fuzz_text(&in);
    fuzz_values[1] = fuzz_rest(&in);

    if (memchr(text.data, '\0', text.len)) {
        return fuzz_end(&in);
    }

    /* words of a configuration end with a zero */

    text.data = (u_char *) ngx_sprintf(fuzz_alloc(in.pool, text.len + 1),
                                       "%V%Z", &text) - text.len - 1;

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    ngx_memzero(&r, sizeof(ngx_http_request_t));
    ngx_memzero(&url, sizeof(ngx_http_flowdash_url_t));
    ngx_memzero(&ex, sizeof(ngx_http_flowdash_exchange_t));

    /* no step, whose configuration would be wanted */

    ex.fetch = 1;

    cf.pool = in.pool;
    cf.temp_pool = in.pool;
    r.pool = in.pool;

    error = ngx_http_flowdash_url_parse(&cf, &url, &text);

    fuzz_check(error != NGX_CONF_ERROR, "there is memory");

    if (error) {
        fuzz_check(*error, "a refusal has a reason");
        return fuzz_end(&in);
    }

    fuzz_check(url.port, "a port");

    rc = ngx_http_flowdash_url_make(&r, &ex, &url, &made, &host);

    fuzz_check(rc == NGX_OK || rc == NGX_DECLINED, "there is memory");
    fuzz_check((rc == NGX_OK) == (ex.detail.len == 0),
               "a refusal has a reason");

    if (rc == NGX_OK && url.parsed == NULL) {
        check_made(in.pool, &url, &made, &host);
    }

    if (rc == NGX_OK) {
        fuzz_check(!fuzz_has(&ex.url, "?") || fuzz_has(&url.socket, "?"),
                   "no query in the log");
    }

    return fuzz_end(&in);
}
