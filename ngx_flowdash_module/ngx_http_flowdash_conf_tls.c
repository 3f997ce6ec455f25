
/*
 * The directives about certificates.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_tls.h>


static char *ngx_http_flowdash_conf_tls_trusted(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_pem_t *pem, ngx_str_t *value);


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
        /* "off" overrides what would be inherited */

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

    /* only a check: libcurl gets the file's content */

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


char *
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
        return ngx_http_flowdash_conf_step_refuse(cf, &conf->step->name,
                    "\"flowdash_ssl_certificate\" and "
                    "\"flowdash_ssl_certificate_key\" need each other");
    }

#if (NGX_HTTP_SSL)

    /* an empty password, so that OpenSSL does not ask for one */

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
        return ngx_http_flowdash_conf_step_refuse(cf, &conf->step->name,
                    "\"flowdash_ssl_certificate\" and "
                    "\"flowdash_ssl_certificate_key\" must be a pair in PEM, "
                    "the key without a password");
    }

#endif

    return NGX_CONF_OK;
}
