
/*
 * The rules of flowdash_allow and flowdash_deny without a configuration file:
 * tables of rules and addresses, and random rules compared with a simple
 * model.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_http.h>

#include "tap.h"


#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_secret.c"
#include "ngx_http_flowdash_conf_util.c"
#include "ngx_http_flowdash_egress.c"


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


#define TEST_UNSET  "-"     /* a level without any rule */


typedef struct {
    const char   *rules;    /* "+10.0.0.0/8 -all": allow, deny */
    const char   *allowed;  /* addresses */
    const char   *denied;
} test_case_t;


typedef struct {
    const char   *rules;
    const char   *error;    /* how it begins, or NULL */
    ngx_uint_t    only_all;
    ngx_uint_t    allows;
} test_level_t;


typedef struct {
    const char   *text;
    const char   *logged;   /* part of the message, or NULL */
    ngx_uint_t    good;
} test_text_t;


ngx_module_t  ngx_http_flowdash_module;

static ngx_pool_t  *test_pool;


static test_case_t  cases[] = {

    /* order */

    { TEST_UNSET, "127.0.0.1 ::1 10.0.0.1 unix:", "" },
    { "-all", "", "127.0.0.1 ::1 10.0.0.1 unix: ::" },
    { "+all", "127.0.0.1 ::1 10.0.0.1 unix:", "" },
    { "-10.0.0.0/8", "11.0.0.1 9.255.255.255 ::1 unix: fd00::1",
      "10.0.0.0 10.255.255.255" },
    { "+10.1.0.0/16 -10.0.0.0/8", "10.1.2.3 11.0.0.1", "10.2.0.1" },
    { "-10.0.0.0/8 +10.1.0.0/16", "11.0.0.1", "10.1.2.3 10.2.0.1" },
    { "+192.0.2.1 -all", "192.0.2.1", "192.0.2.2 ::1 unix:" },
    { "-0.0.0.0/0", "::1 fd00::1 unix: 2001:db8::1",
      "1.2.3.4 0.0.0.0 255.255.255.255 ::ffff:1.2.3.4" },
    { "-::/0", "1.2.3.4 unix: ::ffff:1.2.3.4", "::1 fd00::1 2001:db8::1 ::" },
    { "+::/0 -10.0.0.0/8", "fd00::1 1.2.3.4", "10.0.0.1 ::ffff:10.0.0.1" },

    /* unix */

    { "-unix:", "127.0.0.1 ::1", "unix:" },
    { "+unix: -all", "unix:", "127.0.0.1 ::1" },
    { "-all +unix:", "", "unix: 127.0.0.1" },

    /* IPv6 */

    { "-fe80::/10", "fec0::1 fe7f::1", "fe80::1 febf::1" },
    { "+2001:db8::/33 -2001:db8::/32", "2001:db8:7fff::1 2001:db9::1",
      "2001:db8:8000::1" },
    { "-::1", "::2 127.0.0.1", "::1 ::" },
    { "+::1 -all", "::1 ::", "::2 127.0.0.1 ::ffff:0.0.0.0" },

    /* IPv4 in IPv6 */

    { "-10.0.0.0/8", "::ffff:11.0.0.1 ::fffe:10.0.0.1 ::1:ffff:10.0.0.1",
      "::ffff:10.0.0.1 ::ffff:a00:1" },
    { "-10.0.0.0/8", "64:ff9b::11.0.0.1 64:ff9b:1::10.0.0.1"
      " 64:ff9b::1:a00:1",
      "64:ff9b::10.0.0.1 ::10.0.0.1 2002:a00:1:: 2002:aff:ffff:1::5" },
    { "+10.0.0.0/8 -all", "::ffff:10.0.0.1 64:ff9b::a00:1",
      "::10.0.0.1 2002:a00:1::1 ::ffff:11.0.0.1 64:ff9b::b00:1" },
    { "-64:ff9b::/96", "10.0.0.1 ::ffff:10.0.0.1", "64:ff9b::10.0.0.1" },
    { "+64:ff9b::/96 -10.0.0.0/8", "64:ff9b::10.0.0.1", "10.0.0.1" },
    { "+2002::/16 -all", "2002:a00:1::1", "2003::1 10.0.0.1" },
    { "-127.0.0.0/8", "0.0.0.1 ::1 :: ::2:0:0", "127.0.0.1 0.0.0.0"
      " ::ffff:0.0.0.0 ::ffff:127.1.1.1 ::127.0.0.1 64:ff9b::127.0.0.1"
      " 2002:7f00:1::" },
    { "+127.0.0.1 -all", "127.0.0.1 0.0.0.0 ::ffff:0:0", ":: ::1 ::127.0.0.1"
      " 127.0.0.2" },
    { "-0.0.0.0/8", "127.0.0.1 ::1 ::", "0.0.0.0 0.1.2.3 ::ffff:0.0.0.0 ::2" },

    /* mapped, in the rule */

    { "-::ffff:10.0.0.0/104", "11.0.0.1 ::1", "10.0.0.1 ::ffff:10.9.9.9" },
    { "-::ffff:0:0/95", "10.0.0.1 ::ffff:10.0.0.1", "::fffe:1.2.3.4" },
    { "-::ffff:0:0/96", "::1 fd00::1 unix:", "10.0.0.1 ::ffff:1.2.3.4" },
    { "+::ffff:192.0.2.1 -all", "192.0.2.1 ::ffff:192.0.2.1",
      "192.0.2.2 ::1" },

    /* zones */

    { "-fe80::/10", "fec0::1%eth0", "fe80::1%eth0 fe80::1%2"
      " fe80::1%" },
    { "+fe80::1 -all", "fe80::1%lo", "fe80::2%lo" },

    /* what is no address */

    { "-192.0.2.1", "", "localhost 1 127.1 0x7f.0.0.1 127.0.0.01 10.0.0.1%eth0"
      " [::1] ::1] /run/x.sock %eth0 1.2.3.4.5 ::g 10.0.0.1:80"
      " 1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc" },
    { "+all", "::1%eth0", "localhost" },
    { TEST_UNSET, "localhost [::1]", "" }
};


static test_level_t  levels[] = {
    { TEST_UNSET, NULL, 1, 0 },
    { "+all", NULL, 1, 1 },
    { "-all", NULL, 1, 0 },
    { "-10.0.0.0/8", NULL, 0, 0 },
    { "-unix:", NULL, 0, 0 },
    { "+10.0.0.0/8 -all", NULL, 0, 1 },
    { "-10.0.0.0/8 +all", NULL, 0, 1 },
    { "+10.1.0.0/16 -10.0.0.0/8", NULL, 0, 1 },
    { "+10.0.0.0/8", "without a \"flowdash_deny\"", 0, 1 },
    { "+unix:", "without a \"flowdash_deny\"", 0, 1 },
    { "+10.0.0.0/8 +all", "without a \"flowdash_deny\"", 0, 1 },
    { "+all -10.0.0.0/8", "a rule after", 0, 1 },
    { "+all +all", "a rule after", 1, 1 },
    { "-all +10.0.0.0/8", "a rule after", 0, 1 },
    { "-10.0.0.0/8 -all -::1", "a rule after", 0, 0 }
};


static test_text_t  texts[] = {
    { "10.0.0.0/8", NULL, 1 },
    { "10.0.0.1", NULL, 1 },
    { "::/0", NULL, 1 },
    { "::1/128", NULL, 1 },
    { "::ffff:0:0/95", "low address bits", 1 },
    { "unix:", NULL, 1 },
    { "all", NULL, 1 },
    { "10.0.0.1/8", "low address bits of 10.0.0.1/8 are", 1 },
    { "fd00::1/16", "low address bits of fd00::1/16 are", 1 },
    { "::ffff:10.0.0.1/104", "low address bits of ::ffff:10.", 1 },
    { "10.0.0.0/33", "invalid \"10.0.0.0/33\" in \"flowdash_deny\": "
      "an address, a CIDR such as 10.0.0.0/8, \"unix:\" or \"all\" is "
      "expected", 0 },
    { "::/129", "invalid \"::/129\"", 0 },
    { "", "invalid \"\"", 0 },
    { "ALL", "invalid \"ALL\"", 0 },
    { "all ", "invalid \"all \"", 0 },
    { "unix", "invalid \"unix\"", 0 },
    { "unix:/run/x.sock", "invalid \"unix:/run/x.sock\"", 0 },
    { "localhost", "invalid \"localhost\"", 0 },
    { "10.0.0.0/", "invalid \"10.0.0.0/\"", 0 },
    { "10.0.0.0/-1", "invalid \"10.0.0.0/-1\"", 0 },
    { "10.0.0/8", "invalid \"10.0.0/8\"", 0 },
    { "[::1]", "invalid \"[::1]\"", 0 },
    { "fe80::1%eth0", "invalid \"fe80::1%eth0\"", 0 }
};


/* one directive, as nginx calls its setter */

static ngx_uint_t
directive(ngx_array_t **rules, const char *text, ngx_uint_t deny)
{
    ngx_str_t      value[2];
    ngx_conf_t     cf;
    ngx_array_t    args;
    ngx_command_t  cmd;

    static void                          *loc_conf[1];
    static ngx_conf_file_t                file;
    static ngx_http_conf_ctx_t            ctx;
    static ngx_http_flowdash_loc_conf_t   conf;

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    ngx_memzero(&cmd, sizeof(ngx_command_t));
    ngx_memzero(&args, sizeof(ngx_array_t));

    if (deny) {
        ngx_str_set(&cmd.name, "flowdash_deny");

    } else {
        ngx_str_set(&cmd.name, "flowdash_allow");
    }

    value[0] = cmd.name;
    value[1].data = (u_char *) text;
    value[1].len = strlen(text);

    loc_conf[0] = &conf;
    ctx.loc_conf = loc_conf;

    file.file.fd = NGX_INVALID_FILE;

    args.elts = value;
    args.nelts = 2;

    cf.args = &args;
    cf.ctx = &ctx;
    cf.conf_file = &file;
    cf.pool = test_pool;
    cf.log = &test_log;

    test_log_clear();

    return ngx_http_flowdash_egress_conf(&cf, &cmd, rules) == NGX_CONF_OK;
}


static char *
word(const char **p)
{
    size_t  n;
    char   *text;

    *p += strspn(*p, " ");
    n = strcspn(*p, " ");

    if (n == 0) {
        return NULL;
    }

    text = strndup(*p, n);
    *p += n;

    return text;
}


static ngx_array_t *
level(const char *text)
{
    char         *w;
    ngx_array_t  *rules;

    if (strcmp(text, TEST_UNSET) == 0) {
        return NULL;
    }

    rules = NGX_CONF_UNSET_PTR;

    while ((w = word(&text)) != NULL) {
        if (!directive(&rules, w + 1, w[0] == '-')) {
            abort();
        }

        free(w);
    }

    return rules;
}


/* libcurl's text, and if there is one, the same address of the socket */

static ngx_uint_t
judged(ngx_array_t *rules, const char *text, ngx_uint_t denied)
{
    ngx_uint_t      good;
    ngx_sockaddr_t  addr;

    ngx_memzero(&addr, sizeof(ngx_sockaddr_t));

    if (strcmp(text, "unix:") == 0) {
        addr.sockaddr.sa_family = AF_UNIX;
        return ngx_http_flowdash_egress_denied(rules, &addr.sockaddr)
               == denied;
    }

    good = ngx_http_flowdash_egress_denied_text(rules, text) == denied;

    if (inet_pton(AF_INET, text, &addr.sockaddr_in.sin_addr) == 1) {
        addr.sockaddr.sa_family = AF_INET;

    } else if (inet_pton(AF_INET6, text, &addr.sockaddr_in6.sin6_addr) == 1) {
        addr.sockaddr.sa_family = AF_INET6;

    } else {
        return good;
    }

    return good && ngx_http_flowdash_egress_denied(rules, &addr.sockaddr)
                   == denied;
}


static void
test_case(test_case_t *t)
{
    char         *w;
    ngx_uint_t    i, good;
    ngx_array_t  *rules;
    const char   *p;

    rules = level(t->rules);
    good = 1;

    for (i = 0; i < 2; i++) {
        p = i ? t->denied : t->allowed;

        while ((w = word(&p)) != NULL) {
            if (!judged(rules, w, i)) {
                printf("# %s is %s\n", w, i ? "allowed" : "denied");
                good = 0;
            }

            free(w);
        }
    }

    ok(good, t->rules);
}


static void
test_level(test_level_t *t)
{
    ngx_uint_t    good;
    const char   *error;
    ngx_array_t  *rules;

    rules = level(t->rules);
    error = NULL;

    (void) ngx_http_flowdash_egress_check(rules, &error);

    good = t->error
           ? error && strncmp(error, t->error, strlen(t->error)) == 0
           : error == NULL;

    good &= ngx_http_flowdash_egress_only_all(rules) == t->only_all
            && ngx_http_flowdash_egress_allows(rules) == t->allows;

    printf("# %s: %s\n", t->rules, error ? error : "good");
    ok(good, t->rules);
}


static void
test_text(test_text_t *t)
{
    ngx_uint_t                 good;
    ngx_array_t               *rules;
    ngx_http_flowdash_rule_t  *rule;

    rules = NGX_CONF_UNSET_PTR;

    good = directive(&rules, t->text, 1) == t->good;

    good &= t->logged ? strstr((char *) test_logged, t->logged) != NULL
                        && test_logged_level == (t->good ? NGX_LOG_WARN
                                                         : NGX_LOG_EMERG)
                      : test_logged[0] == '\0';

    if (t->good) {
        rule = rules->elts;
        good &= rules->nelts == 1 && rule->deny
                && rule->all == (strcmp(t->text, "all") == 0)
                && (rule->all || rule->cidr.family);
    }

    ok(good, t->text);
}


/* few bits, so that rules and addresses meet */

static uint32_t
pick_address(void)
{
    uint32_t  bits;

    bits = (uint32_t) dice(16);

    return (bits & 8) << 28 | (bits & 4) << 14 | (bits & 3);
}


/*
 * IPv4 rules and addresses, the latter in all the ways to write them, against
 * a model that knows only numbers.
 */

static ngx_uint_t
random_rules(void)
{
    char          text[64];
    uint32_t      addr, base, mask;
    ngx_uint_t    i, n, bits, deny, denied, decided, near;
    ngx_array_t  *rules;

    static const char  *forms[] = {
        "%u.%u.%u.%u", "::ffff:%u.%u.%u.%u", "64:ff9b::%u.%u.%u.%u"
    };

    rules = NGX_CONF_UNSET_PTR;
    addr = pick_address() | 0x100;        /* 0.0.0.0 is another matter */
    n = 1 + dice(6);
    denied = 0;
    decided = 0;
    near = 0;

    for (i = 0; i < n; i++) {
        bits = dice(33);
        base = pick_address() | 0x100;
        deny = dice(2);

        mask = bits ? 0xffffffffu << (32 - bits) : 0;
        base &= mask;

        if (dice(10) == 0) {
            sprintf(text, "all");
            mask = 0;
            base = 0;

        } else if (dice(10) == 0) {
            sprintf(text, "%s", dice(2) ? "unix:" : "2001:db8::/32");
            mask = 0;
            base = 1;

        } else {
            sprintf(text, "%s%u.%u.%u.%u/%u", bits % 2 ? "" : "::ffff:",
                    base >> 24, base >> 16 & 255, base >> 8 & 255, base & 255,
                    (unsigned) (bits % 2 ? bits : bits + 96));
        }

        if (!directive(&rules, text, deny) || test_logged[0]) {
            return 0;
        }

        if (!decided && (addr & mask) == base) {
            decided = 1;
            denied = deny;
        }

        /* by a tunnel: an allow of an address does not count, but of all */

        if (!near && (addr & mask) == base
            && (deny || strcmp(text, "all") == 0))
        {
            near = 1 + deny;
        }
    }

    for (i = 0; i < 3; i++) {
        sprintf(text, forms[i], addr >> 24, addr >> 16 & 255, addr >> 8 & 255,
                addr & 255);

        if (!judged(rules, text, denied)) {
            return 0;
        }
    }

    sprintf(text, "2002:%x:%x::1", addr >> 16, addr & 0xffff);

    return judged(rules, text, near == 2);
}


/* there are no requests */

ngx_http_flowdash_ctx_t *
ngx_http_flowdash_get_ctx(ngx_http_request_t *r)
{
    return NULL;
}


int
main(void)
{
    ngx_uint_t  i, rounds, good;

    rounds = test_begin(20000);
    test_log_keep();

    test_pool = ngx_create_pool(4096, &test_log);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_case(&cases[i]);
    }

    for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        test_level(&levels[i]);
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        test_text(&texts[i]);
    }

    good = 0;

    for (i = 0; i < rounds; i++) {
        good += random_rules();
        ngx_reset_pool(test_pool);
    }

    ok(good == rounds, "random rules are judged as by the model");

    ngx_destroy_pool(test_pool);

    return test_end();
}
