
/*
 * flowdash_proxy: the outbound proxy.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_resolve.h>
#include <ngx_http_flowdash_url_text.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_http_flowdash_conf_proxy.h>


static const char *ngx_http_flowdash_conf_proxy_url(ngx_conf_t *cf,
    ngx_http_flowdash_proxy_t *proxy, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_conf_proxy_parts(ngx_conf_t *cf,
    ngx_http_flowdash_proxy_t *proxy, CURLU *handle, const char **error);
static char *ngx_http_flowdash_conf_proxy_user(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_proxy_t *proxy, ngx_str_t *value);


static const char  ngx_http_flowdash_proxy_expected[] =
    "a proxy is written as its host and port, as in "
    "\"http://proxy.example.com:3128\"";


char *
ngx_http_flowdash_conf_proxy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                  *value;
    const char                 *error;
    ngx_http_flowdash_proxy_t  *proxy;

    if (flcf->proxy != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        flcf->proxy = NULL;
        return NGX_CONF_OK;
    }

    /* do not show the URL: it may have a password */

    if (ngx_strlchr(value[1].data, value[1].data + value[1].len, '@')) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a user in the URL of \"%V\": user and password "
                           "are expected in a file, as \"file:/path\" after "
                           "the URL", &cmd->name);
        return NGX_CONF_ERROR;
    }

    proxy = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_proxy_t));
    if (proxy == NULL) {
        return NGX_CONF_ERROR;
    }

    flcf->proxy = proxy;

    error = ngx_http_flowdash_conf_proxy_url(cf, proxy, &value[1]);

    if (error == NGX_CONF_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (error) {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                                                     error);
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    return ngx_http_flowdash_conf_proxy_user(cf, cmd, proxy, &value[2]);
}


/* returns NULL, NGX_CONF_ERROR, or what is wrong with the URL */

static const char *
ngx_http_flowdash_conf_proxy_url(ngx_conf_t *cf,
    ngx_http_flowdash_proxy_t *proxy, ngx_str_t *text)
{
    u_char      *p;
    CURLU       *handle;
    ngx_int_t    rc;
    ngx_str_t   *scheme, host;
    const char  *error;

    static ngx_str_t  schemes[] = {
        ngx_string("http://"),
        ngx_string("https://"),
        ngx_string("socks5h://"),
        ngx_string("socks5://"),
        ngx_null_string
    };

    for (scheme = schemes; scheme->len; scheme++) {
        if (text->len > scheme->len
            && ngx_strncasecmp(text->data, scheme->data, scheme->len) == 0)
        {
            break;
        }
    }

    if (scheme->len == 0) {
        return "the URL of a proxy must start with \"http://\", \"https://\", "
               "\"socks5://\" or \"socks5h://\"";
    }

    host.data = text->data + scheme->len;
    host.len = text->len - scheme->len;

    if (host.len && host.data[host.len - 1] == '/') {
        host.len--;
    }

    /* libcurl would ignore a path and a query */

    if (strcspn((char *) host.data, "/?#") < host.len) {
        return ngx_http_flowdash_proxy_expected;
    }

    if (ngx_http_flowdash_url_text_lacks_brackets(host.data,
                                                  host.data + host.len))
    {
        return "an IPv6 address must be in brackets, as in "
               "\"http://[::1]:3128\"";
    }

    /* socks5h: the proxy resolves names, so that no worker waits for that */

    if (scheme == &schemes[3]) {
        scheme--;
    }

    proxy->ssl = (scheme == &schemes[1]);

    proxy->url.len = scheme->len + host.len;
    proxy->url.data = ngx_pnalloc(cf->pool, proxy->url.len + 1);

    handle = curl_url();

    if (proxy->url.data == NULL || handle == NULL) {
        curl_url_cleanup(handle);
        return NGX_CONF_ERROR;
    }

    p = ngx_cpymem(proxy->url.data, scheme->data, scheme->len);
    p = ngx_cpymem(p, host.data, host.len);
    *p = '\0';

    error = NULL;
    rc = ngx_http_flowdash_conf_proxy_parts(cf, proxy, handle, &error);

    curl_url_cleanup(handle);

    return (rc == NGX_OK) ? error : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_flowdash_conf_proxy_parts(ngx_conf_t *cf,
    ngx_http_flowdash_proxy_t *proxy, CURLU *handle, const char **error)
{
    char       *host, *port;
    CURLUcode   rc;

    host = NULL;
    port = NULL;

    rc = curl_url_set(handle, CURLUPART_URL, (char *) proxy->url.data,
                      CURLU_NON_SUPPORT_SCHEME);

    if (rc != CURLUE_OK) {
        *error = curl_url_strerror(rc);
        return NGX_OK;
    }

    if (curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK
        || curl_url_get(handle, CURLUPART_PORT, &port, 0) != CURLUE_OK)
    {
        *error = ngx_http_flowdash_proxy_expected;

    } else {
        proxy->port = (in_port_t) ngx_atoi((u_char *) port, ngx_strlen(port));
        proxy->host.len = ngx_strlen(host);

        proxy->host.data = ngx_pnalloc(cf->pool, proxy->host.len);
        if (proxy->host.data) {
            ngx_memcpy(proxy->host.data, host, proxy->host.len);
        }
    }

    curl_free(host);
    curl_free(port);

    if (*error) {
        return NGX_OK;
    }

    if (proxy->host.data == NULL) {
        return NGX_ERROR;
    }

    proxy->named = ngx_http_flowdash_resolve_needed(&proxy->host);

    return NGX_OK;
}


static char *
ngx_http_flowdash_conf_proxy_user(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_proxy_t *proxy, ngx_str_t *value)
{
    u_char     *p, *last;
    ngx_str_t   name, content;

    if (ngx_strncmp(value->data, "file:", 5) != 0 || value->len == 5) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid second parameter of \"%V\": a file with "
                           "\"user:password\" is expected, as \"file:/path\"",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    name.data = value->data + 5;
    name.len = value->len - 5;

    if (ngx_http_flowdash_conf_read_secret(cf, cmd, &name, &content)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    last = content.data + content.len;
    p = ngx_strlchr(content.data, last, ':');

    if (p == NULL || p == content.data
        || ngx_strlchr(content.data, last, LF))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" of \"%V\": one line, \"user:password\", is "
                           "expected", &name, &cmd->name);
        return NGX_CONF_ERROR;
    }

    proxy->user = (char *) content.data;
    proxy->password = (char *) p + 1;

    *p = '\0';
    *last = '\0';

    return NGX_CONF_OK;
}
