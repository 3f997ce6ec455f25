
/*
 * Where calls may go: flowdash_allow and flowdash_deny.  The rules apply to
 * the address that is really connected to, whatever name led there.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_egress.h>


/* another address that leads to the same host */

typedef struct {
    ngx_sockaddr_t    addr;
    unsigned          set:1;
    unsigned          deny_only:1; /* no "allow" matches it */
} ngx_http_flowdash_alias_t;


static const char *ngx_http_flowdash_egress_rule(ngx_conf_t *cf,
    ngx_str_t *text, ngx_http_flowdash_rule_t *rule);
static void ngx_http_flowdash_egress_unmap(ngx_cidr_t *cidr);
static struct sockaddr *ngx_http_flowdash_egress_unmapped(struct sockaddr *sa,
    struct sockaddr_in *sin);
static ngx_uint_t ngx_http_flowdash_egress_match(
    ngx_http_flowdash_rule_t *rule, struct sockaddr *sa,
    ngx_http_flowdash_alias_t *alias);
static ngx_uint_t ngx_http_flowdash_egress_match_cidr(ngx_cidr_t *cidr,
    struct sockaddr *sa);
static void ngx_http_flowdash_egress_alias(struct sockaddr *sa,
    ngx_http_flowdash_alias_t *alias);
static void ngx_http_flowdash_egress_alias6(u_char *p,
    ngx_http_flowdash_alias_t *alias);
static void ngx_http_flowdash_egress_alias_set(
    ngx_http_flowdash_alias_t *alias, u_char *p);


char *
ngx_http_flowdash_egress_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t                  *value;
    const char                 *error;
    ngx_array_t               **rules;
    ngx_http_flowdash_rule_t   *rule;

    rules = (ngx_array_t **) (p + cmd->offset);

    if (*rules == NGX_CONF_UNSET_PTR) {
        *rules = ngx_array_create(cf->pool, 4,
                                  sizeof(ngx_http_flowdash_rule_t));
        if (*rules == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    rule = ngx_array_push(*rules);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rule, sizeof(ngx_http_flowdash_rule_t));

    value = cf->args->elts;

    rule->deny = (ngx_strcmp(cmd->name.data, "flowdash_deny") == 0);
    rule->text = value[1];

    rule->place = ngx_http_flowdash_conf_place(cf);
    if (rule->place == NULL) {
        return NGX_CONF_ERROR;
    }

    error = ngx_http_flowdash_egress_rule(cf, &value[1], rule);

    if (error) {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                                                     error);
    }

    return NGX_CONF_OK;
}


static const char *
ngx_http_flowdash_egress_rule(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_flowdash_rule_t *rule)
{
    ngx_int_t  rc;

    if (text->len == 3 && ngx_strncmp(text->data, "all", 3) == 0) {
        rule->all = 1;
        return NULL;
    }

    if (text->len == 5 && ngx_strncmp(text->data, "unix:", 5) == 0) {
        rule->cidr.family = AF_UNIX;
        return NULL;
    }

    rc = ngx_ptocidr(text, &rule->cidr);

    if (rc == NGX_ERROR) {
        return "an address, a CIDR such as 10.0.0.0/8, \"unix:\" or \"all\" "
               "is expected";
    }

    if (rc == NGX_DONE) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "low address bits of %V are meaningless", text);
    }

    ngx_http_flowdash_egress_unmap(&rule->cidr);

    return NULL;
}


/*
 * Mapped addresses are compared as the IPv4 addresses that they are, so that a
 * rule for a mapped address would never match: it becomes a rule for IPv4.
 */

static void
ngx_http_flowdash_egress_unmap(ngx_cidr_t *cidr)
{
#if (NGX_HAVE_INET6)

    ngx_in_cidr_t  in;

    /* a mask shorter than the prefix has cleared bits of it */

    if (cidr->family != AF_INET6
        || !IN6_IS_ADDR_V4MAPPED(&cidr->u.in6.addr))
    {
        return;
    }

    ngx_memcpy(&in.addr, &cidr->u.in6.addr.s6_addr[12], 4);
    ngx_memcpy(&in.mask, &cidr->u.in6.mask.s6_addr[12], 4);

    cidr->family = AF_INET;
    cidr->u.in = in;

#endif
}


ngx_http_flowdash_rule_t *
ngx_http_flowdash_egress_check(ngx_array_t *rules, const char **reason)
{
    ngx_uint_t                 i, deny;
    ngx_http_flowdash_rule_t  *rule, *allow;

    if (rules == NULL) {
        return NULL;
    }

    rule = rules->elts;
    allow = NULL;
    deny = 0;

    for (i = 0; i < rules->nelts; i++) {

        if (i && rule[i - 1].all) {
            *reason = "a rule after one for \"all\" never matches; write it "
                      "before that one";
            return &rule[i];
        }

        if (rule[i].deny) {
            deny = 1;

        } else if (!rule[i].all) {
            allow = &rule[i];
        }
    }

    if (allow && !deny) {
        *reason = "without a \"flowdash_deny\" it has no effect, because "
                  "every address that no rule denies is allowed; write "
                  "\"flowdash_deny all\" after it";
        return allow;
    }

    return NULL;
}


ngx_uint_t
ngx_http_flowdash_egress_only_all(ngx_array_t *rules)
{
    ngx_uint_t                 i;
    ngx_http_flowdash_rule_t  *rule;

    if (rules == NULL) {
        return 1;
    }

    rule = rules->elts;

    for (i = 0; i < rules->nelts; i++) {
        if (!rule[i].all) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_http_flowdash_egress_has_default_rule(ngx_array_t *rules)
{
    ngx_http_flowdash_rule_t  *rule;

    if (rules == NULL) {
        return 0;
    }

    rule = rules->elts;

    return rule[rules->nelts - 1].all;
}


ngx_uint_t
ngx_http_flowdash_egress_allows(ngx_array_t *rules)
{
    ngx_uint_t                 i;
    ngx_http_flowdash_rule_t  *rule;

    if (rules == NULL) {
        return 0;
    }

    rule = rules->elts;

    for (i = 0; i < rules->nelts; i++) {
        if (!rule[i].deny) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_flowdash_egress_denied(ngx_array_t *rules, struct sockaddr *sa)
{
    ngx_uint_t                  i;
    struct sockaddr_in          sin;
    ngx_http_flowdash_rule_t   *rule;
    ngx_http_flowdash_alias_t   alias;

    if (rules == NULL) {
        return 0;
    }

    sa = ngx_http_flowdash_egress_unmapped(sa, &sin);

    ngx_http_flowdash_egress_alias(sa, &alias);

    rule = rules->elts;

    for (i = 0; i < rules->nelts; i++) {
        if (ngx_http_flowdash_egress_match(&rule[i], sa, &alias)) {
            return rule[i].deny;
        }
    }

    return 0;
}


/*
 * ngx_cidr_match() converts mapped addresses too, but with a shift that is
 * undefined for half of them.
 */

static struct sockaddr *
ngx_http_flowdash_egress_unmapped(struct sockaddr *sa, struct sockaddr_in *sin)
{
#if (NGX_HAVE_INET6)

    struct in6_addr  *in6;

    if (sa->sa_family == AF_INET6) {
        in6 = &((struct sockaddr_in6 *) sa)->sin6_addr;

        if (IN6_IS_ADDR_V4MAPPED(in6)) {
            ngx_memzero(sin, sizeof(struct sockaddr_in));

            sin->sin_family = AF_INET;
            ngx_memcpy(&sin->sin_addr, &in6->s6_addr[12], 4);

            return (struct sockaddr *) sin;
        }
    }

#endif

    return sa;
}


static ngx_uint_t
ngx_http_flowdash_egress_match(ngx_http_flowdash_rule_t *rule,
    struct sockaddr *sa, ngx_http_flowdash_alias_t *alias)
{
    if (rule->all || ngx_http_flowdash_egress_match_cidr(&rule->cidr, sa)) {
        return 1;
    }

    if (!alias->set || (alias->deny_only && !rule->deny)) {
        return 0;
    }

    return ngx_http_flowdash_egress_match_cidr(&rule->cidr,
                                               &alias->addr.sockaddr);
}


static ngx_uint_t
ngx_http_flowdash_egress_match_cidr(ngx_cidr_t *cidr, struct sockaddr *sa)
{
    ngx_array_t  one;

    ngx_memzero(&one, sizeof(ngx_array_t));

    one.elts = cidr;
    one.nelts = 1;

    return ngx_cidr_match(sa, &one) == NGX_OK;
}


/*
 * Finds the other address by which the kernel, or a translator on the way,
 * reaches the same host.  An operator who denies 127.0.0.0/8 or 10.0.0.0/8
 * does not think of these addresses, but a name server may answer with any:
 *
 * 0.0.0.0, ::          the kernel connects to 127.0.0.1 and ::1
 * ::ffff:0:0/96        mapped: the kernel speaks IPv4.  Such an address has
 *                      been converted to IPv4 already, and needs no alias
 * 64:ff9b::/96         NAT64: a translator speaks IPv4 to the host (RFC 6052);
 *                      with DNS64 all IPv4 hosts are reached in this way
 * ::/96, 2002::/16     tunnels (automatic, 6to4): the packet is sent to the
 *                      IPv4 host, which may forward it
 *
 * The first rule that matches the address or its alias decides.  A tunnel may
 * lead to another host behind it, so an "allow" for its alias does not count.
 * Other translations, such as a network's own NAT64 prefix or an interface's
 * identifier, cannot be known here: operators have to deny them.
 */

static void
ngx_http_flowdash_egress_alias(struct sockaddr *sa,
    ngx_http_flowdash_alias_t *alias)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(alias, sizeof(ngx_http_flowdash_alias_t));

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;

        if (sin->sin_addr.s_addr == INADDR_ANY) {
            ngx_http_flowdash_egress_alias_set(alias,
                                               (u_char *) &sin->sin_addr);
        }

        break;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        ngx_http_flowdash_egress_alias6(sin6->sin6_addr.s6_addr, alias);
        break;
#endif
    }
}


static void
ngx_http_flowdash_egress_alias6(u_char *p, ngx_http_flowdash_alias_t *alias)
{
    struct sockaddr_in6  *sin6;

    static u_char  zeros[16];
    static u_char  nat64[] = { 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0 };

    if (ngx_memcmp(p, zeros, 15) == 0 && p[15] < 2) {

        /* the kernel connects to ::1 for ::, and ::1 is only itself */

        if (p[15] == 0) {
            alias->set = 1;

            sin6 = &alias->addr.sockaddr_in6;
            sin6->sin6_family = AF_INET6;
            sin6->sin6_addr.s6_addr[15] = 1;
        }

        return;
    }

    if (ngx_memcmp(p, nat64, 12) == 0) {
        ngx_http_flowdash_egress_alias_set(alias, p + 12);
        return;
    }

    if (ngx_memcmp(p, zeros, 12) == 0) {
        ngx_http_flowdash_egress_alias_set(alias, p + 12);
        alias->deny_only = 1;
        return;
    }

    if (p[0] == 0x20 && p[1] == 0x02) {
        ngx_http_flowdash_egress_alias_set(alias, p + 2);
        alias->deny_only = 1;
    }
}


static void
ngx_http_flowdash_egress_alias_set(ngx_http_flowdash_alias_t *alias,
    u_char *p)
{
    struct sockaddr_in  *sin;

    alias->set = 1;

    sin = &alias->addr.sockaddr_in;
    sin->sin_family = AF_INET;
    ngx_memcpy(&sin->sin_addr, p, 4);

    if (sin->sin_addr.s_addr == INADDR_ANY) {
        sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
}


ngx_uint_t
ngx_http_flowdash_egress_denied_text(ngx_array_t *rules, const char *ip)
{
    ngx_sockaddr_t  addr;
#if (NGX_HAVE_INET6)
    char            text[NGX_INET6_ADDRSTRLEN + 1];
    size_t          len;
#endif

    if (rules == NULL || rules->nelts == 0) {
        return 0;
    }

    ngx_memzero(&addr, sizeof(ngx_sockaddr_t));

    if (inet_pton(AF_INET, ip, &addr.sockaddr_in.sin_addr) == 1) {
        addr.sockaddr.sa_family = AF_INET;
        return ngx_http_flowdash_egress_denied(rules, &addr.sockaddr);
    }

#if (NGX_HAVE_INET6)

    len = strcspn(ip, "%");

    if (len < sizeof(text)) {
        (void) ngx_cpystrn((u_char *) text, (u_char *) ip, len + 1);

        if (inet_pton(AF_INET6, text, &addr.sockaddr_in6.sin6_addr) == 1) {
            addr.sockaddr.sa_family = AF_INET6;
            return ngx_http_flowdash_egress_denied(rules, &addr.sockaddr);
        }
    }

#endif

    return 1;
}
