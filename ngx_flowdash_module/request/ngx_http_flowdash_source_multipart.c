
/*
 * Reads the task from a body of the type multipart/form-data, piece by piece.
 * What flowdash_extract wants has readers of its own, which get the same
 * pieces.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_task.h>
#include <ngx_http_flowdash_multipart_grammar.h>
#include <ngx_http_flowdash_multipart.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_source_state.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_extract_parts.h>
#include <ngx_http_flowdash_source_multipart.h>


ngx_int_t
ngx_http_flowdash_source_multipart_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    const char                   *error;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    error = ngx_http_flowdash_multipart_grammar_type(
                &r->headers_in.content_type->value);

    if (error && (ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_PARTS)) {
        return ngx_http_flowdash_source_refuse_rule(r, ctx,
                                               NGX_HTTP_BAD_REQUEST,
                                               NGX_HTTP_FLOWDASH_STRICT_PARTS,
                                               error);
    }

    src->body.form = ngx_http_flowdash_source_create_form(r, ctx,
                                                         &src->media.boundary);
    if (src->body.form == NULL) {
        return NGX_ERROR;
    }

    src->body.form->method = &ctx->method;

    src->multipart = ngx_http_flowdash_multipart_create(src->body.form);
    if (src->multipart == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_extract_parts_begin(r, ctx);
}


ngx_int_t
ngx_http_flowdash_source_multipart(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_str_t                     piece;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    do {
        rc = ngx_http_flowdash_body_piece(r, &src->pieces, &piece);

        if (rc == NGX_DONE) {
            rc = ngx_http_flowdash_multipart_end(src->multipart);
            break;
        }

        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_flowdash_multipart_read(src->multipart, piece.data,
                                              piece.len);

        if (rc == NGX_OK
            && ngx_http_flowdash_extract_parts(ctx, &piece) != NGX_OK)
        {
            return NGX_ERROR;
        }

    } while (rc == NGX_OK);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_source_refuse_form(r, ctx, src->body.form,
                                                    "body");
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_flowdash_extract_parts_end(ctx);

    src->readable = 1;

    return ngx_http_flowdash_form_task(src->body.form, &src->body.task);
}
