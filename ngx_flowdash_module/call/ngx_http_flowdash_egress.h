
#ifndef _NGX_HTTP_FLOWDASH_EGRESS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EGRESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_conf_util.h>


typedef struct {
    ngx_cidr_t                      cidr;      /* AF_UNIX for "unix:" */
    ngx_str_t                       text;      /* as it is written */
    ngx_http_flowdash_place_t      *place;
    unsigned                        all:1;     /* any address: no "cidr" */
    unsigned                        deny:1;
} ngx_http_flowdash_rule_t;


/*
 * The directives "flowdash_allow" and "flowdash_deny": appends a rule to the
 * level's array, which is created if it is NGX_CONF_UNSET_PTR.
 */
char *ngx_http_flowdash_egress_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Returns which rule of a level makes no sense, and why, for nginx -t, or
 * NULL.  The rules may be NULL, here and below.
 */
ngx_http_flowdash_rule_t *ngx_http_flowdash_egress_check(ngx_array_t *rules,
    const char **reason);

/*
 * Tells whether no rule names an address: there are none, or only for "all".
 */
ngx_uint_t ngx_http_flowdash_egress_only_all(ngx_array_t *rules);

/* Tells whether the last rule is for "all". */
ngx_uint_t ngx_http_flowdash_egress_has_default_rule(ngx_array_t *rules);

/* Tells whether there is any flowdash_allow, also for "all". */
ngx_uint_t ngx_http_flowdash_egress_allows(ngx_array_t *rules);

/*
 * Tells whether a connection to the address is denied.  The first rule that
 * matches decides; without one it is allowed.
 */
ngx_uint_t ngx_http_flowdash_egress_denied(ngx_array_t *rules,
    struct sockaddr *sa);

/*
 * The same for an address as text, as libcurl gives it; an IPv6 address may
 * have a zone.  If there are rules, any other text is denied.
 */
ngx_uint_t ngx_http_flowdash_egress_denied_text(ngx_array_t *rules,
    const char *ip);


#endif /* _NGX_HTTP_FLOWDASH_EGRESS_H_INCLUDED_ */
