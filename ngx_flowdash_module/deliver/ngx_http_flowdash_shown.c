
/*
 * What is shown of a record: how many of its deliveries were made, and wait.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions.h>
#include <ngx_http_flowdash_shown.h>


static void ngx_http_flowdash_shown_count(
    ngx_http_flowdash_execution_deliveries_t *deliveries,
    ngx_http_flowdash_delivery_t *delivery);


void
ngx_http_flowdash_shown(ngx_http_flowdash_record_t *record)
{
    ngx_uint_t                                 i;
    ngx_http_flowdash_delivery_t              *after;
    ngx_http_flowdash_main_conf_t             *fmcf;
    ngx_http_flowdash_record_step_t           *step;
    ngx_http_flowdash_execution_deliveries_t   deliveries;

    static const ngx_http_flowdash_execution_outcome_e  outcomes[] = {
        NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN,
        NGX_HTTP_FLOWDASH_EXECUTION_OK,
        NGX_HTTP_FLOWDASH_EXECUTION_FAILED,
        NGX_HTTP_FLOWDASH_EXECUTION_REFUSED,
        NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN
    };

    fmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_flowdash_module);

    if (fmcf == NULL || fmcf->counters == NULL
        || fmcf->counters->executions == NULL)
    {
        return;
    }

    ngx_memzero(&deliveries, sizeof(ngx_http_flowdash_execution_deliveries_t));

    deliveries.outcome = outcomes[record->outcome];

    if (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK) {

        after = record->afters.elts;

        for (i = 0; i < record->afters.nelts; i++) {
            ngx_http_flowdash_shown_count(&deliveries, &after[i]);
        }

    } else if (deliveries.outcome != NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN) {

        step = record->steps.elts;

        for (i = 0; i < record->steps.nelts; i++) {
            if (step[i].undo && (step[i].counts || !step[i].ended)) {
                ngx_http_flowdash_shown_count(&deliveries, step[i].undo);
            }
        }
    }

    ngx_http_flowdash_executions_deliveries(fmcf->counters->executions,
                                            &record->id, &deliveries);
}


static void
ngx_http_flowdash_shown_count(
    ngx_http_flowdash_execution_deliveries_t *deliveries,
    ngx_http_flowdash_delivery_t *delivery)
{
    switch (delivery->state) {

    case NGX_HTTP_FLOWDASH_DELIVERY_WAITING:
        deliveries->waiting++;
        break;

    case NGX_HTTP_FLOWDASH_DELIVERY_DONE:
        deliveries->done++;
        break;

    default: /* NGX_HTTP_FLOWDASH_DELIVERY_DEAD */
        deliveries->dead++;
    }
}
