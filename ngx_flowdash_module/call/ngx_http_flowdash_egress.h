
#ifndef _NGX_HTTP_FLOWDASH_EGRESS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EGRESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_cidr_t    cidr;      /* AF_UNIX for "unix:" */
    unsigned      all:1;     /* any address, the cidr is empty */
    unsigned      deny:1;
} ngx_http_flowdash_rule_t;


/*
 * Sets flowdash_allow and flowdash_deny: appends a rule to the level's array,
 * which is made if it is NGX_CONF_UNSET_PTR.
 */
char *ngx_http_flowdash_egress_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Says what makes the rules of a level meaningless, for nginx -t; or NULL.
 * The rules may be NULL, here and below.
 */
const char *ngx_http_flowdash_egress_check(ngx_array_t *rules);

/* Tells if no rule names an address: there is none, or they are for "all". */
ngx_uint_t ngx_http_flowdash_egress_only_all(ngx_array_t *rules);

/* Tells if the last rule is one for all. */
ngx_uint_t ngx_http_flowdash_egress_has_default_rule(ngx_array_t *rules);

/* Tells if there is a flowdash_allow, that of "all" included. */
ngx_uint_t ngx_http_flowdash_egress_allows(ngx_array_t *rules);

/*
 * Tells if a connection to the address is denied: by the first rule that
 * matches.  Without a match it is allowed.
 */
ngx_uint_t ngx_http_flowdash_egress_denied(ngx_array_t *rules,
    struct sockaddr *sa);

/*
 * The same for an IPv4 or IPv6 address as text, as libcurl tells it; an IPv6
 * address may have a zone.  With any rules, other text is denied.
 */
ngx_uint_t ngx_http_flowdash_egress_denied_text(ngx_array_t *rules,
    const char *ip);


#endif /* _NGX_HTTP_FLOWDASH_EGRESS_H_INCLUDED_ */
