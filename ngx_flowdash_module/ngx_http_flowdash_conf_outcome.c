
/*
 * The directives that say what an answer of the app means.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_condition.h>
#include <ngx_http_flowdash_conf_outcome.h>


static const char *ngx_http_flowdash_conf_outcome_statuses(ngx_str_t *value,
    ngx_http_flowdash_statuses_t *statuses);
static char *ngx_http_flowdash_conf_outcome_both(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *value);


char *
ngx_http_flowdash_conf_success(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                     *value;
    ngx_uint_t                     i;
    const char                    *reason;
    ngx_http_flowdash_statuses_t  *one, *other;

    if (flcf->success != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (flcf->outcome != NGX_CONF_UNSET_PTR) {
        return ngx_http_flowdash_conf_outcome_both(cf, cmd, &value[1]);
    }

    flcf->success = ngx_array_create(cf->pool, cf->args->nelts,
                                     sizeof(ngx_http_flowdash_statuses_t));
    if (flcf->success == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        one = ngx_array_push(flcf->success);
        if (one == NULL) {
            return NGX_CONF_ERROR;
        }

        reason = ngx_http_flowdash_conf_outcome_statuses(&value[i], one);

        for (other = flcf->success->elts; other < one && !reason; other++) {
            if (one->from <= other->to && other->from <= one->to) {
                reason = "it is named twice";
            }
        }

        if (reason) {
            return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[i],
                                                         reason);
        }
    }

    return NGX_CONF_OK;
}


/* 1xx is no answer yet */

static const char *
ngx_http_flowdash_conf_outcome_statuses(ngx_str_t *value,
    ngx_http_flowdash_statuses_t *statuses)
{
    ngx_int_t  n;

    if (value->len == 3 && value->data[0] >= '2' && value->data[0] <= '5'
        && ngx_strncmp(value->data + 1, "xx", 2) == 0)
    {
        statuses->from = (value->data[0] - '0') * 100;
        statuses->to = statuses->from + 99;

        return NULL;
    }

    n = ngx_atoi(value->data, value->len);

    if (n < 200 || n > 599) {
        return "a status from 200 to 599 is expected, or a class such as "
               "\"2xx\"";
    }

    statuses->from = n;
    statuses->to = n;

    return NULL;
}


char *
ngx_http_flowdash_conf_outcome(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    if (flcf->outcome != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (flcf->success != NGX_CONF_UNSET_PTR) {
        return ngx_http_flowdash_conf_outcome_both(cf, cmd, &value[1]);
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        flcf->outcome = NULL;
        return NGX_CONF_OK;
    }

    if (!ngx_http_flowdash_conf_has_variable(&value[1])) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                     "a variable is expected, whose value is \"ok\", "
                     "\"refused\" or \"unknown\", such as one of a \"map\" in "
                     "the http block; or \"off\"");
    }

    if (ngx_http_flowdash_conf_condition_clients(&value[1])) {
        ngx_http_flowdash_conf_warn(cf, cmd, &value[1],
                     "the client decides what the app's answer means; use a "
                     "\"map\" of what the app has sent, such as "
                     "$upstream_http_location");
    }

    flcf->outcome = ngx_http_flowdash_conf_create_value(cf, &value[1]);

    return flcf->outcome ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_flowdash_conf_outcome_both(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value)
{
    return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                     "\"flowdash_outcome\" and \"flowdash_success\" exclude "
                     "each other: a \"map\" of $flowdash_app_status can "
                     "decide by the status, too");
}


void
ngx_http_flowdash_conf_outcome_merge(ngx_http_flowdash_loc_conf_t *prev,
    ngx_http_flowdash_loc_conf_t *conf)
{
    if (conf->success != NGX_CONF_UNSET_PTR) {
        conf->outcome = NULL;
    }

    ngx_conf_merge_ptr_value(conf->outcome, prev->outcome, NULL);
    ngx_conf_merge_ptr_value(conf->success, prev->success, NULL);
}
