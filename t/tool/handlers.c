/*
 * A module of nginx with content handlers that other modules could have:
 *
 *     late_handler on    answers; set only when values are merged, after the
 *                        modules that were loaded before this one
 *     asks_first on      makes a subrequest to /ignoring, as a part of the
 *                        answer, and then redirects to /app
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct {
    ngx_flag_t  late;
    ngx_flag_t  asks;
} handlers_t;


static void *handlers_create(ngx_conf_t *cf);
static char *handlers_merge(ngx_conf_t *cf, void *parent, void *child);
static ngx_int_t handlers_late(ngx_http_request_t *r);
static ngx_int_t handlers_ask(ngx_http_request_t *r);
static ngx_int_t handlers_asked(ngx_http_request_t *r, void *data,
    ngx_int_t rc);
static void handlers_redirect(ngx_http_request_t *r);


static ngx_command_t  handlers_commands[] = {

    { ngx_string("late_handler"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(handlers_t, late),
      NULL },

    { ngx_string("asks_first"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(handlers_t, asks),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  handlers_ctx = {
    NULL, NULL, NULL, NULL, NULL, NULL,
    handlers_create,
    handlers_merge
};


ngx_module_t  handlers_module = {
    NGX_MODULE_V1,
    &handlers_ctx,
    handlers_commands,
    NGX_HTTP_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};


/* what nginx looks for in a file that it loads */

ngx_module_t  *ngx_modules[] = { &handlers_module, NULL };
char          *ngx_module_names[] = { "handlers_module", NULL };
char          *ngx_module_order[] = { NULL };


static void *
handlers_create(ngx_conf_t *cf)
{
    handlers_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(handlers_t));

    if (conf) {
        conf->late = NGX_CONF_UNSET;
        conf->asks = NGX_CONF_UNSET;
    }

    return conf;
}


static char *
handlers_merge(ngx_conf_t *cf, void *parent, void *child)
{
    handlers_t                *conf = child;
    ngx_http_core_loc_conf_t  *clcf;

    (void) parent;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->late == 1) {
        clcf->handler = handlers_late;
    }

    if (conf->asks == 1) {
        clcf->handler = handlers_ask;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
handlers_late(ngx_http_request_t *r)
{
    (void) r;

    return NGX_HTTP_NO_CONTENT;
}


static ngx_int_t
handlers_ask(ngx_http_request_t *r)
{
    ngx_http_request_t          *sr;
    ngx_http_post_subrequest_t  *ps;

    static ngx_str_t  uri = ngx_string("/ignoring");

    ps = ngx_pcalloc(r->pool, sizeof(ngx_http_post_subrequest_t));

    if (ps == NULL) {
        return NGX_ERROR;
    }

    ps->handler = handlers_asked;

    if (ngx_http_subrequest(r, &uri, NULL, &sr, ps, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    sr->header_only = 1;
    r->main->count++;

    return NGX_DONE;
}


static ngx_int_t
handlers_asked(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    (void) data;

    r->parent->write_event_handler = handlers_redirect;

    return rc;
}


static void
handlers_redirect(ngx_http_request_t *r)
{
    static ngx_str_t  uri = ngx_string("/app");

    (void) ngx_http_internal_redirect(r, &uri, NULL);
    ngx_http_finalize_request(r, NGX_DONE);
}
