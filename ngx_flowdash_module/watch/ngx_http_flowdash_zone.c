
/*
 * flowdash_zone: the shared memory for the counters, the last executions,
 * users, and the keys of flowdash_once.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_executions.h>
#include <ngx_http_flowdash_count.h>
#include <ngx_http_flowdash_user_cache.h>
#include <ngx_http_flowdash_zone.h>


/*
 * The most memory for the workers' rows.  Up to a zone of 16m, that is one for
 * each process that nginx can have.
 */

#define NGX_HTTP_FLOWDASH_ZONE_ROWS  (64 * 1024 * 1024)


static char *ngx_http_flowdash_zone_conf_executions(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_main_conf_t *fmcf);
static size_t ngx_http_flowdash_zone_rows(size_t size,
    ngx_uint_t executions);
static ngx_int_t ngx_http_flowdash_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_flowdash_zone_make_rows(
    ngx_http_flowdash_zone_t *zone, ngx_slab_pool_t *shpool);
static ngx_int_t ngx_http_flowdash_zone_make_executions(
    ngx_http_flowdash_zone_t *zone, ngx_slab_pool_t *shpool, ngx_uint_t n);
static ngx_int_t ngx_http_flowdash_zone_make_users(
    ngx_http_flowdash_zone_t *zone, ngx_slab_pool_t *shpool, size_t size);
static ngx_int_t ngx_http_flowdash_zone_make_keys(
    ngx_http_flowdash_zone_t *zone, ngx_slab_pool_t *shpool, size_t size);
static void ngx_http_flowdash_zone_configured(
    ngx_http_flowdash_main_conf_t *fmcf, ngx_log_t *log);


char *
ngx_http_flowdash_zone_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_main_conf_t *fmcf = conf;

    u_char     *p;
    ssize_t     size;
    ngx_str_t  *value, name, s;

    if (fmcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    p = (u_char *) ngx_strchr(value[1].data, ':');

    if (p == NULL || p == value[1].data) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                             "a name and a size are expected, such as "
                             "\"flowdash:1m\"");
    }

    name.data = value[1].data;
    name.len = p - value[1].data;

    s.data = p + 1;
    s.len = value[1].data + value[1].len - s.data;

    size = ngx_parse_size(&s);

    if (size == NGX_ERROR || size < (ssize_t) (8 * ngx_pagesize)) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                             "the size must be at least 32k; actions and "
                             "steps take about 1k each");
    }

    if (cf->args->nelts == 3
        && ngx_http_flowdash_zone_conf_executions(cf, cmd, fmcf)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    fmcf->zone_size = size;
    fmcf->zone = ngx_shared_memory_add(cf, &name,
                     size + ngx_http_flowdash_zone_rows(size,
                                                        fmcf->executions),
                     &ngx_http_flowdash_module);
    if (fmcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (fmcf->zone->data) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                             "the zone is already in use");
    }

    fmcf->zone->init = ngx_http_flowdash_zone_init;
    fmcf->zone->data = fmcf;

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_zone_conf_executions(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_main_conf_t *fmcf)
{
    ngx_int_t   n;
    ngx_str_t  *value;

    value = cf->args->elts;
    value += 2;

    n = NGX_ERROR;

    if (value->len > sizeof("executions=") - 1
        && ngx_strncmp(value->data, "executions=", sizeof("executions=") - 1)
           == 0)
    {
        n = ngx_atoi(value->data + sizeof("executions=") - 1,
                     value->len - (sizeof("executions=") - 1));
    }

    if (n == NGX_ERROR || n > NGX_HTTP_FLOWDASH_EXECUTIONS_MAX) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, value,
                   "\"executions=\" and how many of the last executions are "
                   "kept is expected, up to 100000; each takes about 500 "
                   "bytes beside the zone's size");
    }

    fmcf->executions = n;

    return NGX_CONF_OK;
}


/*
 * Returns how much memory the workers' rows, the last executions, the users
 * and the keys take beside the table, with what the slab allocator needs to
 * know of all pages.  What is never used is never taken from the system.
 */

static size_t
ngx_http_flowdash_zone_rows(size_t size, ngx_uint_t executions)
{
    size_t  n, rows;

    n = size / sizeof(ngx_http_flowdash_counters_t);

    rows = ngx_min(NGX_MAX_PROCESSES * n * sizeof(uint32_t),
                   NGX_HTTP_FLOWDASH_ZONE_ROWS);

    rows += NGX_MAX_PROCESSES * sizeof(ngx_atomic_t)
            + ngx_http_flowdash_user_cache_size(size)
            + ngx_http_flowdash_once_table_size(size);

    if (executions) {
        rows += ngx_http_flowdash_executions_size(executions) + ngx_pagesize;
    }

    return rows + (size + rows) / 64 + 8 * ngx_pagesize;
}


static ngx_int_t
ngx_http_flowdash_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_flowdash_main_conf_t *ofmcf = data;

    ngx_slab_pool_t                *shpool;
    ngx_http_flowdash_zone_t       *zone;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = shm_zone->data;

    if (ofmcf) {

        /* a reload keeps the counters */

        fmcf->counters = ofmcf->counters;
        ngx_http_flowdash_zone_configured(fmcf, shm_zone->shm.log);

        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        fmcf->counters = shpool->data;
        return NGX_OK;
    }

    zone = ngx_slab_calloc(shpool, fmcf->zone_size);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->size = (fmcf->zone_size - offsetof(ngx_http_flowdash_zone_t, table))
                 / sizeof(ngx_http_flowdash_counters_t);
    zone->since = ngx_time();

    if (ngx_http_flowdash_zone_make_users(zone, shpool,
                         ngx_http_flowdash_user_cache_size(fmcf->zone_size))
        != NGX_OK
        || ngx_http_flowdash_zone_make_executions(zone, shpool,
                                                  fmcf->executions)
           != NGX_OK
        || ngx_http_flowdash_zone_make_keys(zone, shpool, fmcf->zone_size)
           != NGX_OK
        || ngx_http_flowdash_zone_make_rows(zone, shpool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    shpool->data = zone;
    fmcf->counters = zone;

    ngx_http_flowdash_zone_configured(fmcf, shm_zone->shm.log);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_zone_make_users(ngx_http_flowdash_zone_t *zone,
    ngx_slab_pool_t *shpool, size_t size)
{
    zone->users.entries = ngx_slab_alloc(shpool, size);
    if (zone->users.entries == NULL) {
        return NGX_ERROR;
    }

    zone->users.sets = size / (NGX_HTTP_FLOWDASH_CACHE_WAYS
                               * sizeof(ngx_http_flowdash_cache_entry_t));

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_zone_make_executions(ngx_http_flowdash_zone_t *zone,
    ngx_slab_pool_t *shpool, ngx_uint_t n)
{
    void  *memory;

    if (n == 0) {
        return NGX_OK;
    }

    memory = ngx_slab_calloc(shpool, ngx_http_flowdash_executions_size(n));
    if (memory == NULL) {
        return NGX_ERROR;
    }

    zone->executions = ngx_http_flowdash_executions_create(memory, n);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_zone_make_keys(ngx_http_flowdash_zone_t *zone,
    ngx_slab_pool_t *shpool, size_t size)
{
    u_char  *p;

    p = ngx_slab_alloc(shpool, ngx_http_flowdash_once_table_size(size));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_once_table_init(&zone->once, p, size);

    return NGX_OK;
}


/*
 * No worker of a new configuration finds a user that an old one has kept: it
 * may be another page that tells who the user is.
 */

static void
ngx_http_flowdash_zone_configured(ngx_http_flowdash_main_conf_t *fmcf,
    ngx_log_t *log)
{
    ngx_http_flowdash_zone_t  *zone;

    zone = fmcf->counters;
    fmcf->generation = ++zone->generation;

    if (fmcf->user_cache && !zone->users_cleared) {
        ngx_memzero(zone->users.entries,
                    zone->users.sets * NGX_HTTP_FLOWDASH_CACHE_WAYS
                    * sizeof(ngx_http_flowdash_cache_entry_t));
        zone->users_cleared = 1;
    }

    ngx_http_flowdash_count_configured(fmcf, log);
}


/* all that is left is theirs; each worker clears its row when it takes it */

static ngx_int_t
ngx_http_flowdash_zone_make_rows(ngx_http_flowdash_zone_t *zone,
    ngx_slab_pool_t *shpool)
{
    size_t  size;

    zone->pids = ngx_slab_calloc(shpool,
                                 NGX_MAX_PROCESSES * sizeof(ngx_atomic_t));
    if (zone->pids == NULL) {
        return NGX_ERROR;
    }

    size = shpool->pfree * ngx_pagesize;

    zone->running = ngx_slab_alloc(shpool, size);
    if (zone->running == NULL) {
        return NGX_ERROR;
    }

    zone->slots = ngx_min(NGX_MAX_PROCESSES,
                          size / (zone->size * sizeof(uint32_t)));

    return NGX_OK;
}
