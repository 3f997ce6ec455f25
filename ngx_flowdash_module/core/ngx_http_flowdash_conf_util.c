
/*
 * What directives have in common: refusing a value, compiling one, reading a
 * file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_conf_util.h>


#define NGX_HTTP_FLOWDASH_SECRET_MAX  4096


static ngx_uint_t ngx_http_flowdash_conf_is_space(u_char c);


ngx_int_t
ngx_http_flowdash_conf_value(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t *value)
{
    ngx_http_compile_complex_value_t  ccv;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = value;

    return ngx_http_compile_complex_value(&ccv);
}


ngx_http_complex_value_t *
ngx_http_flowdash_conf_create_value(ngx_conf_t *cf, ngx_str_t *text)
{
    ngx_http_complex_value_t  *value;

    value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));

    if (value == NULL
        || ngx_http_flowdash_conf_value(cf, text, value) != NGX_OK)
    {
        return NULL;
    }

    return value;
}


/*
 * nginx would print a returned string with the name of the directive that was
 * parsed last: after a block, that is one inside of it.
 */

char *
ngx_http_flowdash_conf_refuse(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid \"%V\" in \"%V\": %s",
                       value, &cmd->name, reason);

    return NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_step_refuse(ngx_conf_t *cf, ngx_str_t *step,
    const char *reason)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "\"flowdash_step\" \"%V\": %s",
                  step, reason);

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

    /* a device or a pipe may never end */

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
 * Files are read while nginx starts, as the user who starts it.  A worker may
 * lack the permission, and would have to wait for the disk.
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
