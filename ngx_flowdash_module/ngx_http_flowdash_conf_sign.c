
/*
 * flowdash_sign_key: the keys that sign calls.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_sign.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_sign.h>


static const char *ngx_http_flowdash_conf_sign_hint(ngx_str_t *value);
static ngx_int_t ngx_http_flowdash_conf_sign_add(ngx_conf_t *cf,
    ngx_array_t *keys, ngx_str_t *text, const char **error);
static ngx_int_t ngx_http_flowdash_conf_sign_file(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_array_t *keys, ngx_str_t *value,
    const char **error);


/*
 * Messages must not show a key: they name it by the number of the argument, or
 * by the path of its file.
 */

char *
ngx_http_flowdash_conf_sign(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_int_t      rc;
    ngx_str_t     *value;
    ngx_uint_t     i;
    const char    *error;
    ngx_array_t  **keys;

    keys = (ngx_array_t **) (p + cmd->offset);

    if (*keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        *keys = NULL;
        return NGX_CONF_OK;
    }

    *keys = ngx_array_create(cf->pool, cf->args->nelts - 1,
                             sizeof(ngx_http_flowdash_sign_key_t));
    if (*keys == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "file:", 5) == 0) {
            rc = ngx_http_flowdash_conf_sign_file(cf, cmd, *keys, &value[i],
                                                  &error);

        } else if (ngx_strcmp(value[i].data, "off") == 0) {
            error = "\"off\" must stand alone";
            rc = NGX_DECLINED;

        } else {
            rc = ngx_http_flowdash_conf_sign_add(cf, *keys, &value[i],
                                                 &error);
        }

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid argument %ui of \"%V\": %s%s",
                               i, &cmd->name, error,
                               ngx_http_flowdash_conf_sign_hint(&value[i]));
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* what is no key at all may be the path of its file */

static const char *
ngx_http_flowdash_conf_sign_hint(ngx_str_t *value)
{
    if (ngx_strncmp(value->data, "whsec_", 6) == 0
        || ngx_strncmp(value->data, "file:", 5) == 0
        || ngx_strcmp(value->data, "off") == 0)
    {
        return "";
    }

    return ngx_http_flowdash_conf_has_variable(value)
           ? "; variables are not allowed: name a file that contains the key, "
             "as \"file:/path\""
           : "; if it is the path of a file, write \"file:\" before it";
}


/*
 * Returns NGX_OK, NGX_DECLINED with "error" set, or NGX_ERROR if the error has
 * been logged.
 */

static ngx_int_t
ngx_http_flowdash_conf_sign_add(ngx_conf_t *cf, ngx_array_t *keys,
    ngx_str_t *text, const char **error)
{
    u_char     key[NGX_HTTP_FLOWDASH_SIGN_KEY_MAX];
    size_t     len;
    ngx_int_t  rc;

    rc = ngx_http_flowdash_sign_decode(text, key, &len, error);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_sign_add(keys, key, len, cf->pool);
    }

    ngx_explicit_memzero(key, sizeof(key));

    return rc;
}


/* Returns as ngx_http_flowdash_conf_sign_add(). */

static ngx_int_t
ngx_http_flowdash_conf_sign_file(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t *keys, ngx_str_t *value, const char **error)
{
    ngx_int_t  rc;
    ngx_str_t  name, content;

    name.data = value->data + 5;
    name.len = value->len - 5;

    if (name.len == 0 || ngx_strncmp(name.data, "whsec_", 6) == 0) {
        *error = "after \"file:\", the name of a file is expected";
        return NGX_DECLINED;
    }

    if (ngx_http_flowdash_conf_read_secret(cf, cmd, &name, &content)
        != NGX_OK)
    {
        *error = ngx_http_flowdash_conf_has_variable(value)
                 ? "variables are not allowed in the path of a file"
                 : "the file cannot be read";
        return NGX_DECLINED;
    }

    rc = ngx_http_flowdash_conf_sign_add(cf, keys, &content, error);

    ngx_explicit_memzero(content.data, content.len);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "no key in \"%V\": %s",
                           &name, *error);
        return NGX_ERROR;
    }

    return rc;
}
