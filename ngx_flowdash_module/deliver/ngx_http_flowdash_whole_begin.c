
/*
 * Begins the record of an execution, and knows how much room it needs.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_outbox_file.h>
#include <ngx_http_flowdash_task_write.h>
#include <ngx_http_flowdash_task_told.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_find.h>
#include <ngx_http_flowdash_collect.h>
#include <ngx_http_flowdash_whole_state.h>
#include <ngx_http_flowdash_whole_begin.h>


/* octets of a line beside its payload */

#define NGX_HTTP_FLOWDASH_WHOLE_LINE      2048

/* of the lines from the outcome on, without the response */

#define NGX_HTTP_FLOWDASH_WHOLE_END       4096

#define NGX_HTTP_FLOWDASH_WHOLE_RESPONSE                                      \
    NGX_HTTP_FLOWDASH_RECORD_RESPONSE(NGX_HTTP_FLOWDASH_COLLECT_MAX)


static ngx_http_flowdash_whole_t *
    ngx_http_flowdash_whole_create(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_whole_names(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_record_t *record);
static size_t ngx_http_flowdash_whole_size(ngx_http_flowdash_ctx_t *ctx);


ngx_int_t
ngx_http_flowdash_whole_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_whole_t  *whole;

    if (!ctx->conf->whole) {
        return NGX_OK;
    }

    whole = ngx_http_flowdash_whole_create(r, ctx);
    if (whole == NULL) {
        return NGX_ERROR;
    }

    whole->file = ngx_http_flowdash_outbox_create(whole->record,
                                         ngx_http_flowdash_whole_size(ctx),
                                         r->connection->log);
    if (whole->file == NULL) {
        ngx_destroy_pool(whole->record->pool);
        return NGX_DECLINED;
    }

    ctx->whole = whole;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash record of %V, reserved:%O", &ctx->id,
                   whole->file->reserved);

    return NGX_OK;
}


static ngx_http_flowdash_whole_t *
ngx_http_flowdash_whole_create(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_pool_t                  *pool;
    ngx_http_flowdash_whole_t   *whole;
    ngx_http_flowdash_record_t  *record;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE / 4, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    whole = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_whole_t));
    record = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_record_t));

    if (whole == NULL || record == NULL) {
        goto failed;
    }

    record->pool = pool;
    record->start = ngx_time();

    if (ngx_array_init(&record->steps, pool, ctx->conf->steps->nelts,
                       sizeof(ngx_http_flowdash_record_step_t))
        != NGX_OK
        || ngx_array_init(&record->afters, pool, 1,
                          sizeof(ngx_http_flowdash_delivery_t))
           != NGX_OK
        || ngx_http_flowdash_whole_names(ctx, record) != NGX_OK)
    {
        goto failed;
    }

    whole->request = r;
    whole->ctx = ctx;
    whole->record = record;

    return whole;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


static ngx_int_t
ngx_http_flowdash_whole_names(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_record_t *record)
{
    u_char     *p;
    ngx_str_t   server, location;

    ngx_http_flowdash_find_names(ctx->conf, record);

    server = record->server;
    location = record->location;

    record->trace.len = sizeof(ctx->trace.id) + sizeof(ctx->trace.flags);

    record->trace.data = ngx_pnalloc(record->pool, record->trace.len);
    if (record->trace.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(record->trace.data, ctx->trace.id, sizeof(ctx->trace.id));
    ngx_memcpy(p, ctx->trace.flags, sizeof(ctx->trace.flags));

    if (ngx_http_flowdash_whole_copy(record->pool, &record->id, &ctx->id)
        != NGX_OK
        || ngx_http_flowdash_whole_copy(record->pool, &record->action,
                                        &ctx->action)
           != NGX_OK
        || ngx_http_flowdash_whole_copy(record->pool, &record->server,
                                        &server)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_whole_copy(record->pool, &record->location,
                                        &location);
}


ngx_int_t
ngx_http_flowdash_whole_copy(ngx_pool_t *pool, ngx_str_t *dst, ngx_str_t *src)
{
    dst->len = src->len;

    if (src->len == 0) {
        dst->data = NULL;
        return NGX_OK;
    }

    dst->data = ngx_pstrdup(pool, src);

    return dst->data ? NGX_OK : NGX_ERROR;
}


/*
 * What the record is expected to need: a full disk stops the action before its
 * first step.  A task that grows meanwhile gets more room when it has to.
 */

static size_t
ngx_http_flowdash_whole_size(ngx_http_flowdash_ctx_t *ctx)
{
    size_t                      line, size;
    ngx_uint_t                  i;
    ngx_http_flowdash_step_t  **step;

    line = ngx_http_flowdash_task_write_length(
               ngx_http_flowdash_task_write_told, ctx->task)
           + NGX_HTTP_FLOWDASH_WHOLE_LINE;

    step = ctx->conf->steps->elts;
    size = NGX_HTTP_FLOWDASH_WHOLE_LINE + NGX_HTTP_FLOWDASH_WHOLE_END;

    for (i = 0; i < ctx->conf->steps->nelts; i++) {
        size += step[i]->undo ? 2 * line : NGX_HTTP_FLOWDASH_WHOLE_LINE / 4;
    }

    if (ctx->conf->afters) {
        size += 2 * ctx->conf->afters->nelts * line
                + NGX_HTTP_FLOWDASH_WHOLE_RESPONSE;
    }

    return size;
}


/* the room that must be left when the app is called */

size_t
ngx_http_flowdash_whole_end_size(ngx_http_flowdash_ctx_t *ctx, size_t told)
{
    size_t  size;

    size = NGX_HTTP_FLOWDASH_WHOLE_END;

    if (ctx->conf->afters) {
        size += ctx->conf->afters->nelts
                * (told + NGX_HTTP_FLOWDASH_WHOLE_LINE)
                + NGX_HTTP_FLOWDASH_WHOLE_RESPONSE;
    }

    return size;
}
