
/*
 * The variables of flowdash_extract.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_pointer.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_told.h>
#include <ngx_http_flowdash_extract_field.h>
#include <ngx_http_flowdash_variables.h>
#include <ngx_http_flowdash_variables_extract.h>


static ngx_uint_t ngx_http_flowdash_variables_extract_hidden(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_extract_t *extract);


ngx_int_t
ngx_http_flowdash_variables_extract(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    ngx_uint_t                      i;
    ngx_http_flowdash_ctx_t        *ctx;
    ngx_http_flowdash_value_t      *value, unused;
    ngx_http_flowdash_extract_t    *extract;
    ngx_http_flowdash_extracted_t   extracted;

    v->not_found = 1;

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL) {
        ngx_http_flowdash_variables_too_early(r, name,
                                              "the task has been read");
        return NGX_OK;
    }

    ngx_memzero(&unused, sizeof(ngx_http_flowdash_value_t));

    value = &unused;

    if (ctx->evaluation) {
        ctx->evaluation->read = 1;
        value = ctx->evaluation->value;
    }

    if (ctx->conf == NULL || ctx->conf->extracts == NULL) {

        /* there is no location where memory ran out first */

        return NGX_OK;
    }

    extract = ctx->conf->extracts->elts;

    for (i = 0; extract[i].name != name; i++) {
        if (i + 1 == ctx->conf->extracts->nelts) {
            return NGX_OK;
        }
    }

    if (ngx_http_flowdash_extract_field_get(r, ctx, i, &extracted) != NGX_OK) {
        return ngx_http_flowdash_variable_failed(ctx);
    }

    value->ambiguous |= extracted.ambiguous;
    value->missing |= extracted.missing;

    if (ngx_http_flowdash_variables_extract_hidden(r, ctx, extract + i)) {
        value->missing = 1;
        return NGX_OK;
    }

    return ngx_http_flowdash_variable_set(r, ctx, v, &extracted.text);
}


/* a field that the step is not told is not told under another name, either */

static ngx_uint_t
ngx_http_flowdash_variables_extract_hidden(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_extract_t *extract)
{
    ngx_http_flowdash_token_t  *token;

    if (extract->from <= NGX_HTTP_FLOWDASH_FROM_QUERY) {
        return 0;
    }

    token = extract->pointer.elts;

    return !ngx_http_flowdash_told(ngx_http_flowdash_told_conf(r, ctx),
                                   &token->name);
}
