
/*
 * The parser of the hosts file, and which hosts are looked up at all: tables,
 * and random bytes.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


static void *
test_push(ngx_array_t *a)
{
    return test_fails() ? NULL : ngx_array_push(a);
}


static ngx_pool_t *
test_create_pool(size_t size, ngx_log_t *log)
{
    return test_fails() ? NULL : ngx_create_pool(size, log);
}


#define ngx_pnalloc      test_pnalloc
#define ngx_array_push   test_push
#define ngx_create_pool  test_create_pool
#include "ngx_http_flowdash_hosts.c"
#include "ngx_http_flowdash_resolve.c"
#undef ngx_pnalloc
#undef ngx_array_push
#undef ngx_create_pool


typedef struct {
    const char   *name;
    const char   *text;
    const char   *hosts;    /* as written by list() */
} test_case_t;


typedef struct {
    const char   *host;
    ngx_uint_t    needed;
} test_needed_t;


#define A63  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A61  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


static test_case_t  cases[] = {
    { "nothing", "", "" },
    { "an address", "192.0.2.1 crm\n", "crm=192.0.2.1;" },
    { "no line feed at the end", "192.0.2.1 crm", "crm=192.0.2.1;" },
    { "aliases, sorted", "192.0.2.1 crm b a.example.com\n",
      "a.example.com=192.0.2.1;b=192.0.2.1;crm=192.0.2.1;" },
    { "white space", " \t192.0.2.1\t \tcrm \t\v\f\n\n \n192.0.2.2\tb"
      "\n\f\v192.0.2.3\v\rc", "b=192.0.2.2;c=192.0.2.3;crm=192.0.2.1;" },
    { "CRLF", "192.0.2.1 crm\r\n192.0.2.2 b\r\n",
      "b=192.0.2.2;crm=192.0.2.1;" },
    { "comments", "# 1.1.1.1 a\n192.0.2.1 crm#x\n192.0.2.2 b # 1.1.1.1 c\n#",
      "b=192.0.2.2;crm=192.0.2.1;" },
    { "both families", "127.0.0.1 crm\n::1 crm\n", "crm=127.0.0.1,[::1];" },
    { "the file's order", "::1 crm b\n127.0.0.1 b\n127.0.0.1 crm\n",
      "b=[::1],127.0.0.1;crm=[::1],127.0.0.1;" },
    { "an address once", "127.0.0.1 a a\n::1 a\n127.0.0.1 A\n0:0::1 a.\n",
      "a=127.0.0.1,[::1];" },
    { "letters", "192.0.2.1 CRM.Example.COM\nFD00::AB crm.example.com\n",
      "crm.example.com=192.0.2.1,[fd00::ab];" },
    { "a dot at the end", "192.0.2.1 crm.example.com.\n",
      "crm.example.com=192.0.2.1;" },
    { "mapped", "::ffff:192.0.2.1 crm\n", "crm=[::ffff:192.0.2.1];" },
    { "no names", "192.0.2.1\n192.0.2.1 \n::1#crm\n", "" },
    { "no address", "crm 192.0.2.1\ncrm\n", "" },
    { "bad addresses", "192.0.2 a\n192.0.2.1.1 b\n192.0.2.256 c\n1.2.3.04 d\n"
      "0x7f.0.0.1 e\n192.0.2.1/32 f\n::g h\n[::1] i\n1.2.3.4, j\n1... k\n"
      ":: :: l\n*.* m\n1:2:3:4:5:6:7:8:9 n\n127.1 o\n192.0.2.1 p\n",
      "l=[::];p=192.0.2.1;" },
    { "zones", "fe80::1%eth0 a\nfe80::1%1 b\n1.2.3.4%lo c\nfe80::1 d\n",
      "d=[fe80::1];" },
    { "long addresses", "0000:0000:0000:0000:0000:ffff:255.255.255.255 a\n"
      "0000:0000:0000:0000:0000:ffff:255.255.255.2555 b\n"
      "00000000000000000000000000000000000000000000000000000000001 c\n",
      "a=[::ffff:255.255.255.255];" },
    { "bad names", "192.0.2.1 a:b a,b * +a a[ a] \x01 \xc3\xa4 .a a..b . .. "
      "a/b \"a\" a_b -c x--1.y\n", "-c=192.0.2.1;a_b=192.0.2.1;"
      "x--1.y=192.0.2.1;" },
    { "labels", "192.0.2.1 " A63 " a" A63 " b." A63 " b.a" A63 ".c\n",
      A63 "=192.0.2.1;b." A63 "=192.0.2.1;" },
    { "long names", "192.0.2.1 " A63 "." A63 "." A63 "." A61 " "
      A63 "." A63 "." A63 "." A61 "a " A63 "." A63 "." A63 "." A61 ".\n",
      A63 "." A63 "." A63 "." A61 "=192.0.2.1;" }
};


static test_needed_t  hosts_needed[] = {
    { "example.com", 1 },
    { "example.com.", 1 },
    { "a", 1 },
    { "", 1 },
    { ".", 1 },
    { "192.0.2.1", 0 },
    { "192.0.2.1.", 1 },
    { "127.1", 0 },
    { "0x7f000001", 0 },
    { "2130706433", 0 },
    { "017700000001", 0 },
    { "0000000000000000000000000000000000000000000000000000017700000001", 0 },
    { "4294967296", 1 },
    { "1.2.3.4.5", 1 },
    { "256.1.1.1", 1 },
    { "1.example.com", 1 },
    { "::1", 0 },
    { "[::1]", 0 },
    { "[fe80::1%25eth0]", 0 },
    { "localhost", 0 },
    { "LocalHost", 0 },
    { "localhost.", 1 },
    { "a.localhost", 0 },
    { "A.B.LOCALHOST", 0 },
    { "a.localhost.", 1 },
    { "alocalhost", 1 },
    { "localhost.example.com", 1 },
    { "ocalhost", 1 },
    { A63 "." A63 "." A63 "." A63 ".localhost", 0 },
    { A63 "." A63 "." A63 "." A63 ".1", 1 }
};


/* parses a copy, which is spoiled before anybody looks at the result */

static ngx_int_t
parse(ngx_pool_t *pool, const char *p, size_t len, ngx_array_t *hosts)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    text = exactly(p, len);

    rc = ngx_http_flowdash_hosts_parse(pool, &text, hosts);

    memset(text.data, 0xdd, len);
    free(text.data);

    return rc;
}


/* "name=addresses;" in the order of the array; the caller frees it */

static char *
list(ngx_array_t *hosts)
{
    char                      *text;
    u_char                    *p;
    size_t                     len;
    ngx_uint_t                 i;
    ngx_http_flowdash_host_t  *host;

    host = hosts->elts;
    len = 1;

    for (i = 0; i < hosts->nelts; i++) {
        len += host[i].name.len + host[i].addrs.len + 2;
    }

    text = malloc(len);
    p = (u_char *) text;

    for (i = 0; i < hosts->nelts; i++) {
        p = ngx_sprintf(p, "%V=%V;", &host[i].name, &host[i].addrs);
    }

    *p = '\0';

    return text;
}


static void
test_case(test_case_t *t)
{
    char         *text;
    ngx_int_t     rc;
    ngx_pool_t   *pool;
    ngx_array_t   hosts;

    pool = ngx_create_pool(4096, &test_log);

    rc = parse(pool, t->text, strlen(t->text), &hosts);
    text = list(&hosts);

    if (strcmp(text, t->hosts) != 0) {
        printf("# %s\n", text);
    }

    ok(rc == NGX_OK && strcmp(text, t->hosts) == 0, t->name);

    free(text);
    ngx_destroy_pool(pool);
}


static ngx_uint_t
nulls(void)
{
    char         *text;
    ngx_pool_t   *pool;
    ngx_uint_t    good;
    ngx_array_t   hosts;

    static char  file[] = "1.2.3.4\0 a\n1.2.3.4 b\0c d\n\0\n";

    pool = ngx_create_pool(4096, &test_log);

    good = parse(pool, file, sizeof(file) - 1, &hosts) == NGX_OK;
    text = list(&hosts);
    good &= strcmp(text, "d=1.2.3.4;") == 0;

    free(text);
    ngx_destroy_pool(pool);

    return good;
}


/* one name has many addresses, many names have one each, and all are found */

static ngx_uint_t
many(void)
{
    char        *text, name[32];
    size_t       len;
    ngx_str_t    key, *addrs;
    ngx_uint_t   i, good;
    ngx_pool_t  *pool;
    ngx_array_t  hosts;

    text = malloc(20000 * 64);
    len = 0;

    for (i = 0; i < 20000; i++) {
        len += sprintf(text + len, "10.0.%u.%u all h%u\n",
                       (unsigned) (i / 256), (unsigned) (i % 256),
                       (unsigned) (i * 7919 % 20000));
    }

    pool = ngx_create_pool(4096, &test_log);
    good = parse(pool, text, len, &hosts) == NGX_OK && hosts.nelts == 20001;

    for (i = 0; i < 20000; i++) {
        sprintf(name, "h%u", (unsigned) (i * 7919 % 20000));
        key.data = (u_char *) name;
        key.len = strlen(name);

        len = sprintf(text, "10.0.%u.%u", (unsigned) (i / 256),
                      (unsigned) (i % 256));

        addrs = ngx_http_flowdash_hosts_find(&hosts, &key);

        good &= addrs && is(addrs, text, len);
    }

    ngx_str_set(&key, "all");
    addrs = ngx_http_flowdash_hosts_find(&hosts, &key);

    good &= addrs != NULL && addrs->len < 32 * 10
            && memcmp(addrs->data, "10.0.0.0,10.0.0.1,", 18) == 0
            && memcmp(addrs->data + addrs->len - 10, ",10.0.0.31", 10) == 0;

    ngx_str_set(&key, "h20000");
    good &= ngx_http_flowdash_hosts_find(&hosts, &key) == NULL;

    ngx_str_set(&key, "");
    good &= ngx_http_flowdash_hosts_find(&hosts, &key) == NULL;

    ngx_str_set(&key, "zzzzzzzzz");
    good &= ngx_http_flowdash_hosts_find(&hosts, &key) == NULL;

    ngx_destroy_pool(pool);
    free(text);

    return good;
}


static char *
copy(ngx_str_t *s)
{
    char  *text;

    text = malloc(s->len + 1);
    ngx_memcpy(text, s->data, s->len);
    text[s->len] = '\0';

    return text;
}


/* what is in the result is what libcurl can read */

static ngx_uint_t
valid(ngx_http_flowdash_host_t *host)
{
    char             *text, *p, *end;
    ngx_uint_t        good, v6;
    struct in6_addr   in6;

    text = copy(&host->name);

    good = host->name.len && host->addrs.len
           && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.")
              == host->name.len;

    free(text);
    text = copy(&host->addrs);

    for (p = text; p; p = end) {
        end = strchr(p, ',');

        if (end) {
            *end++ = '\0';
        }

        v6 = (*p == '[');

        if (v6) {
            p++;
            good &= p[strlen(p) - 1] == ']';
            p[strlen(p) - 1] = '\0';
        }

        good &= inet_pton(v6 ? AF_INET6 : AF_INET, p, &in6) == 1;
    }

    free(text);

    return good;
}


/* words that may meet, in any order, and some bytes that are damaged */

static ngx_uint_t
random_text(void)
{
    char                       text[512];
    size_t                     len, n;
    ngx_uint_t                 i, good;
    ngx_pool_t                *pool;
    ngx_array_t                hosts;
    ngx_http_flowdash_host_t  *host;

    static const char  *words[] = {
        " ", " ", " ", "\t", "\n", "\n", "\r\n", "#", "127.0.0.1 ", "::1 ",
        "fe80::1%eth0 ", "10.0.0.1", "a", "B", ".", "crm", ".example.com",
        "localhost", "1", "\n192.0.2.7 ", "\nfd00::7 ", "[", "]", ":", ","
    };

    len = 0;

    for (i = dice(60); i; i--) {
        n = dice(sizeof(words) / sizeof(words[0]));
        strcpy(text + len, words[n]);
        len += strlen(words[n]);

        if (len > sizeof(text) - 20) {
            break;
        }
    }

    for (i = dice(2) ? 0 : dice(4); i && len; i--) {
        text[dice(len)] = (char) random();
    }

    pool = ngx_create_pool(4096, &test_log);
    good = parse(pool, text, len, &hosts) == NGX_OK;

    host = hosts.elts;

    for (i = 0; i < hosts.nelts; i++) {
        good &= valid(&host[i]);

        good &= ngx_http_flowdash_hosts_find(&hosts, &host[i].name)
                == &host[i].addrs;
    }

    ngx_destroy_pool(pool);

    return good;
}


static ngx_uint_t
out_of_memory(void)
{
    ngx_int_t    n, rc;
    ngx_pool_t  *pool;
    ngx_array_t  hosts;

    static char  file[] = "1.2.3.4 a b\n::1 a\n";

    for (n = 0; n < 100; n++) {
        pool = ngx_create_pool(4096, &test_log);

        test_budget = n;
        rc = parse(pool, file, sizeof(file) - 1, &hosts);
        test_budget = -1;

        ngx_destroy_pool(pool);

        if (rc == NGX_OK) {
            break;
        }

        if (rc != NGX_ERROR) {
            return 0;
        }
    }

    /* a pool, two lines, three names of two each, two hosts of two each */

    return n == 13;
}


/* the system's own file, which has localhost at least, or is not there */

static ngx_uint_t
system_file(void)
{
    ngx_str_t    name;
    ngx_uint_t   good;
    ngx_conf_t   cf;
    ngx_array_t  hosts;

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    cf.log = &test_log;
    cf.pool = ngx_create_pool(4096, &test_log);

    ngx_str_set(&name, "localhost");

    good = ngx_http_flowdash_hosts_read(&cf, &hosts) == NGX_OK;
    good &= access(NGX_HTTP_FLOWDASH_HOSTS, R_OK) != 0
            || ngx_http_flowdash_hosts_find(&hosts, &name) != NULL;

    printf("# %u names\n", (unsigned) hosts.nelts);
    ngx_destroy_pool(cf.pool);

    return good;
}


static void
test_needed(test_needed_t *t)
{
    ngx_str_t   host;
    ngx_uint_t  needed;

    host = exactly(t->host, strlen(t->host));
    needed = ngx_http_flowdash_resolve_needed(&host);
    free(host.data);

    ok(needed == t->needed, t->host);
}


int
main(void)
{
    ngx_uint_t  i, rounds, good;

    rounds = test_begin(20000);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_case(&cases[i]);
    }

    ok(nulls(), "null characters");
    ok(many(), "many names, many addresses");

    good = 0;

    for (i = 0; i < rounds; i++) {
        good += random_text();
    }

    ok(good == rounds, "of random text only names and addresses are left");
    ok(out_of_memory(), "memory that runs out is an error");
    ok(system_file(), "the system's file");

    for (i = 0; i < sizeof(hosts_needed) / sizeof(hosts_needed[0]); i++) {
        test_needed(&hosts_needed[i]);
    }

    return test_end();
}
