
/*
 * An entry of the ring of the last executions, as a reader gets it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions_entry.h>
#include <ngx_http_flowdash_executions.h>
#include <ngx_http_flowdash_execution_view.h>


static ngx_uint_t ngx_http_flowdash_execution_view_step(
    ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_execution_step_words_t *words, uint64_t round,
    ngx_http_flowdash_execution_step_t *step);
static ngx_uint_t ngx_http_flowdash_execution_view_lives(
    ngx_http_flowdash_executions_t *ring,
    ngx_http_flowdash_execution_entry_t *entry);


void
ngx_http_flowdash_execution_view(ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_execution_entry_t *entry, uint64_t round,
    ngx_http_flowdash_execution_t *execution)
{
    uint64_t    word;
    ngx_uint_t  i, ended;

    ngx_memzero(execution, sizeof(ngx_http_flowdash_execution_t));

    execution->sec = entry->sec;
    execution->msec = entry->msec;
    execution->pid = entry->pid;

    execution->action.data = execution->names;
    execution->action.len = entry->action_len;
    execution->id.data = ngx_cpymem(execution->names, entry->action,
                                    entry->action_len);
    execution->id.len = entry->id_len;
    ngx_memcpy(execution->id.data, entry->id, entry->id_len);

    word = ngx_http_flowdash_executions_word(entry->phase, round);

    execution->nsteps = (word >> 24) & 0xffff;
    execution->end.reason = (word >> 16) & 0xff;
    execution->end.outcome = (word >> 8) & 0xff;
    execution->phase = word & 0xff;

    word = ngx_http_flowdash_executions_word(entry->statuses, round);

    execution->end.status = (word >> 16) & 0xffff;
    execution->end.app_status = word & 0xffff;

    execution->end.time = ngx_http_flowdash_executions_word(entry->time,
                                                            round);

    if (execution->phase != NGX_HTTP_FLOWDASH_EXECUTION_ENDED
        && !ngx_http_flowdash_execution_view_lives(zone->executions, entry))
    {
        execution->phase = NGX_HTTP_FLOWDASH_EXECUTION_LOST;
        execution->end.outcome = NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN;
    }

    word = ngx_http_flowdash_executions_word(entry->deliveries, round);

    execution->deliveries.outcome = (word >> 36) & 0xff;
    execution->deliveries.waiting = (word >> 24) & 0xfff;
    execution->deliveries.done = (word >> 12) & 0xfff;
    execution->deliveries.dead = word & 0xfff;

    /* a person, or whoever has taken over its record, knows better */

    if (execution->end.outcome == NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN
        && execution->deliveries.outcome != NGX_HTTP_FLOWDASH_EXECUTION_NONE)
    {
        execution->end.outcome = execution->deliveries.outcome;
    }

    ended = (execution->phase >= NGX_HTTP_FLOWDASH_EXECUTION_ENDED);

    for (i = 0; i < NGX_HTTP_FLOWDASH_EXECUTIONS_STEPS; i++) {

        if (!ngx_http_flowdash_execution_view_step(zone, &entry->steps[i],
                                                   round,
                                                   &execution->steps[i]))
        {
            break;
        }

        if (ended && execution->steps[i].result
                     == NGX_HTTP_FLOWDASH_EXECUTION_STEP_RUNNING)
        {
            execution->steps[i].result =
                                   NGX_HTTP_FLOWDASH_EXECUTION_STEP_UNKNOWN;
        }
    }

    execution->nkept = i;
    execution->nsteps = ngx_max(execution->nsteps, i);
}


/* returns whether there is one */

static ngx_uint_t
ngx_http_flowdash_execution_view_step(ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_execution_step_words_t *words, uint64_t round,
    ngx_http_flowdash_execution_step_t *step)
{
    uint64_t    word;
    ngx_uint_t  place;

    word = ngx_http_flowdash_executions_word(words->result, round);

    step->result = word & 0xff;
    step->reason = (word >> 8) & 0xff;
    step->calls = (word >> 16) & 0xff;

    place = (word >> 24) & 0xffffff;

    if (place < zone->size) {
        step->counters = &zone->table[place];
    }

    word = ngx_http_flowdash_executions_word(words->answer, round);

    step->status = (word >> 32) & 0xffff;
    step->time = (uint32_t) word;

    return step->result != NGX_HTTP_FLOWDASH_EXECUTION_STEP_NONE;
}


static ngx_uint_t
ngx_http_flowdash_execution_view_lives(ngx_http_flowdash_executions_t *ring,
    ngx_http_flowdash_execution_entry_t *entry)
{
    if (entry->slot >= NGX_MAX_PROCESSES
        || ring->lives[entry->slot] != entry->life)
    {
        return 0;
    }

    return kill(entry->pid, 0) == 0 || ngx_errno != NGX_ESRCH;
}
