
/*
 * A batch of requests in one body, as GraphQL and JSON-RPC have it: an array
 * of what would be the body of each.  It passes if none of them is an action.
 * An action in it is refused: its endpoints could not be told what else
 * happens, nor could the app be kept from just one of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json_elements.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_source_state.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_source_read.h>
#include <ngx_http_flowdash_extract.h>
#include <ngx_http_flowdash_batch.h>


#define NGX_HTTP_FLOWDASH_BATCH_MAX  100


static ngx_int_t ngx_http_flowdash_batch_element(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *text);


ngx_uint_t
ngx_http_flowdash_batch_is_here(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    return src->batch;
}


ngx_int_t
ngx_http_flowdash_batch(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    size_t                        offset;
    ngx_int_t                     rc;
    ngx_str_t                    *element;
    ngx_uint_t                    i;
    const char                   *error;
    ngx_array_t                   elements;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    rc = ngx_http_flowdash_json_elements(&src->body.text, &elements,
                                         NGX_HTTP_FLOWDASH_BATCH_MAX, &error,
                                         &offset, r->pool);

    if (rc == NGX_DECLINED) {
        return (ngx_http_flowdash_source_refuse_at(r, ctx,
                                                   NGX_HTTP_BAD_REQUEST,
                                                   "body", error, 0, offset)
                == NGX_OK)
               ? NGX_DECLINED : NGX_ERROR;
    }

    element = elements.elts;

    for (i = 0; rc == NGX_OK && i < elements.nelts; i++) {
        rc = ngx_http_flowdash_batch_element(r, ctx, &element[i]);
    }

    ctx->task = NULL;
    ctx->extracted = NULL;

    if (rc == NGX_OK) {
        ctx->refusal_status = 0;
    }

    return rc;
}


/* returns NGX_OK if it is not an action, or as ngx_http_flowdash_batch() */

static ngx_int_t
ngx_http_flowdash_batch_element(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *text)
{
    ngx_http_flowdash_value_t  name;

    ctx->extracted = NULL;

    if (ngx_http_flowdash_source_read_element(r, ctx, text) != NGX_OK
        || ngx_http_flowdash_extract(r, ctx) != NGX_OK
        || ngx_http_flowdash_value_raw(r, ctx->conf->action, &name) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (name.text.len == 0 && !name.ambiguous && !name.early
        && (ctx->conf->task_from == NULL || !name.missing))
    {
        return NGX_OK;
    }

    if (ngx_http_flowdash_text_check_utf8(&name.text) == NULL) {
        ctx->action = name.text;
    }

    if (ctx->refusal_status == 0) {
        (void) ngx_http_flowdash_source_refuse(r, ctx, NGX_HTTP_BAD_REQUEST,
                   "a batch with an action; an action must be a request of "
                   "its own");
    }

    return NGX_DECLINED;
}
