
/*
 * The counters in shared memory: a table of fixed size, whose entries are
 * created and found without a lock.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>


/* how many slots are tried for an entry */

#define NGX_HTTP_FLOWDASH_METRICS_PROBES 64

/* how long a worker waits for an entry that another creates: about 10 us */

#define NGX_HTTP_FLOWDASH_METRICS_SPINS  1024


static uint32_t ngx_http_flowdash_metrics_hash(ngx_str_t *names);
static ngx_int_t ngx_http_flowdash_metrics_make(ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_counters_t *entry, uint32_t hash, ngx_str_t *names);
static void ngx_http_flowdash_metrics_wait(
    ngx_http_flowdash_counters_t *entry);
static ngx_uint_t ngx_http_flowdash_metrics_is(
    ngx_http_flowdash_counters_t *entry, uint32_t hash, ngx_str_t *names);
static u_char ngx_http_flowdash_metrics_copy(u_char *dst, ngx_str_t *src);
static ngx_uint_t ngx_http_flowdash_metrics_lives(
    ngx_http_flowdash_zone_t *zone, ngx_uint_t slot);
static ngx_int_t ngx_http_flowdash_metrics_write(
    ngx_http_flowdash_failure_t *failure, ngx_atomic_uint_t version);
static uint32_t ngx_http_flowdash_metrics_checksum(
    ngx_http_flowdash_failure_t *failure, ngx_atomic_uint_t version);


ngx_uint_t  ngx_http_flowdash_metrics_bounds[
                                         NGX_HTTP_FLOWDASH_METRICS_BUCKETS] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000
};


ngx_http_flowdash_counters_t *
ngx_http_flowdash_metrics_get(ngx_http_flowdash_zone_t *zone,
    ngx_str_t *action, ngx_str_t *step)
{
    uint32_t                       hash;
    ngx_str_t                      names[2];
    ngx_uint_t                     i;
    ngx_http_flowdash_counters_t  *entry;

    names[0] = ngx_http_flowdash_metrics_name(action);
    ngx_str_null(&names[1]);

    if (step) {
        names[1] = ngx_http_flowdash_metrics_name(step);
    }

    hash = ngx_http_flowdash_metrics_hash(names);

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_PROBES; i++) {

        entry = &zone->table[(hash + i) % zone->size];

        if (entry->state == NGX_HTTP_FLOWDASH_METRICS_FREE
            && ngx_http_flowdash_metrics_make(zone, entry, hash, names)
               == NGX_OK)
        {
            return entry;
        }

        if (entry->state == NGX_HTTP_FLOWDASH_METRICS_MAKING) {
            ngx_http_flowdash_metrics_wait(entry);
        }

        if (entry->state == NGX_HTTP_FLOWDASH_METRICS_READY
            && ngx_http_flowdash_metrics_is(entry, hash, names))
        {
            return entry;
        }
    }

    return NULL;
}


static uint32_t
ngx_http_flowdash_metrics_hash(ngx_str_t *names)
{
    uint32_t  hash;

    ngx_crc32_init(hash);
    ngx_crc32_update(&hash, names[0].data, names[0].len);

    /* names are UTF-8, and never have this byte */

    ngx_crc32_update(&hash, (u_char *) "\xff", 1);
    ngx_crc32_update(&hash, names[1].data, names[1].len);

    ngx_crc32_final(hash);

    return hash;
}


/* Returns NGX_OK, or NGX_DECLINED if another worker got the slot. */

static ngx_int_t
ngx_http_flowdash_metrics_make(ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_counters_t *entry, uint32_t hash, ngx_str_t *names)
{
    if (!ngx_atomic_cmp_set(&entry->state, NGX_HTTP_FLOWDASH_METRICS_FREE,
                            NGX_HTTP_FLOWDASH_METRICS_MAKING))
    {
        return NGX_DECLINED;
    }

    entry->hash = hash;
    entry->action_len = ngx_http_flowdash_metrics_copy(entry->action,
                                                       &names[0]);
    entry->step_len = ngx_http_flowdash_metrics_copy(entry->step, &names[1]);

    ngx_memory_barrier();

    if (!ngx_atomic_cmp_set(&entry->state, NGX_HTTP_FLOWDASH_METRICS_MAKING,
                            NGX_HTTP_FLOWDASH_METRICS_READY))
    {
        return NGX_DECLINED;
    }

    (void) ngx_atomic_fetch_add(&zone->used, 1);

    return NGX_OK;
}


/*
 * Another worker is creating this entry, perhaps for the same name: it must
 * not get two entries.  If that worker stalls or dies, nobody uses the slot
 * again.
 */

static void
ngx_http_flowdash_metrics_wait(ngx_http_flowdash_counters_t *entry)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_SPINS; i++) {

        if (entry->state != NGX_HTTP_FLOWDASH_METRICS_MAKING) {
            return;
        }

        ngx_cpu_pause();
    }

    (void) ngx_atomic_cmp_set(&entry->state, NGX_HTTP_FLOWDASH_METRICS_MAKING,
                              NGX_HTTP_FLOWDASH_METRICS_LOST);
}


static ngx_uint_t
ngx_http_flowdash_metrics_is(ngx_http_flowdash_counters_t *entry,
    uint32_t hash, ngx_str_t *names)
{
    return entry->hash == hash
           && entry->action_len == names[0].len
           && entry->step_len == names[1].len
           && (names[0].len == 0
               || ngx_memcmp(entry->action, names[0].data, names[0].len) == 0)
           && (names[1].len == 0
               || ngx_memcmp(entry->step, names[1].data, names[1].len) == 0);
}


static u_char
ngx_http_flowdash_metrics_copy(u_char *dst, ngx_str_t *src)
{
    ngx_str_t  name;

    name = ngx_http_flowdash_metrics_name(src);

    if (name.len) {
        ngx_memcpy(dst, name.data, name.len);
    }

    return (u_char) name.len;
}


ngx_str_t
ngx_http_flowdash_metrics_name(ngx_str_t *name)
{
    ngx_str_t  cut;

    cut = *name;

    if (cut.len > NGX_HTTP_FLOWDASH_METRICS_NAME) {
        cut.len = NGX_HTTP_FLOWDASH_METRICS_NAME;

        /* cut between two characters */

        while (cut.len && (cut.data[cut.len] & 0xc0) == 0x80) {
            cut.len--;
        }
    }

    return cut;
}


void
ngx_http_flowdash_metrics_no_room(ngx_http_flowdash_zone_t *zone,
    ngx_log_t *log)
{
    if (ngx_atomic_cmp_set(&zone->warned, 0, 1)) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "flowdash: the zone of flowdash_zone is too small for "
                      "all actions and steps: some are not counted");
    }
}


/*
 * A process slot has one worker at a time.  The row still has the numbers of
 * the slot's last worker, which may have been killed: a new worker clears it.
 */

void
ngx_http_flowdash_metrics_begin(ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_counters_t *counters)
{
    ngx_uint_t          slot;
    volatile uint32_t  *row;

    slot = ngx_process_slot;

    if (slot >= zone->slots) {
        return;
    }

    row = &zone->running[slot * zone->size];

    if (zone->pids[slot] != (ngx_atomic_uint_t) ngx_pid) {

        /* nobody may read it meanwhile */

        zone->pids[slot] = 0;
        ngx_memory_barrier();

        ngx_memzero((void *) row, zone->size * sizeof(uint32_t));

        ngx_memory_barrier();
        zone->pids[slot] = ngx_pid;
    }

    row[counters - zone->table]++;
}


void
ngx_http_flowdash_metrics_end(ngx_http_flowdash_zone_t *zone,
    ngx_http_flowdash_counters_t *counters)
{
    ngx_uint_t  slot;

    slot = ngx_process_slot;

    if (slot < zone->slots) {
        zone->running[slot * zone->size + (counters - zone->table)]--;
    }
}


/* two readers may do this at the same time: each stores a complete sum */

void
ngx_http_flowdash_metrics_sum_running(ngx_http_flowdash_zone_t *zone)
{
    ngx_uint_t          i, n, nrows, sum;
    volatile uint32_t  *rows[NGX_MAX_PROCESSES];

    nrows = 0;

    for (i = 0; i < zone->slots; i++) {
        if (ngx_http_flowdash_metrics_lives(zone, i)) {
            rows[nrows++] = &zone->running[i * zone->size];
        }
    }

    for (i = 0; i < zone->size; i++) {

        if (zone->table[i].state != NGX_HTTP_FLOWDASH_METRICS_READY) {
            continue;
        }

        sum = 0;

        for (n = 0; n < nrows; n++) {
            sum += rows[n][i];
        }

        zone->table[i].running = sum;
    }
}


/*
 * Tells whether the worker of a slot exists.  If not, its row is abandoned, so
 * that it doesn't count for another process that gets the same pid later.
 */

static ngx_uint_t
ngx_http_flowdash_metrics_lives(ngx_http_flowdash_zone_t *zone,
    ngx_uint_t slot)
{
    ngx_atomic_uint_t  pid;

    pid = zone->pids[slot];

    if (pid == 0) {
        return 0;
    }

    if (kill((ngx_pid_t) pid, 0) == -1 && ngx_errno == NGX_ESRCH) {
        (void) ngx_atomic_cmp_set(&zone->pids[slot], pid, 0);
        return 0;
    }

    return 1;
}


ngx_uint_t
ngx_http_flowdash_metrics_bucket(ngx_msec_t ms)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_BUCKETS; i++) {
        if (ms <= ngx_http_flowdash_metrics_bounds[i]) {
            break;
        }
    }

    return i;
}


void
ngx_http_flowdash_metrics_time(ngx_http_flowdash_histogram_t *time,
    ngx_msec_t ms)
{
    ngx_uint_t  i;

    i = ngx_http_flowdash_metrics_bucket(ms);

    (void) ngx_atomic_fetch_add(&time->buckets[i], 1);
    (void) ngx_atomic_fetch_add(&time->sum, ms);
}


ngx_uint_t
ngx_http_flowdash_metrics_count(ngx_http_flowdash_histogram_t *time)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i <= NGX_HTTP_FLOWDASH_METRICS_BUCKETS; i++) {
        n += time->buckets[i];
    }

    return n;
}


/*
 * Two workers may start a minute at the same time, and lose an event or two.
 * The rate is an estimate anyway.
 */

void
ngx_http_flowdash_metrics_happen(ngx_http_flowdash_rate_t *rate)
{
    ngx_atomic_uint_t  minute, now;

    now = ngx_time() / 60;
    minute = rate->minute;

    if (minute != now && ngx_atomic_cmp_set(&rate->minute, minute, now)) {
        rate->previous = (minute + 1 == now) ? rate->current : 0;
        rate->current = 0;
    }

    (void) ngx_atomic_fetch_add(&rate->current, 1);
}


ngx_uint_t
ngx_http_flowdash_metrics_per_minute(ngx_http_flowdash_rate_t *rate)
{
    time_t             now;
    ngx_uint_t         left;
    ngx_atomic_uint_t  minute;

    now = ngx_time();
    minute = now / 60;
    left = 60 - now % 60;

    if (rate->minute == minute) {
        return 1000 * rate->current + 1000 * rate->previous * left / 60;
    }

    if (rate->minute + 1 == minute) {
        return 1000 * rate->current * left / 60;
    }

    return 0;
}


ngx_msec_t
ngx_http_flowdash_metrics_quantile(ngx_http_flowdash_histogram_t *time,
    ngx_uint_t quantile)
{
    ngx_uint_t         i, lower, upper;
    ngx_atomic_uint_t  rank, below, here;

    rank = (ngx_http_flowdash_metrics_count(time) * quantile + 999) / 1000;
    below = 0;

    for (i = 0; i < NGX_HTTP_FLOWDASH_METRICS_BUCKETS && rank; i++) {

        here = time->buckets[i];

        if (below + here >= rank) {
            lower = i ? ngx_http_flowdash_metrics_bounds[i - 1] : 0;
            upper = ngx_http_flowdash_metrics_bounds[i];

            return lower + (upper - lower) * (rank - below) / here;
        }

        below += here;
    }

    return rank ? ngx_http_flowdash_metrics_bounds[
                                    NGX_HTTP_FLOWDASH_METRICS_BUCKETS - 1]
                : 0;
}


void
ngx_http_flowdash_metrics_failure(ngx_http_flowdash_zone_t *zone,
    ngx_str_t *action, ngx_str_t *step, ngx_str_t *id, ngx_uint_t status,
    ngx_uint_t answered, ngx_uint_t reason)
{
    size_t                        offset;
    ngx_uint_t                    n;
    ngx_http_flowdash_failure_t  *failure, new;

    n = ngx_atomic_fetch_add(&zone->nfailures, 1);

    ngx_memzero(&new, sizeof(ngx_http_flowdash_failure_t));

    new.time = ngx_time();
    new.status = status;
    new.answered = answered;
    new.reason = reason;
    new.action_len = ngx_http_flowdash_metrics_copy(new.action, action);
    new.step_len = ngx_http_flowdash_metrics_copy(new.step, step);
    new.id_len = ngx_http_flowdash_metrics_copy(new.id, id);
    new.checksum = ngx_http_flowdash_metrics_checksum(&new, 2 * n + 2);

    failure = &zone->failures[n % NGX_HTTP_FLOWDASH_METRICS_FAILURES];

    if (ngx_http_flowdash_metrics_write(failure, 2 * n + 1) != NGX_OK) {
        return;
    }

    offset = offsetof(ngx_http_flowdash_failure_t, checksum);

    ngx_memcpy((u_char *) failure + offset, (u_char *) &new + offset,
               sizeof(ngx_http_flowdash_failure_t) - offset);

    (void) ngx_atomic_cmp_set(&failure->version, 2 * n + 1, 2 * n + 2);
}


/*
 * Takes the place of an older failure, even if it was never finished: its
 * worker may have been killed.  Returns NGX_DECLINED if a newer one is there.
 */

static ngx_int_t
ngx_http_flowdash_metrics_write(ngx_http_flowdash_failure_t *failure,
    ngx_atomic_uint_t version)
{
    ngx_atomic_uint_t  old;

    do {
        old = failure->version;

        if (old > version) {
            return NGX_DECLINED;
        }

    } while (!ngx_atomic_cmp_set(&failure->version, old, version));

    return NGX_OK;
}


static uint32_t
ngx_http_flowdash_metrics_checksum(ngx_http_flowdash_failure_t *failure,
    ngx_atomic_uint_t version)
{
    size_t    offset;
    uint32_t  hash;

    offset = offsetof(ngx_http_flowdash_failure_t, time);

    ngx_crc32_init(hash);
    ngx_crc32_update(&hash, (u_char *) &version, sizeof(ngx_atomic_uint_t));
    ngx_crc32_update(&hash, (u_char *) failure + offset,
                     sizeof(ngx_http_flowdash_failure_t) - offset);
    ngx_crc32_final(hash);

    return hash;
}


ngx_int_t
ngx_http_flowdash_metrics_last_failure(ngx_http_flowdash_zone_t *zone,
    ngx_uint_t n, ngx_http_flowdash_failure_t *copy)
{
    ngx_uint_t                    last;
    ngx_atomic_uint_t             version;
    ngx_http_flowdash_failure_t  *failure;

    last = zone->nfailures;

    if (n >= last || n >= NGX_HTTP_FLOWDASH_METRICS_FAILURES) {
        return NGX_DECLINED;
    }

    failure = &zone->failures[(last - 1 - n)
                              % NGX_HTTP_FLOWDASH_METRICS_FAILURES];

    version = 2 * (last - 1 - n) + 2;

    if (failure->version != version) {
        return NGX_DECLINED;
    }

    ngx_memory_barrier();

    *copy = *failure;

    ngx_memory_barrier();

    return (failure->version == version
            && copy->checksum
               == ngx_http_flowdash_metrics_checksum(copy, version))
           ? NGX_OK : NGX_DECLINED;
}
