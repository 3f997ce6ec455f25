
/*
 * The system's hosts file, read once with the configuration.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_hosts.h>


#define NGX_HTTP_FLOWDASH_HOSTS  "/etc/hosts"

/* a larger file is not a hosts file */
#define NGX_HTTP_FLOWDASH_HOSTS_SIZE  (64 * 1024 * 1024)

/* addresses of one name; further ones are ignored */
#define NGX_HTTP_FLOWDASH_HOSTS_ADDRS  32


/* one for each time that a name stands in the hosts file */

typedef struct {
    ngx_str_t     name;
    ngx_str_t     addr;
    ngx_uint_t    order;
} ngx_http_flowdash_hosts_name_t;


static ngx_int_t ngx_http_flowdash_hosts_parse(ngx_pool_t *pool,
    ngx_str_t *text, ngx_array_t *hosts);
static ngx_int_t ngx_http_flowdash_hosts_read_file(ngx_conf_t *cf, ngx_fd_t fd,
    ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_hosts_text(ngx_pool_t *pool,
    ngx_pool_t *temp, ngx_str_t *text, ngx_array_t *hosts);
static ngx_int_t ngx_http_flowdash_hosts_line(ngx_array_t *names, u_char *p,
    u_char *last);
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
static ngx_int_t ngx_http_flowdash_hosts_cmp(ngx_str_t *one, ngx_str_t *two);


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


/* the file may change while it is read, as it may change afterwards */

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
                           "\" is not read: it is not a regular file, or it "
                           "is too large");
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


/* copies what it keeps, so that the text can be freed */

static ngx_int_t
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


/* "address name alias ...", perhaps with a comment */

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


/* finds the next word, which is empty at the end of the line */

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
 * Writes an address as libcurl expects it, IPv6 in brackets.  Returns 0 if the
 * text is not an address, or has a zone, which libcurl could not read.
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


/* joins the addresses of "n" entries for one name, without duplicates */

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


ngx_str_t *
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


ngx_uint_t
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
