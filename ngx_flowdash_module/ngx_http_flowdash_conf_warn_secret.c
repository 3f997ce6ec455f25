
/*
 * Warnings of "nginx -t" about secrets that anybody on the way can read, that
 * go to an endpoint that nobody has verified, or that are stored.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_secret.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_warn_secret.h>


static ngx_http_flowdash_secret_t *ngx_http_flowdash_conf_warn_secret_in_url(
    ngx_array_t *secrets, ngx_http_flowdash_url_t *url);
static ngx_http_flowdash_secret_t *ngx_http_flowdash_conf_warn_secret_in_body(
    ngx_array_t *secrets, ngx_http_flowdash_loc_conf_t *conf);
static ngx_uint_t ngx_http_flowdash_conf_warn_secret_is_header(
    ngx_array_t *secrets, ngx_http_flowdash_param_t *header);
static ngx_uint_t ngx_http_flowdash_conf_warn_secret_is_loopback(
    ngx_http_flowdash_url_t *url);
static ngx_uint_t ngx_http_flowdash_conf_warn_secret_is_key(ngx_str_t *name);


void
ngx_http_flowdash_conf_warn_secret(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                      i;
    const char                     *where;
    ngx_http_flowdash_url_t        *url;
    ngx_http_flowdash_param_t      *header;
    ngx_http_flowdash_secret_t     *secret;
    ngx_http_flowdash_main_conf_t  *fmcf;

    url = conf->url;

    if (ngx_http_flowdash_conf_warn_secret_is_loopback(url)) {
        return;
    }

    if (url->ssl) {
        if (!conf->ssl_verify && conf->ssl_pinned_key.len == 0) {
            ngx_http_flowdash_conf_report_warn(cf, conf, url->place,
                        "\"flowdash_ssl_verify\" is off for \"flowdash_call\" "
                        "\"%V\": anybody on the network path can read and "
                        "answer its calls; "
                        "\"flowdash_ssl_trusted_certificate\" or "
                        "\"flowdash_ssl_pinned_key\" can verify any endpoint",
                        &url->shown);
        }

        return;
    }

    if (url->user) {
        ngx_http_flowdash_conf_report_warn(cf, conf, url->place,
                    "the password in \"flowdash_call\" \"%V\" can be read by "
                    "anybody on the network path; https:// protects "
                    "it", &url->shown);
        return;
    }

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    where = "in";
    secret = ngx_http_flowdash_conf_warn_secret_in_url(fmcf->secrets, url);

    if (secret == NULL) {
        where = "in the body to";
        secret = ngx_http_flowdash_conf_warn_secret_in_body(fmcf->secrets,
                                                            conf);
    }

    if (secret) {
        ngx_http_flowdash_conf_report_warn(cf, conf, url->place,
                    "the secret \"$%V\" %s \"flowdash_call\" \"%V\" can be "
                    "read by anybody on the network path; https:// protects "
                    "it", &secret->name, where, &url->shown);
        return;
    }

    if (conf->headers == NULL) {
        return;
    }

    header = conf->headers->elts;

    for (i = 0; i < conf->headers->nelts; i++) {

        if (ngx_http_flowdash_conf_warn_secret_is_header(fmcf->secrets,
                                                         &header[i]))
        {
            ngx_http_flowdash_conf_report_warn(cf, conf, url->place,
                        "the header \"%V\" to \"flowdash_call\" \"%V\" can be "
                        "read by anybody on the network path; https:// "
                        "protects it",
                        &header[i].name, &url->shown);
        }
    }
}


static ngx_http_flowdash_secret_t *
ngx_http_flowdash_conf_warn_secret_in_url(ngx_array_t *secrets,
    ngx_http_flowdash_url_t *url)
{
    ngx_uint_t                     i;
    ngx_http_flowdash_secret_t    *secret;
    ngx_http_flowdash_url_part_t  *part;

    part = url->parts.elts;

    for (i = 0; i < url->parts.nelts; i++) {

        secret = part[i].value ? ngx_http_flowdash_secret_in(secrets,
                                                             &part[i].text)
                               : NULL;
        if (secret) {
            return secret;
        }
    }

    return NULL;
}


static ngx_http_flowdash_secret_t *
ngx_http_flowdash_conf_warn_secret_in_body(ngx_array_t *secrets,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_secret_t     *secret;
    ngx_http_flowdash_body_part_t  *part;

    if (conf->set_body == NULL) {
        return NULL;
    }

    part = conf->set_body->parts.elts;

    for (i = 0; i < conf->set_body->parts.nelts; i++) {

        secret = part[i].value ? ngx_http_flowdash_secret_in(secrets,
                                                       &part[i].value->value)
                               : NULL;
        if (secret) {
            return secret;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_flowdash_conf_warn_secret_is_header(ngx_array_t *secrets,
    ngx_http_flowdash_param_t *header)
{
    if (header->value.value.len == 0) {
        return 0;
    }

    return ngx_http_flowdash_text_is(&header->name, "Authorization")
           || ngx_http_flowdash_text_is(&header->name, "Cookie")
           || ngx_http_flowdash_secret_in(secrets, &header->value.value);
}


static ngx_uint_t
ngx_http_flowdash_conf_warn_secret_is_loopback(ngx_http_flowdash_url_t *url)
{
    size_t       len;
    in_addr_t    addr;
    ngx_str_t   *host;

    if (url->socket.len) {
        return 1;
    }

    if (url->variable_host) {
        return 0;
    }

    host = &url->host;
    len = sizeof(".localhost") - 1;

    if (ngx_http_flowdash_text_is(host, "localhost")
        || ngx_http_flowdash_text_is(host, "[::1]")
        || (host->len > len
            && ngx_strncasecmp(host->data + host->len - len,
                               (u_char *) ".localhost", len)
               == 0))
    {
        return 1;
    }

    addr = ngx_inet_addr(host->data, host->len);

    return addr != INADDR_NONE && (ntohl(addr) >> 24) == 127;
}


void
ngx_http_flowdash_conf_warn_secret_stored(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_param_t      *header;
    ngx_http_flowdash_main_conf_t  *fmcf;

    if (conf->step->kind == NGX_HTTP_FLOWDASH_KIND_STEP
        || conf->headers == NULL)
    {
        return;
    }

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    header = conf->headers->elts;

    for (i = 0; i < conf->headers->nelts; i++) {

        if (header[i].value.value.len
            && ngx_http_flowdash_conf_warn_secret_is_key(&header[i].name)
            && ngx_http_flowdash_secret_in(fmcf->secrets,
                                           &header[i].value.value)
               == NULL)
        {
            ngx_http_flowdash_conf_report_warn(cf, conf, header[i].place,
                        "the header \"%V\" is stored as it is until it is "
                        "delivered; only the value of a \"flowdash_secret\" "
                        "is never stored", &header[i].name);
        }
    }
}


static ngx_uint_t
ngx_http_flowdash_conf_warn_secret_is_key(ngx_str_t *name)
{
    size_t       len;
    ngx_uint_t   i;

    static const char  *ends[] = { "-Key", "-Token", "-Secret", "-Password" };

    if (ngx_http_flowdash_text_is(name, "Authorization")
        || ngx_http_flowdash_text_is(name, "Proxy-Authorization")
        || ngx_http_flowdash_text_is(name, "Cookie"))
    {
        return 1;
    }

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {

        len = ngx_strlen(ends[i]);

        if (name->len > len
            && ngx_strncasecmp(name->data + name->len - len,
                               (u_char *) ends[i], len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}
