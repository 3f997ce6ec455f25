
/*
 * A look-up with a resolver that does what the test says: answers at once, or
 * later, or not at all; and everything is freed exactly once, which the
 * sanitizers see.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "tap.h"


typedef enum {
    TEST_LATER = 0,
    TEST_AT_ONCE,
    TEST_FAILS,          /* ngx_resolve_name() */
    TEST_NO_CONTEXT      /* ngx_resolve_start() */
} test_mode_e;


static test_mode_e           test_mode;
static ngx_int_t             test_state;
static ngx_uint_t            test_asked;
static ngx_int_t             test_open;       /* contexts that are not freed */
static char                  test_name[300];
static ngx_resolver_ctx_t   *test_waiting[4];
static ngx_uint_t            test_nwaiting;


static ngx_resolver_ctx_t *
test_start(ngx_resolver_t *r, ngx_resolver_ctx_t *temp)
{
    ngx_resolver_ctx_t  *ctx;

    if (test_mode == TEST_NO_CONTEXT) {
        return NULL;
    }

    ctx = calloc(1, sizeof(ngx_resolver_ctx_t));
    ctx->resolver = r;
    test_open++;

    return ctx;
}


/* two addresses, whose memory is gone when the handler returns */

static void
answer(ngx_resolver_ctx_t *ctx)
{
    ngx_sockaddr_t       *sa;
    ngx_resolver_addr_t  *addrs;

    sa = calloc(2, sizeof(ngx_sockaddr_t));
    addrs = calloc(2, sizeof(ngx_resolver_addr_t));

    sa[0].sockaddr_in.sin_family = AF_INET;
    (void) inet_pton(AF_INET, "192.0.2.1", &sa[0].sockaddr_in.sin_addr);

    sa[1].sockaddr_in6.sin6_family = AF_INET6;
    (void) inet_pton(AF_INET6, "2001:db8::7", &sa[1].sockaddr_in6.sin6_addr);

    addrs[0].sockaddr = &sa[0].sockaddr;
    addrs[0].socklen = sizeof(struct sockaddr_in);
    addrs[1].sockaddr = &sa[1].sockaddr;
    addrs[1].socklen = sizeof(struct sockaddr_in6);

    ctx->state = test_state;

    if (test_state == NGX_OK) {
        ctx->naddrs = 2;
        ctx->addrs = addrs;
    }

    ctx->handler(ctx);

    free(addrs);
    free(sa);
}


static ngx_int_t
test_resolve_name(ngx_resolver_ctx_t *ctx)
{
    test_asked++;

    ngx_memcpy(test_name, ctx->name.data, ctx->name.len);
    test_name[ctx->name.len] = '\0';

    switch (test_mode) {

    case TEST_AT_ONCE:
        answer(ctx);
        return NGX_OK;

    case TEST_FAILS:
        free(ctx);
        test_open--;
        return NGX_ERROR;

    default:
        ctx->state = NGX_AGAIN;
        ctx->async = 1;
        test_waiting[test_nwaiting++] = ctx;
        return NGX_OK;
    }
}


static void
test_name_done(ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t  i;

    for (i = 0; i < test_nwaiting; i++) {
        if (test_waiting[i] == ctx) {
            test_waiting[i] = NULL;
        }
    }

    free(ctx);
    test_open--;
}


#define ngx_pnalloc            test_pnalloc
#define ngx_resolve_start      test_start
#define ngx_resolve_name       test_resolve_name
#define ngx_resolve_name_done  test_name_done
#include "ngx_http_flowdash_hosts.c"
#include "ngx_http_flowdash_resolve.c"
#undef ngx_pnalloc
#undef ngx_resolve_start
#undef ngx_resolve_name
#undef ngx_resolve_name_done


typedef struct {
    const char   *host;
    in_port_t     port;
    const char   *entry;    /* or NULL: not to be found, and nobody is asked */
} test_case_t;


static ngx_cycle_t                   test_cycle;
static ngx_resolver_t                test_resolver;
static ngx_array_t                   test_hosts;
static ngx_pool_t                   *test_pool;
static ngx_http_flowdash_resolve_t  *test_cancel;    /* by the handler */
static ngx_uint_t                    test_calls;     /* of the handler */


static test_case_t  cases[] = {
    { "crm", 443, "+crm:443:192.0.2.9" },
    { "CRM", 80, "+CRM:80:192.0.2.9" },
    { "Crm.", 65535, "+Crm.:65535:192.0.2.9" },
    { "b.example.com", 1, "+b.example.com:1:192.0.2.9,[::1]" },
    { "localhost.", 80, "+localhost.:80:127.0.0.1,[::1]" },
    { "A.LocalHost.", 80, "+A.LocalHost.:80:127.0.0.1,[::1]" },
    { "", 80, NULL },
    { ".", 80, NULL },
    { "a..", 80, NULL },
    { "a..b", 80, NULL },
    { "*", 80, NULL },
    { "a:b", 80, NULL },
    { "a,b", 80, NULL }
};


static void
handler(ngx_http_flowdash_resolve_t *rs)
{
    test_calls++;

    ngx_http_flowdash_resolve_cancel(rs);

    if (test_cancel) {
        ngx_http_flowdash_resolve_cancel(test_cancel);
    }
}


static void
setup(ngx_http_flowdash_resolve_t *rs, const char *host)
{
    ngx_memzero(rs, sizeof(ngx_http_flowdash_resolve_t));

    rs->host.data = (u_char *) host;
    rs->host.len = strlen(host);
    rs->port = 443;
    rs->resolver = &test_resolver;
    rs->timeout = 5000;
    rs->pool = test_pool;
    rs->log = &test_log;
    rs->handler = handler;

    test_asked = 0;
    test_calls = 0;
    test_nwaiting = 0;
    test_state = NGX_OK;
    test_cancel = NULL;
}


/* the resolver answers those who wait */

static void
answers(ngx_int_t state)
{
    ngx_uint_t  i;

    test_state = state;

    for (i = 0; i < test_nwaiting; i++) {
        if (test_waiting[i]) {
            answer(test_waiting[i]);
        }
    }
}


static void
turn(void)
{
    ngx_event_process_posted(&test_cycle, &ngx_posted_events);
}


static ngx_uint_t
idle(void)
{
    return test_open == 0 && ngx_queue_empty(&ngx_posted_events);
}


static ngx_uint_t
entry(ngx_http_flowdash_resolve_t *rs, const char *text)
{
    if (text == NULL) {
        return rs->entry.data == NULL && rs->state != NGX_OK;
    }

    return rs->entry.data && rs->state == NGX_OK
           && rs->entry.len == strlen(text)
           && memcmp(rs->entry.data, text, rs->entry.len + 1) == 0;
}


static void
test_case(test_case_t *t)
{
    ngx_int_t                    rc;
    ngx_http_flowdash_resolve_t  rs;

    setup(&rs, t->host);
    rs.port = t->port;

    rc = ngx_http_flowdash_resolve(&rs, &test_hosts);
    ngx_http_flowdash_resolve_cancel(&rs);

    ok(rc == NGX_OK && entry(&rs, t->entry) && test_asked == 0 && idle()
       && (t->entry || rs.state == NGX_RESOLVE_NXDOMAIN),
       t->entry ? t->entry : t->host);
}


static ngx_uint_t
at_once(ngx_int_t state)
{
    ngx_int_t                    rc;
    ngx_http_flowdash_resolve_t  rs;

    setup(&rs, "Host.Example.");
    test_mode = TEST_AT_ONCE;
    test_state = state;

    rc = ngx_http_flowdash_resolve(&rs, &test_hosts);

    turn();
    ngx_http_flowdash_resolve_cancel(&rs);

    return rc == NGX_OK && test_calls == 0 && test_asked == 1 && idle()
           && strcmp(test_name, "host.example") == 0 && rs.state == state
           && entry(&rs, state ? NULL
                           : "+Host.Example.:443:192.0.2.1,[2001:db8::7]");
}


static ngx_uint_t
later(ngx_int_t state)
{
    ngx_int_t                    rc;
    ngx_uint_t                   good;
    ngx_http_flowdash_resolve_t  rs;

    setup(&rs, "host.example");
    test_mode = TEST_LATER;

    rc = ngx_http_flowdash_resolve(&rs, &test_hosts);

    turn();
    good = rc == NGX_AGAIN && test_calls == 0
           && test_waiting[0]->timeout == 5000;

    answers(state);
    good &= test_calls == 0 && test_open == 0;

    turn();
    good &= test_calls == 1 && idle() && rs.state == state
            && entry(&rs, state ? NULL
                            : "+host.example:443:192.0.2.1,[2001:db8::7]");

    turn();

    return good && test_calls == 1;
}


/* before the answer, behind it, when all is over, and when nothing was */

static ngx_uint_t
cancelled(void)
{
    ngx_uint_t                   i, good;
    ngx_http_flowdash_resolve_t  rs;

    setup(&rs, "host.example");
    ngx_http_flowdash_resolve_cancel(&rs);
    good = idle();

    for (i = 0; i < 3; i++) {
        setup(&rs, "host.example");
        test_mode = TEST_LATER;

        good &= ngx_http_flowdash_resolve(&rs, &test_hosts) == NGX_AGAIN;

        if (i > 0) {
            answers(NGX_OK);
        }

        if (i > 1) {
            turn();
        }

        ngx_http_flowdash_resolve_cancel(&rs);
        ngx_http_flowdash_resolve_cancel(&rs);

        good &= idle();
        turn();
        good &= test_calls == (i > 1);
    }

    return good;
}


/* two wait for the same name; the first one's handler ends the second */

static ngx_uint_t
cancelled_by_other(void)
{
    ngx_uint_t                   good;
    ngx_http_flowdash_resolve_t  one, two;

    setup(&two, "host.example");
    setup(&one, "host.example");
    test_mode = TEST_LATER;

    good = ngx_http_flowdash_resolve(&one, &test_hosts) == NGX_AGAIN
           && ngx_http_flowdash_resolve(&two, &test_hosts) == NGX_AGAIN;

    test_cancel = &two;

    answers(NGX_OK);
    turn();

    return good && test_calls == 1 && idle();
}


static ngx_uint_t
used_again(void)
{
    ngx_uint_t                   good;
    ngx_http_flowdash_resolve_t  rs;

    setup(&rs, "host.example");
    test_mode = TEST_LATER;

    good = ngx_http_flowdash_resolve(&rs, &test_hosts) == NGX_AGAIN;
    answers(NGX_RESOLVE_SERVFAIL);
    turn();

    good &= test_calls == 1 && entry(&rs, NULL);

    test_nwaiting = 0;
    good &= ngx_http_flowdash_resolve(&rs, &test_hosts) == NGX_AGAIN
            && rs.state == NGX_OK;
    answers(NGX_OK);
    turn();

    good &= test_calls == 2
            && entry(&rs, "+host.example:443:192.0.2.1,[2001:db8::7]");

    rs.host.data = (u_char *) "a..b";
    rs.host.len = 4;

    return good && ngx_http_flowdash_resolve(&rs, &test_hosts) == NGX_OK
           && entry(&rs, NULL) && idle();
}


static ngx_uint_t
no_resolver(void)
{
    ngx_uint_t                   good;
    ngx_http_flowdash_resolve_t  rs;

    setup(&rs, "crm");

    test_resolver.connections.nelts = 0;
    good = ngx_http_flowdash_resolve(&rs, &test_hosts) == NGX_DECLINED;
    test_resolver.connections.nelts = 1;

    rs.resolver = NULL;
    good &= ngx_http_flowdash_resolve(&rs, &test_hosts) == NGX_DECLINED;

    return good && rs.entry.data == NULL && idle();
}


static ngx_uint_t
fails(test_mode_e mode)
{
    ngx_uint_t                   good;
    ngx_http_flowdash_resolve_t  rs;

    setup(&rs, "host.example");
    test_mode = mode;

    good = ngx_http_flowdash_resolve(&rs, &test_hosts) == NGX_ERROR
           && rs.ctx == NULL;

    ngx_http_flowdash_resolve_cancel(&rs);

    return good && idle();
}


/* the name, the addresses, the entry */

static ngx_uint_t
out_of_memory(void)
{
    ngx_int_t                    n, rc;
    ngx_uint_t                   good;
    ngx_http_flowdash_resolve_t  rs;

    good = 1;

    for (n = 0; n < 4; n++) {
        setup(&rs, "host.example");
        test_mode = TEST_AT_ONCE;

        test_budget = n;
        rc = ngx_http_flowdash_resolve(&rs, &test_hosts);
        test_budget = -1;

        good &= rc == (n < 3 ? NGX_ERROR : NGX_OK) && idle()
                && (rs.entry.data != NULL) == (n == 3);
    }

    for (n = 0; n < 3; n++) {
        setup(&rs, "host.example");
        test_mode = TEST_LATER;
        rc = ngx_http_flowdash_resolve(&rs, &test_hosts);

        test_budget = n;
        answers(NGX_OK);
        test_budget = -1;
        turn();

        good &= rc == NGX_AGAIN && test_calls == 1 && idle()
                && rs.state == (n < 2 ? NGX_ERROR : NGX_OK)
                && (rs.entry.data != NULL) == (n == 2);
    }

    return good;
}


int
main(void)
{
    ngx_uint_t  i;

    static ngx_str_t  file = ngx_string("192.0.2.9 crm b.example.com\n"
                                        "::1 b.example.com\n");

    (void) test_begin(0);
    ngx_queue_init(&ngx_posted_events);

    test_cycle.log = &test_log;
    test_resolver.log = &test_log;
    test_resolver.connections.nelts = 1;
    test_pool = ngx_create_pool(4096, &test_log);

    if (ngx_http_flowdash_hosts_parse(test_pool, &file, &test_hosts)
        != NGX_OK)
    {
        return 1;
    }

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_case(&cases[i]);
    }

    ok(at_once(NGX_OK), "from the cache");
    ok(at_once(NGX_RESOLVE_NXDOMAIN), "no such name, from the cache");
    ok(later(NGX_OK), "from the name server");
    ok(later(NGX_RESOLVE_NXDOMAIN), "no such name");
    ok(later(NGX_RESOLVE_TIMEDOUT), "the time is up");
    ok(cancelled(), "a look-up is cancelled at any time");
    ok(cancelled_by_other(), "a look-up is cancelled by another one");
    ok(used_again(), "the memory is used again");
    ok(no_resolver(), "no resolver");
    ok(fails(TEST_FAILS), "the resolver fails");
    ok(fails(TEST_NO_CONTEXT), "the resolver has no memory");
    ok(out_of_memory(), "memory that runs out is an error");

    ngx_destroy_pool(test_pool);

    return test_end();
}
