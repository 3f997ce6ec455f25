
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
#include <ngx_http_flowdash_executions_entry.h>
#include <ngx_http_flowdash_execution_view.h>
#include <ngx_http_flowdash_executions.h>


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
static ngx_atomic_uint_t ngx_http_flowdash_executions_copy(
    ngx_http_flowdash_executions_t *ring, ngx_str_t *id,
    ngx_http_flowdash_execution_entry_t *copy);
static ngx_int_t ngx_http_flowdash_executions_read(
    ngx_http_flowdash_executions_t *ring, ngx_atomic_uint_t number,
    ngx_str_t *id, ngx_http_flowdash_execution_entry_t *copy);


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

    /* memory may have run out before it had an id, or a name */

    if (id->len) {
        (void) ngx_cpymem(new.id, id->data, id->len);
    }

    if (name.len) {
        (void) ngx_cpymem(new.action, name.data, name.len);
    }

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
                   /* cppcheck-suppress badBitmaskCheck */
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
    uint64_t                             round;
    ngx_atomic_uint_t                    number;
    ngx_http_flowdash_execution_entry_t  copy;

    number = ngx_http_flowdash_executions_copy(zone->executions, id, &copy);

    if (number == 0) {
        return NGX_DECLINED;
    }

    round = ngx_http_flowdash_executions_round(zone->executions, number);

    ngx_http_flowdash_execution_view(zone, &copy, round, execution);

    return NGX_OK;
}


void
ngx_http_flowdash_executions_deliveries(ngx_http_flowdash_executions_t *ring,
    ngx_str_t *id, ngx_http_flowdash_execution_deliveries_t *deliveries)
{
    ngx_atomic_uint_t                     number;
    ngx_http_flowdash_execution_entry_t  *entry, copy;

    number = ngx_http_flowdash_executions_copy(ring, id, &copy);

    if (number == 0) {
        return;
    }

    entry = ngx_http_flowdash_executions_entry(ring, number);

    entry->deliveries = ngx_http_flowdash_executions_round(ring, number)
                        | (uint64_t) deliveries->outcome << 36
                        | (uint64_t) ngx_min(deliveries->waiting, 0xfff) << 24
                        | (uint64_t) ngx_min(deliveries->done, 0xfff) << 12
                        | ngx_min(deliveries->dead, 0xfff);
}


/* returns the number of the last execution of that id; 0: there is none */

static ngx_atomic_uint_t
ngx_http_flowdash_executions_copy(ngx_http_flowdash_executions_t *ring,
    ngx_str_t *id, ngx_http_flowdash_execution_entry_t *copy)
{
    uint32_t           hash;
    ngx_atomic_uint_t  n, first;

    hash = ngx_http_flowdash_executions_hash(id);

    n = ring->n;
    first = n > ring->size ? n - ring->size : 0;

    while (n-- > first) {

        if (ring->hashes[n % ring->size] == hash
            && ngx_http_flowdash_executions_read(ring, 2 * n + 2, id, copy)
               == NGX_OK)
        {
            return 2 * n + 2;
        }
    }

    return 0;
}


/* Returns NGX_DECLINED if it is another one, or is being overwritten. */

static ngx_int_t
ngx_http_flowdash_executions_read(ngx_http_flowdash_executions_t *ring,
    ngx_atomic_uint_t number, ngx_str_t *id,
    ngx_http_flowdash_execution_entry_t *copy)
{
    ngx_http_flowdash_execution_entry_t  *entry;

    entry = ngx_http_flowdash_executions_entry(ring, number);

    if (entry->version != number) {
        return NGX_DECLINED;
    }

    ngx_memory_barrier();

    *copy = *entry;

    ngx_memory_barrier();

    return (entry->version == number
            && copy->checksum
               == ngx_http_flowdash_executions_checksum(copy, number)
            && copy->id_len == id->len
            && ngx_memcmp(copy->id, id->data, id->len) == 0)
           ? NGX_OK : NGX_DECLINED;
}
