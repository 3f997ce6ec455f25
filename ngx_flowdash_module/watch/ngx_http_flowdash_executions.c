
/*
 * The last executions: a ring in shared memory, without a lock.
 *
 * What is known when an execution begins is written once, as a failure among
 * the last ones is.  What changes later is in words of 64 bits, each of which
 * its worker stores whole, and which carry the ring's round: a worker that was
 * stopped until a newer execution had the place leaves a word of an older
 * round there, which no reader takes for the newer one's.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions.h>


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


/* the number of this worker, in one ring */

typedef struct {
    ngx_http_flowdash_executions_t       *ring;
    ngx_pid_t                             pid;
    uint32_t                              life;
} ngx_http_flowdash_executions_life_t;


static ngx_http_flowdash_execution_entry_t *ngx_http_flowdash_executions_entry(
    ngx_http_flowdash_executions_t *ring, ngx_atomic_uint_t number);
static uint64_t ngx_http_flowdash_executions_round(
    ngx_http_flowdash_executions_t *ring, ngx_atomic_uint_t number);
static ngx_int_t ngx_http_flowdash_executions_take(
    ngx_http_flowdash_execution_entry_t *entry, ngx_atomic_uint_t version);
static uint32_t ngx_http_flowdash_executions_checksum(
    ngx_http_flowdash_execution_entry_t *entry, ngx_atomic_uint_t version);
static uint32_t ngx_http_flowdash_executions_hash(ngx_str_t *id);
static ngx_int_t ngx_http_flowdash_executions_read(
    ngx_http_flowdash_zone_t *zone, ngx_atomic_uint_t number, ngx_str_t *id,
    ngx_http_flowdash_execution_t *execution);
static void ngx_http_flowdash_executions_decode(ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_execution_entry_t *entry, uint64_t round,
    ngx_http_flowdash_execution_t *execution);
static ngx_uint_t ngx_http_flowdash_executions_decode_step(
    ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_execution_step_words_t *words, uint64_t round,
    ngx_http_flowdash_execution_step_t *step);
static uint64_t ngx_http_flowdash_executions_word(uint64_t word,
    uint64_t round);
static ngx_uint_t ngx_http_flowdash_executions_lives(
    ngx_http_flowdash_executions_t *ring,
    ngx_http_flowdash_execution_entry_t *entry);


static ngx_http_flowdash_executions_life_t  ngx_http_flowdash_executions_life;


size_t
ngx_http_flowdash_executions_size(ngx_uint_t n)
{
    return offsetof(ngx_http_flowdash_executions_t, table)
           + n * (sizeof(ngx_http_flowdash_execution_entry_t)
                  + sizeof(uint32_t));
}


ngx_http_flowdash_executions_t *
ngx_http_flowdash_executions_create(void *memory, ngx_uint_t n)
{
    ngx_http_flowdash_executions_t  *ring;

    ring = memory;

    ring->size = n;
    ring->hashes = (uint32_t *) &ring->table[n];

    return ring;
}


void
ngx_http_flowdash_executions_own(ngx_http_flowdash_executions_t *ring)
{
    ngx_http_flowdash_executions_life_t  *life;

    life = &ngx_http_flowdash_executions_life;

    if (life->ring == ring && life->pid == ngx_pid) {

        /* without a master, a reload comes here again */

        return;
    }

    life->ring = ring;
    life->pid = ngx_pid;
    life->life = (uint32_t) ngx_atomic_fetch_add(&ring->nlives, 1) + 1;

    ring->lives[ngx_process_slot] = life->life;
}


ngx_atomic_uint_t
ngx_http_flowdash_executions_begin(ngx_http_flowdash_executions_t *ring,
    ngx_str_t *id, ngx_str_t *action)
{
    size_t                                offset;
    ngx_str_t                             name;
    ngx_time_t                           *now;
    ngx_atomic_uint_t                     n;
    ngx_http_flowdash_execution_entry_t  *entry, new;

    if (id->len == 0 || id->len > NGX_HTTP_FLOWDASH_EXECUTIONS_ID) {
        return 0;
    }

    n = ngx_atomic_fetch_add(&ring->n, 1);

    ngx_memzero(&new, sizeof(ngx_http_flowdash_execution_entry_t));

    now = ngx_timeofday();
    name = ngx_http_flowdash_metrics_name(action);

    new.sec = now->sec;
    new.msec = now->msec;
    new.pid = ngx_pid;
    new.slot = ngx_process_slot;
    new.life = ngx_http_flowdash_executions_life.life;
    new.id_len = id->len;
    new.action_len = name.len;
    (void) ngx_cpymem(new.id, id->data, id->len);
    (void) ngx_cpymem(new.action, name.data, name.len);
    new.checksum = ngx_http_flowdash_executions_checksum(&new, 2 * n + 2);

    entry = ngx_http_flowdash_executions_entry(ring, 2 * n + 2);

    if (ngx_http_flowdash_executions_take(entry, 2 * n + 1) != NGX_OK) {
        return 0;
    }

    /* the words that follow are of an older round, and mean nothing */

    offset = offsetof(ngx_http_flowdash_execution_entry_t, checksum);

    ngx_memcpy((u_char *) entry + offset, (u_char *) &new + offset,
               offsetof(ngx_http_flowdash_execution_entry_t, phase) - offset);

    ring->hashes[n % ring->size] = ngx_http_flowdash_executions_hash(id);

    (void) ngx_atomic_cmp_set(&entry->version, 2 * n + 1, 2 * n + 2);

    return 2 * n + 2;
}


static ngx_http_flowdash_execution_entry_t *
ngx_http_flowdash_executions_entry(ngx_http_flowdash_executions_t *ring,
    ngx_atomic_uint_t number)
{
    return &ring->table[(number / 2 - 1) % ring->size];
}


/* never 0 in the first rounds: memory that was not written has no word */

static uint64_t
ngx_http_flowdash_executions_round(ngx_http_flowdash_executions_t *ring,
    ngx_atomic_uint_t number)
{
    return (uint64_t) (((number / 2 - 1) / ring->size + 1) & 0xffff) << 48;
}


/* as for a failure: takes the place of an older one, even if unfinished */

static ngx_int_t
ngx_http_flowdash_executions_take(ngx_http_flowdash_execution_entry_t *entry,
    ngx_atomic_uint_t version)
{
    ngx_atomic_uint_t  old;

    do {
        old = entry->version;

        if (old > version) {
            return NGX_DECLINED;
        }

    } while (!ngx_atomic_cmp_set(&entry->version, old, version));

    return NGX_OK;
}


static uint32_t
ngx_http_flowdash_executions_checksum(
    ngx_http_flowdash_execution_entry_t *entry, ngx_atomic_uint_t version)
{
    size_t    offset;
    uint32_t  hash;

    offset = offsetof(ngx_http_flowdash_execution_entry_t, life);

    ngx_crc32_init(hash);
    ngx_crc32_update(&hash, (u_char *) &version, sizeof(ngx_atomic_uint_t));
    ngx_crc32_update(&hash, (u_char *) entry + offset,
                     offsetof(ngx_http_flowdash_execution_entry_t, phase)
                     - offset);
    ngx_crc32_final(hash);

    return hash;
}


static uint32_t
ngx_http_flowdash_executions_hash(ngx_str_t *id)
{
    return ngx_crc32_short(id->data, id->len);
}


void
ngx_http_flowdash_executions_step(ngx_http_flowdash_zone_t *zone,
    ngx_atomic_uint_t number, ngx_uint_t i,
    ngx_http_flowdash_execution_step_t *step)
{
    uint64_t                              round, place;
    ngx_http_flowdash_execution_entry_t  *entry;

    round = ngx_http_flowdash_executions_round(zone->executions, number);
    entry = ngx_http_flowdash_executions_entry(zone->executions, number);

    if (entry->version != number) {
        return;
    }

    if (i < NGX_HTTP_FLOWDASH_EXECUTIONS_STEPS) {

        place = step->counters ? (uint64_t) (step->counters - zone->table)
                               : NGX_HTTP_FLOWDASH_EXECUTIONS_NOBODY;
        place = ngx_min(place, NGX_HTTP_FLOWDASH_EXECUTIONS_NOBODY);

        entry->steps[i].answer = round
                           | (uint64_t) (step->status & 0xffff) << 32
                           | (uint32_t) step->time;
        entry->steps[i].result = round | place << 24
                           | (uint64_t) ngx_min(step->calls, 255) << 16
                           | (uint64_t) step->reason << 8
                           | step->result;
    }

    entry->phase = round | (uint64_t) ngx_min(i + 1, 0xffff) << 24
                   | NGX_HTTP_FLOWDASH_EXECUTION_STEPS;
}


void
ngx_http_flowdash_executions_passed(ngx_http_flowdash_executions_t *ring,
    ngx_atomic_uint_t number)
{
    uint64_t                              round, phase;
    ngx_http_flowdash_execution_entry_t  *entry;

    round = ngx_http_flowdash_executions_round(ring, number);
    entry = ngx_http_flowdash_executions_entry(ring, number);

    if (entry->version != number) {
        return;
    }

    phase = ngx_http_flowdash_executions_word(entry->phase, round);

    entry->phase = round | phase | NGX_HTTP_FLOWDASH_EXECUTION_APP;
}


void
ngx_http_flowdash_executions_end(ngx_http_flowdash_executions_t *ring,
    ngx_atomic_uint_t number, ngx_http_flowdash_execution_end_t *end)
{
    uint64_t                              round, phase;
    ngx_http_flowdash_execution_entry_t  *entry;

    round = ngx_http_flowdash_executions_round(ring, number);
    entry = ngx_http_flowdash_executions_entry(ring, number);

    if (entry->version != number) {
        return;
    }

    phase = ngx_http_flowdash_executions_word(entry->phase, round);

    entry->time = round | (uint32_t) end->time;
    entry->statuses = round | (uint64_t) (end->status & 0xffff) << 16
                      | (end->app_status & 0xffff);

    /* last: it is complete now */

    entry->phase = round | (phase & ~(uint64_t) 0xffffff)
                   | (uint64_t) end->reason << 16
                   | (uint64_t) end->outcome << 8
                   | NGX_HTTP_FLOWDASH_EXECUTION_ENDED;
}


ngx_int_t
ngx_http_flowdash_executions_find(ngx_http_flowdash_zone_t *zone,
    ngx_str_t *id, ngx_http_flowdash_execution_t *execution)
{
    uint32_t                         hash;
    ngx_atomic_uint_t                n, first;
    ngx_http_flowdash_executions_t  *ring;

    ring = zone->executions;

    hash = ngx_http_flowdash_executions_hash(id);

    n = ring->n;
    first = n > ring->size ? n - ring->size : 0;

    while (n-- > first) {

        if (ring->hashes[n % ring->size] == hash
            && ngx_http_flowdash_executions_read(zone, 2 * n + 2, id,
                                                 execution)
               == NGX_OK)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* Returns NGX_DECLINED if it is another one, or is being overwritten. */

static ngx_int_t
ngx_http_flowdash_executions_read(ngx_http_flowdash_zone_t *zone,
    ngx_atomic_uint_t number, ngx_str_t *id,
    ngx_http_flowdash_execution_t *execution)
{
    ngx_http_flowdash_executions_t       *ring;
    ngx_http_flowdash_execution_entry_t  *entry, copy;

    ring = zone->executions;
    entry = ngx_http_flowdash_executions_entry(ring, number);

    if (entry->version != number) {
        return NGX_DECLINED;
    }

    ngx_memory_barrier();

    copy = *entry;

    ngx_memory_barrier();

    if (entry->version != number
        || copy.checksum
           != ngx_http_flowdash_executions_checksum(&copy, number)
        || copy.id_len != id->len
        || ngx_memcmp(copy.id, id->data, id->len) != 0)
    {
        return NGX_DECLINED;
    }

    ngx_http_flowdash_executions_decode(zone, &copy,
               ngx_http_flowdash_executions_round(ring, number), execution);

    return NGX_OK;
}


static void
ngx_http_flowdash_executions_decode(ngx_http_flowdash_zone_t *zone,
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
        && !ngx_http_flowdash_executions_lives(zone->executions, entry))
    {
        execution->phase = NGX_HTTP_FLOWDASH_EXECUTION_LOST;
        execution->end.outcome = NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN;
    }

    ended = (execution->phase >= NGX_HTTP_FLOWDASH_EXECUTION_ENDED);

    for (i = 0; i < NGX_HTTP_FLOWDASH_EXECUTIONS_STEPS; i++) {

        if (!ngx_http_flowdash_executions_decode_step(zone, &entry->steps[i],
                                                 round, &execution->steps[i]))
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
ngx_http_flowdash_executions_decode_step(ngx_http_flowdash_zone_t *zone,
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


/* what a word says; of another round, nothing */

static uint64_t
ngx_http_flowdash_executions_word(uint64_t word, uint64_t round)
{
    uint64_t  mask;

    mask = (uint64_t) 0xffff << 48;

    return ((word & mask) == round) ? word & ~mask : 0;
}


static ngx_uint_t
ngx_http_flowdash_executions_lives(ngx_http_flowdash_executions_t *ring,
    ngx_http_flowdash_execution_entry_t *entry)
{
    if (entry->slot >= NGX_MAX_PROCESSES
        || ring->lives[entry->slot] != entry->life)
    {
        return 0;
    }

    return kill(entry->pid, 0) == 0 || ngx_errno != NGX_ESRCH;
}
