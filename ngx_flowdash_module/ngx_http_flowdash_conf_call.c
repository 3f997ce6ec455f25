
/*
 * The directives about flowdash_call, and whether they fit together.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_compat.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_hosts.h>
#include <ngx_http_flowdash_egress.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_flowdash_curl_handle.h>
#include <ngx_http_flowdash_call_setup.h>
#include <ngx_http_flowdash_call_step.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_warn.h>
#include <ngx_http_flowdash_conf_tls.h>
#include <ngx_http_flowdash_conf_step_check.h>
#include <ngx_http_flowdash_conf_call.h>


#define NGX_HTTP_FLOWDASH_RETRY_MAX    10

/* older ones lose answers over HTTP/2 */

#define NGX_HTTP_FLOWDASH_HTTP2_LIBCURL  0x080500   /* 8.5.0 */


static ngx_int_t ngx_http_flowdash_conf_call_handles(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf);
static char *ngx_http_flowdash_conf_call_egress(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static char *ngx_http_flowdash_conf_call_hosts(ngx_conf_t *cf);
static char *ngx_http_flowdash_conf_call_method(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *value);
static char *ngx_http_flowdash_conf_retry_condition(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_flowdash_retry_t *retry, ngx_str_t *value);


char *
ngx_http_flowdash_conf_call(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                      *value;
    const char                     *error;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_flowdash_main_conf_t  *fmcf;
    u_char                         *p, text[NGX_MAX_CONF_ERRSTR];

    if (flcf->url) {
        return "is duplicate";
    }

    if (ngx_http_flowdash_conf_step_only(cf, cmd, flcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        p = ngx_http_flowdash_conf_report_name(text, text + sizeof(text),
                                               flcf->step);

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in %*s: the step has another content "
                           "handler as well", &cmd->name, p - text, text);
        return NGX_CONF_ERROR;
    }

    clcf->handler = ngx_http_flowdash_call_step_handler;

    flcf->url = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_url_t));
    if (flcf->url == NULL) {
        return NGX_CONF_ERROR;
    }

    flcf->url->place = ngx_http_flowdash_conf_place(cf);
    if (flcf->url->place == NULL) {
        return NGX_CONF_ERROR;
    }

    error = ngx_http_flowdash_url_parse(cf, flcf->url, &value[1]);

    if (error == NGX_CONF_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (error && ngx_strlchr(value[1].data, value[1].data + value[1].len, '@'))
    {
        /* do not show the URL: it may have a password */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid URL in \"%V\": %s",
                           &cmd->name, error);
        return NGX_CONF_ERROR;
    }

    if (error) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1], error);
    }

    if (cf->args->nelts == 3
        && ngx_http_flowdash_conf_call_method(cf, cmd, flcf, &value[2])
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_flowdash_conf_call_handles(cf, flcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);
    fmcf->calls = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_call_method(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *value)
{
    ngx_str_t  *method;

    static ngx_str_t  methods[] = {
        ngx_string("POST"),
        ngx_string("PUT"),
        ngx_string("PATCH"),
        ngx_string("DELETE"),
        ngx_null_string
    };

    if (ngx_strncmp(value->data, "method=", 7) == 0) {

        for (method = methods; method->len; method++) {

            if (ngx_strcmp(method->data, value->data + 7) == 0) {
                flcf->method = *method;
                return NGX_CONF_OK;
            }
        }
    }

    return ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
                     "\"method=POST\", \"method=PUT\", \"method=PATCH\" or "
                     "\"method=DELETE\" is expected");
}


/* a list of easy handles, which each worker fills for itself */

static ngx_int_t
ngx_http_flowdash_conf_call_handles(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_pool_cleanup_t           *cln;
    ngx_flowdash_curl_handles_t  *handles;

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_flowdash_curl_handles_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    handles = cln->data;
    ngx_memzero(handles, sizeof(ngx_flowdash_curl_handles_t));

    handles->setup = ngx_http_flowdash_call_setup;
    handles->data = flcf;

    cln->handler = ngx_flowdash_curl_handle_forget;

    flcf->handles = handles;

    return NGX_OK;
}


char *
ngx_http_flowdash_conf_call_check(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    char                           *rv;
    ngx_uint_t                      protocols;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);
    fmcf->longest_timeout = ngx_max(fmcf->longest_timeout, conf->timeout);

    rv = ngx_http_flowdash_conf_tls_pair(cf, conf);

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_flowdash_conf_call_egress(cf, conf);
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    /* bits without a gap become a power of two when the lowest is added */

    protocols = conf->ssl_protocols & ~NGX_CONF_BITMASK_SET;

    if (protocols & (protocols + (protocols & -protocols))) {
        return ngx_http_flowdash_conf_report_refuse(cf, conf, conf->url->place,
                    "\"flowdash_ssl_protocols\" must not leave out a version "
                    "between others");
    }

    if (conf->proxy && conf->url->socket.len) {
        return ngx_http_flowdash_conf_report_refuse(cf, conf, conf->url->place,
                    "a unix socket cannot be called through "
                    "\"flowdash_proxy\"; \"flowdash_proxy off\" is expected");
    }

    conf->handles->tls = conf->url->ssl || (conf->proxy && conf->proxy->ssl);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (ngx_http_flowdash_compat_has_servers(clcf->resolver)) {
        return ngx_http_flowdash_conf_call_hosts(cf);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_call_egress(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    const char                *reason;
    ngx_http_flowdash_rule_t  *rule;

    if (conf->url->variable_host
        && !ngx_http_flowdash_egress_allows(conf->rules))
    {
        return ngx_http_flowdash_conf_report_refuse(cf, conf, conf->url->place,
                    "the host of \"flowdash_call\" \"%V\" has a variable: "
                    "\"flowdash_allow\" must say which addresses may be "
                    "called", &conf->url->shown);
    }

    if (conf->url->variable_host
        && !ngx_http_flowdash_egress_has_default_rule(conf->rules))
    {
        return ngx_http_flowdash_conf_report_refuse(cf, conf, conf->url->place,
                    "the host of \"flowdash_call\" \"%V\" has a variable: the "
                    "last rule must decide about all other addresses, with "
                    "\"flowdash_deny all\" or \"flowdash_allow all\"",
                    &conf->url->shown);
    }

    rule = ngx_http_flowdash_egress_check(conf->rules, &reason);

    if (rule) {
        return ngx_http_flowdash_conf_report_refuse(cf, conf, rule->place,
                    "\"%s\" \"%V\": %s",
                    rule->deny ? "flowdash_deny" : "flowdash_allow",
                    &rule->text, reason);
    }

    if (conf->proxy && !ngx_http_flowdash_egress_only_all(conf->rules)) {
        return ngx_http_flowdash_conf_report_refuse(cf, conf, conf->url->place,
                    "\"flowdash_allow\" and \"flowdash_deny\" would check "
                    "only the address of \"flowdash_proxy\": put the rules "
                    "into the proxy, and write \"flowdash_allow all\" here");
    }

    return NGX_CONF_OK;
}


/* nginx's resolver does not read the hosts file */

static char *
ngx_http_flowdash_conf_call_hosts(ngx_conf_t *cf)
{
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    if (fmcf->hosts) {
        return NGX_CONF_OK;
    }

    fmcf->hosts = ngx_palloc(cf->pool, sizeof(ngx_array_t));
    if (fmcf->hosts == NULL) {
        return NGX_CONF_ERROR;
    }

    return (ngx_http_flowdash_hosts_read(cf, fmcf->hosts) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    char                       *rv;
    ngx_int_t                   n;
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_flowdash_retry_t  *retry;

    if (flcf->retry != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        flcf->retry = NULL;
        return NGX_CONF_OK;
    }

    n = ngx_atoi(value[1].data, value[1].len);

    if (n == NGX_ERROR || n == 0 || n > NGX_HTTP_FLOWDASH_RETRY_MAX) {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                           "the number of repeats is expected, from 1 to 10, "
                           "or \"off\"");
    }

    retry = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_retry_t));
    if (retry == NULL) {
        return NGX_CONF_ERROR;
    }

    retry->n = n;

    flcf->places.retry = ngx_http_flowdash_conf_place(cf);
    if (flcf->places.retry == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_flowdash_conf_retry_condition(cf, cmd, flcf, retry,
                                                    &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (retry->conditions == 0) {
        retry->conditions = NGX_HTTP_FLOWDASH_RETRY_ERROR
                            |NGX_HTTP_FLOWDASH_RETRY_TIMEOUT
                            |NGX_HTTP_FLOWDASH_RETRY_429
                            |NGX_HTTP_FLOWDASH_RETRY_503;
    }

    flcf->retry = retry;

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_retry_condition(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_flowdash_retry_t *retry,
    ngx_str_t *value)
{
    ngx_int_t            ms;
    ngx_str_t            time;
    ngx_conf_bitmask_t  *condition;

    if (ngx_strncmp(value->data, "timeout=", 8) == 0) {
        if (retry->timeout) {
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
                             "only one \"timeout=time\" is expected");
        }

        time.data = value->data + 8;
        time.len = value->len - 8;

        ms = ngx_parse_time(&time, 0);

        if (ms == NGX_ERROR || ms == 0) {
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
                             "a time over 0 for one attempt is expected, such "
                             "as \"timeout=3s\"");
        }

        ngx_http_flowdash_conf_warn_no_unit(cf, cmd, value, &time,
                                            flcf->places.retry);

        retry->timeout = ms;
        retry->conditions |= NGX_HTTP_FLOWDASH_RETRY_TIMEOUT;

        return NGX_CONF_OK;
    }

    for (condition = ngx_http_flowdash_retry_conditions;
         condition->name.len;
         condition++)
    {
        if (condition->name.len == value->len
            && ngx_strcmp(condition->name.data, value->data) == 0)
        {
            retry->conditions |= condition->mask;
            return NGX_CONF_OK;
        }
    }

    return ngx_http_flowdash_conf_refuse_literal(cf, cmd, value,
                     "\"error\", \"timeout\", \"timeout=time\", \"429\", "
                     "\"500\", \"502\", \"503\", \"504\" or \"5xx\" is "
                     "expected");
}


char *
ngx_http_flowdash_conf_http_version(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t               *value;
    curl_version_info_data  *libcurl;
    u_char                  *p, reason[256];

    if (flcf->http_version != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "1.1") == 0) {
        flcf->http_version = CURL_HTTP_VERSION_1_1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "2") != 0) {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                                             "\"1.1\" or \"2\" is expected");
    }

    /* not the one whose headers the module was built with */

    libcurl = curl_version_info(CURLVERSION_NOW);

    if (libcurl->version_num < NGX_HTTP_FLOWDASH_HTTP2_LIBCURL
        || !(libcurl->features & CURL_VERSION_HTTP2))
    {
        /* nginx adds "in FILE:LINE" */

        p = ngx_snprintf(reason, sizeof(reason) - 1,
                         "HTTP/2 needs libcurl 8.5 or newer, but %s%s is "
                         "loaded; to make calls over HTTP/1.1, delete "
                         "\"flowdash_http_version 2;\"", libcurl->version,
                         (libcurl->features & CURL_VERSION_HTTP2)
                         ? "" : " without HTTP/2");
        *p = '\0';

        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                             (char *) reason);
    }

    flcf->http_version = CURL_HTTP_VERSION_2TLS;

    return NGX_CONF_OK;
}
