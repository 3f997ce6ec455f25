
/*
 * The users that flowdash_user_from keeps in flowdash_zone, for all workers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_cache.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_user_cache.h>


/* the most memory for users: about 32,000 of them */

#define NGX_HTTP_FLOWDASH_USER_CACHE_MAX  (64 * 1024 * 1024)


static ngx_shmtx_t *ngx_http_flowdash_user_cache_lock(ngx_http_request_t *r);


size_t
ngx_http_flowdash_user_cache_size(size_t size)
{
    return ngx_min(size, NGX_HTTP_FLOWDASH_USER_CACHE_MAX);
}


ngx_int_t
ngx_http_flowdash_user_cache_find(ngx_http_request_t *r, u_char *key,
    ngx_msec_t max_age, ngx_str_t *text)
{
    ngx_shmtx_t                    *mutex;
    ngx_http_flowdash_zone_t       *zone;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);
    zone = fmcf->counters;

    text->data = ngx_pnalloc(r->pool, NGX_HTTP_FLOWDASH_CACHE_TEXT);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    mutex = ngx_http_flowdash_user_cache_lock(r);

    text->len = ngx_http_flowdash_cache_find(&zone->users, key,
                                             ngx_current_msec, max_age,
                                             text->data);
    ngx_shmtx_unlock(mutex);

    if (text->len == 0) {
        (void) ngx_atomic_fetch_add(&zone->user_misses, 1);
        return NGX_DECLINED;
    }

    (void) ngx_atomic_fetch_add(&zone->user_hits, 1);

    return NGX_OK;
}


void
ngx_http_flowdash_user_cache_store(ngx_http_request_t *r, u_char *key,
    ngx_str_t *text)
{
    ngx_int_t                       rc;
    ngx_shmtx_t                    *mutex;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    mutex = ngx_http_flowdash_user_cache_lock(r);

    rc = ngx_http_flowdash_cache_store(&fmcf->counters->users, key,
                                       ngx_current_msec, text);
    ngx_shmtx_unlock(mutex);

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "flowdash: the user is not kept for cache=, as it takes "
                      "%uz bytes, which is more than %ui", text->len,
                      (ngx_uint_t) NGX_HTTP_FLOWDASH_CACHE_TEXT);
    }
}


/* nginx itself unlocks it if the worker that has locked it dies */

static ngx_shmtx_t *
ngx_http_flowdash_user_cache_lock(ngx_http_request_t *r)
{
    ngx_slab_pool_t                *shpool;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);
    shpool = (ngx_slab_pool_t *) fmcf->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    return &shpool->mutex;
}
