
/*
 * The method of a request and its overrides, without nginx: which spellings of
 * "_method" and of the headers count, what their values are, and that nothing
 * around a string is read.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_method.c"


/* a query, and what is known of a GET with it, if PUT is listed */

typedef struct {
    const char  *text;
    ngx_uint_t   listed;
    ngx_uint_t   unsafe;
    ngx_uint_t   differ;
} test_query_t;


static void test_names(void);
static void test_headers(void);
static void test_queries(void);
static void test_chance(ngx_uint_t rounds);


static ngx_str_t    test_put[] = { ngx_string("PUT") };
static ngx_array_t  test_methods = { test_put, 1, sizeof(ngx_str_t), 1, NULL };
static ngx_str_t    test_get = ngx_string("GET");


int
main(void)
{
    ngx_uint_t  rounds;

    rounds = test_begin(20000);

    test_names();
    test_headers();
    test_queries();
    test_chance(rounds);

    return test_end();
}


static void
test_names(void)
{
    ngx_str_t     s;
    const char  **name;

    static const char  *yes[] = {
        "_method", "_METHOD", " _method", "[_method]", "_method[]",
        "_method[0]", ".method", "?_method", "_method ", "_method.x",
        "\xef\xbb\xbf_method", "_method\x01", NULL
    };

    static const char  *no[] = {
        "", "_", "_m", "_metho", "method", "_methods", "_method2", "_method_x",
        "_method-x", "a_method", "a._method", "x[_method]", " method", NULL
    };

    for (name = yes; *name; name++) {
        s = exactly(*name, strlen(*name));
        ok(ngx_http_flowdash_method_is_name(&s), show("a name", *name));
        free(s.data);
    }

    for (name = no; *name; name++) {
        s = exactly(*name, strlen(*name));
        ok(!ngx_http_flowdash_method_is_name(&s), show("no name", *name));
        free(s.data);
    }
}


static void
test_headers(void)
{
    ngx_str_t     s;
    const char  **name;

    static const char  *yes[] = {
        "X-HTTP-Method-Override", "x-http-method", "X_METHOD_OVERRIDE",
        "x.http-method_override", NULL
    };

    static const char  *no[] = {
        "", "X", "X-Method", "X-HTTP-Methods", "XHHTTP-Method", "X-HTTP-Methoc",
        "X-HTTP-Method-Overrid", NULL
    };

    for (name = yes; *name; name++) {
        s = exactly(*name, strlen(*name));
        ok(ngx_http_flowdash_method_is_header(&s), show("a header", *name));
        free(s.data);
    }

    for (name = no; *name; name++) {
        s = exactly(*name, strlen(*name));
        ok(!ngx_http_flowdash_method_is_header(&s), show("none", *name));
        free(s.data);
    }
}


static void
test_queries(void)
{
    ngx_str_t                    s;
    test_query_t                *q;
    ngx_http_flowdash_method_t   m;

    static test_query_t  queries[] = {
        { "", 0, 0, 0 },
        { "_method=PUT", 1, 1, 0 },
        { "_method=p%55t", 1, 1, 0 },
        { "_method=+PUT+", 1, 1, 0 },
        { "_method=PUT%00", 1, 1, 0 },
        { "_method=PU+T", 0, 1, 0 },
        { "_method=PUT%", 0, 1, 0 },
        { "_method=PUT%5", 0, 1, 0 },
        { "_method=PUTT", 0, 1, 0 },
        { "_method=get", 0, 0, 0 },
        { "_method=,", 0, 0, 0 },
        { "_method=,put", 1, 1, 0 },
        { "_method=put,PUT", 1, 1, 0 },
        { "_method=put,get", 1, 1, 1 },
        { "_method=head&_method=get", 0, 0, 1 },
        { "_method=&_method=PUT", 1, 1, 0 },
        { "_method", 0, 0, 0 },
        { "%5fmethod=PUT", 1, 1, 0 },
        { "%5fmethod%=PUT", 1, 1, 0 },
        { "a=b;_method=PUT;c", 1, 1, 0 },
        { "&&_method=PUT&&", 1, 1, 0 },
        { "_method=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0, 1, 0 },
        { "_method=GET+++++++++++++++++++++++++++++++++++++++++", 0, 0, 0 },
        { "_method=PUT+++++++++++++++++++++++++++++++++++++++++", 1, 1, 0 },
        { "_method=GET++++++++++++++++++++++++++++++++++++++++x", 0, 1, 0 },
        { "_method=PUT++++++++++++++++++++++++++++++++++++++x++", 0, 1, 0 },
        { NULL, 0, 0, 0 }
    };

    for (q = queries; q->text; q++) {

        s = exactly(q->text, strlen(q->text));

        ngx_http_flowdash_method_init(&m, &test_methods, &test_get);
        ngx_http_flowdash_method_pairs(&m, &s);

        ok(m.listed == q->listed && m.unsafe == q->unsafe
           && m.differ == q->differ, show("a query", q->text));

        free(s.data);
    }
}


/* whatever the bytes, what is listed is not safe */

static void
test_chance(ngx_uint_t rounds)
{
    char                         buf[64];
    size_t                       i, len;
    ngx_str_t                    s;
    ngx_uint_t                   n, good;
    ngx_http_flowdash_method_t   m;

    static const char  bytes[] = "_method=%5fPUT,&;+[]. g\0";

    good = 1;

    for (n = 0; n < rounds; n++) {

        len = dice(sizeof(buf));

        for (i = 0; i < len; i++) {
            buf[i] = bytes[dice(sizeof(bytes))];
        }

        if (len > 12 && dice(2)) {
            ngx_memcpy(buf + dice(len - 12), "&_method=PUT", 12);
        }

        s = exactly(buf, len);

        ngx_http_flowdash_method_init(&m, &test_methods, &test_get);
        ngx_http_flowdash_method_pairs(&m, &s);
        (void) ngx_http_flowdash_method_is_name(&s);
        ngx_http_flowdash_method_value(&m, &s);

        good = good && (!m.listed || (m.unsafe && m.len));

        free(s.data);
    }

    ok(good, "any bytes");
}
