
/*
 * The URL of a flowdash_call, parsed with the configuration.  libcurl has the
 * last word on whether it is valid.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_resolve.h>
#include <ngx_http_flowdash_url_text.h>
#include <ngx_http_flowdash_url.h>


static ngx_int_t ngx_http_flowdash_url_show(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url, u_char *host);
static const char *ngx_http_flowdash_url_authority(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url, u_char *p, u_char *last);
static const char *ngx_http_flowdash_url_variable_host(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url, u_char *p, u_char *last);
static const char *ngx_http_flowdash_url_unix(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url, u_char *p, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_url_path(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url, u_char *p, u_char *last);
static const char *ngx_http_flowdash_url_check(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url);
static const char *ngx_http_flowdash_url_parse_text(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url, char *text, ngx_uint_t variables);
static CURLUcode ngx_http_flowdash_url_endpoint(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url, CURLU *handle);
static void ngx_http_flowdash_url_cleanup(void *data);


const char *
ngx_http_flowdash_url_parse(ngx_conf_t *cf, ngx_http_flowdash_url_t *url,
    ngx_str_t *text)
{
    u_char      *p, *last, *start;
    size_t       scheme;
    const char  *error;

    if (ngx_strncasecmp(text->data, (u_char *) "http://", 7) == 0) {
        scheme = 7;

    } else if (ngx_strncasecmp(text->data, (u_char *) "https://", 8) == 0) {
        scheme = 8;
        url->ssl = 1;

    } else {
        return "the URL must start with \"http://\" or \"https://\"";
    }

    last = text->data + text->len;

    for (p = text->data; p < last; p++) {
        if (*p <= 0x20 || *p >= 0x7f || *p == '#') {
            return "the URL must not have white space, control characters, "
                   "non-ASCII characters or a fragment";
        }
    }

    start = text->data + scheme;

    /* the user and password have no variables, so braces can mean none */

    for (p = start; p < last && *p != '/' && *p != '?'; p++) { /* void */ }
    for ( /* void */ ; p > start && p[-1] != '@'; p--) { /* void */ }

    error = ngx_http_flowdash_url_text_placeholder(p, last);
    if (error) {
        return error;
    }

    url->shown = *text;

    if (ngx_strncmp(start, "unix:", 5) == 0) {

        p = ngx_strlchr(start, last, '?');

        if (p) {
            url->shown.len = p - text->data;
        }

        return ngx_http_flowdash_url_unix(cf, url, start + 5, text);
    }

    for (p = start; p < last && *p != '/' && *p != '?'; p++) { /* void */ }

    url->origin.data = text->data;
    url->origin.len = p - text->data;

    error = ngx_http_flowdash_url_authority(cf, url, start, p);

    if (error) {
        return error;
    }

    if (ngx_http_flowdash_url_path(cf, url, p, last) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_url_check(cf, url);
}


/* what may be shown of the URL: no user info, and no query */

static ngx_int_t
ngx_http_flowdash_url_show(ngx_conf_t *cf, ngx_http_flowdash_url_t *url,
    u_char *host)
{
    u_char     *p, *last, *query;
    size_t      scheme;

    last = url->shown.data + url->shown.len;

    query = ngx_strlchr(host, last, '?');

    if (query) {
        last = query;
    }

    scheme = url->ssl ? sizeof("https://") - 1 : sizeof("http://") - 1;

    p = ngx_pnalloc(cf->pool, scheme + (last - host));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, url->shown.data, scheme);
    ngx_memcpy(p + scheme, host, last - host);

    url->user = (host > url->shown.data + scheme);

    url->shown.data = p;
    url->shown.len = scheme + (last - host);

    return NGX_OK;
}


/* [user info@]host[:port] */

static const char *
ngx_http_flowdash_url_authority(ngx_conf_t *cf, ngx_http_flowdash_url_t *url,
    u_char *p, u_char *last)
{
    size_t   scheme;
    u_char  *host;

    scheme = p - url->origin.data;

    for (host = p; p < last; p++) {
        if (*p == '@') {
            host = p + 1;
        }
    }

    if (host == last) {
        return "the URL has no host";
    }

    if (ngx_http_flowdash_url_text_lacks_brackets(host, last)) {
        return "an IPv6 address must be in brackets, as in "
               "\"http://[::1]:80/\"";
    }

    url->redacted_origin.len = scheme + (last - host);
    url->redacted_origin.data = ngx_pnalloc(cf->pool,
                                            url->redacted_origin.len);
    if (url->redacted_origin.data == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_flowdash_url_show(cf, url, host) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(url->redacted_origin.data, url->origin.data, scheme);
    ngx_memcpy(url->redacted_origin.data + scheme, host, last - host);

    if (ngx_strlchr(url->origin.data, host, '$')) {
        return "the user and password must not have variables";
    }

    if (ngx_strlchr(host, last, '$') == NULL) {
        return NULL;
    }

    return ngx_http_flowdash_url_variable_host(cf, url, host, last);
}


/* both origins are cut before the host, whose value is not known yet */

static const char *
ngx_http_flowdash_url_variable_host(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url, u_char *p, u_char *last)
{
    u_char  *port;

    port = ngx_strlchr(p, last, ':');

    if (port == NULL) {
        port = last;
    }

    if (ngx_strlchr(port, last, '$')) {
        return "the port must not have variables";
    }

    url->redacted_origin.len -= last - p;
    url->origin.len -= last - p;

    url->port_text.data = port;
    url->port_text.len = last - port;

    url->variable_host = ngx_array_create(cf->pool, 2,
                                        sizeof(ngx_http_flowdash_url_part_t));
    if (url->variable_host == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_flowdash_url_parts(cf, url->variable_host, p, port)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NULL;
}


static const char *
ngx_http_flowdash_url_unix(ngx_conf_t *cf, ngx_http_flowdash_url_t *url,
    u_char *p, ngx_str_t *text)
{
    u_char  *last, *path;

    if (text->data[4] != ':') {
        return "the URL of a unix socket is written "
               "\"http://unix:/path.sock:/uri\"";
    }

    last = text->data + text->len;

    path = p;

    while (p < last && *p != ':') {

        if (*p++ == '$') {
            return "the path of a unix socket must not have variables";
        }
    }

    url->socket.len = p - path;

    if (url->socket.len == 0 || *path != '/') {
        return "the path of a unix socket must be absolute";
    }

    if (url->socket.len >= sizeof(((struct sockaddr_un *) 0)->sun_path)) {
        return "the path of a unix socket is too long";
    }

    url->socket.data = ngx_pnalloc(cf->pool, url->socket.len + 1);
    if (url->socket.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(url->socket.data, path, url->socket.len + 1);

    url->redacted_origin.data = text->data;
    url->redacted_origin.len = p - text->data;

    if (p < last) {
        p++;
        url->redacted_origin.len++;

        if (p < last && *p != '/') {
            return "the URI after a unix socket must start with \"/\"";
        }
    }

    ngx_str_set(&url->origin, "http://localhost");

    if (ngx_http_flowdash_url_path(cf, url, p, last) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_url_check(cf, url);
}


static ngx_int_t
ngx_http_flowdash_url_path(ngx_conf_t *cf, ngx_http_flowdash_url_t *url,
    u_char *p, u_char *last)
{
    ngx_http_flowdash_url_part_t  *part;

    if (ngx_array_init(&url->parts, cf->pool, 4,
                       sizeof(ngx_http_flowdash_url_part_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (p == last || *p != '/') {

        part = ngx_array_push(&url->parts);
        if (part == NULL) {
            return NGX_ERROR;
        }

        ngx_str_set(&part->text, "/");
        part->value = NULL;
    }

    return ngx_http_flowdash_url_parts(cf, &url->parts, p, last);
}


ngx_int_t
ngx_http_flowdash_url_parts(ngx_conf_t *cf, ngx_array_t *parts,
    u_char *p, u_char *last)
{
    u_char                        *start;
    ngx_http_flowdash_url_part_t  *part;

    while (p < last) {

        part = ngx_array_push(parts);
        if (part == NULL) {
            return NGX_ERROR;
        }

        start = p;
        part->text.data = p;
        part->value = NULL;

        if (*p != '$') {
            while (p < last && *p != '$') {
                p++;
            }

            part->text.len = p - start;
            continue;
        }

        p = ngx_http_flowdash_text_variable_end(p, last);
        part->text.len = p - start;

        part->value = ngx_http_flowdash_conf_create_value(cf, &part->text);
        if (part->value == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static const char *
ngx_http_flowdash_url_check(ngx_conf_t *cf, ngx_http_flowdash_url_t *url)
{
    u_char                        *text, *p, *path, *last;
    size_t                         len;
    const char                    *error;
    ngx_uint_t                     i, variables;
    ngx_http_flowdash_url_part_t  *part;

    part = url->parts.elts;
    variables = (url->variable_host != NULL);
    len = url->origin.len + sizeof("x") - 1 + url->port_text.len + 1;

    for (i = 0; i < url->parts.nelts; i++) {
        len += part[i].value ? 1 : part[i].text.len;
    }

    text = ngx_pnalloc(cf->temp_pool, len);
    if (text == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_cpymem(text, url->origin.data, url->origin.len);

    if (url->variable_host) {
        *p++ = 'x';
        p = ngx_cpymem(p, url->port_text.data, url->port_text.len);
    }

    path = p;

    for (i = 0; i < url->parts.nelts; i++) {

        if (part[i].value) {
            variables = 1;
            *p++ = 'x';

        } else {
            p = ngx_cpymem(p, part[i].text.data, part[i].text.len);
        }
    }

    *p = '\0';

    last = ngx_strlchr(path, p, '?');

    if (last == NULL) {
        last = p;
    }

    if (ngx_http_flowdash_url_text_dot_segment(path, last)) {
        return "no part of the path may be \".\" or \"..\"";
    }

    error = ngx_http_flowdash_url_parse_text(cf, url, (char *) text,
                                             variables);

    if (error || url->parsed == NULL) {
        return error;
    }

    url->redacted.len = url->redacted_origin.len + (last - path);

    url->redacted.data = ngx_pnalloc(cf->pool, url->redacted.len);
    if (url->redacted.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_cpymem(url->redacted.data, url->redacted_origin.data,
                   url->redacted_origin.len);
    ngx_memcpy(p, path, last - path);

    return NULL;
}


/*
 * A URL without variables is parsed only once: otherwise libcurl would parse
 * it, and write it again byte by byte, for each call.
 *
 * The exception is a URL with a percent sign before its path.  Before 8.3
 * libcurl loses the zone of an IPv6 address in the copy that it makes for a
 * transfer, and it changes the original if the percent sign is in the host.
 */

static const char *
ngx_http_flowdash_url_parse_text(ngx_conf_t *cf, ngx_http_flowdash_url_t *url,
    char *text, ngx_uint_t variables)
{
    CURLU               *handle;
    CURLUcode            rc;
    ngx_str_t           *origin;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    handle = curl_url();
    if (handle == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_flowdash_url_cleanup;
    cln->data = handle;

    rc = curl_url_set(handle, CURLUPART_URL, text, CURLU_PATH_AS_IS);

    if (rc == CURLUE_OK) {
        rc = ngx_http_flowdash_url_endpoint(cf, url, handle);
    }

    if (rc == CURLUE_OUT_OF_MEMORY) {
        return NGX_CONF_ERROR;
    }

    if (rc != CURLUE_OK) {
        return curl_url_strerror(rc);
    }

    origin = &url->origin;

    if (!variables
        && ngx_strlchr(origin->data, origin->data + origin->len, '%') == NULL)
    {
        url->parsed = handle;
    }

    return NULL;
}


static CURLUcode
ngx_http_flowdash_url_endpoint(ngx_conf_t *cf, ngx_http_flowdash_url_t *url,
    CURLU *handle)
{
    char       *host, *port;
    CURLUcode   rc;

    rc = curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);

    if (rc != CURLUE_OK) {
        return rc;
    }

    url->port = (in_port_t) ngx_atoi((u_char *) port, ngx_strlen(port));

    curl_free(port);

    if (url->port == 0) {
        return CURLUE_BAD_PORT_NUMBER;
    }

    if (url->socket.len) {
        url->host_line = (u_char *) "Host: localhost";
        return CURLUE_OK;
    }

    if (url->variable_host) {
        url->named = 1;
        return CURLUE_OK;
    }

    rc = curl_url_get(handle, CURLUPART_HOST, &host, 0);

    if (rc != CURLUE_OK) {
        return rc;
    }

    url->host.len = ngx_strlen(host);

    url->host.data = ngx_pnalloc(cf->pool, url->host.len);
    if (url->host.data) {
        ngx_memcpy(url->host.data, host, url->host.len);
    }

    curl_free(host);

    if (url->host.data == NULL) {
        return CURLUE_OUT_OF_MEMORY;
    }

    url->named = ngx_http_flowdash_resolve_needed(&url->host);

    url->host_line = ngx_http_flowdash_url_host_line(cf->pool, url,
                                                     &url->host);

    return url->host_line ? CURLUE_OK : CURLUE_OUT_OF_MEMORY;
}


/*
 * libcurl would write this header byte by byte for each call.  On a connection
 * to a proxy it would also put the host in brackets, or not, depending on
 * whether the first host on that connection was IPv6.
 */

u_char *
ngx_http_flowdash_url_host_line(ngx_pool_t *pool,
    ngx_http_flowdash_url_t *url, ngx_str_t *host)
{
    u_char  *line, *p;

    line = ngx_pnalloc(pool, sizeof("Host: :65535") + host->len);
    if (line == NULL) {
        return NULL;
    }

    p = ngx_sprintf(line, "Host: %V", host);

    if (url->port != (url->ssl ? 443 : 80)) {
        p = ngx_sprintf(p, ":%d", (int) url->port);
    }

    *p = '\0';

    return line;
}


static void
ngx_http_flowdash_url_cleanup(void *data)
{
    curl_url_cleanup(data);
}
