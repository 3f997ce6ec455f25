
/*
 * flowdash_secret: a variable whose value is read from a file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_secret.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_secret.h>


static const char *ngx_http_flowdash_conf_secret_name(ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_conf_secret_read(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *file, ngx_str_t *content);
static const char *ngx_http_flowdash_conf_secret_check(ngx_str_t *content);
static char *ngx_http_flowdash_conf_secret_add(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf, ngx_str_t *name, ngx_str_t *content);


/* no message shows what may be the secret itself */

char *
ngx_http_flowdash_conf_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_main_conf_t *fmcf = conf;

    ngx_str_t   *value, name, file, content;
    const char  *error;

    value = cf->args->elts;
    name = value[1];

    error = ngx_http_flowdash_conf_secret_name(&name);

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid first parameter of \"%V\": %s",
                           &cmd->name, error);
        return NGX_CONF_ERROR;
    }

    name.data++;
    name.len--;

    if (value[2].len <= 5 || ngx_strncmp(value[2].data, "file:", 5) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid second parameter of \"%V\" \"$%V\": a "
                           "file with the secret is expected, such as "
                           "\"file:/path\"", &cmd->name, &name);
        return NGX_CONF_ERROR;
    }

    file.data = value[2].data + 5;
    file.len = value[2].len - 5;

    if (ngx_http_flowdash_conf_secret_read(cf, cmd, &file, &content)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_secret_add(cf, fmcf, &name, &content);
}


/* returns NULL, or what is wrong with it */

static const char *
ngx_http_flowdash_conf_secret_name(ngx_str_t *name)
{
    u_char  *last;

    last = name->data + name->len;

    if (name->len < 2 || name->data[0] != '$' || name->data[1] == '{'
        || (name->data[1] >= '0' && name->data[1] <= '9')
        || ngx_http_flowdash_text_variable_end(name->data, last) != last)
    {
        return "a variable is expected, such as \"$crm_token\"";
    }

    if (name->len > 9
        && ngx_strncasecmp(name->data + 1, (u_char *) "flowdash_", 9) == 0)
    {
        return "variables that begin with \"$flowdash_\" are the module's own";
    }

    return NULL;
}


/* makes "file" a full path; returns NGX_OK, or NGX_ERROR, which is logged */

static ngx_int_t
ngx_http_flowdash_conf_secret_read(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *file, ngx_str_t *content)
{
    const char  *error;

    if (ngx_http_flowdash_conf_read_private(cf, cmd, file, content)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* an editor ends the line, perhaps as on Windows */

    if (content->len && content->data[content->len - 1] == LF) {
        content->len--;

        if (content->len && content->data[content->len - 1] == CR) {
            content->len--;
        }
    }

    error = ngx_http_flowdash_conf_secret_check(content);

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "no secret in \"%V\": %s",
                           file, error);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static const char *
ngx_http_flowdash_conf_secret_check(ngx_str_t *content)
{
    if (content->len == 0) {
        return "the file is empty";
    }

    if (ngx_http_flowdash_text_find(content, NGX_HTTP_FLOWDASH_TEXT_LINE)) {
        return "the file has more than one line";
    }

    if (ngx_http_flowdash_text_find(content, NGX_HTTP_FLOWDASH_TEXT_CONTROL)) {
        return "the file has a control character";
    }

    if (content->data[0] == ' ' || content->data[content->len - 1] == ' ') {
        return "the line begins or ends with a space";
    }

    if (ngx_http_flowdash_text_check_utf8(content)
        || ngx_strncmp(content->data, "\xef\xbb\xbf", 3) == 0)
    {
        return "a text in UTF-8, without a byte order mark, is expected";
    }

    return NULL;
}


static char *
ngx_http_flowdash_conf_secret_add(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf, ngx_str_t *name, ngx_str_t *content)
{
    ngx_http_variable_t          *var;
    ngx_http_flowdash_secret_t   *secret, **slot;

    /* not changeable: nginx refuses a "set" or "map" of this name behind it */

    var = ngx_http_add_variable(cf, name, NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_CONF_ERROR;
    }

    if (var->get_handler || var->set_handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the variable \"$%V\" of \"flowdash_secret\" has "
                           "a value already", name);
        return NGX_CONF_ERROR;
    }

    if (fmcf->secrets == NULL) {
        fmcf->secrets = ngx_array_create(cf->pool, 4,
                                       sizeof(ngx_http_flowdash_secret_t *));
        if (fmcf->secrets == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    secret = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_secret_t));
    slot = ngx_array_push(fmcf->secrets);

    if (secret == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = secret;

    secret->name = *name;
    secret->value = *content;

    var->get_handler = ngx_http_flowdash_secret_variable;
    var->data = (uintptr_t) secret;

    return (ngx_http_get_variable_index(cf, name) == NGX_ERROR)
           ? NGX_CONF_ERROR : NGX_CONF_OK;
}
