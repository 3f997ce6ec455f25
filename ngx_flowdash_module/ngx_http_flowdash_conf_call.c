
/*
 * The directives that are about flowdash_call, and all that "nginx -t" can say
 * about them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


#define NGX_HTTP_FLOWDASH_SECRET_MAX  4096


static ngx_int_t ngx_http_flowdash_conf_call_handles(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf);
static const char *ngx_http_flowdash_conf_proxy_url(ngx_conf_t *cf,
    ngx_http_flowdash_proxy_t *proxy, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_conf_proxy_parts(ngx_conf_t *cf,
    ngx_http_flowdash_proxy_t *proxy, CURLU *handle, const char **error);
static char *ngx_http_flowdash_conf_proxy_user(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_proxy_t *proxy, ngx_str_t *value);
static char *ngx_http_flowdash_conf_tls_trusted(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_pem_t *pem, ngx_str_t *value);
static char *ngx_http_flowdash_conf_tls_pair(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static char *ngx_http_flowdash_conf_call_egress(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static char *ngx_http_flowdash_conf_call_hosts(ngx_conf_t *cf);
static ngx_uint_t ngx_http_flowdash_conf_is_space(u_char c);
static char *ngx_http_flowdash_conf_step_refuse(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf, const char *reason);


static const char  ngx_http_flowdash_proxy_expected[] =
    "a proxy is given by its host and port, as in "
    "\"http://proxy.example.com:3128\"";


char *
ngx_http_flowdash_conf_call(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                      *value;
    const char                     *error;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    if (flcf->url) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (flcf->step == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is allowed in \"flowdash_step\" only",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"flowdash_step\" \"%V\": the step has "
                           "another content handler as well",
                           &cmd->name, &flcf->step->name);
        return NGX_CONF_ERROR;
    }

    clcf->handler = ngx_http_flowdash_call_handler;

    flcf->url = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_url_t));
    if (flcf->url == NULL) {
        return NGX_CONF_ERROR;
    }

    error = ngx_http_flowdash_url_parse(cf, flcf->url, &value[1]);

    if (error == NGX_CONF_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (error && ngx_strlchr(value[1].data, value[1].data + value[1].len, '@'))
    {
        /* not by its value: there may be a password in it */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid URL in \"%V\": %s",
                           &cmd->name, error);
        return NGX_CONF_ERROR;
    }

    if (error) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1], error);
    }

    if (ngx_http_flowdash_conf_call_handles(cf, flcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);
    fmcf->calls = 1;

    return NGX_CONF_OK;
}


/* a worker fills them */

static ngx_int_t
ngx_http_flowdash_conf_call_handles(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_pool_cleanup_t           *cln;
    ngx_flowdash_curl_handles_t  *handles;

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_flowdash_curl_handles_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    handles = cln->data;
    ngx_memzero(handles, sizeof(ngx_flowdash_curl_handles_t));

    handles->setup = ngx_http_flowdash_call_setup;
    handles->data = flcf;

    cln->handler = ngx_flowdash_curl_forget;

    flcf->handles = handles;

    return NGX_OK;
}


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

    /* not by its value: there may be a password in it */

    if (ngx_strlchr(value[1].data, value[1].data + value[1].len, '@')) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a user in the URL of \"%V\": user and password "
                           "are expected in a file, as \"file:/path\" behind "
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
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1], error);
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    return ngx_http_flowdash_conf_proxy_user(cf, cmd, proxy, &value[2]);
}


/* returns NULL, NGX_CONF_ERROR, or what is wrong with it */

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

    /* libcurl would overlook slashes, and a query */

    if (strcspn((char *) host.data, "/?#") < host.len) {
        return ngx_http_flowdash_proxy_expected;
    }

    /* names are the proxy's to resolve, so nobody here has to wait for them */

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

    if (ngx_http_flowdash_conf_read_secret(cf, &name, &content) != NGX_OK) {
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

    proxy->user.data = content.data;
    proxy->user.len = p - content.data;
    proxy->password.data = p + 1;
    proxy->password.len = last - p - 1;

    *p = '\0';
    *last = '\0';

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_tls_certificate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char  *p = conf;

    char                     *rv;
    ngx_str_t                *value;
    ngx_http_flowdash_pem_t  *pem;

    pem = (ngx_http_flowdash_pem_t *) (p + cmd->offset);

    if (pem->name.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                             "the name of a file is expected");
    }

    if (ngx_strcmp(value[1].data, "off") == 0
        && cmd->offset != offsetof(ngx_http_flowdash_loc_conf_t,
                                   ssl_certificate_key))
    {
        /* nothing, also instead of what would be inherited */

        ngx_str_set(&pem->name, "");
        return NGX_CONF_OK;
    }

    pem->name = value[1];

    if (ngx_conf_full_name(cf->cycle, &pem->name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (cmd->offset == offsetof(ngx_http_flowdash_loc_conf_t,
                                ssl_trusted_certificate))
    {
        rv = ngx_http_flowdash_conf_tls_trusted(cf, cmd, pem, &value[1]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (ngx_http_flowdash_conf_read_file(cf, &pem->name, &pem->content)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_tls_trusted(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_pem_t *pem, ngx_str_t *value)
{
#if (NGX_HTTP_SSL)

    ngx_int_t  rc;
    ngx_ssl_t  ssl;

    /* nothing is kept of it: libcurl gets the file's content */

    ngx_memzero(&ssl, sizeof(ngx_ssl_t));
    ssl.log = cf->log;

    if (ngx_ssl_create(&ssl, 0, NULL) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rc = ngx_ssl_trusted_certificate(cf, &ssl, &pem->name, 1);

    ngx_ssl_cleanup_ctx(&ssl);

    if (rc != NGX_OK) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                          "a file with certificates in PEM is expected");
    }

#endif

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_tls_pinned_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    u_char      *p, hash[64];
    ngx_str_t   *value, text, decoded;
    ngx_uint_t   i;

    if (flcf->ssl_pinned_key.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        text.data = value[i].data + 8;
        text.len = value[i].len - 8;
        decoded.data = hash;

        if (ngx_strncmp(value[i].data, "sha256//", 8) != 0
            || text.len != 44
            || ngx_decode_base64(&decoded, &text) != NGX_OK
            || decoded.len != 32)
        {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[i],
                               "\"sha256//\" and the base64 of a public key's "
                               "SHA-256 is expected");
        }

        flcf->ssl_pinned_key.len += value[i].len + 1;
    }

    p = ngx_pnalloc(cf->pool, flcf->ssl_pinned_key.len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    flcf->ssl_pinned_key.data = p;

    for (i = 1; i < cf->args->nelts; i++) {
        p = ngx_cpymem(p, value[i].data, value[i].len);
        *p++ = ';';
    }

    p[-1] = '\0';

    return NGX_CONF_OK;
}


const char *
ngx_http_flowdash_conf_call_only(ngx_http_flowdash_loc_conf_t *conf)
{
    if (conf->retry != NGX_CONF_UNSET_PTR) {
        return "flowdash_retry";
    }

    if (conf->rules != NGX_CONF_UNSET_PTR) {
        return "flowdash_allow\" and \"flowdash_deny";
    }

    if (conf->proxy != NGX_CONF_UNSET_PTR) {
        return "flowdash_proxy";
    }

    if (conf->http_version != NGX_CONF_UNSET_UINT) {
        return "flowdash_http_version";
    }

    if (conf->connect_timeout != NGX_CONF_UNSET_MSEC) {
        return "flowdash_connect_timeout";
    }

    if (conf->ssl_verify != NGX_CONF_UNSET
        || conf->ssl_protocols
        || conf->ssl_trusted_certificate.name.data
        || conf->ssl_certificate.name.data
        || conf->ssl_certificate_key.name.data
        || conf->ssl_pinned_key.data)
    {
        return "flowdash_ssl_...";
    }

    return NULL;
}


char *
ngx_http_flowdash_conf_call_check(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    char                      *rv;
    ngx_uint_t                 protocols;
    ngx_http_core_loc_conf_t  *clcf;

    rv = ngx_http_flowdash_conf_tls_pair(cf, conf);

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_flowdash_conf_call_egress(cf, conf);
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    /* a run of bits becomes a power of two when its lowest is added */

    protocols = conf->ssl_protocols & ~NGX_CONF_BITMASK_SET;

    if (protocols & (protocols + (protocols & -protocols))) {
        return ngx_http_flowdash_conf_step_refuse(cf, conf,
                    "\"flowdash_ssl_protocols\" must not leave out a version "
                    "between others");
    }

    if (conf->proxy && conf->url->socket.len) {
        return ngx_http_flowdash_conf_step_refuse(cf, conf,
                    "a unix socket cannot be called through "
                    "\"flowdash_proxy\"; \"flowdash_proxy off\" is expected");
    }

    conf->handles->tls = conf->url->ssl || (conf->proxy && conf->proxy->ssl);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->resolver->connections.nelts) {
        return ngx_http_flowdash_conf_call_hosts(cf);
    }

    return NGX_CONF_OK;
}


/* the client certificate and its key */

static char *
ngx_http_flowdash_conf_tls_pair(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
#if (NGX_HTTP_SSL)

    ngx_int_t     rc;
    ngx_ssl_t     ssl;
    ngx_str_t    *password;
    ngx_array_t  *passwords;

#endif

    if (conf->ssl_certificate.name.len == 0
        && conf->ssl_certificate_key.name.len == 0)
    {
        return NGX_CONF_OK;
    }

    if (conf->ssl_certificate.name.len == 0
        || conf->ssl_certificate_key.name.len == 0)
    {
        return ngx_http_flowdash_conf_step_refuse(cf, conf,
                    "\"flowdash_ssl_certificate\" and "
                    "\"flowdash_ssl_certificate_key\" need each other");
    }

#if (NGX_HTTP_SSL)

    /* an empty password, so that nobody is asked for one */

    passwords = ngx_array_create(cf->temp_pool, 1, sizeof(ngx_str_t));
    if (passwords == NULL) {
        return NGX_CONF_ERROR;
    }

    password = ngx_array_push(passwords);
    if (password == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_set(password, "");

    ngx_memzero(&ssl, sizeof(ngx_ssl_t));
    ssl.log = cf->log;

    if (ngx_ssl_create(&ssl, 0, NULL) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rc = ngx_ssl_certificate(cf, &ssl, &conf->ssl_certificate.name,
                             &conf->ssl_certificate_key.name, passwords);

    ngx_ssl_cleanup_ctx(&ssl);

    if (rc != NGX_OK) {
        return ngx_http_flowdash_conf_step_refuse(cf, conf,
                    "\"flowdash_ssl_certificate\" and "
                    "\"flowdash_ssl_certificate_key\" must be a pair in PEM, "
                    "the key without a password");
    }

#endif

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_call_egress(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    const char  *error;

    if (conf->url->variable_host
        && !ngx_http_flowdash_egress_allows(conf->rules))
    {
        return ngx_http_flowdash_conf_step_refuse(cf, conf,
                    "the host of \"flowdash_call\" has a variable: "
                    "\"flowdash_allow\" must say which addresses may be "
                    "called");
    }

    if (conf->url->variable_host
        && !ngx_http_flowdash_egress_has_default_rule(conf->rules))
    {
        return ngx_http_flowdash_conf_step_refuse(cf, conf,
                    "the host of \"flowdash_call\" has a variable: the last "
                    "rule must say what becomes of all other addresses, "
                    "\"flowdash_deny all\" or \"flowdash_allow all\"");
    }

    error = ngx_http_flowdash_egress_check(conf->rules);

    if (error) {
        return ngx_http_flowdash_conf_step_refuse(cf, conf, error);
    }

    if (conf->proxy && !ngx_http_flowdash_egress_only_all(conf->rules)) {
        return ngx_http_flowdash_conf_step_refuse(cf, conf,
                    "\"flowdash_allow\" and \"flowdash_deny\" would see the "
                    "address of \"flowdash_proxy\" only: leave it to the "
                    "proxy, and say \"flowdash_allow all\" here");
    }

    return NGX_CONF_OK;
}


/* nginx's resolver does not look there */

static char *
ngx_http_flowdash_conf_call_hosts(ngx_conf_t *cf)
{
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    if (fmcf->hosts) {
        return NGX_CONF_OK;
    }

    fmcf->hosts = ngx_palloc(cf->pool, sizeof(ngx_array_t));
    if (fmcf->hosts == NULL) {
        return NGX_CONF_ERROR;
    }

    return (ngx_http_flowdash_hosts_read(cf, fmcf->hosts) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_flowdash_conf_step_refuse(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf, const char *reason)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "\"flowdash_step\" \"%V\": %s",
                  &conf->step->name, reason);

    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_flowdash_conf_read_secret(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *content)
{
    u_char           *p;
    ngx_file_info_t   fi;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_file_info(name->data, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_file_info_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    /* what else there is may have no end */

    if (!ngx_is_file(&fi)
        || ngx_file_size(&fi) > NGX_HTTP_FLOWDASH_SECRET_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no secret in \"%V\": a file up to 4k is expected",
                           name);
        return NGX_ERROR;
    }

    if (ngx_file_access(&fi) & S_IROTH) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the secret in \"%V\" can be read by all users",
                           name);
    }

    if (ngx_http_flowdash_conf_read_file(cf, name, content) != NGX_OK) {
        return NGX_ERROR;
    }

    p = content->data;

    while (content->len && ngx_http_flowdash_conf_is_space(*p)) {
        p++;
        content->len--;
    }

    while (content->len
           && ngx_http_flowdash_conf_is_space(p[content->len - 1]))
    {
        content->len--;
    }

    content->data = p;
    p[content->len] = '\0';

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_conf_is_space(u_char c)
{
    return c == ' ' || c == '\t' || c == CR || c == LF;
}


/*
 * Files are read now, as the user that nginx is started by; a worker could
 * not, and would have to wait for the disk.
 */

ngx_int_t
ngx_http_flowdash_conf_read_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *content)
{
    ssize_t          n;
    ngx_int_t        rc;
    ngx_file_t       file;
    ngx_file_info_t  fi;

    rc = NGX_ERROR;

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = *name;
    file.log = cf->log;

    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    if (ngx_fd_info(file.fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        goto done;
    }

    content->len = ngx_file_size(&fi);

    content->data = ngx_pnalloc(cf->pool, content->len + 1);
    if (content->data == NULL) {
        goto done;
    }

    n = ngx_read_file(&file, content->data, content->len, 0);

    if (n == NGX_ERROR) {
        goto done;
    }

    if ((size_t) n != content->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           ngx_read_file_n " \"%V\" returned only "
                           "%z bytes instead of %uz", name, n, content->len);
        goto done;
    }

    content->data[n] = '\0';
    rc = NGX_OK;

done:

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}
