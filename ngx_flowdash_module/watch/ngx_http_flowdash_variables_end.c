
/*
 * The variables that say how an execution has ended.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_variables_end.h>


ngx_int_t
ngx_http_flowdash_variables_end_result(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    ngx_http_flowdash_ctx_result(ctx, s);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_variables_end_app_status(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    if (ctx->app_status == 0) {
        return NGX_OK;
    }

    s->data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (s->data == NULL) {
        return NGX_ERROR;
    }

    s->len = ngx_sprintf(s->data, "%ui", ctx->app_status) - s->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_variables_end_client_left(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *s)
{
    if (!ctx->left) {
        return NGX_OK;
    }

    s->data = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + sizeof(".000") - 1);
    if (s->data == NULL) {
        return NGX_ERROR;
    }

    s->len = ngx_sprintf(s->data, "%T.%03M", (time_t) ctx->left_after / 1000,
                         ctx->left_after % 1000)
             - s->data;

    return NGX_OK;
}
