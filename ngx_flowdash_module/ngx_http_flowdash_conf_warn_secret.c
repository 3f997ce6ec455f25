
/*
 * Warnings of "nginx -t" about secrets that anybody on the way can read, or
 * that go to an endpoint that nobody has verified.
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
