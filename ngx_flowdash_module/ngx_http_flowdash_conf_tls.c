
/*
 * The directives about certificates.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_tls.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/err.h>


static char *ngx_http_flowdash_conf_tls_read(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_pem_t *pem, ngx_str_t *value);
static void ngx_http_flowdash_conf_tls_warn_expired(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_pem_t *pem, ngx_str_t *value);
static void ngx_http_flowdash_conf_tls_warn_subject(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *value, X509 *cert);
static ngx_http_flowdash_place_t **ngx_http_flowdash_conf_tls_place(
    ngx_http_flowdash_loc_conf_t *conf, ngx_command_t *cmd);
static ngx_http_flowdash_place_t *ngx_http_flowdash_conf_tls_where(
    ngx_http_flowdash_loc_conf_t *conf, const char **directive,
    ngx_str_t *name);
static char *ngx_http_flowdash_conf_tls_trusted(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_pem_t *pem, ngx_str_t *value);


char *
ngx_http_flowdash_conf_tls_certificate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char  *p = conf;

    ngx_str_t                   *value;
    ngx_http_flowdash_pem_t     *pem;
    ngx_http_flowdash_place_t  **place;

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

    place = ngx_http_flowdash_conf_tls_place(conf, cmd);

    if (place) {
        *place = ngx_http_flowdash_conf_place(cf);
        if (*place == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_flowdash_conf_tls_read(cf, cmd, pem, &value[1]);
}


static char *
ngx_http_flowdash_conf_tls_read(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_pem_t *pem, ngx_str_t *value)
{
    char             *rv;
    ngx_file_info_t   fi;

    pem->name = *value;

    if (ngx_conf_full_name(cf->cycle, &pem->name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (cmd->offset == offsetof(ngx_http_flowdash_loc_conf_t,
                                ssl_trusted_certificate))
    {
        rv = ngx_http_flowdash_conf_tls_trusted(cf, cmd, pem, value);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (ngx_http_flowdash_conf_read_file(cf, &pem->name, &pem->content)
        != NGX_OK)
    {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
                                                   "the file cannot be read");
    }

    if (cmd->offset == offsetof(ngx_http_flowdash_loc_conf_t,
                                ssl_certificate_key))
    {
        if (ngx_file_info(pem->name.data, &fi) != NGX_FILE_ERROR) {
            ngx_http_flowdash_conf_warn_readable(cf, cmd, &pem->name, &fi);
        }

    } else {
        ngx_http_flowdash_conf_tls_warn_expired(cf, cmd, pem, value);
    }

    return NGX_CONF_OK;
}


/*
 * Each certificate of a chain must be valid, but only one of the authorities:
 * a file of many may keep old ones.
 */

static void
ngx_http_flowdash_conf_tls_warn_expired(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_pem_t *pem, ngx_str_t *value)
{
    BIO         *bio;
    X509        *cert, *expired;
    ngx_uint_t   valid;

    bio = BIO_new_mem_buf(pem->content.data, (int) pem->content.len);

    expired = NULL;
    valid = 0;

    while (bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {

        if (X509_cmp_current_time(X509_get0_notAfter(cert)) >= 0) {
            valid = 1;

        } else if (expired == NULL) {
            expired = cert;
            continue;
        }

        X509_free(cert);
    }

    /* at the end of the file, OpenSSL has found no further certificate */

    ERR_clear_error();
    BIO_free(bio);

    if (expired
        && (!valid || cmd->offset == offsetof(ngx_http_flowdash_loc_conf_t,
                                              ssl_certificate)))
    {
        ngx_http_flowdash_conf_tls_warn_subject(cf, cmd, value, expired);
    }

    X509_free(expired);
}


static void
ngx_http_flowdash_conf_tls_warn_subject(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, X509 *cert)
{
    char    name[128];
    u_char  reason[256], *p;

    (void) X509_NAME_oneline(X509_get_subject_name(cert), name, sizeof(name));

    p = ngx_snprintf(reason, sizeof(reason) - 1,
                     "the certificate \"%s\" has expired", name);
    *p = '\0';

    ngx_http_flowdash_conf_warn(cf, cmd, value, (char *) reason);
}


/* returns NULL for authorities: nothing else must go with them */

static ngx_http_flowdash_place_t **
ngx_http_flowdash_conf_tls_place(ngx_http_flowdash_loc_conf_t *conf,
    ngx_command_t *cmd)
{
    if (cmd->offset == offsetof(ngx_http_flowdash_loc_conf_t,
                                ssl_certificate))
    {
        return &conf->places.certificate;
    }

    if (cmd->offset == offsetof(ngx_http_flowdash_loc_conf_t,
                                ssl_certificate_key))
    {
        return &conf->places.certificate_key;
    }

    return NULL;
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
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
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
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[i],
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
    ngx_str_t                   name;
    const char                 *directive;
    ngx_http_flowdash_place_t  *place;

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

    place = ngx_http_flowdash_conf_tls_where(conf, &directive, &name);

    if (conf->ssl_certificate.name.len == 0
        || conf->ssl_certificate_key.name.len == 0)
    {
        return ngx_http_flowdash_conf_report_refuse(cf, conf, place,
                    "\"flowdash_ssl_certificate\" and "
                    "\"flowdash_ssl_certificate_key\" must both be set on the "
                    "same level, but \"%s\" \"%V\" is "
                    "alone", directive, &name);
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
        return ngx_http_flowdash_conf_report_refuse(cf, conf, place,
                    "\"%s\" \"%V\" and "
                    "\"flowdash_ssl_certificate_key\" \"%V\" must be a pair "
                    "in PEM, the key without a password",
                    directive, &name, &conf->ssl_certificate_key.name);
    }

#endif

    return NGX_CONF_OK;
}


/* the certificate, or else the key */

static ngx_http_flowdash_place_t *
ngx_http_flowdash_conf_tls_where(ngx_http_flowdash_loc_conf_t *conf,
    const char **directive, ngx_str_t *name)
{
    if (conf->ssl_certificate.name.len) {
        *directive = "flowdash_ssl_certificate";
        *name = conf->ssl_certificate.name;
        return conf->places.certificate;
    }

    *directive = "flowdash_ssl_certificate_key";
    *name = conf->ssl_certificate_key.name;
    return conf->places.certificate_key;
}
