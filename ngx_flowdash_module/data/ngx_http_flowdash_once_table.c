
/*
 * The keys of flowdash_once: which of them run, in which worker, and the
 * responses of those that have ended.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_once_table.h>


/* the most memory for keys: 65,536 of them */

#define NGX_HTTP_FLOWDASH_ONCE_TABLE_KEYS       (16 * 1024 * 1024)

/* the least memory for responses: some of the longest */

#define NGX_HTTP_FLOWDASH_ONCE_TABLE_RESPONSES  (256 * 1024)


static size_t ngx_http_flowdash_once_table_keys(size_t size);
static ngx_http_flowdash_once_entry_t *ngx_http_flowdash_once_table_probe(
    ngx_http_flowdash_once_table_t *table, u_char *key, ngx_uint_t i);
static ngx_http_flowdash_once_entry_t *ngx_http_flowdash_once_table_find(
    ngx_http_flowdash_once_table_t *table, u_char *key);
static ngx_http_flowdash_once_entry_t *ngx_http_flowdash_once_table_room(
    ngx_http_flowdash_once_table_t *table, u_char *key, ngx_msec_t now);
static ngx_http_flowdash_once_result_e ngx_http_flowdash_once_table_judge(
    ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup);
static void ngx_http_flowdash_once_table_take(
    ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup,
    ngx_http_flowdash_once_entry_t *entry);
static ngx_uint_t ngx_http_flowdash_once_table_holds(
    ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup);
static void ngx_http_flowdash_once_table_bury(
    ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_entry_t *entry, ngx_msec_t now);
static ngx_uint_t ngx_http_flowdash_once_table_is_over(
    ngx_http_flowdash_once_entry_t *entry, ngx_msec_t now);
static ngx_uint_t ngx_http_flowdash_once_table_has_response(
    ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_entry_t *entry);
static void ngx_http_flowdash_once_table_write(
    ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_entry_t *entry, ngx_str_t *response);


/* in the order of ngx_http_flowdash_once_result_e */

static const char  *ngx_http_flowdash_once_table_names[] = {
    "first",
    "replayed",
    "waited",
    "running",
    "done",
    "unknown",
    "mismatch",
    "no_room",
    "no_user"
};


/* does not compile if a result has no name */

typedef u_char  ngx_http_flowdash_once_table_check_t[
    sizeof(ngx_http_flowdash_once_table_names) / sizeof(char *)
    == NGX_HTTP_FLOWDASH_ONCE_RESULTS ? 1 : -1];


size_t
ngx_http_flowdash_once_table_size(size_t size)
{
    size_t  keys;

    keys = ngx_http_flowdash_once_table_keys(size);

    return keys + NGX_MAX_PROCESSES * sizeof(ngx_http_flowdash_once_worker_t)
           + ngx_max(3 * keys, NGX_HTTP_FLOWDASH_ONCE_TABLE_RESPONSES);
}


static size_t
ngx_http_flowdash_once_table_keys(size_t size)
{
    return ngx_min(size, NGX_HTTP_FLOWDASH_ONCE_TABLE_KEYS);
}


void
ngx_http_flowdash_once_table_init(ngx_http_flowdash_once_table_t *table,
    u_char *memory, size_t size)
{
    size_t  keys, workers;

    keys = ngx_http_flowdash_once_table_keys(size);
    workers = NGX_MAX_PROCESSES * sizeof(ngx_http_flowdash_once_worker_t);

    /* of the responses, only what is used is taken from the system */

    ngx_memzero(memory, keys + workers);

    table->size = keys / sizeof(ngx_http_flowdash_once_entry_t);
    table->entries = (ngx_http_flowdash_once_entry_t *) memory;
    table->workers = (ngx_http_flowdash_once_worker_t *) (memory + keys);
    table->responses = memory + keys + workers;
    table->room = ngx_http_flowdash_once_table_size(size) - keys - workers;
    table->written = 0;
    table->executions = 0;
    table->lives = 0;
}


void
ngx_http_flowdash_once_table_join(ngx_http_flowdash_once_table_t *table)
{
    ngx_http_flowdash_once_worker_t  *worker;

    worker = &table->workers[ngx_process_slot];

    /* what the slot's last worker has left is nobody's from here on */

    worker->pid = 0;
    ngx_memory_barrier();

    worker->life = ngx_atomic_fetch_add(&table->lives, 1) + 1;

    ngx_memory_barrier();
    worker->pid = ngx_pid;
}


ngx_http_flowdash_once_result_e
ngx_http_flowdash_once_table_begin(ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup, ngx_msec_t now)
{
    ngx_http_flowdash_once_entry_t  *entry;

    entry = ngx_http_flowdash_once_table_find(table, lookup->key);

    if (entry) {
        ngx_http_flowdash_once_table_bury(table, entry, now);

        if (!ngx_http_flowdash_once_table_is_over(entry, now)) {
            lookup->entry = entry;
            lookup->execution = entry->execution;

            return ngx_http_flowdash_once_table_judge(table, lookup);
        }

    } else {
        entry = ngx_http_flowdash_once_table_room(table, lookup->key, now);

        if (entry == NULL) {
            return NGX_HTTP_FLOWDASH_ONCE_NO_ROOM;
        }
    }

    ngx_http_flowdash_once_table_take(table, lookup, entry);

    return NGX_HTTP_FLOWDASH_ONCE_FIRST;
}


static ngx_http_flowdash_once_entry_t *
ngx_http_flowdash_once_table_probe(ngx_http_flowdash_once_table_t *table,
    u_char *key, ngx_uint_t i)
{
    uint32_t  hash;

    hash = ngx_murmur_hash2(key, NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST);

    return &table->entries[((ngx_uint_t) hash + i) % table->size];
}


static ngx_http_flowdash_once_entry_t *
ngx_http_flowdash_once_table_find(ngx_http_flowdash_once_table_t *table,
    u_char *key)
{
    ngx_uint_t                       i;
    ngx_http_flowdash_once_entry_t  *entry;

    for (i = 0; i < NGX_HTTP_FLOWDASH_ONCE_TABLE_PROBES; i++) {

        entry = ngx_http_flowdash_once_table_probe(table, key, i);

        if (entry->state != NGX_HTTP_FLOWDASH_ONCE_ENTRY_FREE
            && ngx_memcmp(entry->key, key,
                          NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST)
               == 0)
        {
            return entry;
        }
    }

    return NULL;
}


/* never one that runs: it would run a second time */

static ngx_http_flowdash_once_entry_t *
ngx_http_flowdash_once_table_room(ngx_http_flowdash_once_table_t *table,
    u_char *key, ngx_msec_t now)
{
    ngx_uint_t                       i;
    ngx_msec_int_t                   age, oldest;
    ngx_http_flowdash_once_entry_t  *entry, *found;

    found = NULL;
    oldest = 0;

    for (i = 0; i < NGX_HTTP_FLOWDASH_ONCE_TABLE_PROBES; i++) {

        entry = ngx_http_flowdash_once_table_probe(table, key, i);

        if (entry->state == NGX_HTTP_FLOWDASH_ONCE_ENTRY_FREE
            || ngx_http_flowdash_once_table_is_over(entry, now))
        {
            return entry;
        }

        ngx_http_flowdash_once_table_bury(table, entry, now);

        if (entry->state == NGX_HTTP_FLOWDASH_ONCE_ENTRY_RUNNING) {
            continue;
        }

        age = (ngx_msec_int_t) (now - entry->ended);

        if (found == NULL || age > oldest) {
            oldest = age;
            found = entry;
        }
    }

    return found;
}


static ngx_http_flowdash_once_result_e
ngx_http_flowdash_once_table_judge(ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup)
{
    ngx_http_flowdash_once_entry_t  *entry;

    entry = lookup->entry;

    if (ngx_memcmp(entry->request, lookup->request,
                   NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST)
        != 0)
    {
        return NGX_HTTP_FLOWDASH_ONCE_MISMATCH;
    }

    switch (entry->state) {

    case NGX_HTTP_FLOWDASH_ONCE_ENTRY_RUNNING:
        return NGX_HTTP_FLOWDASH_ONCE_RUNNING;

    case NGX_HTTP_FLOWDASH_ONCE_ENTRY_DONE:
        return ngx_http_flowdash_once_table_has_response(table, entry)
               ? NGX_HTTP_FLOWDASH_ONCE_REPLAYED
               : NGX_HTTP_FLOWDASH_ONCE_DONE;

    default:
        return NGX_HTTP_FLOWDASH_ONCE_UNKNOWN;
    }
}


static void
ngx_http_flowdash_once_table_take(ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup,
    ngx_http_flowdash_once_entry_t *entry)
{
    entry->state = NGX_HTTP_FLOWDASH_ONCE_ENTRY_FREE;
    ngx_memory_barrier();

    entry->life = table->workers[ngx_process_slot].life;
    entry->slot = (uint32_t) ngx_process_slot;
    entry->execution = ++table->executions;
    entry->time = lookup->time;
    entry->len = 0;

    entry->id_len = (uint32_t) ngx_min(lookup->id.len,
                                       NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST);

    ngx_memcpy(entry->id, lookup->id.data, entry->id_len);
    ngx_memcpy(entry->key, lookup->key, NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST);
    ngx_memcpy(entry->request, lookup->request,
               NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST);

    ngx_memory_barrier();
    entry->state = NGX_HTTP_FLOWDASH_ONCE_ENTRY_RUNNING;

    lookup->entry = entry;
    lookup->execution = entry->execution;
}


void
ngx_http_flowdash_once_table_release(ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup)
{
    if (ngx_http_flowdash_once_table_holds(table, lookup)) {
        lookup->entry->state = NGX_HTTP_FLOWDASH_ONCE_ENTRY_FREE;
    }
}


void
ngx_http_flowdash_once_table_end(ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup, ngx_str_t *response,
    ngx_msec_t now)
{
    ngx_http_flowdash_once_entry_t  *entry;

    if (!ngx_http_flowdash_once_table_holds(table, lookup)) {
        return;
    }

    entry = lookup->entry;

    if (response->len && response->len <= table->room) {
        ngx_http_flowdash_once_table_write(table, entry, response);
    }

    entry->ended = now;

    ngx_memory_barrier();
    entry->state = NGX_HTTP_FLOWDASH_ONCE_ENTRY_DONE;
}


static ngx_uint_t
ngx_http_flowdash_once_table_holds(ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup)
{
    ngx_http_flowdash_once_entry_t  *entry;

    entry = lookup->entry;

    return entry->state == NGX_HTTP_FLOWDASH_ONCE_ENTRY_RUNNING
           && entry->execution == lookup->execution;
}


/* if the worker that runs it has died, nobody knows how far it came */

static void
ngx_http_flowdash_once_table_bury(ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_entry_t *entry, ngx_msec_t now)
{
    ngx_pid_t                         pid;
    ngx_http_flowdash_once_worker_t  *worker;

    if (entry->state != NGX_HTTP_FLOWDASH_ONCE_ENTRY_RUNNING) {
        return;
    }

    worker = &table->workers[entry->slot];
    pid = worker->pid;

    if (worker->life == entry->life && pid
        && (pid == ngx_pid || kill(pid, 0) == 0 || ngx_errno != NGX_ESRCH))
    {
        return;
    }

    entry->ended = now;

    ngx_memory_barrier();
    entry->state = NGX_HTTP_FLOWDASH_ONCE_ENTRY_UNKNOWN;
}


static ngx_uint_t
ngx_http_flowdash_once_table_is_over(ngx_http_flowdash_once_entry_t *entry,
    ngx_msec_t now)
{
    /* the clock of the worker that has ended it may be ahead */

    return entry->state != NGX_HTTP_FLOWDASH_ONCE_ENTRY_RUNNING
           && (ngx_msec_int_t) (now - entry->ended)
              >= (ngx_msec_int_t) entry->time;
}


static ngx_uint_t
ngx_http_flowdash_once_table_has_response(
    ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_entry_t *entry)
{
    return entry->len && table->written - entry->position <= table->room;
}


/* a response is in one piece, so the end of the room may be too short */

static void
ngx_http_flowdash_once_table_write(ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_entry_t *entry, ngx_str_t *response)
{
    size_t    left;
    uint64_t  position;

    position = table->written;
    left = table->room - (size_t) (position % table->room);

    if (response->len > left) {
        position += left;
    }

    /* those that are overwritten are lost first */

    table->written = position + response->len;
    ngx_memory_barrier();

    ngx_memcpy(table->responses + position % table->room, response->data,
               response->len);

    entry->position = position;
    entry->len = (uint32_t) response->len;
}


ngx_int_t
ngx_http_flowdash_once_table_copy(ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup, ngx_str_t *response,
    ngx_str_t *id)
{
    ngx_http_flowdash_once_entry_t  *entry;

    entry = lookup->entry;

    if (entry->state != NGX_HTTP_FLOWDASH_ONCE_ENTRY_DONE
        || entry->execution != lookup->execution
        || entry->len != response->len
        || !ngx_http_flowdash_once_table_has_response(table, entry))
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(response->data,
               table->responses + entry->position % table->room, entry->len);

    ngx_memcpy(id->data, entry->id, entry->id_len);
    id->len = entry->id_len;

    return NGX_OK;
}


const char *
ngx_http_flowdash_once_table_name(ngx_http_flowdash_once_result_e result)
{
    return ngx_http_flowdash_once_table_names[result];
}
