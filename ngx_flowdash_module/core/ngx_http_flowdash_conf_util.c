
/*
 * What directives have in common: refusing a value, warning of one, compiling
 * one, reading a file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sys/statvfs.h>

#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_secret.h>
#include <ngx_http_flowdash_conf_util.h>


#define NGX_HTTP_FLOWDASH_SECRET_MAX  4096


static void ngx_http_flowdash_conf_warn_secret(ngx_conf_t *cf,
    ngx_str_t *text);
static u_char *ngx_http_flowdash_conf_where(ngx_conf_t *cf, u_char *buf,
    size_t size);
static ngx_uint_t ngx_http_flowdash_conf_is_exposed(char *name);
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

    ngx_http_flowdash_conf_warn_secret(cf, text);

    return ngx_http_compile_complex_value(&ccv);
}


/* cf->args are still those of the directive that is being read */

static void
ngx_http_flowdash_conf_warn_secret(ngx_conf_t *cf, ngx_str_t *text)
{
    u_char                          reason[NGX_MAX_CONF_ERRSTR];
    ngx_str_t                      *name;
    ngx_command_t                   cmd;
    ngx_http_flowdash_secret_t     *secret;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    secret = ngx_http_flowdash_secret_in(fmcf->secrets, text);
    name = cf->args->elts;

    if (secret == NULL
        || ngx_http_flowdash_text_is(name, "flowdash_set_header")
        || ngx_http_flowdash_text_is(name, "flowdash_set_body")
        || ngx_http_flowdash_text_is(name, "flowdash_call"))
    {
        return;
    }

    *ngx_snprintf(reason, sizeof(reason) - 1,
                  "the secret \"$%V\" is empty here: only "
                  "\"flowdash_set_header\", \"flowdash_set_body\" and "
                  "\"flowdash_call\" can send it",
                  &secret->name)
        = '\0';

    cmd.name = *name;

    ngx_http_flowdash_conf_warn(cf, &cmd, text, (char *) reason);
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


ngx_http_flowdash_place_t *
ngx_http_flowdash_conf_place(ngx_conf_t *cf)
{
    ngx_http_flowdash_place_t  *place;

    place = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_place_t));

    if (place) {
        place->file = cf->conf_file->file.name;
        place->line = cf->conf_file->line;
    }

    return place;
}


/*
 * nginx would print a returned string with the name of the directive that was
 * parsed last: after a block, that is one inside of it.
 */

char *
ngx_http_flowdash_conf_refuse(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason)
{
    u_char  *last;
    u_char   where[NGX_MAX_CONF_ERRSTR];

    last = ngx_http_flowdash_conf_where(cf, where, sizeof(where));

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid \"%V\" in \"%V\": %s%*s",
                       value, &cmd->name, reason, last - where, where);

    return NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_refuse_literal(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason)
{
    u_char  *p, text[NGX_MAX_CONF_ERRSTR];

    p = ngx_slprintf(text, text + sizeof(text) - 1, "%s", reason);

    if (ngx_http_flowdash_conf_has_variable(value)) {
        p = ngx_slprintf(p, text + sizeof(text) - 1,
                         "; variables are not allowed");
    }

    if (value->len && value->data[value->len - 1] == ',') {
        p = ngx_slprintf(p, text + sizeof(text) - 1,
                         "; values are separated by spaces, not by commas");
    }

    *p = '\0';

    return ngx_http_flowdash_conf_refuse(cf, cmd, value, (char *) text);
}


void
ngx_http_flowdash_conf_warn(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason)
{
    u_char  *last;
    u_char   where[NGX_MAX_CONF_ERRSTR];

    last = ngx_http_flowdash_conf_where(cf, where, sizeof(where));

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "\"%V\" in \"%V\": %s%*s",
                       value, &cmd->name, reason, last - where, where);
}


/*
 * Writes in which step and action the directive is that is being read, as far
 * as it is known: an action may get its name after its steps.
 */

static u_char *
ngx_http_flowdash_conf_where(ngx_conf_t *cf, u_char *buf, size_t size)
{
    ngx_http_complex_value_t      *action;
    ngx_http_flowdash_loc_conf_t  *flcf;

    static const char  *kinds[] = { "step", "undo of step", "after-step" };

    flcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_flowdash_module);

    action = (flcf->action == NGX_CONF_UNSET_PTR) ? NULL : flcf->action;

    if (flcf->step == NULL) {
        return action ? ngx_snprintf(buf, size, " (action \"%V\")",
                                     &action->value)
                      : buf;
    }

    action = flcf->step->action;

    return action ? ngx_snprintf(buf, size, " (%s \"%V\", action \"%V\")",
                                 kinds[flcf->step->kind], &flcf->step->name,
                                 &action->value)
                  : ngx_snprintf(buf, size, " (%s \"%V\")",
                                 kinds[flcf->step->kind], &flcf->step->name);
}


ngx_uint_t
ngx_http_flowdash_conf_has_variable(ngx_str_t *text)
{
    u_char  *p, *last;

    last = text->data + text->len;

    for (p = text->data; p < last; p++) {
        if (*p == '$'
            && ngx_http_flowdash_text_variable_end(p, last) > p + 1)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_flowdash_conf_read_private(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name, ngx_str_t *content)
{
    ngx_file_info_t  fi;

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
                           "no secret in \"%V\": a file of up to 4k is "
                           "expected", name);
        return NGX_ERROR;
    }

    ngx_http_flowdash_conf_warn_readable(cf, cmd, name, &fi);

    return ngx_http_flowdash_conf_read_file(cf, name, content);
}


ngx_int_t
ngx_http_flowdash_conf_read_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name, ngx_str_t *content)
{
    u_char  *p;

    if (ngx_http_flowdash_conf_read_private(cf, cmd, name, content)
        != NGX_OK)
    {
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


void
ngx_http_flowdash_conf_warn_readable(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name, ngx_file_info_t *fi)
{
    u_char  reason[NGX_MAX_CONF_ERRSTR];

    if ((ngx_file_access(fi) & S_IROTH)
        && ngx_http_flowdash_conf_is_exposed((char *) name->data))
    {
        *ngx_snprintf(reason, sizeof(reason) - 1,
                      "all users can read the secret; \"chmod o-r %V\" "
                      "prevents this", name)
            = '\0';

        ngx_http_flowdash_conf_warn(cf, cmd, name, (char *) reason);
    }
}


/*
 * Whether other users get to a file, and somebody can change that.  Containers
 * find their secrets in read-only mounts, which have a mode of their own, and
 * often in /run/secrets.
 */

static ngx_uint_t
ngx_http_flowdash_conf_is_exposed(char *name)
{
    char            *path, *p;
    ngx_uint_t       exposed;
    struct stat      dir;
    struct statvfs   mount;

    path = realpath(name, NULL);

    if (path == NULL) {
        return 1;
    }

    exposed = strncmp(path, "/run/secrets/", 13) != 0
              && (statvfs(path, &mount) == -1 || !(mount.f_flag & ST_RDONLY));

    while (exposed && path[1] != '\0') {

        p = strrchr(path, '/');
        p[p == path] = '\0';

        exposed = stat(path, &dir) == -1 || (dir.st_mode & S_IXOTH);
    }

    free(path);

    return exposed;
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
