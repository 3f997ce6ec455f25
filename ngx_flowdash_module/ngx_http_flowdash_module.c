
/*
 * The table of directives, their defaults and inheritance, and what happens
 * when nginx, or a worker, starts.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_egress.h>
#include <ngx_flowdash_curl.h>
#include <ngx_http_flowdash_zone.h>
#include <ngx_http_flowdash_variables.h>
#include <ngx_http_flowdash_status.h>
#include <ngx_http_flowdash_subrequest.h>
#include <ngx_http_flowdash_end.h>
#include <ngx_http_flowdash_action.h>
#include <ngx_http_flowdash_conf.h>
#include <ngx_http_flowdash_conf_request.h>
#include <ngx_http_flowdash_conf_task.h>
#include <ngx_http_flowdash_conf_condition.h>
#include <ngx_http_flowdash_conf_step.h>
#include <ngx_http_flowdash_conf_call.h>
#include <ngx_http_flowdash_conf_proxy.h>
#include <ngx_http_flowdash_conf_tls.h>
#include <ngx_http_flowdash_conf_warn.h>
#include <ngx_http_flowdash_conf_sign.h>
#include <ngx_http_flowdash_named.h>


static ngx_int_t ngx_http_flowdash_add_variables(ngx_conf_t *cf);
static void *ngx_http_flowdash_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_flowdash_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_flowdash_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_flowdash_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void ngx_http_flowdash_merge_places(ngx_http_flowdash_loc_conf_t *prev,
    ngx_http_flowdash_loc_conf_t *conf);
static void ngx_http_flowdash_merge_call(ngx_http_flowdash_loc_conf_t *prev,
    ngx_http_flowdash_loc_conf_t *conf);
static void ngx_http_flowdash_merge_upstreams(ngx_conf_t *cf);
static ngx_array_t *ngx_http_flowdash_default_pointer(ngx_conf_t *cf);
static ngx_int_t ngx_http_flowdash_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_flowdash_init_body_variables(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf);
static void ngx_http_flowdash_init_task_variables(
    ngx_http_flowdash_main_conf_t *fmcf, ngx_http_core_main_conf_t *cmcf);
static ngx_int_t ngx_http_flowdash_init_process(ngx_cycle_t *cycle);
static void ngx_http_flowdash_exit_process(ngx_cycle_t *cycle);


/* nobody: what a client says of itself is not verified */

static ngx_array_t  ngx_http_flowdash_default_user = {
    NULL, 0, sizeof(ngx_http_flowdash_param_t), 0, NULL
};


static ngx_str_t  ngx_http_flowdash_default_method_names[] = {
    ngx_string("POST"),
    ngx_string("PUT"),
    ngx_string("PATCH")
};


static ngx_array_t  ngx_http_flowdash_default_methods = {
    ngx_http_flowdash_default_method_names, 3, sizeof(ngx_str_t), 3, NULL
};


static ngx_conf_bitmask_t  ngx_http_flowdash_ssl_protocols[] = {
    { ngx_string("TLSv1"), NGX_HTTP_FLOWDASH_TLSV1 },
    { ngx_string("TLSv1.1"), NGX_HTTP_FLOWDASH_TLSV1_1 },
    { ngx_string("TLSv1.2"), NGX_HTTP_FLOWDASH_TLSV1_2 },
    { ngx_string("TLSv1.3"), NGX_HTTP_FLOWDASH_TLSV1_3 },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_flowdash_commands[] = {

    { ngx_string("flowdash_action"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_action,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_methods"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_methods,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_guard"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_flowdash_conf_guard,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, guard),
      NULL },

    { ngx_string("flowdash_types"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_types,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_strict"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_strict,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_user"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_flowdash_conf_user,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_task"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_flowdash_conf_task,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_task_from"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_flowdash_conf_task_from,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_set"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_flowdash_conf_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_set_json"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_flowdash_conf_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_max_fields_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, max_fields_size),
      NULL },

    { ngx_string("flowdash_max_fields"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_max_fields,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_decode"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, decode),
      NULL },

    { ngx_string("flowdash_dry_run"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_dry_run,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_step"),
      NGX_HTTP_LOC_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_step,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_if"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_if,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_optional"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_flowdash_conf_optional,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_call"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_call,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_set_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_flowdash_conf_set_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_accept"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_accept,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_require_json"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, require_json),
      NULL },

    { ngx_string("flowdash_connect_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_time,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, connect_timeout),
      NULL },

    { ngx_string("flowdash_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_time,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, timeout),
      NULL },

    { ngx_string("flowdash_deadline"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_time,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, deadline),
      NULL },

    { ngx_string("flowdash_max_response_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, max_response_size),
      NULL },

    { ngx_string("flowdash_error_detail"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, error_detail),
      NULL },

    { ngx_string("flowdash_pass_status"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_pass_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_languages"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_languages,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_retry"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_retry,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_resend"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, resend),
      NULL },

    { ngx_string("flowdash_sign_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_sign,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, sign_keys),
      NULL },

    { ngx_string("flowdash_allow"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_egress_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, rules),
      NULL },

    { ngx_string("flowdash_deny"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_egress_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, rules),
      NULL },

    { ngx_string("flowdash_proxy"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_flowdash_conf_proxy,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_http_version"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_http_version,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_keepalive"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_flowdash_main_conf_t, keepalive),
      NULL },

    { ngx_string("flowdash_keepalive_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_flowdash_main_conf_t, keepalive_timeout),
      NULL },

    { ngx_string("flowdash_keepalive_time"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_flowdash_main_conf_t, keepalive_time),
      NULL },

    { ngx_string("flowdash_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_zone_conf,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_status_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_ssl_verify"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_verify),
      NULL },

    { ngx_string("flowdash_ssl_protocols"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_conf_set_bitmask_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_protocols),
      &ngx_http_flowdash_ssl_protocols },

    { ngx_string("flowdash_ssl_trusted_certificate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_tls_certificate,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_trusted_certificate),
      NULL },

    { ngx_string("flowdash_ssl_certificate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_tls_certificate,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_certificate),
      NULL },

    { ngx_string("flowdash_ssl_certificate_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_tls_certificate,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_certificate_key),
      NULL },

    { ngx_string("flowdash_ssl_pinned_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_tls_pinned_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_flowdash_module_ctx = {
    ngx_http_flowdash_add_variables,       /* preconfiguration */
    ngx_http_flowdash_init,                /* postconfiguration */

    ngx_http_flowdash_create_main_conf,    /* create main configuration */
    ngx_http_flowdash_init_main_conf,      /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_flowdash_create_loc_conf,     /* create location configuration */
    ngx_http_flowdash_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_flowdash_module = {
    NGX_MODULE_V1,
    &ngx_http_flowdash_module_ctx,         /* module context */
    ngx_http_flowdash_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_flowdash_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_flowdash_exit_process,        /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_flowdash_add_variables(ngx_conf_t *cf)
{
    if (ngx_http_flowdash_variables_add(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_named_add(cf);
}


static void *
ngx_http_flowdash_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_main_conf_t));
    if (fmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&fmcf->body_variables, cf->pool, 8, sizeof(ngx_int_t))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&fmcf->actions, cf->pool, 8,
                       sizeof(ngx_http_flowdash_loc_conf_t *))
        != NGX_OK)
    {
        return NULL;
    }

    fmcf->keepalive = NGX_CONF_UNSET;
    fmcf->keepalive_timeout = NGX_CONF_UNSET;
    fmcf->keepalive_time = NGX_CONF_UNSET;

    return fmcf;
}


static char *
ngx_http_flowdash_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_flowdash_main_conf_t *fmcf = conf;

    ngx_conf_init_value(fmcf->keepalive, 32);
    ngx_conf_init_value(fmcf->keepalive_timeout, 60);
    ngx_conf_init_value(fmcf->keepalive_time, 3600);

    return NGX_CONF_OK;
}


static void *
ngx_http_flowdash_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_flowdash_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->own_steps = 0;
     *     conf->places = { NULL };
     *     conf->step = NULL;
     *     conf->url = NULL;
     *     conf->handles = NULL;
     *     conf->no_app = NULL;
     *     conf->ssl_protocols = 0;
     *     conf->ssl_trusted_certificate = { { 0, NULL }, { 0, NULL } };
     *     conf->ssl_certificate = { { 0, NULL }, { 0, NULL } };
     *     conf->ssl_certificate_key = { { 0, NULL }, { 0, NULL } };
     *     conf->ssl_pinned_key = { 0, NULL };
     */

    conf->guard = NGX_CONF_UNSET;
    conf->action = NGX_CONF_UNSET_PTR;
    conf->methods = NGX_CONF_UNSET_PTR;
    conf->types = NGX_CONF_UNSET_PTR;
    conf->strict = NGX_CONF_UNSET_UINT;
    conf->user = NGX_CONF_UNSET_PTR;
    conf->pointer = NGX_CONF_UNSET_PTR;
    conf->task_from = NGX_CONF_UNSET_PTR;
    conf->set = NGX_CONF_UNSET_PTR;
    conf->max_fields_size = NGX_CONF_UNSET_SIZE;
    conf->max_fields = NGX_CONF_UNSET_UINT;
    conf->decode = NGX_CONF_UNSET;
    conf->dry_run = NGX_CONF_UNSET_PTR;
    conf->steps = NGX_CONF_UNSET_PTR;
    conf->headers = NGX_CONF_UNSET_PTR;
    conf->accept = NGX_CONF_UNSET_PTR;
    conf->require_json = NGX_CONF_UNSET;
    conf->connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->timeout = NGX_CONF_UNSET_MSEC;
    conf->deadline = NGX_CONF_UNSET_MSEC;
    conf->max_response_size = NGX_CONF_UNSET_SIZE;
    conf->error_detail = NGX_CONF_UNSET;
    conf->pass_status = NGX_CONF_UNSET_PTR;
    conf->languages = NGX_CONF_UNSET_PTR;
    conf->retry = NGX_CONF_UNSET_PTR;
    conf->resend = NGX_CONF_UNSET;
    conf->sign_keys = NGX_CONF_UNSET_PTR;
    conf->rules = NGX_CONF_UNSET_PTR;
    conf->proxy = NGX_CONF_UNSET_PTR;
    conf->http_version = NGX_CONF_UNSET_UINT;
    conf->ssl_verify = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_flowdash_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_flowdash_loc_conf_t *prev = parent;
    ngx_http_flowdash_loc_conf_t *conf = child;

    if (prev->pointer == NGX_CONF_UNSET_PTR) {

        /* the http level: all locations that set none share the default */

        prev->pointer = ngx_http_flowdash_default_pointer(cf);
        if (prev->pointer == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_str_set(&prev->pointer_text, "/task");
    }

    if (conf->pointer == NGX_CONF_UNSET_PTR) {
        conf->pointer = prev->pointer;
        conf->pointer_text = prev->pointer_text;
        conf->task_required = prev->task_required;
    }

    if (conf->step == NULL) {

        /* "if" in a step */

        conf->step = prev->step;
    }

    ngx_conf_merge_value(conf->guard, prev->guard, 0);
    ngx_conf_merge_ptr_value(conf->action, prev->action, NULL);
    ngx_conf_merge_ptr_value(conf->methods, prev->methods,
                             &ngx_http_flowdash_default_methods);
    ngx_conf_merge_ptr_value(conf->types, prev->types, NULL);
    ngx_conf_merge_uint_value(conf->strict, prev->strict,
                              NGX_HTTP_FLOWDASH_STRICT_ALL);
    ngx_conf_merge_ptr_value(conf->user, prev->user,
                             &ngx_http_flowdash_default_user);
    ngx_conf_merge_ptr_value(conf->task_from, prev->task_from, NULL);
    ngx_conf_merge_ptr_value(conf->set, prev->set, NULL);
    ngx_conf_merge_size_value(conf->max_fields_size, prev->max_fields_size,
                              1024 * 1024);
    ngx_conf_merge_uint_value(conf->max_fields, prev->max_fields, 1000);
    ngx_conf_merge_value(conf->decode, prev->decode, 0);
    ngx_conf_merge_ptr_value(conf->dry_run, prev->dry_run, NULL);
    ngx_conf_merge_ptr_value(conf->steps, prev->steps, NULL);
    ngx_conf_merge_ptr_value(conf->headers, prev->headers, NULL);
    ngx_conf_merge_ptr_value(conf->accept, prev->accept, NULL);
    ngx_conf_merge_value(conf->require_json, prev->require_json, 0);

    ngx_http_flowdash_merge_places(prev, conf);

    ngx_conf_merge_msec_value(conf->connect_timeout,
                              prev->connect_timeout, 5000);
    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 15000);
    ngx_conf_merge_msec_value(conf->deadline, prev->deadline, 60000);
    ngx_conf_merge_size_value(conf->max_response_size,
                              prev->max_response_size, 64 * 1024);
    ngx_conf_merge_value(conf->error_detail, prev->error_detail, 0);
    ngx_conf_merge_ptr_value(conf->pass_status, prev->pass_status, NULL);
    ngx_conf_merge_ptr_value(conf->languages, prev->languages, NULL);

    if (conf->format == NULL) {

        /* "if" keeps the content handler */

        conf->format = prev->format;
    }

    ngx_http_flowdash_merge_call(prev, conf);
    ngx_http_flowdash_merge_upstreams(cf);

    if (ngx_http_flowdash_named_merge(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_step_merged(cf, conf);
}


/*
 * Of times that are compared, before they are merged.  One that is set further
 * out than its limit is meant for all that have none: no warning, no place.
 * The places of a certificate and its key are inherited with these.
 */

static void
ngx_http_flowdash_merge_places(ngx_http_flowdash_loc_conf_t *prev,
    ngx_http_flowdash_loc_conf_t *conf)
{
    if (conf->places.timeout == NULL && conf->deadline == NGX_CONF_UNSET_MSEC)
    {
        conf->places.timeout = prev->places.timeout;
    }

    if (conf->timeout != NGX_CONF_UNSET_MSEC) {
        return;
    }

    if (conf->places.connect_timeout == NULL) {
        conf->places.connect_timeout = prev->places.connect_timeout;
    }

    if (conf->places.retry == NULL) {
        conf->places.retry = prev->places.retry;
    }
}


static void
ngx_http_flowdash_merge_call(ngx_http_flowdash_loc_conf_t *prev,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_conf_merge_ptr_value(conf->retry, prev->retry, NULL);
    ngx_conf_merge_value(conf->resend, prev->resend, 1);
    ngx_conf_merge_ptr_value(conf->sign_keys, prev->sign_keys, NULL);
    ngx_conf_merge_ptr_value(conf->rules, prev->rules, NULL);
    ngx_conf_merge_ptr_value(conf->proxy, prev->proxy, NULL);
    ngx_conf_merge_uint_value(conf->http_version, prev->http_version,
                              CURL_HTTP_VERSION_1_1);

    ngx_conf_merge_value(conf->ssl_verify, prev->ssl_verify, 1);
    ngx_conf_merge_bitmask_value(conf->ssl_protocols, prev->ssl_protocols,
                                 (NGX_CONF_BITMASK_SET
                                  |NGX_HTTP_FLOWDASH_TLSV1_2
                                  |NGX_HTTP_FLOWDASH_TLSV1_3));

    if (conf->ssl_trusted_certificate.name.data == NULL) {
        conf->ssl_trusted_certificate = prev->ssl_trusted_certificate;
    }

    if (conf->ssl_certificate.name.data == NULL
        && conf->ssl_certificate_key.name.data == NULL)
    {
        conf->ssl_certificate = prev->ssl_certificate;
        conf->ssl_certificate_key = prev->ssl_certificate_key;

        conf->places.certificate = prev->places.certificate;
        conf->places.certificate_key = prev->places.certificate_key;
    }

    ngx_conf_merge_str_value(conf->ssl_pinned_key, prev->ssl_pinned_key, "");
}


/*
 * Notices that a location repeats requests such as POST.  nginx's own modules
 * come before this one, so their values are already merged, and their
 * configurations start with that of the upstream.
 */

static void
ngx_http_flowdash_merge_upstreams(ngx_conf_t *cf)
{
    ngx_str_t                      *name;
    ngx_uint_t                      i;
    ngx_module_t                   *module;
    ngx_http_conf_ctx_t            *ctx;
    ngx_http_upstream_conf_t       *ucf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    static ngx_str_t  names[] = {
        ngx_string("ngx_http_proxy_module"),
        ngx_string("ngx_http_fastcgi_module"),
        ngx_string("ngx_http_uwsgi_module"),
        ngx_string("ngx_http_scgi_module"),
        ngx_string("ngx_http_grpc_module"),
        ngx_null_string
    };

    ctx = cf->ctx;
    fmcf = ctx->main_conf[ngx_http_flowdash_module.ctx_index];

    for (i = 0; cf->cycle->modules[i]; i++) {

        module = cf->cycle->modules[i];

        if (module->type != NGX_HTTP_MODULE) {
            continue;
        }

        for (name = names; name->len; name++) {

            if (ngx_strcmp(module->name, name->data) != 0) {
                continue;
            }

            ucf = ctx->loc_conf[module->ctx_index];

            if (ucf->next_upstream & NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT) {
                fmcf->non_idempotent = 1;
            }
        }
    }
}


static ngx_array_t *
ngx_http_flowdash_default_pointer(ngx_conf_t *cf)
{
    ngx_str_t    *token;
    ngx_array_t  *pointer;

    pointer = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
    if (pointer == NULL) {
        return NULL;
    }

    token = ngx_array_push(pointer);
    if (token == NULL) {
        return NULL;
    }

    ngx_str_set(token, "task");

    return pointer;
}


static ngx_int_t
ngx_http_flowdash_init(ngx_conf_t *cf)
{
    ngx_str_t                       request_id, request_method;
    ngx_http_handler_pt            *h;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    if (fmcf->status && fmcf->zone == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"flowdash_status\" needs \"flowdash_zone\", such as "
                      "\"flowdash_zone flowdash:1m\" in the http block, but "
                      "is used without it in %V:%ui",
                      &fmcf->status->file, fmcf->status->line);
        return NGX_ERROR;
    }

    if (!fmcf->steps && !fmcf->guard) {
        return NGX_OK;
    }

    ngx_http_flowdash_conf_warn_handlers(cf, &fmcf->actions);

    ngx_str_set(&request_id, "request_id");

    fmcf->request_id = ngx_http_get_variable_index(cf, &request_id);
    if (fmcf->request_id == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_str_set(&request_method, "request_method");

    fmcf->request_method = ngx_http_get_variable_index(cf, &request_method);
    if (fmcf->request_method == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_init_body_variables(cf, fmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    /*
     * Handlers of a phase run in the reverse order of their registration: the
     * action comes before try_files and mirror, which see its changes.
     */

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_flowdash_action_handler;

    ngx_http_flowdash_init_task_variables(fmcf, cmcf);
    ngx_http_flowdash_end_init();

    return ngx_http_flowdash_subrequest_init(cf);
}


static ngx_int_t
ngx_http_flowdash_init_body_variables(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf)
{
    ngx_int_t  *index;
    ngx_str_t  *name;

    static ngx_str_t  names[] = {
        ngx_string("content_length"),
        ngx_string("content_type"),
        ngx_string("http_content_length"),
        ngx_string("http_content_type"),
        ngx_string("http_traceparent"),
        ngx_string("http_tracestate"),
        ngx_string("request_body"),
        ngx_string("request_body_file"),
        ngx_string("request_uri"),
        ngx_null_string
    };

    for (name = names; name->len; name++) {

        index = ngx_array_push(&fmcf->body_variables);
        if (index == NULL) {
            return NGX_ERROR;
        }

        *index = ngx_http_get_variable_index(cf, name);
        if (*index == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* whether anything in the configuration depends on a task's field */

static void
ngx_http_flowdash_init_task_variables(ngx_http_flowdash_main_conf_t *fmcf,
    ngx_http_core_main_conf_t *cmcf)
{
    ngx_uint_t            i;
    ngx_http_variable_t  *v;

    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (v[i].name.len > sizeof("flowdash_task_") - 1
            && ngx_strncmp(v[i].name.data, "flowdash_task_",
                           sizeof("flowdash_task_") - 1)
               == 0)
        {
            fmcf->task_variables = 1;
        }
    }
}


static ngx_int_t
ngx_http_flowdash_init_process(ngx_cycle_t *cycle)
{
    ngx_http_flowdash_main_conf_t  *fmcf;

    /* the cache manager and loader come here as well */

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    fmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_flowdash_module);

    if (fmcf == NULL || !fmcf->calls) {
        return NGX_OK;
    }

    return ngx_flowdash_curl_init(cycle, fmcf->keepalive,
                                  fmcf->keepalive_timeout,
                                  fmcf->keepalive_time);
}


static void
ngx_http_flowdash_exit_process(ngx_cycle_t *cycle)
{
    ngx_flowdash_curl_exit();
}
