
/*
 * A response of flowdash_once as one text: what was written is read, what was
 * cut is not, and headers about the connection are left out.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_once_response.c"


static ngx_http_flowdash_once_response_t  response;


static void
test_add(ngx_uint_t place, const char *name, const char *value)
{
    ngx_http_flowdash_once_header_t  *header;

    header = ngx_array_push(&response.headers);

    header->place = place;
    header->name.data = (u_char *) name;
    header->name.len = ngx_strlen(name);
    header->value.data = (u_char *) value;
    header->value.len = ngx_strlen(value);
}


static void
test_make(ngx_pool_t *pool)
{
    (void) ngx_array_init(&response.headers, pool, 4,
                          sizeof(ngx_http_flowdash_once_header_t));

    response.status = 200;
    response.content_length = -1;
    response.last_modified = 1234567890;
    response.content_type_len = 9;
    ngx_str_set(&response.content_type, "text/html; x=y");
    ngx_str_set(&response.charset, "utf-8");
    ngx_str_set(&response.body, "a body");

    test_add(0, "X-A", "1");
    test_add(3, "Location", "/there");
    test_add(0, "X-Empty", "");
}


static void
test_whole(ngx_str_t *text, ngx_pool_t *pool)
{
    ngx_http_flowdash_once_header_t    *header;
    ngx_http_flowdash_once_response_t   copy;

    ok(ngx_http_flowdash_once_response_read(text, &copy, pool) == NGX_OK,
       "a response is read");

    header = copy.headers.elts;

    ok(copy.status == 200 && copy.content_length == -1
       && copy.last_modified == 1234567890 && copy.content_type_len == 9,
       "its numbers");
    ok(is_text(&copy.content_type, "text/html; x=y")
       && is_text(&copy.charset, "utf-8") && is_text(&copy.body, "a body"),
       "its texts");
    ok(copy.headers.nelts == 3 && header[1].place == 3
       && is_text(&header[1].name, "Location")
       && is_text(&header[1].value, "/there")
       && is_text(&header[2].name, "X-Empty") && header[2].value.len == 0,
       "its headers");
}


static void
test_cut(ngx_str_t *text, ngx_pool_t *pool)
{
    size_t                              len;
    ngx_str_t                           cut;
    ngx_uint_t                          read;
    ngx_http_flowdash_once_response_t   copy;

    read = 0;

    for (len = 0; len < text->len; len++) {
        cut = exactly(text->data, len);

        if (ngx_http_flowdash_once_response_read(&cut, &copy, pool)
            != NGX_DECLINED)
        {
            read++;
        }

        free(cut.data);
    }

    ok(read == 0, "none that is cut");
}


static void
test_keeps(void)
{
    ngx_uint_t  i, kept, n;
    ngx_str_t   name;

    static const char  *left_out[] = {
        "Connection", "keep-alive", "Proxy-Authenticate", "Proxy-Connection",
        "TE", "Trailer", "transfer-encoding", "Upgrade", "Accept-Ranges",
        "Content-Length", "Date", "X-Accel-Redirect", "x-accel-", NULL
    };

    static const char  *in[] = {
        "Set-Cookie", "Location", "ETag", "X-Accel", "Dates", "T", "", NULL
    };

    kept = 0;

    for (i = 0; left_out[i]; i++) {
        name.data = (u_char *) left_out[i];
        name.len = ngx_strlen(left_out[i]);
        kept += ngx_http_flowdash_once_response_keeps(&name);
    }

    ok(kept == 0, "headers that are left out");

    kept = 0;

    for (n = 0; in[n]; n++) {
        name.data = (u_char *) in[n];
        name.len = ngx_strlen(in[n]);
        kept += ngx_http_flowdash_once_response_keeps(&name);
    }

    ok(kept == n, "headers that are kept");
}


int
main(void)
{
    ngx_str_t    text;
    ngx_pool_t  *pool;

    (void) test_begin(1);

    pool = ngx_create_pool(4096, &test_log);

    test_make(pool);

    text.len = ngx_http_flowdash_once_response_length(&response);
    text.data = malloc(text.len);

    ok(ngx_http_flowdash_once_response_write(text.data, &response)
       == text.data + text.len, "as long as it was said to be");

    test_whole(&text, pool);
    test_cut(&text, pool);
    test_keeps();

    response.headers.nelts = 0;
    ngx_str_null(&response.content_type);
    ngx_str_null(&response.charset);
    ngx_str_null(&response.body);

    text.len = ngx_http_flowdash_once_response_length(&response);
    (void) ngx_http_flowdash_once_response_write(text.data, &response);

    ok(ngx_http_flowdash_once_response_read(&text, &response, pool) == NGX_OK
       && response.body.len == 0, "an empty one");

    free(text.data);
    ngx_destroy_pool(pool);

    return test_end();
}
