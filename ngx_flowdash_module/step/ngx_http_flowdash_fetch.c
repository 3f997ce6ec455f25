
/*
 * Fetches the stored task from the app.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_extract_field.h>
#include <ngx_http_flowdash_merge.h>
#include <ngx_http_flowdash_user_headers.h>
#include <ngx_http_flowdash_fetch_request.h>
#include <ngx_http_flowdash_fetch.h>


ngx_int_t
ngx_http_flowdash_fetch_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_str_t                      uri, args;
    ngx_http_flowdash_exchange_t  *ex;

    ex = ngx_http_flowdash_fetch_request_create(r, "task");
    if (ex == NULL) {
        return NGX_ERROR;
    }

    ctx->exchange = ex;

    rc = ngx_http_flowdash_fetch_request_uri(r, ex, ctx->conf->task_from,
                                             &uri, &args);

    if (rc == NGX_DECLINED) {
        ex->done = 1;
        return NGX_OK;
    }

    return (rc == NGX_OK)
           ? ngx_http_flowdash_fetch_request_start(r, ctx, &uri, &args)
           : NGX_ERROR;
}


ngx_int_t
ngx_http_flowdash_fetch_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_array_t                      *pointer;
    ngx_http_flowdash_exchange_t     *ex;
    ngx_http_flowdash_task_t         *task;
    ngx_http_flowdash_json_verdict_e  verdict;

    ex = ctx->exchange;

    if (ex->content_type.len
        && !ngx_http_flowdash_text_is_json_type(&ex->content_type))
    {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
                   "the stored task is not JSON");
    }

    task = ngx_palloc(r->pool, sizeof(ngx_http_flowdash_task_t));
    if (task == NULL) {
        return NGX_ERROR;
    }

    pointer = ctx->conf->task_from->pointer;

    if (pointer == NULL) {
        pointer = ctx->conf->pointer;
    }

    if (ngx_http_flowdash_task_init(task, r->pool, &ex->body, pointer,
                                    ctx->conf->strict,
                                    ctx->conf->max_fields_size, &verdict)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        return ngx_http_flowdash_merge_invalid(r, ex, &task->json, verdict);
    }

    if (task->json.object.data == NULL) {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
                   "the answer has no object where the stored task should "
                   "be");
    }

    ctx->stored = task;

    if (ngx_http_flowdash_source_merge(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_extract_field_check_stored(r, ctx, ex);
}


void
ngx_http_flowdash_fetch_failed(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_exchange_t  *ex;

    ex = ctx->exchange;

    if (ex->error == NGX_HTTP_FLOWDASH_STATUS
        && ex->status == NGX_HTTP_UNAUTHORIZED)
    {
        /* without memory, the 401 still says enough */

        (void) ngx_http_flowdash_user_headers_take(r, ctx, ex);
    }
}
