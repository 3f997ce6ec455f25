
/*
 * Resolves the names of endpoints by the system's hosts file and nginx's
 * resolver.  libcurl gets the result for its own cache, and so needs no thread
 * for a look-up.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_compat.h>
#include <ngx_http_flowdash_hosts.h>
#include <ngx_http_flowdash_resolve.h>


#define NGX_HTTP_FLOWDASH_LOCALHOST  "127.0.0.1,[::1]"


static ngx_uint_t ngx_http_flowdash_resolve_localhost(ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_resolve_name(
    ngx_http_flowdash_resolve_t *rs, ngx_str_t *name);
static void ngx_http_flowdash_resolve_done(ngx_resolver_ctx_t *ctx);
static void ngx_http_flowdash_resolve_event(ngx_event_t *ev);
static ngx_int_t ngx_http_flowdash_resolve_addrs(
    ngx_http_flowdash_resolve_t *rs, ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_resolve_entry(
    ngx_http_flowdash_resolve_t *rs, ngx_str_t *addrs);


ngx_uint_t
ngx_http_flowdash_resolve_needed(ngx_str_t *host)
{
    char            copy[NGX_HTTP_FLOWDASH_NAME_LEN + 1];
    struct in_addr  in;

    /* only an IPv6 address has a colon: libcurl gives the port separately */

    if (ngx_strlchr(host->data, host->data + host->len, ':') != NULL) {
        return 0;
    }

    /* like libcurl, inet_aton() also reads 127.1 and 0x7f000001 */

    if (host->len < sizeof(copy)) {
        (void) ngx_cpystrn((u_char *) copy, host->data, host->len + 1);

        if (inet_aton(copy, &in)) {
            return 0;
        }
    }

    /* libcurl knows "localhost", but would look up "localhost." */

    return !ngx_http_flowdash_resolve_localhost(host);
}


static ngx_uint_t
ngx_http_flowdash_resolve_localhost(ngx_str_t *name)
{
    size_t   len;
    u_char  *p;

    len = sizeof("localhost") - 1;

    if (name->len < len) {
        return 0;
    }

    p = name->data + name->len - len;

    return ngx_strncasecmp(p, (u_char *) "localhost", len) == 0
           && (p == name->data || p[-1] == '.');
}


ngx_int_t
ngx_http_flowdash_resolve(ngx_http_flowdash_resolve_t *rs, ngx_array_t *hosts)
{
    ngx_str_t  name, *addrs;

    static ngx_str_t  localhost = ngx_string(NGX_HTTP_FLOWDASH_LOCALHOST);

    ngx_str_null(&rs->entry);
    rs->state = NGX_OK;

    if (rs->resolver == NULL
        || !ngx_http_flowdash_compat_has_servers(rs->resolver))
    {
        return NGX_DECLINED;
    }

    name = rs->host;

    if (name.len && name.data[name.len - 1] == '.') {
        name.len--;
    }

    if (!ngx_http_flowdash_hosts_valid(&name)) {
        rs->state = NGX_RESOLVE_NXDOMAIN;
        return NGX_OK;
    }

    name.data = ngx_pnalloc(rs->pool, name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_strlow(name.data, rs->host.data, name.len);

    /* "localhost.": no name server may be asked for it (RFC 6761) */

    if (ngx_http_flowdash_resolve_localhost(&name)) {
        return ngx_http_flowdash_resolve_entry(rs, &localhost);
    }

    addrs = ngx_http_flowdash_hosts_find(hosts, &name);

    if (addrs) {
        return ngx_http_flowdash_resolve_entry(rs, addrs);
    }

    return ngx_http_flowdash_resolve_name(rs, &name);
}


static ngx_int_t
ngx_http_flowdash_resolve_name(ngx_http_flowdash_resolve_t *rs,
    ngx_str_t *name)
{
    ngx_resolver_ctx_t  *ctx;

    ctx = ngx_resolve_start(rs->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        return NGX_ERROR;
    }

    ctx->name = *name;
    ctx->handler = ngx_http_flowdash_resolve_done;
    ctx->data = rs;
    ctx->timeout = rs->timeout;

    rs->ctx = ctx;

    /*
     * the handler may be called before this returns, and then clears rs->ctx
     */

    if (ngx_resolve_name(ctx) != NGX_OK) {
        rs->ctx = NULL;
        return NGX_ERROR;
    }

    if (rs->ctx) {
        return NGX_AGAIN;
    }

    return (rs->state == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/*
 * The resolver calls this for each look-up that waits for the name, and walks
 * through a list of them meanwhile.  The caller's handler may end requests,
 * and with them look-ups in that list, so an event calls it afterwards.
 */

static void
ngx_http_flowdash_resolve_done(ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t                    async;
    ngx_http_flowdash_resolve_t  *rs;

    rs = ctx->data;
    rs->state = ctx->state;

    /* the addresses are freed when this function returns */

    if (rs->state == NGX_OK
        && ngx_http_flowdash_resolve_addrs(rs, ctx) != NGX_OK)
    {
        rs->state = NGX_ERROR;
    }

    async = ctx->async;

    rs->ctx = NULL;
    ngx_resolve_name_done(ctx);

    if (async) {
        rs->event.handler = ngx_http_flowdash_resolve_event;
        rs->event.data = rs;
        rs->event.log = rs->log;

        ngx_post_event(&rs->event, &ngx_posted_events);
    }
}


static void
ngx_http_flowdash_resolve_event(ngx_event_t *ev)
{
    ngx_http_flowdash_resolve_t  *rs;

    rs = ev->data;

    rs->handler(rs);
}


static ngx_int_t
ngx_http_flowdash_resolve_addrs(ngx_http_flowdash_resolve_t *rs,
    ngx_resolver_ctx_t *ctx)
{
    u_char            text[NGX_SOCKADDR_STRLEN], *p;
    size_t            len;
    ngx_str_t         addrs;
    ngx_uint_t        i;
    struct sockaddr  *sa;

    addrs.data = ngx_pnalloc(rs->pool,
                             ctx->naddrs * NGX_HTTP_FLOWDASH_ADDR_LEN);
    if (addrs.data == NULL) {
        return NGX_ERROR;
    }

    p = addrs.data;

    for (i = 0; i < ctx->naddrs; i++) {

        if (i) {
            *p++ = ',';
        }

        sa = ctx->addrs[i].sockaddr;
        len = ngx_sock_ntop(sa, ctx->addrs[i].socklen, text,
                            NGX_SOCKADDR_STRLEN, 0);

        if (sa->sa_family == AF_INET) {
            p = ngx_cpymem(p, text, len);

        } else {
            *p++ = '[';
            p = ngx_cpymem(p, text, len);
            *p++ = ']';
        }
    }

    addrs.len = p - addrs.data;

    return ngx_http_flowdash_resolve_entry(rs, &addrs);
}


static ngx_int_t
ngx_http_flowdash_resolve_entry(ngx_http_flowdash_resolve_t *rs,
    ngx_str_t *addrs)
{
    u_char  *p;
    size_t   len;

    len = sizeof("+:65535:") + rs->host.len + addrs->len;

    p = ngx_pnalloc(rs->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    rs->entry.data = p;
    p = ngx_sprintf(p, "+%V:%ui:%V", &rs->host, (ngx_uint_t) rs->port, addrs);
    rs->entry.len = p - rs->entry.data;
    *p = '\0';

    return NGX_OK;
}


void
ngx_http_flowdash_resolve_cancel(ngx_http_flowdash_resolve_t *rs)
{
    ngx_resolver_ctx_t  *ctx;

    ctx = rs->ctx;

    if (ctx) {
        rs->ctx = NULL;
        ngx_resolve_name_done(ctx);
    }

    if (rs->event.posted) {
        ngx_delete_posted_event(&rs->event);
    }
}
