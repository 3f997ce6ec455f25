
/*
 * Whether a failed call is repeated, and when.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_retry.h>


/* the wait before the first repeat, doubled for each further one, in ms */

#define NGX_HTTP_FLOWDASH_RETRY_FIRST  200
#define NGX_HTTP_FLOWDASH_RETRY_LAST   10000


ngx_conf_bitmask_t  ngx_http_flowdash_retry_conditions[] = {
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
ngx_http_flowdash_retry_time(ngx_http_flowdash_retry_t *retry,
    ngx_msec_t timeout)
{
    if (retry == NULL
        || !(retry->conditions & NGX_HTTP_FLOWDASH_RETRY_TIMEOUT))
    {
        return 0;
    }

    return retry->timeout ? retry->timeout
                          : ngx_max(timeout / (retry->n + 1), 1);
}


ngx_int_t
ngx_http_flowdash_retry(ngx_http_flowdash_retry_t *retry,
    ngx_uint_t condition, ngx_uint_t attempts, int64_t after,
    ngx_msec_int_t left, ngx_msec_t *wait)
{
    ngx_msec_t  time;

    if (retry == NULL || attempts > retry->n
        || !(retry->conditions & condition))
    {
        return NGX_DECLINED;
    }

    time = NGX_HTTP_FLOWDASH_RETRY_FIRST << (attempts - 1);
    time = ngx_min(time, NGX_HTTP_FLOWDASH_RETRY_LAST);

    /* random, so that calls that failed together are not repeated together */

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
