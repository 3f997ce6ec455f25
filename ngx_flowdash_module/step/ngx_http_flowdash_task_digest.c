
/*
 * $flowdash_task_digest: two requests with the same task have the same.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_task_write.h>
#include <ngx_http_flowdash_task_told.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_told.h>
#include <ngx_http_flowdash_variables.h>
#include <ngx_http_flowdash_task_digest.h>


static ngx_int_t ngx_http_flowdash_task_digest_variable(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);


static ngx_str_t  ngx_http_flowdash_task_digest_name =
    ngx_string("flowdash_task_digest");


ngx_int_t
ngx_http_flowdash_task_digest_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    var = ngx_http_add_variable(cf, &ngx_http_flowdash_task_digest_name,
                                NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_flowdash_task_digest_variable;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_task_digest_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                 hex;
    ngx_http_flowdash_ctx_t  *ctx;

    v->not_found = 1;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL) {
        ngx_http_flowdash_variables_too_early(r,
                                         &ngx_http_flowdash_task_digest_name,
                                         "the task has been read");
        return NGX_OK;
    }

    if (ctx->evaluation) {
        ctx->evaluation->read = 1;
    }

    if (ctx->own == NULL) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_task_digest(r, ctx) != NGX_OK) {
        return ngx_http_flowdash_variable_failed(ctx);
    }

    hex.data = ctx->task_digest;
    hex.len = NGX_HTTP_FLOWDASH_ID_DIGEST_LEN;

    return ngx_http_flowdash_variable_set(r, ctx, v, &hex);
}


ngx_int_t
ngx_http_flowdash_task_digest(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    u_char                         *hex;
    ngx_http_flowdash_slices_t      task;
    ngx_http_flowdash_id_digest_t   digest;

    if (ctx->task_digest) {
        return NGX_OK;
    }

    hex = ngx_pnalloc(r->pool, NGX_HTTP_FLOWDASH_ID_DIGEST_LEN);

    if (hex == NULL
        || ngx_http_flowdash_task_digest_slices(r, ctx, &task) != NGX_OK
        || ngx_http_flowdash_id_digest_init(&digest) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_id_digest_add_slices(&digest, &task);

    ngx_http_flowdash_slices_free(&task, r->pool);

    if (ngx_http_flowdash_id_digest_final(&digest, hex) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->task_digest = hex;

    return NGX_OK;
}


/*
 * The client's own task, as a payload would have it.  What is set, stored or
 * answered is left out: it may be another when the client repeats.  So is what
 * a step hides: its endpoint gets the id, and could guess the field by it.
 */

ngx_int_t
ngx_http_flowdash_task_digest_slices(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_slices_t *task)
{
    ngx_http_flowdash_told_mark_all(ctx->conf, ctx->own);

    return ngx_http_flowdash_task_write_slices(
               ngx_http_flowdash_task_write_told, ctx->own, r->pool, task);
}
