
/*
 * flowdash_outbox: the directory for the records of whole actions.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_outbox.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_private.h>
#include <ngx_http_flowdash_conf_outbox.h>


#define NGX_HTTP_FLOWDASH_OUTBOX_MIN_SIZE  (1024 * 1024)
#define NGX_HTTP_FLOWDASH_OUTBOX_MIN_KEY   16
#define NGX_HTTP_FLOWDASH_OUTBOX_AGE       (3 * 24 * 60 * 60)


static ngx_int_t ngx_http_flowdash_conf_outbox_path(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_outbox_conf_t *outbox);
static const char *ngx_http_flowdash_conf_outbox_usable(ngx_conf_t *cf,
    ngx_str_t *path);
static const char *ngx_http_flowdash_conf_outbox_foreign(ngx_conf_t *cf,
    ngx_str_t *path);
static ngx_uint_t ngx_http_flowdash_conf_outbox_own(u_char *name);
static ngx_int_t ngx_http_flowdash_conf_outbox_option(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_outbox_conf_t *outbox,
    ngx_str_t *value);
static ngx_int_t ngx_http_flowdash_conf_outbox_fsync(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_outbox_conf_t *outbox,
    ngx_str_t *value);
static ngx_int_t ngx_http_flowdash_conf_outbox_key(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_outbox_conf_t *outbox,
    ngx_str_t *value);


char *
ngx_http_flowdash_conf_outbox(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_main_conf_t *fmcf = conf;

    ngx_str_t                        *value;
    ngx_uint_t                        i;
    ngx_http_flowdash_outbox_conf_t  *outbox;

    if (fmcf->outbox) {
        return "is duplicate";
    }

    outbox = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_outbox_conf_t));
    if (outbox == NULL) {
        return NGX_CONF_ERROR;
    }

    outbox->fsync = NGX_CONF_UNSET;
    outbox->max_age = NGX_CONF_UNSET;

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_flowdash_conf_outbox_option(cf, cmd, outbox, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_flowdash_conf_outbox_path(cf, cmd, outbox) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_value(outbox->max_age, NGX_HTTP_FLOWDASH_OUTBOX_AGE);

#if (NGX_THREADS)

    ngx_conf_init_value(outbox->fsync, 1);

    if (outbox->fsync) {
        outbox->threads = ngx_thread_pool_add(cf, NULL);
        if (outbox->threads == NULL) {
            return NGX_CONF_ERROR;
        }
    }

#else

    ngx_conf_init_value(outbox->fsync, 0);

#endif

    if (outbox->key.len == 0) {
        ngx_http_flowdash_conf_warn(cf, cmd, &value[1],
                        "there is no \"key=\": whatever runs as the workers' "
                        "user can forge a record, by which nginx makes calls "
                        "to the configured endpoints, with their secrets, as "
                        "undos and after-steps that never were");
    }

    fmcf->outbox = outbox;

    return NGX_CONF_OK;
}


/* the master creates the directory, as it does for proxy_temp_path */

static ngx_int_t
ngx_http_flowdash_conf_outbox_path(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_outbox_conf_t *outbox)
{
    ngx_str_t   *value;
    ngx_path_t  *path;
    const char  *error;

    value = cf->args->elts;
    value = &value[1];

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_ERROR;
    }

    path->name = *value;

    while (path->name.len > 1 && path->name.data[path->name.len - 1] == '/') {
        path->name.len--;
    }

    if (path->name.len == 0
        || ngx_http_flowdash_conf_has_variable(value)
        || ngx_strchr(value->data, '=') != NULL)
    {
        (void) ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
                      "the path of a directory is expected, such as "
                      "\"/var/lib/nginx/outbox\"");
        return NGX_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, &path->name, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    path->name.data[path->name.len] = '\0';

    error = ngx_http_flowdash_conf_outbox_usable(cf, &path->name);

    if (error) {
        (void) ngx_http_flowdash_conf_refuse(cf, cmd, value, error);
        return NGX_ERROR;
    }

    path->data = outbox;
    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;

    /* its data differs from that of other paths: none can be the same one */

    if (ngx_add_path(cf, &path) != NGX_OK) {
        return NGX_ERROR;
    }

    outbox->path = path->name;

    return NGX_OK;
}


/*
 * Returns what is wrong with a directory, or NULL.  Afterwards, the master
 * gives it to the workers' user, whatever is in it.
 */

static const char *
ngx_http_flowdash_conf_outbox_usable(ngx_conf_t *cf, ngx_str_t *path)
{
    ngx_err_t        err;
    ngx_file_info_t  fi;

    if (path->len > NGX_HTTP_FLOWDASH_OUTBOX_PATH_MAX) {
        return "the path is too long";
    }

    if (ngx_file_info(path->data, &fi) == NGX_FILE_ERROR) {
        err = ngx_errno;

        if (err == NGX_ENOENT) {
            return NULL;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                           ngx_file_info_n " \"%V\" failed", path);
        return "the directory cannot be used";
    }

    if (!ngx_is_dir(&fi)) {
        return "it is not a directory";
    }

    if (fi.st_mode & S_IWOTH) {
        return "all users can write to this directory; name one of its own, "
               "which nginx creates";
    }

    if (geteuid() != 0 && access((const char *) path->data, R_OK|W_OK|X_OK)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "access() to \"%V\" failed", path);
        return "nginx cannot write to the directory";
    }

    return ngx_http_flowdash_conf_outbox_foreign(cf, path);
}


static const char *
ngx_http_flowdash_conf_outbox_foreign(ngx_conf_t *cf, ngx_str_t *path)
{
    u_char      *name;
    ngx_dir_t    dir;
    ngx_uint_t   own;

    if (ngx_open_dir(path, &dir) == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_dir_n " \"%V\" failed", path);
        return "the directory cannot be used";
    }

    own = 1;

    while (own && ngx_read_dir(&dir) == NGX_OK) {
        name = ngx_de_name(&dir);
        own = ngx_http_flowdash_conf_outbox_own(name);

        if (!own) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V/%s\" is not a part of an outbox",
                               path, name);
        }
    }

    (void) ngx_close_dir(&dir);

    return own ? NULL
               : "the directory has other files; name one of its own, which "
                 "nginx creates";
}


static ngx_uint_t
ngx_http_flowdash_conf_outbox_own(u_char *name)
{
    const char  **own;

    static const char  *names[] = {
        ".", "..", "waiting", "undo", "after", "unknown", "dead", "scan.lock",
        "lost+found", NULL
    };

    for (own = names; *own; own++) {
        if (ngx_strcmp(name, *own) == 0) {
            return 1;
        }
    }

    return ngx_strncmp(name, "worker-", sizeof("worker-") - 1) == 0
           || ngx_strncmp(name, "new-", sizeof("new-") - 1) == 0;
}


static ngx_int_t
ngx_http_flowdash_conf_outbox_option(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_outbox_conf_t *outbox, ngx_str_t *value)
{
    ngx_str_t    s;
    const char  *error;

    if (ngx_strncmp(value->data, "key=", 4) == 0) {
        return ngx_http_flowdash_conf_outbox_key(cf, cmd, outbox, value);
    }

    if (ngx_strncmp(value->data, "fsync=", 6) == 0) {
        return ngx_http_flowdash_conf_outbox_fsync(cf, cmd, outbox, value);
    }

    if (ngx_strncmp(value->data, "max_size=", 9) == 0) {

        s.data = value->data + 9;
        s.len = value->len - 9;

        if (outbox->max_size) {
            error = "it is given twice";
            goto refused;
        }

        outbox->max_size = ngx_parse_offset(&s);

        if (outbox->max_size < NGX_HTTP_FLOWDASH_OUTBOX_MIN_SIZE) {
            error = "a size of at least 1m is expected, such as 1g";
            goto refused;
        }

        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "max_age=", 8) == 0) {

        s.data = value->data + 8;
        s.len = value->len - 8;

        if (outbox->max_age != NGX_CONF_UNSET) {
            error = "it is given twice";
            goto refused;
        }

        outbox->max_age = ngx_parse_time(&s, 1);

        if (outbox->max_age == (time_t) NGX_ERROR || outbox->max_age == 0) {
            error = "a time over 0 is expected, such as 12h or 3d";
            goto refused;
        }

        return NGX_OK;
    }

    error = "after the path, \"key=\", \"fsync=\", \"max_size=\" and "
            "\"max_age=\" are allowed";

refused:

    (void) ngx_http_flowdash_conf_refuse_literal(cf, cmd, value, error);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_flowdash_conf_outbox_fsync(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_outbox_conf_t *outbox, ngx_str_t *value)
{
    const char  *error;

    if (outbox->fsync != NGX_CONF_UNSET) {
        error = "it is given twice";

    } else if (ngx_strcmp(value->data, "fsync=off") == 0) {
        outbox->fsync = 0;
        return NGX_OK;

    } else if (ngx_strcmp(value->data, "fsync=on") == 0) {

#if (NGX_THREADS)
        outbox->fsync = 1;
        return NGX_OK;
#else
        error = "this nginx is built without \"--with-threads\", which it "
                "needs";
#endif

    } else {
        error = "\"on\" or \"off\" is expected";
    }

    (void) ngx_http_flowdash_conf_refuse_literal(cf, cmd, value, error);

    return NGX_ERROR;
}


/* no message shows what may be the key itself */

static ngx_int_t
ngx_http_flowdash_conf_outbox_key(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_outbox_conf_t *outbox, ngx_str_t *value)
{
    ngx_str_t  file;

    if (outbox->key.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"key=\" of \"%V\" is given twice", &cmd->name);
        return NGX_ERROR;
    }

    if (value->len <= 9 || ngx_strncmp(value->data, "key=file:", 9) != 0
        || ngx_http_flowdash_conf_has_variable(value))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"key=\" of \"%V\": a file with the key "
                           "is expected, such as \"key=file:/path\"%s",
                           &cmd->name,
                           ngx_http_flowdash_conf_has_variable(value)
                           ? "; variables are not allowed" : "");
        return NGX_ERROR;
    }

    file.data = value->data + 9;
    file.len = value->len - 9;

    if (ngx_http_flowdash_conf_read_secret(cf, cmd, &file, &outbox->key)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (outbox->key.len < NGX_HTTP_FLOWDASH_OUTBOX_MIN_KEY) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no key in \"%V\": at least %d characters are "
                           "expected, such as those that \"openssl rand "
                           "-base64 32\" prints", &file,
                           NGX_HTTP_FLOWDASH_OUTBOX_MIN_KEY);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A response waits for its record by a bit of r->buffered that nginx's image
 * filter has as well.
 */

ngx_int_t
ngx_http_flowdash_conf_outbox_init(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_loc_conf_t  **action;

    if (fmcf->whole && fmcf->outbox == NULL) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "there is no \"flowdash_outbox\": undos and after-steps "
                      "are lost when nginx or a worker ends, used in %V:%ui",
                      &fmcf->whole_place->file, fmcf->whole_place->line);
        return NGX_OK;
    }

    if (fmcf->outbox == NULL || !fmcf->outbox->fsync) {
        return NGX_OK;
    }

    action = fmcf->actions.elts;

    for (i = 0; i < fmcf->actions.nelts; i++) {

        if (action[i]->whole
            && ngx_http_flowdash_conf_private_image(cf, action[i]->loc_conf))
        {
            (void) ngx_http_flowdash_conf_report_refuse(cf, action[i],
                        action[i]->places.action,
                        "\"image_filter\" cannot be used with undos or "
                        "after-steps and \"fsync=on\" of \"flowdash_outbox\"");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
