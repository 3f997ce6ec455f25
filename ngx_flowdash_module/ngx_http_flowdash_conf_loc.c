
/*
 * The defaults of a location's directives, and their inheritance.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <curl/curl.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_step.h>
#include <ngx_http_flowdash_conf_outcome.h>
#include <ngx_http_flowdash_conf_extract.h>
#include <ngx_http_flowdash_named.h>
#include <ngx_http_flowdash_result_headers.h>
#include <ngx_http_flowdash_conf_told.h>
#include <ngx_http_flowdash_conf_loc.h>


static ngx_int_t ngx_http_flowdash_conf_loc_merge_pointer(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *prev, ngx_http_flowdash_loc_conf_t *conf);
static void ngx_http_flowdash_conf_loc_merge_failures(
    ngx_http_flowdash_loc_conf_t *prev, ngx_http_flowdash_loc_conf_t *conf);
static ngx_int_t ngx_http_flowdash_conf_loc_merge_step(
    ngx_http_flowdash_loc_conf_t *prev, ngx_http_flowdash_loc_conf_t *conf);
static void ngx_http_flowdash_conf_loc_merge_places(
    ngx_http_flowdash_loc_conf_t *prev, ngx_http_flowdash_loc_conf_t *conf);
static void ngx_http_flowdash_conf_loc_merge_call(
    ngx_http_flowdash_loc_conf_t *prev, ngx_http_flowdash_loc_conf_t *conf);
static void ngx_http_flowdash_conf_loc_merge_upstreams(ngx_conf_t *cf);
static ngx_array_t *ngx_http_flowdash_conf_loc_default_pointer(ngx_conf_t *cf);


/* nobody: what a client says of itself is not verified */

static ngx_array_t  ngx_http_flowdash_conf_loc_default_user = {
    NULL, 0, sizeof(ngx_http_flowdash_param_t), 0, NULL
};


static ngx_str_t  ngx_http_flowdash_conf_loc_default_method_names[] = {
    ngx_string("POST"),
    ngx_string("PUT"),
    ngx_string("PATCH")
};


static ngx_array_t  ngx_http_flowdash_conf_loc_default_methods = {
    ngx_http_flowdash_conf_loc_default_method_names, 3, sizeof(ngx_str_t), 3,
    NULL
};


/* a "task" of an endpoint with a contract of its own is not the module's */

static ngx_array_t  ngx_http_flowdash_conf_loc_accept_none = {
    NULL, 0, sizeof(ngx_str_t), 0, NULL
};


void *
ngx_http_flowdash_conf_loc_create(ngx_conf_t *cf)
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
     *     conf->own_afters = 0;
     *     conf->whole = 0;
     *     conf->server = { 0, NULL };
     *     conf->location = { 0, NULL };
     *     conf->places = { NULL };
     *     conf->step = NULL;
     *     conf->url = NULL;
     *     conf->handles = NULL;
     *     conf->method = { 0, NULL };
     *     conf->no_app = NULL;
     *     conf->accept_given = 0;
     *     conf->foreign = 0;
     *     conf->hide_fields = NULL;
     *     conf->hide_none = 0;
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
    conf->user_from = NGX_CONF_UNSET_PTR;
    conf->require_user = NGX_CONF_UNSET;
    conf->pointer = NGX_CONF_UNSET_PTR;
    conf->task_from = NGX_CONF_UNSET_PTR;
    conf->set = NGX_CONF_UNSET_PTR;
    conf->extracts = NGX_CONF_UNSET_PTR;
    conf->max_fields_size = NGX_CONF_UNSET_SIZE;
    conf->max_fields = NGX_CONF_UNSET_UINT;
    conf->decode = NGX_CONF_UNSET;
    conf->dry_run = NGX_CONF_UNSET_PTR;
    conf->outcome = NGX_CONF_UNSET_PTR;
    conf->success = NGX_CONF_UNSET_PTR;
    conf->once = NGX_CONF_UNSET_PTR;
    conf->steps = NGX_CONF_UNSET_PTR;
    conf->afters = NGX_CONF_UNSET_PTR;
    conf->headers = NGX_CONF_UNSET_PTR;
    conf->set_body = NGX_CONF_UNSET_PTR;
    conf->pass_fields = NGX_CONF_UNSET_PTR;
    conf->from_answer = NGX_CONF_UNSET_PTR;
    conf->accept = NGX_CONF_UNSET_PTR;
    conf->require_json = NGX_CONF_UNSET;
    conf->connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->timeout = NGX_CONF_UNSET_MSEC;
    conf->deadline = NGX_CONF_UNSET_MSEC;
    conf->max_response_size = NGX_CONF_UNSET_SIZE;
    conf->error_detail = NGX_CONF_UNSET;
    conf->pass_status = NGX_CONF_UNSET_PTR;
    conf->result_headers = NGX_CONF_UNSET_UINT;
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


char *
ngx_http_flowdash_conf_loc_merge(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_flowdash_loc_conf_t *prev = parent;
    ngx_http_flowdash_loc_conf_t *conf = child;

    if (ngx_http_flowdash_conf_loc_merge_pointer(cf, prev, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->step == NULL) {

        /* "if" in a step */

        conf->step = prev->step;
    }

    ngx_conf_merge_value(conf->guard, prev->guard, 0);
    ngx_conf_merge_ptr_value(conf->action, prev->action, NULL);
    ngx_conf_merge_ptr_value(conf->methods, prev->methods,
                             &ngx_http_flowdash_conf_loc_default_methods);
    ngx_conf_merge_ptr_value(conf->types, prev->types, NULL);
    ngx_conf_merge_uint_value(conf->strict, prev->strict,
                              NGX_HTTP_FLOWDASH_STRICT_ALL);
    ngx_conf_merge_ptr_value(conf->user, prev->user,
                             &ngx_http_flowdash_conf_loc_default_user);
    ngx_conf_merge_ptr_value(conf->user_from, prev->user_from, NULL);
    ngx_conf_merge_value(conf->require_user, prev->require_user, 0);
    ngx_conf_merge_ptr_value(conf->task_from, prev->task_from, NULL);
    ngx_conf_merge_ptr_value(conf->set, prev->set, NULL);
    ngx_conf_merge_size_value(conf->max_fields_size, prev->max_fields_size,
                              1024 * 1024);
    ngx_conf_merge_uint_value(conf->max_fields, prev->max_fields, 1000);
    ngx_conf_merge_value(conf->decode, prev->decode, 0);
    ngx_conf_merge_ptr_value(conf->dry_run, prev->dry_run, NULL);
    ngx_http_flowdash_conf_outcome_merge(prev, conf);
    ngx_conf_merge_ptr_value(conf->once, prev->once, NULL);
    ngx_conf_merge_ptr_value(conf->steps, prev->steps, NULL);
    ngx_conf_merge_ptr_value(conf->afters, prev->afters, NULL);

    if (ngx_http_flowdash_conf_loc_merge_step(prev, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_http_flowdash_conf_loc_merge_places(prev, conf);

    ngx_conf_merge_msec_value(conf->connect_timeout,
                              prev->connect_timeout, 5000);
    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 15000);
    ngx_conf_merge_msec_value(conf->deadline, prev->deadline, 60000);
    ngx_conf_merge_size_value(conf->max_response_size,
                              prev->max_response_size, 64 * 1024);
    ngx_http_flowdash_conf_loc_merge_failures(prev, conf);

    if (conf->format == NULL) {

        /* "if" keeps the content handler */

        conf->format = prev->format;
    }

    ngx_http_flowdash_conf_loc_merge_call(prev, conf);
    ngx_http_flowdash_conf_loc_merge_upstreams(cf);

    if (ngx_http_flowdash_conf_extract_merge(cf, prev, conf) != NGX_OK
        || ngx_http_flowdash_named_merge(cf, conf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_step_merged(cf, conf);
}


static ngx_int_t
ngx_http_flowdash_conf_loc_merge_pointer(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *prev, ngx_http_flowdash_loc_conf_t *conf)
{
    if (prev->pointer == NGX_CONF_UNSET_PTR) {

        /* the http level: all locations that set none share the default */

        prev->pointer = ngx_http_flowdash_conf_loc_default_pointer(cf);
        if (prev->pointer == NULL) {
            return NGX_ERROR;
        }

        ngx_str_set(&prev->pointer_text, "/task");
    }

    if (conf->pointer == NGX_CONF_UNSET_PTR) {
        conf->pointer = prev->pointer;
        conf->pointer_text = prev->pointer_text;
        conf->task_required = prev->task_required;
    }

    return NGX_OK;
}


/* what the client learns of a failure */

static void
ngx_http_flowdash_conf_loc_merge_failures(ngx_http_flowdash_loc_conf_t *prev,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_conf_merge_value(conf->error_detail, prev->error_detail, 0);
    ngx_conf_merge_ptr_value(conf->pass_status, prev->pass_status, NULL);
    ngx_conf_merge_uint_value(conf->result_headers, prev->result_headers,
                              NGX_HTTP_FLOWDASH_RESULT_HEADERS_FAILED);
    ngx_conf_merge_ptr_value(conf->languages, prev->languages, NULL);
}


/* what a step sends, and what its answer may do */

static ngx_int_t
ngx_http_flowdash_conf_loc_merge_step(ngx_http_flowdash_loc_conf_t *prev,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_conf_merge_ptr_value(conf->headers, prev->headers, NULL);

    if (conf->step && conf->step->kind != NGX_HTTP_FLOWDASH_KIND_STEP
        && conf->set_body == NGX_CONF_UNSET_PTR)
    {
        /* it must not send what the step has sent */

        conf->set_body = NULL;
    }

    ngx_conf_merge_ptr_value(conf->set_body, prev->set_body, NULL);
    ngx_conf_merge_ptr_value(conf->from_answer, prev->from_answer, NULL);
    ngx_conf_merge_ptr_value(conf->pass_fields, prev->pass_fields, NULL);

    if (conf->accept == NGX_CONF_UNSET_PTR) {
        conf->accept_given = prev->accept_given;
    }

    ngx_conf_merge_ptr_value(conf->accept, prev->accept, NULL);

    conf->foreign = !conf->accept_given
                    && (conf->set_body || conf->from_answer);

    if (!conf->accept_given) {
        conf->accept = conf->foreign ? &ngx_http_flowdash_conf_loc_accept_none
                                     : NULL;
    }

    ngx_conf_merge_value(conf->require_json, prev->require_json, 0);

    return ngx_http_flowdash_conf_told_merge(prev, conf);
}


/*
 * Of times that are compared, before they are merged.  One that is set further
 * out than its limit is meant for all that have none: no warning, no place.
 * The places of a certificate and its key are inherited with these.
 */

static void
ngx_http_flowdash_conf_loc_merge_places(ngx_http_flowdash_loc_conf_t *prev,
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
ngx_http_flowdash_conf_loc_merge_call(ngx_http_flowdash_loc_conf_t *prev,
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
ngx_http_flowdash_conf_loc_merge_upstreams(ngx_conf_t *cf)
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
ngx_http_flowdash_conf_loc_default_pointer(ngx_conf_t *cf)
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
