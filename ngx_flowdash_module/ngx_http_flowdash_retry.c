
/*
 * flowdash_retry: whether a call that has failed is repeated, and when.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


#define NGX_HTTP_FLOWDASH_RETRY_MAX    10

/* the time before the first repeat, doubled for each further one, in ms */

#define NGX_HTTP_FLOWDASH_RETRY_FIRST  200
#define NGX_HTTP_FLOWDASH_RETRY_LAST   10000


static char *ngx_http_flowdash_conf_retry_condition(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_retry_t *retry, ngx_str_t *value);


static ngx_conf_bitmask_t  ngx_http_flowdash_conf_retry_conditions[] = {
    { ngx_string("error"), NGX_HTTP_FLOWDASH_RETRY_ERROR },
    { ngx_string("timeout"), NGX_HTTP_FLOWDASH_RETRY_TIMEOUT },
    { ngx_string("429"), NGX_HTTP_FLOWDASH_RETRY_429 },
    { ngx_string("500"), NGX_HTTP_FLOWDASH_RETRY_500 },
    { ngx_string("502"), NGX_HTTP_FLOWDASH_RETRY_502 },
    { ngx_string("503"), NGX_HTTP_FLOWDASH_RETRY_503 },
    { ngx_string("504"), NGX_HTTP_FLOWDASH_RETRY_504 },
    { ngx_string("5xx"), NGX_HTTP_FLOWDASH_RETRY_5XX
                         |NGX_HTTP_FLOWDASH_RETRY_500
                         |NGX_HTTP_FLOWDASH_RETRY_502
                         |NGX_HTTP_FLOWDASH_RETRY_503
                         |NGX_HTTP_FLOWDASH_RETRY_504 },
    { ngx_null_string, 0 }
};


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
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                           "how often a call is repeated is expected, from 1 "
                           "to 10, or \"off\"");
    }

    retry = ngx_pcalloc(cf->pool, sizeof(ngx_http_flowdash_retry_t));
    if (retry == NULL) {
        return NGX_CONF_ERROR;
    }

    retry->n = n;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_flowdash_conf_retry_condition(cf, cmd, retry, &value[i]);

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
    ngx_http_flowdash_retry_t *retry, ngx_str_t *value)
{
    ngx_int_t            ms;
    ngx_str_t            time;
    ngx_conf_bitmask_t  *condition;

    if (ngx_strncmp(value->data, "timeout=", 8) == 0) {
        if (retry->timeout) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                             "one \"timeout=time\" is expected");
        }

        time.data = value->data + 8;
        time.len = value->len - 8;

        ms = ngx_parse_time(&time, 0);

        if (ms == NGX_ERROR || ms == 0) {
            return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                             "the time that one attempt may take is expected, "
                             "such as \"timeout=3s\"");
        }

        retry->timeout = ms;
        retry->conditions |= NGX_HTTP_FLOWDASH_RETRY_TIMEOUT;

        return NGX_CONF_OK;
    }

    for (condition = ngx_http_flowdash_conf_retry_conditions;
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

    return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                     "\"error\", \"timeout\", \"timeout=time\", \"429\", "
                     "\"500\", \"502\", \"503\", \"504\" or \"5xx\" is "
                     "expected");
}


ngx_uint_t
ngx_http_flowdash_retry_condition(ngx_uint_t status)
{
    switch (status) {

    case 429:
        return NGX_HTTP_FLOWDASH_RETRY_429;

    case NGX_HTTP_INTERNAL_SERVER_ERROR:
        return NGX_HTTP_FLOWDASH_RETRY_500;

    case NGX_HTTP_BAD_GATEWAY:
        return NGX_HTTP_FLOWDASH_RETRY_502;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        return NGX_HTTP_FLOWDASH_RETRY_503;

    case NGX_HTTP_GATEWAY_TIME_OUT:
        return NGX_HTTP_FLOWDASH_RETRY_504;

    default:
        return (status > 500 && status < 600) ? NGX_HTTP_FLOWDASH_RETRY_5XX
                                              : 0;
    }
}


ngx_msec_t
ngx_http_flowdash_retry_time(ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_http_flowdash_retry_t  *retry;

    retry = flcf->retry;

    if (retry == NULL
        || !(retry->conditions & NGX_HTTP_FLOWDASH_RETRY_TIMEOUT))
    {
        return 0;
    }

    return retry->timeout ? retry->timeout
                          : ngx_max(flcf->timeout / (retry->n + 1), 1);
}


ngx_int_t
ngx_http_flowdash_retry(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_uint_t condition, ngx_uint_t attempts, ngx_int_t after,
    ngx_msec_int_t left, ngx_msec_t *wait)
{
    ngx_msec_t                  time;
    ngx_http_flowdash_retry_t  *retry;

    retry = flcf->retry;

    if (retry == NULL || attempts > retry->n
        || !(retry->conditions & condition))
    {
        return NGX_DECLINED;
    }

    time = NGX_HTTP_FLOWDASH_RETRY_FIRST << (attempts - 1);
    time = ngx_min(time, NGX_HTTP_FLOWDASH_RETRY_LAST);

    /* at random, so that who has failed together does not come together */

    time = time / 2 + ngx_random() % (time / 2 + 1);

    if (after > 0) {

        if (after > left / 1000) {
            return NGX_DECLINED;
        }

        time = ngx_max(time, (ngx_msec_t) after * 1000);
    }

    if ((ngx_msec_int_t) time >= left) {
        return NGX_DECLINED;
    }

    *wait = time;

    return NGX_OK;
}
