
/*
 * The table of directives, and what happens when nginx, or a worker, starts.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_hash.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_egress.h>
#include <ngx_flowdash_curl.h>
#include <ngx_http_flowdash_outbox_worker.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions.h>
#include <ngx_http_flowdash_zone.h>
#include <ngx_http_flowdash_variables.h>
#include <ngx_http_flowdash_variables_json.h>
#include <ngx_http_flowdash_task_digest.h>
#include <ngx_http_flowdash_status.h>
#include <ngx_http_flowdash_subrequest.h>
#include <ngx_http_flowdash_send.h>
#include <ngx_http_flowdash_outbox_worker.h>
#include <ngx_http_flowdash_once_keep.h>
#include <ngx_http_flowdash_end.h>
#include <ngx_http_flowdash_action.h>
#include <ngx_http_flowdash_conf.h>
#include <ngx_http_flowdash_conf_loc.h>
#include <ngx_http_flowdash_conf_told.h>
#include <ngx_http_flowdash_conf_body.h>
#include <ngx_http_flowdash_conf_request.h>
#include <ngx_http_flowdash_conf_task.h>
#include <ngx_http_flowdash_conf_user.h>
#include <ngx_http_flowdash_conf_extract.h>
#include <ngx_http_flowdash_conf_condition.h>
#include <ngx_http_flowdash_conf_outcome.h>
#include <ngx_http_flowdash_conf_once.h>
#include <ngx_http_flowdash_conf_step.h>
#include <ngx_http_flowdash_conf_whole.h>
#include <ngx_http_flowdash_conf_call.h>
#include <ngx_http_flowdash_conf_proxy.h>
#include <ngx_http_flowdash_conf_tls.h>
#include <ngx_http_flowdash_conf_warn.h>
#include <ngx_http_flowdash_conf_sign.h>
#include <ngx_http_flowdash_conf_secret.h>
#include <ngx_http_flowdash_conf_outbox.h>
#include <ngx_http_flowdash_named.h>
#include <ngx_http_flowdash_result_headers.h>


static ngx_int_t ngx_http_flowdash_add_variables(ngx_conf_t *cf);
static void *ngx_http_flowdash_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_flowdash_init_main_conf(ngx_conf_t *cf, void *conf);
static ngx_int_t ngx_http_flowdash_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_flowdash_init_body_variables(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf);
static void ngx_http_flowdash_init_task_variables(
    ngx_http_flowdash_main_conf_t *fmcf, ngx_http_core_main_conf_t *cmcf);
static ngx_int_t ngx_http_flowdash_init_module(ngx_cycle_t *cycle);
static void ngx_http_flowdash_init_filters(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_flowdash_init_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_flowdash_init_outbox(ngx_cycle_t *cycle,
    ngx_http_flowdash_main_conf_t *fmcf);
static void ngx_http_flowdash_exit_process(ngx_cycle_t *cycle);


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

    { ngx_string("flowdash_user_from"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_flowdash_conf_user_from,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_require_user"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_flowdash_loc_conf_t, require_user),
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

    { ngx_string("flowdash_extract"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE23,
      ngx_http_flowdash_conf_extract,
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

    { ngx_string("flowdash_success"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_success,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_outcome"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_outcome,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_once"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_flowdash_conf_once,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_step"),
      NGX_HTTP_LOC_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_step,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_undo"),
      NGX_HTTP_LOC_CONF|NGX_CONF_BLOCK|NGX_CONF_NOARGS,
      ngx_http_flowdash_conf_undo,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_after"),
      NGX_HTTP_LOC_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_flowdash_conf_after,
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
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_optional,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_call"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
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

    { ngx_string("flowdash_set_body"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_flowdash_conf_set_body,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_pass_field"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_pass_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_hide_field"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_hide_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_set_from_answer"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE23,
      ngx_http_flowdash_conf_set_from_answer,
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

    { ngx_string("flowdash_result_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_flowdash_result_headers_conf,
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

    { ngx_string("flowdash_secret"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_flowdash_conf_secret,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_outbox"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_flowdash_conf_outbox,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("flowdash_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
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

    ngx_http_flowdash_conf_loc_create,     /* create location configuration */
    ngx_http_flowdash_conf_loc_merge       /* merge location configuration */
};


ngx_module_t  ngx_http_flowdash_module = {
    NGX_MODULE_V1,
    &ngx_http_flowdash_module_ctx,         /* module context */
    ngx_http_flowdash_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_flowdash_init_module,         /* init module */
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
    if (ngx_http_flowdash_variables_add(cf) != NGX_OK
        || ngx_http_flowdash_variables_json_add(cf) != NGX_OK
        || ngx_http_flowdash_task_digest_add(cf) != NGX_OK)
    {
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
        != NGX_OK
        || ngx_array_init(&fmcf->extracted, cf->pool, 4, sizeof(ngx_str_t *))
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

    if (ngx_http_flowdash_variables_json_check(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_conf_user_init(cf, fmcf) != NGX_OK
        || ngx_http_flowdash_conf_once_init(cf, fmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!fmcf->steps && !fmcf->guard) {
        return NGX_OK;
    }

    ngx_http_flowdash_conf_warn_handlers(cf, &fmcf->actions);

    if (ngx_http_flowdash_conf_outbox_init(cf, fmcf) != NGX_OK) {
        return NGX_ERROR;
    }

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
    ngx_http_flowdash_end_init(fmcf);

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
    ngx_str_t            *prefix;
    ngx_uint_t            i;
    ngx_http_variable_t  *v;

    static ngx_str_t  prefixes[] = {
        ngx_string("flowdash_task_"),
        ngx_string("flowdash_stored_"),
        ngx_string("flowdash_json_"),
        ngx_null_string
    };

    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        for (prefix = prefixes; prefix->len; prefix++) {

            if (v[i].name.len > prefix->len
                && ngx_strncmp(v[i].name.data, prefix->data, prefix->len) == 0)
            {
                fmcf->task_variables = 1;
            }
        }

        if (ngx_http_flowdash_text_is(&v[i].name, "flowdash_task_digest")) {
            fmcf->task_digest = 1;
        }
    }
}


static ngx_int_t
ngx_http_flowdash_init_module(ngx_cycle_t *cycle)
{
    ngx_http_flowdash_init_filters(cycle);

    return NGX_OK;
}


/*
 * Filters before all others.  Each worker makes sure of them: the master may
 * have begun to load another configuration since, without success.
 */

static void
ngx_http_flowdash_init_filters(ngx_cycle_t *cycle)
{
    ngx_http_flowdash_main_conf_t  *fmcf;

    static ngx_http_output_header_filter_pt  first;

    fmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_flowdash_module);

    if (fmcf == NULL || (!fmcf->steps && !fmcf->guard)
        || (first && ngx_http_top_header_filter == first))
    {
        return;
    }

    ngx_http_flowdash_end_init_first();

    if (fmcf->once) {
        ngx_http_flowdash_once_keep_init();
    }

    first = ngx_http_top_header_filter;
}


static ngx_int_t
ngx_http_flowdash_init_process(ngx_cycle_t *cycle)
{
    u_char                          key[16];
    ngx_http_flowdash_main_conf_t  *fmcf;

    /* the cache manager and loader come here as well */

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    fmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_flowdash_module);

    if (fmcf == NULL) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_id_random(key, sizeof(key)) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "flowdash: RAND_bytes() failed, there is no key for the "
                      "index of tasks");
        return NGX_ERROR;
    }

    ngx_http_flowdash_hash_key(key);

    if (fmcf->counters && fmcf->counters->executions) {
        ngx_http_flowdash_executions_own(fmcf->counters->executions);
    }

    ngx_http_flowdash_init_filters(cycle);

    if (fmcf->once) {
        ngx_http_flowdash_once_table_join(&fmcf->counters->once);
    }

    if (fmcf->calls
        && ngx_flowdash_curl_init(cycle, fmcf->keepalive,
                                  fmcf->keepalive_timeout,
                                  fmcf->keepalive_time)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_init_outbox(cycle, fmcf);
}


/* what an earlier configuration has left there is seen to as well */

static ngx_int_t
ngx_http_flowdash_init_outbox(ngx_cycle_t *cycle,
    ngx_http_flowdash_main_conf_t *fmcf)
{
    if (!fmcf->whole && fmcf->outbox == NULL) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_send_init(cycle, fmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_outbox_init(cycle, fmcf->outbox,
                             fmcf->counters ? &fmcf->counters->outbox : NULL,
                             ngx_http_flowdash_send);
}


static void
ngx_http_flowdash_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_flowdash_send_exit();
    ngx_http_flowdash_outbox_exit(cycle->log);
    ngx_flowdash_curl_exit();
}
