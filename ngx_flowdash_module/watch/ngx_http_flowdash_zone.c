
/*
 * flowdash_zone: the shared memory for the counters.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_count.h>
#include <ngx_http_flowdash_zone.h>


static ngx_int_t ngx_http_flowdash_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);


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
                             "steps take about 0.6k each");
    }

    fmcf->zone = ngx_shared_memory_add(cf, &name, size,
                                       &ngx_http_flowdash_module);
    if (fmcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (fmcf->zone->data) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                             "the zone is in use already");
    }

    fmcf->zone->init = ngx_http_flowdash_zone_init;
    fmcf->zone->data = fmcf;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_flowdash_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_flowdash_main_conf_t *ofmcf = data;

    size_t                          size;
    ngx_uint_t                      n;
    ngx_slab_pool_t                *shpool;
    ngx_http_flowdash_zone_t       *zone;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = shm_zone->data;

    if (ofmcf) {

        /* a reload keeps the counters */

        fmcf->counters = ofmcf->counters;
        ngx_http_flowdash_count_configured(fmcf, shm_zone->shm.log);

        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        fmcf->counters = shpool->data;
        return NGX_OK;
    }

    /* one piece, as large as the slab allocator has one */

    size = shpool->pfree * ngx_pagesize;

    n = (size - offsetof(ngx_http_flowdash_zone_t, table))
        / sizeof(ngx_http_flowdash_counters_t);

    zone = ngx_slab_calloc(shpool, size);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->size = n;
    zone->since = ngx_time();

    shpool->data = zone;
    fmcf->counters = zone;

    ngx_http_flowdash_count_configured(fmcf, shm_zone->shm.log);

    return NGX_OK;
}
