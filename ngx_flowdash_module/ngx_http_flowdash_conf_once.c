
/*
 * The directive "flowdash_once".
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_warn.h>
#include <ngx_http_flowdash_conf_once.h>


/* ms; how long a request waits unless "wait=" says it */

#define NGX_HTTP_FLOWDASH_CONF_ONCE_WAIT  60000

/* ms; 20 days: more does not fit into 31 bits */

#define NGX_HTTP_FLOWDASH_CONF_ONCE_MAX   (20 * 24 * 60 * 60 * 1000)


static char *ngx_http_flowdash_conf_once_times(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_once_conf_t *once);


char *
ngx_http_flowdash_conf_once(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                      *value;
    ngx_http_flowdash_once_conf_t  *once;

    if (flcf->once != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "off") != 0) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                       "a key and a time are expected, such as "
                       "\"$flowdash_task_digest 5s\"; or \"off\"");
        }

        flcf->once = NULL;
        return NGX_CONF_OK;
    }

    if (!ngx_http_flowdash_conf_has_variable(&value[1])) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                   "the key must have a variable: without one, all requests "
                   "of a user to this action have the same key");
    }

    once = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_once_conf_t));
    if (once == NULL
        || ngx_http_flowdash_conf_value(cf, &value[1], &once->key) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    flcf->once = once;

    return ngx_http_flowdash_conf_once_times(cf, cmd, once);
}


static char *
ngx_http_flowdash_conf_once_times(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_once_conf_t *once)
{
    ngx_int_t                       time, wait;
    ngx_str_t                      *value, text;
    ngx_http_flowdash_place_t      *place;
    ngx_http_flowdash_main_conf_t  *fmcf;

    value = cf->args->elts;

    place = ngx_http_flowdash_conf_place(cf);
    if (place == NULL) {
        return NGX_CONF_ERROR;
    }

    time = ngx_parse_time(&value[2], 0);

    if (time == NGX_ERROR || time < 1000
        || time > NGX_HTTP_FLOWDASH_CONF_ONCE_MAX)
    {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[2],
                   "a time from 1s to 20d is expected");
    }

    ngx_http_flowdash_conf_warn_no_unit(cf, cmd, &value[2], &value[2], place);

    wait = NGX_HTTP_FLOWDASH_CONF_ONCE_WAIT;

    if (cf->args->nelts == 4) {

        wait = NGX_ERROR;

        if (ngx_strncmp(value[3].data, "wait=", 5) == 0) {
            text.data = value[3].data + 5;
            text.len = value[3].len - 5;

            wait = ngx_parse_time(&text, 0);
        }

        if (wait == NGX_ERROR || wait > NGX_HTTP_FLOWDASH_CONF_ONCE_MAX) {
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[3],
                       "\"wait=\" with a time up to 20d is expected, such as "
                       "\"wait=60s\"");
        }

        ngx_http_flowdash_conf_warn_no_unit(cf, cmd, &value[3], &text, place);
    }

    once->time = time;
    once->wait = wait;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    if (fmcf->once == NULL) {
        fmcf->once = place;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_flowdash_conf_once_init(ngx_conf_t *cf,
    ngx_http_flowdash_main_conf_t *fmcf)
{
    if (fmcf->once && fmcf->zone == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"flowdash_once\" needs \"flowdash_zone\", such as "
                      "\"flowdash_zone flowdash:1m\" in the http block, but "
                      "is used without it in %V:%ui",
                      &fmcf->once->file, fmcf->once->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}
