
/*
 * Names of endpoints become addresses here: by the system's hosts file, read
 * once, and nginx's resolver.  libcurl gets the result for its own cache, and
 * needs no thread for a look-up.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_resolve.h>


#define NGX_HTTP_FLOWDASH_HOSTS  "/etc/hosts"

/* a file that is larger is no hosts file */
#define NGX_HTTP_FLOWDASH_HOSTS_SIZE  (64 * 1024 * 1024)

/* of one name in the hosts file; those behind them are left out */
#define NGX_HTTP_FLOWDASH_HOSTS_ADDRS  32

#define NGX_HTTP_FLOWDASH_LOCALHOST  "127.0.0.1,[::1]"

/* of a name in the DNS */
#define NGX_HTTP_FLOWDASH_NAME_LEN   253
#define NGX_HTTP_FLOWDASH_LABEL_LEN  63

/* an address in brackets, with a comma or a null behind it */
#define NGX_HTTP_FLOWDASH_ADDR_LEN  (NGX_INET6_ADDRSTRLEN + sizeof("[],") - 1)


/* a name in the hosts file, as often as it is there */

typedef struct {
    ngx_str_t     name;
    ngx_str_t     addr;
    ngx_uint_t    order;
} ngx_http_flowdash_hosts_name_t;


static ngx_int_t ngx_http_flowdash_hosts_read_file(ngx_conf_t *cf,
    ngx_fd_t fd, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_hosts_text(ngx_pool_t *pool,
    ngx_pool_t *temp, ngx_str_t *text, ngx_array_t *hosts);
static ngx_int_t ngx_http_flowdash_hosts_line(ngx_array_t *names,
    u_char *p, u_char *last);
static ngx_int_t ngx_http_flowdash_hosts_name(ngx_array_t *names,
    ngx_str_t *addr, ngx_str_t *text);
static void ngx_http_flowdash_hosts_word(u_char **p, u_char *last,
    ngx_str_t *word);
static ngx_uint_t ngx_http_flowdash_hosts_addr(ngx_str_t *text,
    u_char *canonical);
static int ngx_libc_cdecl ngx_http_flowdash_hosts_cmp_names(const void *one,
    const void *two);
static ngx_int_t ngx_http_flowdash_hosts_join(ngx_pool_t *pool,
    ngx_http_flowdash_hosts_name_t *name, ngx_uint_t n,
    ngx_http_flowdash_host_t *host);
static ngx_int_t ngx_http_flowdash_hosts_cmp(ngx_str_t *one,
    ngx_str_t *two);
static ngx_str_t *ngx_http_flowdash_hosts_find(ngx_array_t *hosts,
    ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_hosts_valid(ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_resolve_localhost(ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_resolve_name(
    ngx_http_flowdash_resolve_t *rs, ngx_str_t *name);
static void ngx_http_flowdash_resolve_done(ngx_resolver_ctx_t *ctx);
static void ngx_http_flowdash_resolve_event(ngx_event_t *ev);
static ngx_int_t ngx_http_flowdash_resolve_addrs(
    ngx_http_flowdash_resolve_t *rs, ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_resolve_entry(
    ngx_http_flowdash_resolve_t *rs, ngx_str_t *addrs);


ngx_int_t
ngx_http_flowdash_hosts_read(ngx_conf_t *cf, ngx_array_t *hosts)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;
    ngx_err_t  err;
    ngx_str_t  text;

    ngx_str_null(&text);

    fd = ngx_open_file(NGX_HTTP_FLOWDASH_HOSTS, NGX_FILE_RDONLY,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        if (err != NGX_ENOENT) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, err, ngx_open_file_n
                               " \"" NGX_HTTP_FLOWDASH_HOSTS "\" failed");
        }

    } else {
        rc = ngx_http_flowdash_hosts_read_file(cf, fd, &text);

        if (ngx_close_file(fd) == NGX_FILE_ERROR) {
            ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno, ngx_close_file_n
                               " \"" NGX_HTTP_FLOWDASH_HOSTS "\" failed");
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    rc = ngx_http_flowdash_hosts_parse(cf->pool, &text, hosts);

    if (text.data) {
        ngx_free(text.data);
    }

    return rc;
}


/* a file that changes now is as good as one that changes later */

static ngx_int_t
ngx_http_flowdash_hosts_read_file(ngx_conf_t *cf, ngx_fd_t fd,
    ngx_str_t *text)
{
    size_t           size;
    ssize_t          n;
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, ngx_errno, ngx_fd_info_n
                           " \"" NGX_HTTP_FLOWDASH_HOSTS "\" failed");
        return NGX_OK;
    }

    if (!ngx_is_file(&fi) || ngx_file_size(&fi) > NGX_HTTP_FLOWDASH_HOSTS_SIZE)
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "\"" NGX_HTTP_FLOWDASH_HOSTS
                           "\" is not read: it is no file, or too large");
        return NGX_OK;
    }

    size = (size_t) ngx_file_size(&fi);

    if (size == 0) {
        return NGX_OK;
    }

    text->data = ngx_alloc(size, cf->log);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    while (text->len < size) {

        n = ngx_read_fd(fd, text->data + text->len, size - text->len);

        if (n == 0) {
            break;
        }

        if (n == -1) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, ngx_errno, ngx_read_fd_n
                               " \"" NGX_HTTP_FLOWDASH_HOSTS "\" failed");
            break;
        }

        text->len += n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_hosts_parse(ngx_pool_t *pool, ngx_str_t *text,
    ngx_array_t *hosts)
{
    ngx_int_t    rc;
    ngx_pool_t  *temp;

    temp = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, pool->log);
    if (temp == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_hosts_text(pool, temp, text, hosts);

    ngx_destroy_pool(temp);

    return rc;
}


static ngx_int_t
ngx_http_flowdash_hosts_text(ngx_pool_t *pool, ngx_pool_t *temp,
    ngx_str_t *text, ngx_array_t *hosts)
{
    u_char                          *p, *end, *last;
    ngx_uint_t                       i, n;
    ngx_array_t                      names;
    ngx_http_flowdash_host_t        *host;
    ngx_http_flowdash_hosts_name_t  *name;

    if (ngx_array_init(&names, temp, 16,
                       sizeof(ngx_http_flowdash_hosts_name_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    last = text->data + text->len;

    for (p = text->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, LF);

        if (end == NULL) {
            end = last;
        }

        if (ngx_http_flowdash_hosts_line(&names, p, end) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    name = names.elts;

    ngx_qsort(name, names.nelts, sizeof(ngx_http_flowdash_hosts_name_t),
              ngx_http_flowdash_hosts_cmp_names);

    if (ngx_array_init(hosts, pool, ngx_max(names.nelts, 1),
                       sizeof(ngx_http_flowdash_host_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < names.nelts; i += n) {

        for (n = 1; i + n < names.nelts; n++) {
            if (ngx_http_flowdash_hosts_cmp(&name[i].name, &name[i + n].name)
                != 0)
            {
                break;
            }
        }

        host = ngx_array_push(hosts);

        if (host == NULL
            || ngx_http_flowdash_hosts_join(pool, &name[i], n, host)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* "address name alias ...", and maybe a comment */

static ngx_int_t
ngx_http_flowdash_hosts_line(ngx_array_t *names, u_char *p,
    u_char *last)
{
    u_char     *comment, canonical[NGX_HTTP_FLOWDASH_ADDR_LEN];
    ngx_str_t   word, addr;

    comment = ngx_strlchr(p, last, '#');

    if (comment) {
        last = comment;
    }

    ngx_http_flowdash_hosts_word(&p, last, &word);

    if (!ngx_http_flowdash_hosts_addr(&word, canonical)) {
        return NGX_OK;
    }

    addr.len = ngx_strlen(canonical);
    addr.data = ngx_pnalloc(names->pool, addr.len);
    if (addr.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(addr.data, canonical, addr.len);

    for ( ;; ) {

        ngx_http_flowdash_hosts_word(&p, last, &word);

        if (word.len == 0) {
            return NGX_OK;
        }

        if (ngx_http_flowdash_hosts_name(names, &addr, &word)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_http_flowdash_hosts_name(ngx_array_t *names, ngx_str_t *addr,
    ngx_str_t *text)
{
    ngx_http_flowdash_hosts_name_t  *name;

    if (text->data[text->len - 1] == '.') {
        text->len--;
    }

    if (!ngx_http_flowdash_hosts_valid(text)) {
        return NGX_OK;
    }

    name = ngx_array_push(names);
    if (name == NULL) {
        return NGX_ERROR;
    }

    name->name.len = text->len;
    name->name.data = ngx_pnalloc(names->pool, text->len);
    if (name->name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_strlow(name->name.data, text->data, text->len);

    name->addr = *addr;
    name->order = names->nelts;

    return NGX_OK;
}


/* the next word, empty at the end */

static void
ngx_http_flowdash_hosts_word(u_char **p, u_char *last, ngx_str_t *word)
{
    u_char  *s;

    s = *p;

    while (s < last && (*s == ' ' || (*s >= '\t' && *s <= CR))) {
        s++;
    }

    word->data = s;

    while (s < last && *s != ' ' && (*s < '\t' || *s > CR)) {
        s++;
    }

    word->len = s - word->data;
    *p = s;
}


/*
 * Writes an address as libcurl wants it, IPv6 in brackets.  Returns 0 if the
 * text is none, or one with a zone, which libcurl could not read.
 */

static ngx_uint_t
ngx_http_flowdash_hosts_addr(ngx_str_t *text, u_char *canonical)
{
    char             copy[NGX_INET6_ADDRSTRLEN + 1];
    struct in_addr   in;
#if (NGX_HAVE_INET6)
    struct in6_addr  in6;
#endif

    if (text->len >= sizeof(copy)
        || ngx_strlchr(text->data, text->data + text->len, '\0') != NULL)
    {
        return 0;
    }

    (void) ngx_cpystrn((u_char *) copy, text->data, text->len + 1);

    if (inet_pton(AF_INET, copy, &in) == 1) {
        ngx_sprintf(canonical, "%s%Z", copy);
        return 1;
    }

#if (NGX_HAVE_INET6)
    if (inet_pton(AF_INET6, copy, &in6) == 1
        && inet_ntop(AF_INET6, &in6, copy, sizeof(copy)) != NULL)
    {
        ngx_sprintf(canonical, "[%s]%Z", copy);
        return 1;
    }
#endif

    return 0;
}


static int ngx_libc_cdecl
ngx_http_flowdash_hosts_cmp_names(const void *one, const void *two)
{
    ngx_int_t                        rc;
    ngx_http_flowdash_hosts_name_t  *first, *second;

    first = (ngx_http_flowdash_hosts_name_t *) one;
    second = (ngx_http_flowdash_hosts_name_t *) two;

    rc = ngx_http_flowdash_hosts_cmp(&first->name, &second->name);

    if (rc == 0) {
        rc = (first->order < second->order) ? -1 : 1;
    }

    return (int) rc;
}


/* the addresses of the same name, "n" times, each of them once */

static ngx_int_t
ngx_http_flowdash_hosts_join(ngx_pool_t *pool,
    ngx_http_flowdash_hosts_name_t *name, ngx_uint_t n,
    ngx_http_flowdash_host_t *host)
{
    u_char      *p;
    ngx_str_t   *addr[NGX_HTTP_FLOWDASH_HOSTS_ADDRS];
    ngx_uint_t   i, k, count;

    host->name.len = name->name.len;
    host->name.data = ngx_pstrdup(pool, &name->name);
    if (host->name.data == NULL) {
        return NGX_ERROR;
    }

    host->addrs.len = 0;
    count = 0;

    for (i = 0; i < n && count < NGX_HTTP_FLOWDASH_HOSTS_ADDRS; i++) {

        for (k = 0; k < count; k++) {
            if (ngx_http_flowdash_hosts_cmp(addr[k], &name[i].addr) == 0) {
                break;
            }
        }

        if (k == count) {
            addr[count++] = &name[i].addr;
            host->addrs.len += name[i].addr.len + 1;
        }
    }

    host->addrs.data = ngx_pnalloc(pool, host->addrs.len);
    if (host->addrs.data == NULL) {
        return NGX_ERROR;
    }

    p = host->addrs.data;

    for (k = 0; k < count; k++) {
        p = ngx_cpymem(p, addr[k]->data, addr[k]->len);
        *p++ = ',';
    }

    /* without the last comma */

    host->addrs.len--;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_hosts_cmp(ngx_str_t *one, ngx_str_t *two)
{
    return ngx_memn2cmp(one->data, two->data, one->len, two->len);
}


/* the addresses of a name in lower case, or NULL */

static ngx_str_t *
ngx_http_flowdash_hosts_find(ngx_array_t *hosts, ngx_str_t *name)
{
    ngx_int_t                  rc;
    ngx_uint_t                 low, high, i;
    ngx_http_flowdash_host_t  *host;

    host = hosts->elts;
    low = 0;
    high = hosts->nelts;

    while (low < high) {
        i = low + (high - low) / 2;
        rc = ngx_http_flowdash_hosts_cmp(name, &host[i].name);

        if (rc == 0) {
            return &host[i].addrs;
        }

        if (rc < 0) {
            high = i;

        } else {
            low = i + 1;
        }
    }

    return NULL;
}


/*
 * What may be asked for, without the dot at the end: nginx's resolver does not
 * check the lengths, and in an entry of CURLOPT_RESOLVE some characters have a
 * meaning.
 */

static ngx_uint_t
ngx_http_flowdash_hosts_valid(ngx_str_t *name)
{
    u_char  c;
    size_t  i, label;

    if (name->len > NGX_HTTP_FLOWDASH_NAME_LEN) {
        return 0;
    }

    label = 0;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c == '.') {
            if (label == 0) {
                return 0;
            }

            label = 0;
            continue;
        }

        if ((ngx_tolower(c) < 'a' || ngx_tolower(c) > 'z')
            && (c < '0' || c > '9') && c != '-' && c != '_')
        {
            return 0;
        }

        if (++label > NGX_HTTP_FLOWDASH_LABEL_LEN) {
            return 0;
        }
    }

    return label != 0;
}


ngx_uint_t
ngx_http_flowdash_resolve_needed(ngx_str_t *host)
{
    char            copy[NGX_HTTP_FLOWDASH_NAME_LEN + 1];
    struct in_addr  in;

    /* no name has a colon; in an URL, IPv6 has brackets */

    if (ngx_strlchr(host->data, host->data + host->len, ':') != NULL) {
        return 0;
    }

    /* inet_aton() knows 127.1 and 0x7f000001 too, as libcurl does */

    if (host->len < sizeof(copy)) {
        (void) ngx_cpystrn((u_char *) copy, host->data, host->len + 1);

        if (inet_aton(copy, &in)) {
            return 0;
        }
    }

    /* with a dot at the end libcurl would look it up */

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

    if (rs->resolver == NULL || rs->resolver->connections.nelts == 0) {
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

    /* with the dot; no name server is to be asked for it (RFC 6761) */

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

    /* the handler may be called from here, and has then cleared rs->ctx */

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
 * The resolver calls this for one after the other who waits for the name, and
 * holds a list of them meanwhile.  The user's handler, which may end requests,
 * is called when that is over.
 */

static void
ngx_http_flowdash_resolve_done(ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t                    async;
    ngx_http_flowdash_resolve_t  *rs;

    rs = ctx->data;
    rs->state = ctx->state;

    /* the addresses are gone when this returns */

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
