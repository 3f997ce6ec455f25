/*
 * The call of a delivery, made of its pieces: secrets in their places, what
 * the log sees, and what a record cannot do that somebody else has written.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "tap.h"

#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_json_ascii.c"
#include "ngx_http_flowdash_json_embed.c"
#include "ngx_http_flowdash_json_unescape.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_template.c"
#include "ngx_http_flowdash_url_text.c"
#include "ngx_http_flowdash_exchange.c"
#include "ngx_http_flowdash_slices.c"
#include "ngx_http_flowdash_secret.c"
#include "ngx_http_flowdash_url_make.c"

#define ngx_pnalloc  test_pnalloc
#include "ngx_http_flowdash_compose_piece.c"
#include "ngx_http_flowdash_compose.c"
#undef ngx_pnalloc


#define TEXT(s)    { NGX_HTTP_FLOWDASH_PIECE_TEXT, 0, ngx_string(s) }
#define SECRET(e)  { NGX_HTTP_FLOWDASH_PIECE_SECRET,                          \
                     NGX_HTTP_FLOWDASH_PIECE_##e, ngx_string("crm_token") }
#define UNKNOWN    { NGX_HTTP_FLOWDASH_PIECE_SECRET, 0, ngx_string("gone") }
#define PIECE(k)   { NGX_HTTP_FLOWDASH_PIECE_##k, 0, ngx_null_string }

#define INVALID_HOST    "the host of the record is invalid"
#define INVALID_PATH    "the path of the record is invalid"
#define INVALID_HEADER  "a header of the record is invalid"


typedef struct {
    const char                 *name;
    ngx_http_flowdash_piece_t   piece[4];
    const char                 *wanted;     /* or why there is none */
    const char                 *shown;      /* in the log */
} test_case_t;


ngx_module_t  ngx_http_flowdash_module;

static ngx_pool_t                     *pool;
static ngx_http_flowdash_url_t         url;
static ngx_http_flowdash_loc_conf_t    conf;
static ngx_http_flowdash_main_conf_t   main_conf;
static ngx_http_flowdash_exchange_t    ex;
static ngx_http_flowdash_call_t        call;
static ngx_http_flowdash_record_t      rec;
static ngx_http_flowdash_delivery_t    delivery;


static test_case_t  bodies[] = {

    { "text", { TEXT("{\"a\":1}") }, "{\"a\":1}", NULL },
    { "nothing", { TEXT("") }, "", NULL },

    { "a secret in a string", { TEXT("\""), SECRET(STRING), TEXT("\"") },
      "\"s\\\"%/\303\274\"", NULL },
    { "a secret as JSON", { SECRET(JSON) }, "\"s\\\"%/\\u00fc\"", NULL },
    { "a secret in a form", { TEXT("a="), SECRET(FORM) },
      "a=s%22%25%2F%C3%BC", NULL },
    { "a secret in a header", { TEXT("Bearer "), SECRET(RAW) },
      "Bearer s\"%/\303\274", NULL },
    { "a secret that is gone", { TEXT("x"), UNKNOWN },
      "the secret \"$gone\" is no longer configured", NULL },

    { "its key", { PIECE(KEY) }, "\"4a-1\"", NULL },
    { "why it is undone", { TEXT("{\"a\":1"), PIECE(UNDO) },
      "{\"a\":1,\"undo\":{\"reason\":\"status\","
      "\"step\":\"R\\u00fcck\\ufffd\\\"\"", NULL },
    { "what the app has answered", { TEXT("{\"a\":1"), PIECE(AFTER) },
      "{\"a\":1,\"result\":{\"status\":302,\"location\":\"/a\\u0001\"},"
      "\"response\":{\"id\":7}}", NULL }
};


static test_case_t  empty[] = {

    { "no step has failed", { TEXT("{\"a\":1"), PIECE(UNDO) },
      "{\"a\":1,\"undo\":{\"reason\":\"status\",\"step\":null", NULL },
    { "no Location, and the response was too long",
      { TEXT("{\"a\":1"), PIECE(AFTER) },
      "{\"a\":1,\"result\":{\"status\":200,\"location\":null},"
      "\"response\":null,\"truncated\":true}", NULL }
};


static test_case_t  urls[] = {

    { "a path", { TEXT("/invoices/7?x=1") },
      "https://user:pw@billing.example/invoices/7?x=1",
      "https://billing.example/invoices/7" },
    { "a secret in the path", { TEXT("/i/"), SECRET(URI), TEXT("/z") },
      "https://user:pw@billing.example/i/s%22%25%2F%C3%BC/z",
      "https://billing.example/i/***/z" },
    { "a secret in the query", { TEXT("/i?k="), SECRET(URI) },
      "https://user:pw@billing.example/i?k=s%22%25%2F%C3%BC",
      "https://billing.example/i" },
    { "dots in the query", { TEXT("/i?k=/../") },
      "https://user:pw@billing.example/i?k=/../",
      "https://billing.example/i" },

    { "no path", { TEXT("") }, INVALID_PATH, NULL },
    { "another host", { TEXT("@other.example/") }, INVALID_PATH, NULL },
    { "another port", { TEXT(":81/") }, INVALID_PATH, NULL },
    { "a path upwards", { TEXT("/i/../admin") }, INVALID_PATH, NULL },
    { "a line break", { TEXT("/i\r\nX: y") }, INVALID_PATH, NULL },
    { "a space", { TEXT("/i HTTP/1.1") }, INVALID_PATH, NULL },
    { "a fragment", { TEXT("/i#x") }, INVALID_PATH, NULL },
    { "no ASCII", { TEXT("/\303\274") }, INVALID_PATH, NULL },
    { "an unknown secret", { TEXT("/"), UNKNOWN },
      "the secret \"$gone\" is no longer configured", NULL }
};


/* the host as it is configured, "$" for a variable; and as it is recorded */

typedef struct {
    const char  *parts[4];
    const char  *host;
    const char  *wanted;
} test_host_t;


static test_host_t  hosts[] = {
    { { "$" }, "billing.example", "http://billing.example:8080/i" },
    { { "$" }, "127.0.0.1", "http://127.0.0.1:8080/i" },
    { { "$" }, "", INVALID_HOST },
    { { "$" }, "other.example/x?", INVALID_HOST },
    { { "$" }, "user@other.example", INVALID_HOST },
    { { "$" }, "other.example:80", INVALID_HOST },
    { { "$" }, ".example", INVALID_HOST },

    { { "$", ".example" }, "a.example", "http://a.example:8080/i" },
    { { "$", ".example" }, "a.Example", "http://a.Example:8080/i" },
    { { "$", ".example" }, "a.other", INVALID_HOST },
    { { "$", ".example" }, "a.example.other", INVALID_HOST },
    { { "$", ".example" }, "example", INVALID_HOST },
    { { "api-", "$" }, "api-1.other", "http://api-1.other:8080/i" },
    { { "api-", "$" }, "1.api-", INVALID_HOST },
    { { "a-", "$", "-b" }, "a-b", INVALID_HOST },
    { { "a-", "$", "-b" }, "a-1-b", "http://a-1-b:8080/i" },
    { { "$", "-x-", "$", ".b" }, "1-x-2.b", "http://1-x-2.b:8080/i" },
    { { "$", "-x-", "$", ".b" }, "1-y-2.b", INVALID_HOST },
    { { "$", "-x-", "$", ".b" }, "1.b-x-", INVALID_HOST }
};


typedef struct {
    const char  *name;
    const char  *value;
    ngx_int_t    rc;
} test_header_t;


static test_header_t  headers[] = {
    { "X-Key", "a", NGX_OK },
    { "X-Key", "", NGX_OK },
    { "X-Key", "caf\351\t", NGX_OK },
    { "", "a", NGX_DECLINED },
    { "X:", "a", NGX_DECLINED },
    { "X;", "a", NGX_DECLINED },
    { "X Y", "a", NGX_DECLINED },
    { "X\nY", "a", NGX_DECLINED },
    { "X-Key", "a\r\nX: y", NGX_DECLINED },
    { "X-Key", "a\177", NGX_DECLINED },
    { "content-length", "1", NGX_DECLINED },
    { "Transfer-Encoding", "chunked", NGX_DECLINED }
};


/* not called by what is tested */

ngx_int_t
ngx_http_flowdash_marker_add(ngx_http_flowdash_markers_t *markers,
    ngx_str_t *name, ngx_str_t *marker)
{
    (void) markers;
    (void) name;
    (void) marker;

    return NGX_ERROR;
}


ngx_http_flowdash_ctx_t *
ngx_http_flowdash_get_ctx(ngx_http_request_t *r)
{
    return NULL;
}


ngx_int_t
ngx_http_flowdash_value_secret(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *c, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_http_flowdash_value_sent(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *c, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value)
{
    return NGX_ERROR;
}


ngx_str_t *
ngx_http_flowdash_payload_type(ngx_http_flowdash_loc_conf_t *flcf)
{
    return flcf->method.len ? NULL : &flcf->pointer_text;
}


static ngx_array_t
pieces(ngx_http_flowdash_piece_t *piece)
{
    ngx_array_t  array;

    ngx_memzero(&array, sizeof(ngx_array_t));
    array.elts = piece;
    array.size = sizeof(ngx_http_flowdash_piece_t);

    while (array.nelts < 4
           && (piece[array.nelts].kind || piece[array.nelts].text.data))
    {
        array.nelts++;
    }

    return array;
}


static ngx_int_t
compose(void)
{
    ngx_memzero(&ex, sizeof(ngx_http_flowdash_exchange_t));
    ngx_memzero(&call, sizeof(ngx_http_flowdash_call_t));

    call.ex = &ex;
    call.conf = &conf;
    call.main_conf = &main_conf;
    call.pool = pool;

    return ngx_http_flowdash_compose(&call, &rec, &delivery);
}


static void
run(test_case_t *test, ngx_uint_t is_url)
{
    ngx_int_t    rc;
    ngx_str_t   *got;
    ngx_uint_t   good;

    if (is_url) {
        delivery.uri = pieces(test->piece);

    } else {
        delivery.body = pieces(test->piece);
    }

    rc = compose();
    got = is_url ? &call.url : ex.payload.elts;

    good = (rc == NGX_OK && is_text(got, test->wanted))
           || (rc == NGX_DECLINED && is_text(&ex.detail, test->wanted)
               && ex.error == NGX_HTTP_FLOWDASH_REQUEST_INVALID);

    if (good && test->shown) {
        good = is_text(&ex.url, test->shown)
               && call.url.data[call.url.len] == '\0';
    }

    ok(good, test->name);
}


static void
test_hosts(void)
{
    const char                    *text;
    ngx_int_t                      rc;
    ngx_uint_t                     i, n;
    ngx_array_t                    variables;
    ngx_http_complex_value_t       value;
    ngx_http_flowdash_piece_t      path[4] = { TEXT("/i") };
    ngx_http_flowdash_url_part_t   parts[4];

    ngx_str_set(&url.origin, "http://");
    ngx_str_set(&url.redacted_origin, "http://");
    ngx_str_set(&url.port_text, ":8080");
    url.variable_host = &variables;
    delivery.uri = pieces(path);

    for (i = 0; i < sizeof(hosts) / sizeof(test_host_t); i++) {

        ngx_memzero(parts, sizeof(parts));

        for (n = 0; n < 4 && hosts[i].parts[n]; n++) {

            text = hosts[i].parts[n];

            if (*text == '$') {
                parts[n].value = &value;

            } else {
                parts[n].text.data = (u_char *) text;
                parts[n].text.len = strlen(text);
            }
        }

        variables.elts = parts;
        variables.nelts = n;

        delivery.host.data = (u_char *) hosts[i].host;
        delivery.host.len = strlen(hosts[i].host);

        rc = compose();

        ok((rc == NGX_OK && is_text(&call.url, hosts[i].wanted)
            && is_text(&ex.url, hosts[i].wanted)
            && is_text(&call.host, hosts[i].host))
           || (rc == NGX_DECLINED && is_text(&ex.detail, hosts[i].wanted)),
           show("host", hosts[i].host));
    }
}


static void
test_headers(void)
{
    ngx_uint_t                          i;
    ngx_int_t                           rc;
    ngx_keyval_t                       *sent;
    ngx_http_flowdash_piece_t           piece[4] = { TEXT("") };
    ngx_http_flowdash_record_header_t   header;

    delivery.headers.elts = &header;
    delivery.headers.nelts = 1;

    for (i = 0; i < sizeof(headers) / sizeof(test_header_t); i++) {

        piece[0].text.data = (u_char *) headers[i].value;
        piece[0].text.len = strlen(headers[i].value);
        header.name.data = (u_char *) headers[i].name;
        header.name.len = strlen(headers[i].name);
        header.value = pieces(piece);

        rc = compose();
        sent = ex.headers.elts;

        ok(rc == headers[i].rc
           && (rc == NGX_OK
               ? is_text(&sent->key, headers[i].name)
                 && is_text(&sent->value, headers[i].value)
               : is_text(&ex.detail, INVALID_HEADER)),
           show("header", headers[i].rc == NGX_OK ? headers[i].value
                                               : headers[i].name));
    }

    delivery.headers.nelts = 0;
}


static void
test_memory(void)
{
    ngx_int_t                  rc, n;
    ngx_http_flowdash_piece_t  piece[4] = {
        SECRET(STRING), PIECE(AFTER), PIECE(UNDO), TEXT("a")
    };

    delivery.body = pieces(piece);

    for (n = 0; n < 100; n++) {
        test_budget = n;
        rc = compose();
        test_budget = -1;

        if (rc != NGX_ERROR) {
            break;
        }
    }

    ok(n > 5 && rc == NGX_OK, "memory runs out");
}


int
main(void)
{
    ngx_uint_t                   i;
    ngx_str_t                    redacted = ngx_string("http://now.example/x");
    ngx_http_flowdash_secret_t   secret, *slot;
    ngx_http_flowdash_piece_t    path[4] = { TEXT("/i") };

    (void) test_begin(0);

    pool = ngx_create_pool(4096, &test_log);

    ngx_memzero(&secret, sizeof(ngx_http_flowdash_secret_t));
    ngx_str_set(&secret.name, "crm_token");
    ngx_str_set(&secret.value, "s\"%/\303\274");
    slot = &secret;

    main_conf.secrets = ngx_array_create(pool, 1, sizeof(void *));
    *(void **) ngx_array_push(main_conf.secrets) = slot;

    conf.url = &url;
    ngx_str_set(&url.origin, "https://user:pw@billing.example");
    ngx_str_set(&url.redacted_origin, "https://billing.example");
    ngx_str_set(&url.host, "billing.example");

    ngx_str_set(&rec.reason, "status");
    ngx_str_set(&rec.failed_step, "R\303\274ck\377\"");
    ngx_str_set(&rec.redirect, "/a\001");
    ngx_str_set(&rec.response, "{\"id\":7}");
    rec.status = 302;

    ngx_str_set(&delivery.key, "\"4a-1\"");
    delivery.uri = pieces(path);

    for (i = 0; i < sizeof(bodies) / sizeof(test_case_t); i++) {
        run(&bodies[i], 0);
    }

    ok(is_text(&ex.id, "4a-1"), "the key, without its quotes");
    ok(is_text(&call.host, "billing.example"), "the configuration's host");

    for (i = 0; i < sizeof(urls) / sizeof(test_case_t); i++) {
        run(&urls[i], 1);
    }

    delivery.uri = pieces(path);

    test_headers();
    test_memory();

    ngx_str_null(&rec.failed_step);
    ngx_str_null(&rec.redirect);
    ngx_str_null(&rec.response);
    rec.status = 200;
    rec.truncated = 1;

    for (i = 0; i < sizeof(empty) / sizeof(test_case_t); i++) {
        run(&empty[i], 0);
    }

    ngx_str_set(&conf.method, "DELETE");
    ok(compose() == NGX_OK && ex.payload.len == 0, "DELETE has no payload");
    ngx_str_null(&conf.method);

    test_hosts();

    url.parsed = (CURLU *) &url;
    url.redacted = redacted;
    ngx_str_set(&delivery.host, "");
    ok(compose() == NGX_OK && call.url.len == 0
       && is_text(&ex.url, "http://now.example/x"),
       "a URL without variables is the configuration's");

    ngx_destroy_pool(pool);

    return test_end();
}
