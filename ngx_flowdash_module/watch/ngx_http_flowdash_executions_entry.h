
#ifndef _NGX_HTTP_FLOWDASH_EXECUTIONS_ENTRY_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EXECUTIONS_ENTRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions.h>


/* the ring as it lies in shared memory, for its own files only */


/* an entry of the table of counters that there is none */

#define NGX_HTTP_FLOWDASH_EXECUTIONS_NOBODY  0xffffff


typedef volatile uint64_t  ngx_http_flowdash_execution_word_t;


/* the upper 16 bits of each word are the round */

typedef struct {
    /* entry in the table 24, calls 8, reason 8, result 8 */
    ngx_http_flowdash_execution_word_t  result;

    /* status 16, ms 32 */
    ngx_http_flowdash_execution_word_t  answer;
} ngx_http_flowdash_execution_step_words_t;


typedef struct {
    ngx_atomic_t                        version;    /* see ..._failure_t */
    uint32_t                            checksum;   /* to the end of id[] */
    uint32_t                            life;       /* of its worker */
    time_t                              sec;
    uint32_t                            msec;
    int32_t                             pid;
    uint32_t                            slot;
    u_char                              action_len;
    u_char                              id_len;
    u_char                              action[NGX_HTTP_FLOWDASH_METRICS_NAME];
    u_char                              id[NGX_HTTP_FLOWDASH_EXECUTIONS_ID];

    /* steps that have begun 16, reason 8, outcome 8, phase 8 */
    ngx_http_flowdash_execution_word_t  phase;

    /* the client's status 16, the app's 16 */
    ngx_http_flowdash_execution_word_t  statuses;

    /* ms 32 */
    ngx_http_flowdash_execution_word_t  time;

    /* outcome 8, waiting 12, done 12, dead 12 */
    ngx_http_flowdash_execution_word_t  deliveries;

    ngx_http_flowdash_execution_step_words_t  steps[
                                          NGX_HTTP_FLOWDASH_EXECUTIONS_STEPS];
} ngx_http_flowdash_execution_entry_t;


struct ngx_http_flowdash_executions_s {
    ngx_uint_t                            size;
    ngx_atomic_t                          n;        /* that have begun */

    /* each worker has a number, which the place of its process has, too */

    ngx_atomic_t                          nlives;
    ngx_atomic_t                          lives[NGX_MAX_PROCESSES];

    volatile uint32_t                    *hashes;   /* of the ids */
    ngx_http_flowdash_execution_entry_t   table[1];
};


/* Returns what a word says; of another round, nothing. */
static ngx_inline uint64_t
ngx_http_flowdash_executions_word(uint64_t word, uint64_t round)
{
    uint64_t  mask;

    mask = (uint64_t) 0xffff << 48;

    return ((word & mask) == round) ? word & ~mask : 0;
}


#endif /* _NGX_HTTP_FLOWDASH_EXECUTIONS_ENTRY_H_INCLUDED_ */
